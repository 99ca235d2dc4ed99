"""What the generator makes of factors: generator_scores.py MANIFEST DATA RUNS LIBLAC MODEL [--split heldout]
    [--clips N] [--recogniser RUN] [--generator RUN] [--noise DEVIATION] [--json OUT]

Clips with a text, by people that no network here was trained with, each made anew three ways: by the codec alone
(12 codebooks), from its own factors, and with the vector and median pitch of another of these people, taken from
five seconds of other clips. All are decoded to PCM and encoded again before anything is read off them. Pairs are drawn
within a collection, by seed. Phones are read by RUN, a recogniser of latents without a bottleneck (content.py's
{"bottleneck": false}), or by the shipped one. Intervals: 95 %, speakers drawn anew 1,000 times.
"""
import argparse
import ctypes as C
import functools
import json
import os
import sys
import numpy as np
import torch
import torch.nn.functional as F
import extract
import nets
import splits
from content import edits, read

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from liblac import Library, pointer                                         # noqa: E402

REFERENCE = 250                                # frames of a target's voice
torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', 1)))


class Codec:
    def __init__(self, lib, model, beam=1):
        self.lib, self.stages = Library(lib, model), 12
        self.encoder = self.lib.encoder(self.stages, beam)

    def through(self, z):
        """Latents int16 [T][D] -> those of the decoded PCM."""
        z = np.ascontiguousarray(z, np.int16)
        tokens = np.zeros((len(z), self.stages), np.uint16)
        self.lib.call('lac_encoder_search', self.encoder, pointer(z), C.c_size_t(len(z)), pointer(tokens))
        return self.again(tokens)

    def again(self, tokens):
        y = self.lib.decode(tokens, self.stages, len(tokens) * 480 - 240)
        y = np.concatenate([y, np.zeros(480, np.float32)])
        return self.lib.latents(self.encoder, y, self.stages, nets.LATENT)[0][:len(tokens)]


class Recogniser:
    def __init__(self, run):
        s = torch.load(os.path.join(run, 'state.pt'), map_location='cpu', weights_only=False)
        config, self.free = s['config'], not s['options']['bottleneck']
        self.content = nets.Content(config['content'])
        d = config['content']['width'] if self.free else len(config['content']['levels'])
        self.phones = nets.Phones(config['phones'], d, len(config['symbols']))
        self.content.load_state_dict(s['ema']['content'])
        self.phones.load_state_dict(s['ema']['phones'])

    @torch.no_grad()
    def __call__(self, z):
        """int16 [T][D] -> phones"""
        x = torch.from_numpy(z.astype(np.float32) / 512)[None]
        x = F.pad(x, (0, 0, 0, x.shape[1] % 2))
        heard = self.content.features if self.free else self.content
        return read(self.phones(heard(x))[0])


class Factors:
    def __init__(self, data, runs):
        self.clips = extract.load_clips(data)
        self.z = extract.load_latents(data, 'base')
        self.nets = {n: extract.network(runs, n) for n in ('content', 'style', 'speaker', 'surroundings')}
        self.levels = self.nets['content'].levels.numpy()

    def latents(self, i):
        c = self.clips[i]
        return self.z[c['first']:c['first'] + c['frames']]

    @torch.no_grad()
    def speaker(self, z):
        x = torch.from_numpy(np.asarray(z).astype(np.float32) / 512)[None]
        return self.nets['speaker'](x, torch.ones(x.shape[:2]))[0].numpy()

    @torch.no_grad()
    def of(self, z):
        """int16 [T][D] -> digits [T][d], style [T][2], vectors [256]"""
        x, n = torch.from_numpy(z.astype(np.float32) / 512)[None], len(z)
        x, mask = F.pad(x, (0, 0, 0, n % 2)), torch.ones(1, n + n % 2)
        mask[:, n:] = 0
        d = extract.digits(self.nets['content'], x, mask)[0, :n].numpy()
        s = extract.style(self.nets['style'], x, mask)[0, :n].numpy()
        v = torch.cat([self.nets['speaker'](x, mask), *self.nets['surroundings'](x, mask)[:2]], -1)
        return d, s, v[0].numpy()


def median_pitch(style):
    f = style[:, 0]
    return float(np.median(f[f > 0])) if (f > 0).any() else 0.0


@torch.no_grad()
def generate(net, levels, digits, style, vectors, seed, deviation):
    """-> int16 latents [T][D]"""
    ahead = net.m['ahead']
    f = np.concatenate([digits / (levels // 2), nets.prosody(*style.T)], 1)
    f = F.pad(torch.from_numpy(f.astype(np.float32))[None], (0, 0, 0, ahead))
    noise = torch.randn(1, f.shape[1], nets.LATENT, generator=torch.Generator().manual_seed(seed))
    z = net(f, torch.from_numpy(vectors)[None], deviation * noise)[0, ahead:]
    return (z * 512).round().clamp(-4095, 4095).numpy().astype(np.int16)


def bounds(sums, rng, draws):
    """sums [speakers][2] -> the 95 % interval of the quotient of their sums, speakers drawn anew."""
    drawn = sums[rng.integers(len(sums), size=(draws, len(sums)))].sum(1)
    return map(float, np.percentile(drawn[:, 0] / drawn[:, 1], [2.5, 97.5]))


def interval(values, speakers, rng, draws=1000):
    """Mean of values with its 95 % interval over speakers."""
    values, names = np.asarray(values, float), sorted(set(speakers))
    sums = np.array([[v.sum(), len(v)] for n in names for v in [values[[s == n for s in speakers]]]])
    return [float(values.mean()), *bounds(sums, rng, draws)]


def rate(wrong, number, speakers, rng, draws=1000):
    names = sorted(set(speakers))
    sums = np.array([[sum(v for v, s in zip(column, speakers) if s == n) for column in (wrong, number)]
                     for n in names], float)
    return [float(sums[:, 0].sum() / sums[:, 1].sum()), *bounds(sums, rng, draws)]


def targets(factors, own, people, rng):
    """Another speaker of the same collection, and five seconds of him."""
    clips = factors.clips
    me = clips[own]['speaker']
    group = [s for s in people if splits.family(s) == splits.family(me) and s != me]
    who = group[rng.integers(len(group))]
    rows, at = [], 0
    for i in rng.permutation([i for i in people[who]]):
        rows.append(factors.latents(i)[:REFERENCE - at])
        at += len(rows[-1])
        if at >= REFERENCE:
            break
    return who, np.concatenate(rows)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('manifest', 'data', 'runs', 'lib', 'model'):
        p.add_argument(name)
    p.add_argument('--split', default='heldout')
    p.add_argument('--clips', type=int, default=160)
    p.add_argument('--recogniser')
    p.add_argument('--noise', type=float, default=0.3, help="deviation of the flow's noise, as lac_generator's")
    p.add_argument('--generator')
    p.add_argument('--json')
    a = p.parse_args()
    clips = splits.load(a.manifest)                          # asserts that training and test do not meet
    splits.assert_disjoint([c['speaker'] for c in clips if c['split'] == 'train'])
    factors, rng = Factors(a.data, a.runs), np.random.default_rng(8)
    phones = json.load(open(os.path.join(a.data, 'phones.json')))['clips']
    people = {}
    for i, c in enumerate(clips):
        if c['split'] == a.split and c['speaker']:
            people.setdefault(c['speaker'], []).append(i)
    assert not set(people) & {c['speaker'] for c in clips if c['split'] == 'train'}
    chosen = [i for s in sorted(people) for i in people[s] if phones[i]]
    chosen = sorted(rng.permutation(chosen)[:a.clips])
    run = a.generator or os.path.dirname(extract.state(a.runs, 'generator'))
    s = torch.load(os.path.join(run, 'state.pt'), map_location='cpu', weights_only=False)
    net = nets.Generator(s['config'], len(factors.levels))
    net.load_state_dict(s['ema'])
    net.eval()
    codec = Codec(a.lib, a.model)
    recognise = Recogniser(a.recogniser or os.path.dirname(extract.state(a.runs, 'content')))
    calibration = os.path.join(a.runs, 'factors-calibration.json')
    threshold = json.load(open(calibration))['speaker']['threshold'] if os.path.exists(calibration) else 0.5
    rows = []
    for i in chosen:
        z, who = np.array(factors.latents(i)), clips[i]['speaker']
        digits, style, vectors = factors.of(z)
        other, reference = targets(factors, i, people, rng)
        target = factors.speaker(reference)
        about, moved = vectors.copy(), style.copy()
        about[:nets.SPEAKER] = target
        own_pitch, its_pitch = median_pitch(style), median_pitch(factors.of(reference)[1])
        if own_pitch and its_pitch:
            moved[:, 0] *= its_pitch / own_pitch
        mates = [j for j in people[who] if j != i] or [i]
        home = factors.speaker(np.concatenate([factors.latents(j) for j in mates])[:REFERENCE])
        row = {'speaker': who, 'other': other, 'phones': len(phones[i]), 'original': edits(phones[i], recognise(z))}
        make = functools.partial(generate, net, factors.levels, digits, seed=int(i), deviation=a.noise)
        for name, made in (('codec', z), ('rebuilt', make(style, vectors)), ('swapped', make(moved, about))):
            y = codec.through(made)
            u = factors.speaker(y)
            row[name] = {'wrong': edits(phones[i], recognise(y)), 'own': float(u @ home),
                         'target': float(u @ target)}
        rows.append(row)
    speakers, number = [r['speaker'] for r in rows], [r['phones'] for r in rows]
    result = {'clips': len(rows), 'speakers': len(set(speakers)), 'threshold': threshold,
              'phone_error_original': rate([r['original'] for r in rows], number, speakers, rng)}
    for name in ('codec', 'rebuilt', 'swapped'):
        result['phone_error_' + name] = rate([r[name]['wrong'] for r in rows], number, speakers, rng)
        for k in ('own', 'target'):
            v = [r[name][k] for r in rows]
            result['cosine_%s_%s' % (k, name)] = interval(v, speakers, rng)
            result['accepted_%s_%s' % (k, name)] = interval([x > threshold for x in v], speakers, rng)
    nearer = [r['swapped']['target'] > r['swapped']['own'] for r in rows]
    result['nearer_to_target'] = interval(nearer, speakers, rng)
    for k, v in result.items():
        print('%-26s %s' % (k, '%.3f  (%.3f .. %.3f)' % tuple(v) if isinstance(v, list) else v))
    if a.json:
        json.dump(result, open(a.json, 'w'), indent=1)


if __name__ == '__main__':
    main()
