"""Train the surroundings network: surroundings.py MODEL DATA RUN [--options JSON]

A crop is of a clip as it is or in one of its made-up surroundings (simulate.py), half of them as 3 to 12 codebooks
leave it. Beside what is read off the vectors, four losses shape these, with heads that are thrown away:
    levels      each frame of the trunk tells how loud speech and noise are in it
    change      both vectors tell what the surroundings did to mean and deviation of the latents, so that they hold
                more than four numbers, and nothing of who speaks: that is in both halves of the difference
    speaker     neither is to tell who speaks,
    crossed     nor the environment bandwidth and codec, nor the channel SNR and T60: heads that find it out, and
                whose gradient is reversed (arXiv 1409.7495)
"""
import argparse
import json
import os
import sys
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import splits                                                               # noqa: E402
from loop import Loop, Reverse                                              # noqa: E402
from nets import CHANNEL, CODECS, ENVIRONMENT, LATENT, Surroundings         # noqa: E402
from quantise import Quantiser                                              # noqa: E402

RATE, TOP, ONE = 50, 40.0, 512.0              # frames a second; SNR beyond which all is clean
OPTIONS = dict(steps=2400, rate=2e-3, weight_decay=0.05, validate=300, batch=48, seconds=[2, 4], base=0.2,
               adversary=0.02, change=0.1, levels=1.0, floor=0.5, size=0.01, fall=0.5)
BINS = {'snr': [0.25, 0.75, 1.25, 1.75], 't60': [-1.5, -0.5, 0.25, 1.0], 'bandwidth': [0.6, 0.9, 1.25, 1.6]}
WEIGHT = {'snr': 8.0, 't60': 1.0, 'bandwidth': 1.5, 'codec': 1.0}


class Clips:
    """Latents of sets, and what the surroundings of any part of a clip are."""

    def __init__(self, model, data, sets):
        self.quantiser = Quantiser(model)
        self.clips = json.load(open(os.path.join(data, 'clips.json')))
        at = os.path.join
        self.z = {s: np.memmap(at(data, s + '.i16'), np.int16, 'r').reshape(-1, LATENT) for s in sets}
        self.tokens = {s: np.memmap(at(data, s + '.tokens'), np.uint16, 'r').reshape(-1, 12) for s in sets}
        rooms = [s for s in sets if s != 'base']
        self.labels = {s: json.load(open(at(data, s + '.json'))) for s in rooms}
        self.levels = {s: np.fromfile(at(data, s + '.levels'), np.float16).reshape(-1, 2) for s in rooms}
        self.own = np.load(at(data, 'own_snr.npy'))

    def of(self, *wanted):
        return [i for i, c in enumerate(self.clips) if c['split'] in wanted]

    def snr(self, s, c, start, frames):
        """dB of a part of a clip; NaN where hardly anything is said."""
        first, whole = self.clips[c]['first'], self.clips[c]['frames']
        speech, noise = 10 ** (self.levels[s][first:first + whole].astype(np.float64) / 10).T
        part = slice(start, start + frames)
        active = speech[part] > np.percentile(speech, 95) * 10 ** -2.5
        if active.sum() < 25:
            return np.nan
        return 10 * np.log10(speech[part][active].mean() / noise[part].mean())

    def label(self, s, c, start, frames):
        """snr / 20 (at most TOP), log2(t60 / 0.4), bandwidth / 6000, codec."""
        if s == 'base':
            snr, d = self.own[c], dict(t60_s=0.1, bandwidth_hz=self.clips[c]['bandwidth_hz'], codec='none')
        else:
            snr, d = self.snr(s, c, start, frames), self.labels[s][c]
        return [min(snr, TOP) / 20, np.log2(d['t60_s'] / 0.4), d['bandwidth_hz'] / 6000, CODECS.index(d['codec'])]

    def latents(self, part, codebooks=None):
        """int16 [T, D], or as so many codebooks bring them."""
        s, c, start, frames = part
        at = slice(self.clips[c]['first'] + start, self.clips[c]['first'] + start + frames)
        if codebooks is None:
            return torch.from_numpy(self.z[s][at].astype(np.float32))
        return self.quantiser.dequantise(torch.from_numpy(self.tokens[s][at].astype(np.int32)), codebooks)

    def batch(self, parts, codebooks):
        """[(set, clip, start, frames)] and codebooks of each or None -> latents [B, T, D], mask [B, T]."""
        longest = max(p[3] for p in parts)
        z, mask = torch.zeros(len(parts), longest, LATENT), torch.zeros(len(parts), longest)
        for i, (p, n) in enumerate(zip(parts, codebooks)):
            z[i, :p[3]], mask[i, :p[3]] = self.latents(p, n) / ONE, 1
        return z, mask

    def targets(self, parts):
        """-> [B, 4]"""
        return torch.tensor([self.label(*p) for p in parts]).float()


def parts_of(clips, s, which, seconds):
    """Stretches of `seconds` from the middle of clips that have them, or whole clips."""
    if not seconds:
        return [(s, c, 0, min(clips.clips[c]['frames'], 30 * RATE)) for c in which]
    n = int(seconds * RATE)
    return [(s, c, (clips.clips[c]['frames'] - n) // 2, n) for c in which if clips.clips[c]['frames'] >= n]


@torch.no_grad()
def run(net, clips, parts, codebooks=None, batch=32):
    """-> vectors [N, ENVIRONMENT + CHANNEL], what is read off [N, 3 + codecs]; order kept."""
    order = sorted(range(len(parts)), key=lambda i: parts[i][3])
    found = [None] * len(parts)
    for k in range(0, len(order), batch):
        mine = order[k:k + batch]
        e, c, o = net(*clips.batch([parts[i] for i in mine], [codebooks] * len(mine)))
        read = torch.cat([torch.stack([o['snr'], o['t60'], o['bandwidth']], 1), o['codec']], 1)
        for j, i in enumerate(mine):
            found[i] = (torch.cat([e, c], 1)[j], read[j])
    return [torch.stack(v).numpy() for v in zip(*found)]


def errors(read, y):
    """Absolute errors in dB, s, Hz, and whether the codec is wrong; NaN where a label is."""
    snr = np.abs(np.clip(read[:, 0], -1, TOP / 20) - np.clip(y[:, 0], -1, TOP / 20)) * 20
    t60 = np.abs(2.0 ** read[:, 1] - 2.0 ** y[:, 1]) * 0.4
    return dict(snr_db=snr, t60_s=t60, bandwidth_hz=np.abs(read[:, 2] - y[:, 2]) * 6000,
                codec=(read[:, 3:].argmax(1) != y[:, 3]).astype(float))


def head(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, 128), nn.GELU(), nn.Linear(128, outputs))


class Heads(nn.Module):
    """What training alone needs."""

    def __init__(self, speakers, width):
        super().__init__()
        self.levels = nn.Linear(width, 2)
        self.change = head(ENVIRONMENT + CHANNEL, 2 * LATENT)
        self.speaker = head(ENVIRONMENT + CHANNEL, speakers)
        classes = {k: len(v) + 1 for k, v in BINS.items()}
        self.of_environment = head(ENVIRONMENT, classes['bandwidth'] + len(CODECS))
        self.of_channel = head(CHANNEL, classes['snr'] + classes['t60'])


def statistics(z, mask):
    """Mean and deviation over time [B, 2 D]."""
    n = mask.sum(1, keepdim=True)
    mean = (z * mask[..., None]).sum(1) / n
    return torch.cat([mean, (((z - mean[:, None]) ** 2 * mask[..., None]).sum(1) / n + 1e-3).sqrt()], 1)


def entropy(logits, target):
    return F.cross_entropy(logits, target, ignore_index=-1)


def binned(y, name):
    return torch.bucketize(y.contiguous(), torch.tensor(BINS[name])).masked_fill(y.isnan(), -1)


class Training:
    def __init__(self, model, data, o, config):
        self.o, self.model, self.data = o, model, data
        self.rooms = [s for s in ('room0', 'room1', 'room3') if os.path.exists(os.path.join(data, s + '.i16'))]
        self.clips = Clips(model, data, ['base'] + self.rooms)
        self.train = np.array(self.clips.of('train'))
        self.weight = np.cumsum([self.clips.clips[c]['frames'] ** 0.5 for c in self.train])
        speakers = sorted({self.clips.clips[c]['speaker'] for c in self.train} - {None})
        splits.assert_disjoint(speakers)
        self.speaker = {s: i for i, s in enumerate(speakers)}
        self.net, self.heads = Surroundings(config), Heads(len(speakers), config['width'])

    def draw(self, rng):
        o, parts, n = self.o, [], int(RATE * rng.uniform(*self.o['seconds']))
        for _ in range(o['batch']):
            c = int(self.train[np.searchsorted(self.weight, rng.random() * self.weight[-1])])
            frames = min(n, self.clips.clips[c]['frames'])
            s = 'base' if rng.random() < o['base'] else self.rooms[rng.integers(len(self.rooms))]
            parts.append((s, c, int(rng.integers(self.clips.clips[c]['frames'] - frames + 1)), frames))
        return parts

    def losses(self, step, rng):
        parts = self.draw(rng)
        y = self.clips.targets(parts)
        z, mask = self.clips.batch(parts, [int(rng.integers(3, 13)) if rng.random() < 0.5 else None for _ in parts])
        change = self.change(parts)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            trunk = self.net.trunk(z)
            pooled = self.net.pool(trunk, mask)
        e, c, read = self.net.read(pooled)
        losses = self.told(read, y, parts)
        total = sum(WEIGHT[k] * v for k, v in losses.items())
        both = torch.cat([e, c], 1)
        changed = torch.tensor([float(p[0] != 'base') for p in parts])
        losses['change'] = ((self.heads.change(both) - change) ** 2).mean(1).mul(changed).mean() / 0.05
        losses['size'] = (both ** 2).mean()
        losses['levels'] = self.levels(self.heads.levels(trunk.float()), parts)
        total = total + self.o['change'] * losses['change'] + sum(self.o[k] * losses[k] for k in ('size', 'levels'))
        hidden = self.hidden(e, c, y, parts, self.o['adversary'] * min(1, step / (0.3 * self.o['steps'])))
        losses.update(hidden)
        return total + sum(hidden.values()), losses

    def change(self, parts):
        """What the surroundings did to the statistics of the latents [B, 2 D]; 0 for clips as they are."""
        exact, mask = self.clips.batch(parts, [None] * len(parts))
        plain, _ = self.clips.batch([('base', *p[1:]) for p in parts], [None] * len(parts))
        return statistics(exact, mask) - statistics(plain, mask)

    def levels(self, told, parts):
        """Mean error of the frames' levels in units of 20 dB, where they are known."""
        errors = []
        for t, (s, c, start, frames) in zip(told, parts):
            if s != 'base':
                first = self.clips.clips[c]['first'] + start
                known = torch.from_numpy(self.clips.levels[s][first:first + frames].astype(np.float32))
                errors.append((t[:frames] - (known.clamp(min=-80) + 40) / 20).abs().mean())
        return torch.stack(errors).mean()

    def noisy(self, s, c):
        return s != 'base' and self.clips.labels[s][c]['snr_added_db'] is not None

    def told(self, read, y, parts):
        """The SNR of recordings without added noise, which is an estimate of their floor's, counts for less."""
        found, weight = {}, torch.tensor([1.0 if self.noisy(*p[:2]) else self.o['floor'] for p in parts])
        for i, k in enumerate(('snr', 't60', 'bandwidth')):
            known = ~y[:, i].isnan()
            error = (read[k] - y[:, i])[known]
            if k == 'snr':
                error = torch.where(y[known, i] >= TOP / 20, error.clamp(max=0), error)
            w = weight[known] if k == 'snr' else torch.ones_like(error)
            error = F.smooth_l1_loss(error, torch.zeros_like(error), beta=0.1, reduction='none')
            found[k] = (w * error).sum() / w.sum()
        found['codec'] = entropy(read['codec'], y[:, 3].long())
        return found

    def hidden(self, e, c, y, parts, weight):
        """What heads find out that should not be there; their gradient is reversed where it reaches the vectors."""
        e, c = Reverse.apply(e, weight), Reverse.apply(c, weight)
        who = torch.tensor([self.speaker.get(self.clips.clips[p[1]]['speaker'], -1) for p in parts])
        band, codec = self.heads.of_environment(e).split([len(BINS['bandwidth']) + 1, len(CODECS)], 1)
        snr, t60 = self.heads.of_channel(c).split([len(BINS[k]) + 1 for k in ('snr', 't60')], 1)
        return {'speaker': entropy(self.heads.speaker(torch.cat([e, c], 1)), who),
                'crossed': entropy(band, binned(y[:, 2], 'bandwidth')) + entropy(codec, y[:, 3].long())
                + entropy(snr, binned(y[:, 0], 'snr')) + entropy(t60, binned(y[:, 1], 't60'))}

    def validate(self, networks):
        """Valid speakers: in room2 once it is there."""
        name = 'room2' if os.path.exists(os.path.join(self.data, 'room2.i16')) else self.rooms[-1]
        clips = Clips(self.model, self.data, [name])
        which, found = clips.of('valid'), {}
        for seconds in (3, 0):
            parts = parts_of(clips, name, which, seconds)
            vectors, read = run(networks['surroundings'], clips, parts)
            y = clips.targets(parts).numpy()
            for k, v in errors(read, y).items():
                found['%s %s' % (k, seconds or 'whole')] = float(np.nanmean(v) if k == 'codec' else np.nanmedian(v))
            noisy = np.array([clips.labels[name][p[1]]['snr_added_db'] is not None for p in parts])
            inside = y[:, 1] > np.log2(0.11 / 0.4)
            for k, some in (('snr_db', noisy), ('t60_s', inside)):
                found['%s there %s' % (k, seconds or 'whole')] = float(np.nanmedian(errors(read, y)[k][some]))
        who = np.array([clips.clips[c]['speaker'] for c in which])
        found['speaker'] = told_apart(vectors[:, :ENVIRONMENT], who)
        found['speaker, channel'] = told_apart(vectors[:, ENVIRONMENT:], who)
        return found


def told_apart(x, who):
    """Share of vectors whose speaker a ridge regression tells that was fitted to the other half of the clips."""
    names, number, count = np.unique(who, return_inverse=True, return_counts=True)
    keep = count[number] >= 4
    x, number = x[keep], number[keep]
    x = np.concatenate([(x - x.mean(0)) / (x.std(0) + 1e-6), np.ones((len(x), 1))], 1)
    half, right = np.arange(len(x)) % 2, []
    for h in (0, 1):
        a, target = x[half == h], np.eye(len(names))[number[half == h]]
        w = np.linalg.solve(a.T @ a + 3 * np.eye(a.shape[1]), a.T @ target)
        right.append((x[half != h] @ w).argmax(1) == number[half != h])
    return float(np.concatenate(right).mean())


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('model')
    p.add_argument('data')
    p.add_argument('run')
    p.add_argument('--begin', help='state.pt whose network to begin with, where the run has none of its own')
    p.add_argument('--options', default='{}', help='JSON: what of OPTIONS is to be another')
    a = p.parse_args()
    o = dict(OPTIONS, **json.loads(a.options))
    config = json.load(open(os.path.join(HERE, 'config.json')))['surroundings']
    torch.manual_seed(o.get('seed', 1))
    t = Training(a.model, a.data, o, config)
    if a.begin:
        t.net.load_state_dict(torch.load(a.begin)['ema'])
    loop = Loop(a.run, {'surroundings': t.net, 'heads': t.heads}, ['surroundings'], config, o)
    loop.go(t.losses, t.validate)


if __name__ == '__main__':
    main()
