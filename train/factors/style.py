"""Train the style network: style.py DATA MODEL RUN [--options JSON] [--network JSON]

Pitch classes and energy of each frame from latents as they are, in made-up surroundings (the sets room0, room1 where
they are) and as 3 to 12 codebooks of MODEL bring them; labels (pitch_labels.py) are those of the clean recording, its
energy at the level that the surroundings leave the voice. A voiced frame's target is a bump over the classes around its pitch, as high as the tracker is sure.
RUN/speakers.json: who was trained on.
"""
import argparse
import json
import os
import sys
import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import splits                                                               # noqa: E402
from loop import Loop                                                       # noqa: E402
from nets import LATENT, PITCH_MAX, PITCH_MIN, PITCHES, Style               # noqa: E402
from quantise import Quantiser                                              # noqa: E402

OPTIONS = dict(steps=2400, rate=2e-3, validate=300, batch=48, frames=128, bump=0.8, energy=1.0, coarse=0.5,
               room=0.4, sets=['room0', 'room1'])
CLASS = np.log(PITCH_MAX / PITCH_MIN) / (PITCHES - 1)    # of log Hz
AROUND = 2                                               # classes on each side of the likeliest that make the pitch


class Data:
    """Labels f0, voicing, energy [frames]; latents by set, and as tokens bring them."""

    def __init__(self, folder, model):
        self.folder, self.sets, self.energies, self.quantiser = folder, {}, {}, Quantiser(model)
        self.clips = json.load(open(os.path.join(folder, 'clips.json')))
        labels = (self.read(n + '.f32', np.float32) for n in ('f0', 'voicing', 'energy'))
        self.f0, self.voicing, self.energy = labels

    def read(self, name, kind):
        return np.memmap(os.path.join(self.folder, name), kind, 'r')

    def has(self, name):
        return os.path.exists(os.path.join(self.folder, name + '.i16'))

    def set(self, name):
        if name not in self.sets:
            self.sets[name] = (self.read(name + '.i16', np.int16).reshape(-1, LATENT),
                               self.read(name + '.tokens', np.uint16).reshape(len(self.f0), -1))
        return self.sets[name]

    def energy_in(self, name):
        """Energy of the voice in a set, dB [frames]."""
        if name == 'base':
            return self.energy
        if name not in self.energies:
            heard = self.read(name + '.levels', np.float16).reshape(-1, 2)[:, 0].astype(np.float32)
            gain = np.zeros(len(self.energy), np.float32)
            for c in self.clips:
                own = slice(c['first'], c['first'] + c['frames'])
                e, loud = self.energy[own], self.energy[own] > np.percentile(self.energy[own], 95) - 25
                power = [10 ** (x[loud] / 10) for x in (heard[own], e)]
                gain[own] = 10 * np.log10(power[0].mean() / power[1].mean())
            self.energies[name] = (self.energy + gain).clip(-100, 0)
        return self.energies[name]

    def latents(self, name, rows, codebooks=0):
        """-> float32 [..., LATENT]; codebooks 0: as the encoder makes them."""
        z, tokens = self.set(name)
        if codebooks == 0:
            return torch.from_numpy(z[rows].astype(np.float32)) / 512
        return self.quantiser.dequantise(torch.from_numpy(tokens[rows].astype(np.int64)), codebooks) / 512

    def rows(self, split):
        """(first, frames) of the clips of a split."""
        return np.array([(c['first'], c['frames']) for c in self.clips if c['split'] == split])


def read_pitch(odds):
    """Log odds [..., 1 + PITCHES] -> f0 in Hz, voicing: what lac_prosody_read does."""
    p = odds.softmax(-1)
    voicing, q = 1 - p[..., 0], p[..., 1:]
    near = (torch.arange(PITCHES) - q.argmax(-1, keepdim=True)).abs() <= AROUND
    place = (q * near * torch.arange(PITCHES)).sum(-1) / (q * near).sum(-1).clamp(min=1e-20)
    return PITCH_MIN * torch.exp(CLASS * place), voicing


def targets(f0, voicing, bump):
    """-> shares of the classes [..., 1 + PITCHES]."""
    place = np.log(np.maximum(f0, PITCH_MIN) / PITCH_MIN) / CLASS
    share = np.exp(-0.5 * ((np.arange(PITCHES) - place[..., None]) / bump) ** 2)
    sure = np.where(f0 > 0, voicing, 0)[..., None]
    share *= sure / share.sum(-1, keepdims=True)
    return torch.from_numpy(np.concatenate([1 - sure, share], -1).astype(np.float32))


class Training:
    def __init__(self, data, o, config):
        self.data, self.o, self.net, self.ahead = data, o, Style(config), config['ahead']
        self.speakers = sorted({c['speaker'] for c in data.clips if c['split'] == 'train' and c['speaker']})
        splits.assert_disjoint(self.speakers)
        self.clips, self.valid = data.rows('train'), data.rows('valid')
        self.sets = [n for n in o['sets'] if data.has(n)]
        self.share = self.clips[:, 1] / self.clips[:, 1].sum()
        print('%d clips, sets base %s' % (len(self.clips), ' '.join(self.sets)), flush=True)

    def batch(self, rng):
        """Latents [B, T, LATENT], rows of the labels [B, T], energies, mask."""
        o, z, rows, energy = self.o, [], [], []
        for first, n in self.clips[rng.choice(len(self.clips), o['batch'], p=self.share)]:
            r = first + rng.integers(max(1, n - o['frames'] + 1)) + np.arange(o['frames'])
            rows.append(np.where(r < first + n, r, -1))
            name = self.sets[rng.integers(len(self.sets))] if self.sets and rng.random() < o['room'] else 'base'
            energy.append(self.data.energy_in(name)[rows[-1]])
            codebooks = int(rng.integers(3, 13)) if rng.random() < o['coarse'] else 0
            z.append(self.data.latents(name, np.maximum(rows[-1], 0), codebooks))
        rows = np.stack(rows)
        mask = torch.from_numpy(rows >= 0)
        return torch.stack(z) * mask[..., None], np.maximum(rows, 0), np.stack(energy), mask.float()

    def losses(self, step, rng):
        o, d, a = self.o, self.data, self.ahead
        z, rows, label, mask = self.batch(rng)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            odds, energy = self.net(F.pad(z, (0, 0, 0, a)))
        odds, energy = odds[:, a:], energy[:, a:]
        share = targets(d.f0[rows], d.voicing[rows], o['bump'])
        pitch = (-(share * odds.log_softmax(-1)).sum(-1) * mask).sum() / mask.sum()
        label = torch.from_numpy((label.clip(-100, 0) + 60) / 20)
        loud = ((energy - label).abs() * mask).sum() / mask.sum()
        return pitch + o['energy'] * loud, dict(pitch=pitch, energy=20 * loud)

    def validate(self, networks):
        found = {}
        for name, codebooks in [('base', 0), ('base', 6)] + [('room1', 0)] * self.data.has('room1'):
            s = score(*of_clips(networks['style'], self.data, self.valid, name, codebooks))
            found.update({'%s%d %s' % (name, codebooks, k): v for k, v in s.items()})
        return found


@torch.no_grad()
def of_clips(net, data, clips, name, codebooks):
    """-> rows of the labels, f0, voicing, energy in dB that the network finds in clips (first, frames)."""
    found, a = [], net.m['ahead']
    for first, n in clips:
        rows = np.arange(first, first + n)
        odds, energy = net(F.pad(data.latents(name, rows, codebooks)[None], (0, 0, 0, a)))
        f0, voicing = read_pitch(odds[0, a:])
        found.append((rows, f0.numpy(), voicing.numpy(), 20 * energy[0, a:].numpy() - 60))
    rows, f0, voicing, energy = (np.concatenate(x) for x in zip(*found))
    return (data.f0[rows], data.energy_in(name)[rows]), (f0, voicing, energy)


def score(label, found):
    """Correlation of log pitch and median error where both call a frame voiced; the rest over all frames."""
    (f0, energy), (g0, voicing, g_energy) = label, found
    voiced = voicing > 0.5
    both = voiced & (f0 > 0)
    x, y = np.log2(f0[both]), np.log2(g0[both])
    cents = 1200 * np.abs(x - y)
    return dict(correlation=float(np.corrcoef(x, y)[0, 1]), cents=float(np.median(cents)),
                gross=float((cents > 300).mean()), missed=float((~voiced & (f0 > 0)).sum() / (f0 > 0).sum()),
                false=float((voiced & (f0 == 0)).sum() / (f0 == 0).sum()),
                energy_db=float(np.median(np.abs(energy - g_energy))))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('data')
    p.add_argument('model')
    p.add_argument('run')
    p.add_argument('--options', default='{}', help='JSON: what of OPTIONS is to be another')
    p.add_argument('--network', default='{}', help='JSON: what of config.json is to be another')
    a = p.parse_args()
    o = dict(OPTIONS, **json.loads(a.options))
    config = dict(json.load(open(os.path.join(HERE, 'config.json')))['style'], **json.loads(a.network))
    torch.manual_seed(o.get('seed', 1))
    t = Training(Data(a.data, a.model), o, config)
    os.makedirs(a.run, exist_ok=True)
    json.dump(t.speakers, open(os.path.join(a.run, 'speakers.json'), 'w'), indent=0)
    Loop(a.run, {'style': t.net}, ['style'], config, o).go(t.losses, t.validate)


if __name__ == '__main__':
    main()
