"""Train the generator, factors to latents: generator.py MANIFEST DATA RUNS RUN [--steps N] [--flow STEPS]
    [--from STATE] [--sets SET...] [--sources SET...] [--read WEIGHT] [--network JSON]

DATA and RUNS as in extract.py, which is called first. RUN is the folder of this training: factors-generator is what
export.py takes. --flow 0 is plain regression, otherwise the steps that a rectified flow is used with. --network: what
of generator in config.json is to be another.

A crop's target is the latents of a clip in one of --sets; its frames are its own content codes or, as often, those of
the same clip in one of --sources (voices that are moved: what the codes keep of a voice is to tell nothing), its own
style, and the speaker vector of another clip of the same speaker half of the time. Of a clip as it is, environment and
channel are those of another of its source half of the time: they tell who speaks where each has a room of his own.

--read adds a loss: the content network, which does not learn here, is to read the given codes off the latents that
the velocity leads to.
"""
import argparse
import json
import os
import numpy as np
import torch
import torch.nn.functional as F
import extract
import nets
import splits
from loop import Loop

CROP, BATCH = 128, 16


class Data:
    def __init__(self, manifest, data, runs, sets, sources):
        self.clips = extract.load_clips(data)
        split = [c['split'] for c in splits.load(manifest)]
        self.train = [i for i, s in enumerate(split) if s == 'train']
        splits.assert_disjoint([self.clips[i]['speaker'] for i in self.train])
        self.valid = [i for i, s in enumerate(split) if s == 'valid']
        for s in sets:
            extract.extract(data, runs, s)
        self.sources = sources
        for s in set(sources) - set(sets):
            extract.extract(data, runs, s, ['digits.i8'])
        at = lambda s, suffix: os.path.join(data, s + '.' + suffix)
        n = sum(c['frames'] for c in self.clips)
        self.z = {s: np.fromfile(at(s, 'i16'), np.int16).reshape(n, -1) for s in sets}
        self.style = {s: np.fromfile(at(s, 'style.f32'), np.float32).reshape(n, 2) for s in self.z}
        self.digits = {s: np.fromfile(at(s, 'digits.i8'), np.int8).reshape(n, -1) for s in {*sets, *sources}}
        self.vectors = {s: np.fromfile(at(s, 'vectors.f32'), np.float32).reshape(len(self.clips), -1) for s in self.z}
        content = torch.load(extract.state(runs, 'content'), map_location='cpu', weights_only=False)['config']
        self.levels = np.array(content.get('content', content)['levels'])
        self.others, self.alike = {}, {}
        for i in self.train + self.valid:
            if self.clips[i]['speaker']:
                self.others.setdefault(self.clips[i]['speaker'], []).append(i)
        for i in self.train:
            self.alike.setdefault(self.clips[i]['source'], []).append(i)

    def frames(self, clip, target, source, first, count):
        """Rows of Generator's frames."""
        c = self.clips[clip]
        rows = slice(c['first'] + first, c['first'] + first + count)
        return np.concatenate([self.digits[source][rows] / (self.levels // 2),
                               nets.prosody(*self.style[target][rows].T)], 1)

    def crop(self, clip, target, source, rng):
        """-> frames [CROP, d + 3], latents [CROP, D], mask [CROP], vectors."""
        c = self.clips[clip]
        count = min(CROP, c['frames'])
        first = int(rng.integers(0, c['frames'] - count + 1)) & ~1        # where a code begins
        f, z = np.zeros((CROP, self.levels.size + 3)), np.zeros((CROP, nets.LATENT))
        f[:count] = self.frames(clip, target, source, first, count)
        z[:count] = self.z[target][c['first'] + first:][:count] / 512
        v = self.vectors[target][clip].copy()
        if c['speaker'] and rng.random() < 0.5:
            other = rng.choice(self.others[c['speaker']])
            v[:nets.SPEAKER] = self.vectors['base'][other][:nets.SPEAKER]
        if target == 'base' and rng.random() < 0.5:
            other = rng.choice(self.alike[c['source']])
            v[nets.SPEAKER:] = self.vectors['base'][other][nets.SPEAKER:]
        return f, z, np.arange(CROP) < count, v

    def batch(self, clips, rng):
        names = list(self.z)
        rows = []
        for i in clips:
            target = names[0] if rng.random() < 0.5 else rng.choice(names)
            rows.append(self.crop(i, target, rng.choice(sorted({target, *self.sources})), rng))
        return [torch.from_numpy(np.stack(x).astype(np.float32)) for x in zip(*rows)]


class Reader:
    """Squared distance between the codes given and those that the content network would write, before rounding."""

    def __init__(self, runs, levels):
        self.net = extract.network(runs, 'content').requires_grad_(False)
        self.half = torch.from_numpy(levels // 2)
        self.edge = 12                         # frames whose past or future the crop does not have

    def __call__(self, z, f, mask):
        k = self.net.m['stride']
        read = self.net.bounded(z) / self.half
        error = ((read - f[:, ::k, :len(self.half)]) ** 2).mean(-1)
        sure = mask[:, ::k].clone()
        sure[:, :self.edge // k] = 0
        sure[:, -self.edge // k:] = 0
        return (error * sure).sum() / sure.sum().clamp(min=1)


def losses_of(net, data, reader=None, weight=0.0):
    weights = np.sqrt([data.clips[i]['frames'] for i in data.train])
    weights /= weights.sum()

    def losses(step, rng):
        f, z, mask, about = data.batch(rng.choice(data.train, BATCH, p=weights), rng)
        return loss_of(net, f, z, mask, about, reader, weight)
    return losses


def loss_of(net, f, z, mask, about, reader=None, weight=0.0):
    """Squared error of the velocity, or of the latents; of the codes that can be read off them."""
    codes, clips = f, mask
    ahead, flow = net.m['ahead'], net.m['steps'] > 0
    f, z, mask = F.pad(f, (0, 0, 0, ahead)), F.pad(z, (0, 0, ahead, 0)), F.pad(mask, (ahead, 0))
    noise = torch.randn_like(z)
    t = torch.sigmoid(torch.randn(len(z))) if flow else torch.zeros(len(z))
    x = t[:, None, None] * z + (1 - t[:, None, None]) * noise
    with torch.autocast('cpu', dtype=torch.bfloat16):
        v = net.step(x, t, f, about)
    error = ((v - (z - noise if flow else z)) ** 2).mean(-1)
    loss = (error * mask).sum() / mask.sum()
    found = {'loss': loss.detach()}
    if reader:
        with torch.autocast('cpu', dtype=torch.bfloat16):
            made = x + (1 - t[:, None, None]) * v if flow else v
            made = F.layer_norm(made[:, ahead:], (nets.LATENT,))
            found['read'] = reader(made, codes, clips.float())
        loss = loss + weight * found['read']
    return loss, {k: v.detach() for k, v in found.items()}


@torch.no_grad()
def generate(net, f, about):
    ahead = net.m['ahead']
    f = F.pad(f, (0, 0, 0, ahead))
    return net(f, about, torch.randn(*f.shape[:2], nets.LATENT))[:, ahead:]


def validate_with(data):
    rng = np.random.default_rng(5)
    fixed = [data.batch(rng.choice(data.valid, BATCH), rng) for _ in range(8)]

    def validate(networks):
        net = networks['generator']
        torch.manual_seed(1)
        loss = np.mean([float(loss_of(net, *b)[0]) for b in fixed])
        error = np.mean([float((((generate(net, b[0], b[3]) - b[1]) ** 2).mean(-1) * b[2]).sum() / b[2].sum())
                         for b in fixed])
        return {'valid_loss': float(loss), 'valid_error': float(error)}
    return validate


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('manifest', 'data', 'runs', 'run'):
        a.add_argument(name)
    a.add_argument('--steps', type=int, default=4000)
    a.add_argument('--flow', type=int)
    a.add_argument('--sets', nargs='+', default=['base', 'room0', 'room1'])
    a.add_argument('--sources', nargs='+', default=['base', 'shift0', 'shift1'])
    a.add_argument('--rate', type=float, default=1e-3)
    a.add_argument('--network', type=json.loads, default={})
    a.add_argument('--read', type=float, default=0.0)
    a.add_argument('--from', dest='start', help='begin with the averaged network of this state')
    a = a.parse_args()
    torch.manual_seed(1)
    data = Data(a.manifest, a.data, a.runs, a.sets, a.sources)
    here = os.path.dirname(os.path.abspath(__file__))
    config = dict(json.load(open(os.path.join(here, 'config.json')))['generator'], **a.network)
    if a.flow is not None:
        config['steps'] = a.flow
    net = nets.Generator(config, data.levels.size)
    if a.start:
        net.load_state_dict(torch.load(a.start, map_location='cpu', weights_only=False)['ema'])
    loop = Loop(a.run, {'generator': net}, ['generator'], config, dict(steps=a.steps, rate=a.rate))
    reader = Reader(a.runs, data.levels) if a.read else None
    loop.go(losses_of(net, data, reader, a.read), validate_with(data))


if __name__ == '__main__':
    main()
