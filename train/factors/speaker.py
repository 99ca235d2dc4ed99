"""Train the speaker network: speaker.py MODEL DATA RUN [--options JSON] [--network JSON]

A voice is a speaker of the training split, or one of his copies in the sets `fast` and `slow`: another class each.
A batch holds two crops of every voice, each through its own surroundings and codebooks; the loss is that of an
additive angular margin over all voices (arXiv 1801.07698) and of telling a batch's voices apart by their other crop
(angular prototypes, arXiv 2003.11982).
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
from loop import Loop                                                       # noqa: E402
from nets import LATENT, SPEAKER, Speaker                                   # noqa: E402
from quantise import Quantiser                                              # noqa: E402
from verification import RATE, balanced, calibrate, equal_error, rows, trials, utterances  # noqa: E402

STAGES = 12
OPTIONS = dict(steps=2200, rate=2e-3, weight_decay=0.05, validate=200, warm=100, fall=0.45, voices=24,
               seconds=[1.5, 3.5], margin=0.2, scale=30.0, prototypes=1.0, dropout=0.1, noise=0.1, dimensions=8,
               spans=2, coarse=0.5, copies=0.25, share={'an4': 0.35, 'librispeech': 0.5, 'other': 0.15})


def family(speaker):
    f = splits.family(speaker)
    return f if f in ('an4', 'librispeech') else 'other'


class Data:
    """clips, and sets of latents by name; NAME.json has the place of each clip where a set is not aligned."""

    def __init__(self, folder):
        self.clips = json.load(open(os.path.join(folder, 'clips.json')))
        self.folder, self.sets = folder, {}

    def has(self, name):
        return os.path.exists(os.path.join(self.folder, name + '.i16'))

    def latents(self, name):
        if name not in self.sets:
            self.sets[name] = np.memmap(os.path.join(self.folder, name + '.i16'), np.int16, 'r').reshape(-1, LATENT)
        return self.sets[name]

    def tokens(self, name):
        if name + '.tokens' not in self.sets:
            path = os.path.join(self.folder, name + '.tokens')
            self.sets[name + '.tokens'] = np.memmap(path, np.uint16, 'r').reshape(-1, STAGES)
        return self.sets[name + '.tokens']

    def places(self, name):
        """[(first, frames)] of each clip in a set."""
        path = os.path.join(self.folder, name + '.json')
        clips = json.load(open(path)) if name in ('fast', 'slow') else self.clips
        return [(c['first'], c['frames']) for c in clips]


class Voices:
    """Every speaker of the training split, as he is and changed."""

    def __init__(self, data, quantiser):
        self.quantiser = quantiser
        clips = [(i, c) for i, c in enumerate(data.clips) if c['split'] == 'train' and c['speaker']]
        self.speakers = sorted({c['speaker'] for _, c in clips})
        splits.assert_disjoint(self.speakers)
        own = {s: [i for i, c in clips if c['speaker'] == s] for s in self.speakers}
        self.voices = []
        for names in (('base', 'base', 'room0', 'room1'), ('fast',), ('slow',)):
            sets = [(data.latents(n), data.tokens(n)) for n in names if data.has(n)]
            places, changed = data.places(names[0]), names[0] != 'base'
            for s in self.speakers if sets else ():
                mine = [places[i] for i in own[s]]
                self.voices.append(dict(speaker=s, family=family(s), changed=changed, clips=mine, sets=sets))
        self.groups = {(f, c): [i for i, v in enumerate(self.voices) if v['family'] == f and v['changed'] == c]
                       for f in ('an4', 'librispeech', 'other') for c in (False, True)}

    def draw(self, count, o, rng):
        """Voices of a batch, no one twice: families by o['share'], changed ones by o['copies']."""
        families, found = list(o['share']), []
        while len(found) < count:
            f = families[rng.choice(len(families), p=[o['share'][k] for k in families])]
            group = self.groups[f, bool(rng.random() < o['copies'])]
            if group and (v := group[rng.integers(len(group))]) not in found:
                found.append(v)
        return found

    def crops(self, voice, frames, o, rng):
        """Two stretches [frames, LATENT] of a voice, of different clips where it has enough."""
        v, crops = self.voices[voice], []
        order = rng.permutation(len(v['clips']))
        for order in (order, order[::-1]):
            coarse, out, at, k = rng.random() < o['coarse'], [], 0, 0
            z = v['sets'][rng.integers(len(v['sets']))][int(coarse)]
            while at < frames:
                first, n = v['clips'][order[k % len(order)]]
                take = min(n, frames - at)
                first += rng.integers(n - take + 1)
                out.append(z[first:first + take])
                at, k = at + take, k + 1
            z = torch.from_numpy(np.concatenate(out).astype(np.int32 if coarse else np.float32))
            crops.append(self.quantiser.dequantise(z, rng.integers(3, STAGES + 1)) if coarse else z)
        return crops


class Head(nn.Module):
    """A direction a voice, and scale and offset of the angular prototypes."""

    def __init__(self, voices):
        super().__init__()
        self.directions = nn.Parameter(F.normalize(torch.randn(voices, SPEAKER), dim=-1))
        self.scale, self.offset = nn.Parameter(torch.tensor(10.0)), nn.Parameter(torch.tensor(-5.0))

    def margin(self, u, voice, margin, scale):
        c = (u @ F.normalize(self.directions, dim=-1).T).clamp(-0.9999, 0.9999)
        own = torch.cos(torch.acos(c[torch.arange(len(u)), voice]) + margin)
        logits = c.scatter(1, voice[:, None], own[:, None])
        return F.cross_entropy(scale * logits, voice), (c.argmax(1) == voice).float().mean()

    def prototypes(self, u):
        """u [2 P]: both crops of each voice in turn."""
        a, b = u[0::2], u[1::2]
        logits = self.scale.clamp(min=1e-3) * (a @ b.T) + self.offset
        label = torch.arange(len(a))
        return 0.5 * (F.cross_entropy(logits, label) + F.cross_entropy(logits.T, label))


def spoil(z, o, rng):
    """Noise of random strength, dimensions and stretches of time set to zero: a copy [N, T, LATENT]."""
    n, t = z.shape[:2]
    z = z + torch.rand(n, 1, 1) * o['noise'] * torch.randn_like(z)
    for i in range(n):
        z[i, :, rng.choice(LATENT, rng.integers(o['dimensions'] + 1), replace=False)] = 0
        for _ in range(rng.integers(o['spans'] + 1)):
            k = rng.integers(1, t // 8)
            s = rng.integers(t - k)
            z[i, s:s + k] = 0
    return z


class Training:
    def __init__(self, data, o, config, model):
        self.o, self.voices = o, Voices(data, Quantiser(model))
        self.net, self.head = Speaker(config), Head(len(self.voices.voices))
        self.trials = Trials(data)
        print('%d speakers, %d voices' % (len(self.voices.speakers), len(self.voices.voices)), flush=True)

    def losses(self, step, rng):
        o = self.o
        frames = int(RATE * rng.uniform(*o['seconds']))
        drawn = self.voices.draw(o['voices'], o, rng)
        z = torch.stack([c for v in drawn for c in self.voices.crops(v, frames, o, rng)])
        voice = torch.tensor(drawn).repeat_interleave(2)
        z = spoil(z / 512, o, rng)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            p = self.net.pool(self.net.trunk(z), torch.ones(z.shape[:2]))
        u = F.normalize(self.net.output(F.dropout(p.float(), o['dropout'])), dim=-1)
        margin = o['margin'] * min(1.0, step / (0.3 * o['steps']))
        angular, right = self.head.margin(u, voice, margin, o['scale'])
        prototypes = self.head.prototypes(u)
        return angular + o['prototypes'] * prototypes, dict(angular=angular, prototypes=prototypes, right=right)

    def validate(self, networks):
        return self.trials(networks['speaker'])


def embed(net, latents):
    """Speaker vectors [N, SPEAKER] of N stretches of latents [T, LATENT] as integers say them."""
    out, lengths = np.zeros((len(latents), SPEAKER), np.float32), np.array([len(z) for z in latents])
    for n in np.unique(lengths):
        for which in np.array_split(np.flatnonzero(lengths == n), -(-(lengths == n).sum() * n // 8192)):
            z = torch.from_numpy(np.stack([latents[i] for i in which])).float() / 512
            with torch.no_grad():
                out[which] = net(z, torch.ones(z.shape[:2]))
    return out


class Trials:
    """Verification of the valid speakers."""

    def __init__(self, data):
        self.data, self.sets = data, {}
        self.speakers = sorted({c['speaker'] for c in data.clips if c['split'] == 'valid'})
        self.families = np.array([family(s) for s in self.speakers])
        for seconds in (1.5, 3):
            who, places = utterances(data.clips, self.speakers, [seconds], 12)
            self.sets[seconds] = who, rows(data.clips, places)

    def error(self, who, cosine, of=None):
        a, b, same = trials(who)
        keep = slice(None) if of is None else (self.families[who[a]] == of) & (self.families[who[b]] == of)
        return equal_error(cosine[a, b][keep], same[keep])[0]

    def bits(self, who, cosine):
        """What a calibrated score leaves open of whether one speaker says both, 0 .. 1."""
        a, b, same = trials(who)
        w = balanced(same)
        scale, offset = calibrate(cosine[a, b], same, w)
        p = 1 / (1 + np.exp(-scale * cosine[a, b] - offset))
        return -(w * np.log2(np.where(same, p, 1 - p) + 1e-9)).sum()

    def __call__(self, net):
        found = {}
        for seconds, (who, r) in self.sets.items():
            u = embed(net, [self.data.latents('base')[i] for i in r])
            found['all%g' % seconds], found['bits%g' % seconds] = self.error(who, u @ u.T), self.bits(who, u @ u.T)
            found['an4%g' % seconds] = self.error(who, u @ u.T, 'an4')
            if self.data.has('room1'):
                v = embed(net, [self.data.latents('room1')[i] for i in r])
                found['room%g' % seconds] = self.error(who, u @ v.T)
        return {k: float(v) for k, v in found.items()}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('model')
    p.add_argument('data')
    p.add_argument('run')
    p.add_argument('--options', default='{}', help='JSON: what of OPTIONS is to be another')
    p.add_argument('--network', default='{}', help='JSON: what of config.json is to be another')
    a = p.parse_args()
    o = dict(OPTIONS, **json.loads(a.options))
    config = dict(json.load(open(os.path.join(HERE, 'config.json')))['speaker'], **json.loads(a.network))
    torch.manual_seed(o.get('seed', 1))
    t = Training(Data(a.data), o, config, a.model)
    os.makedirs(a.run, exist_ok=True)
    json.dump(t.voices.speakers, open(os.path.join(a.run, 'speakers.json'), 'w'))
    Loop(a.run, {'speaker': t.net, 'head': t.head}, ['speaker'], config, o).go(t.losses, t.validate)


if __name__ == '__main__':
    main()
