"""The leakage certificate: what probes read off each factor: certificate.py MODEL DATA RUNS OUT.json [--quick]

No network of RUNS was trained with the held-out speakers, whose factors are read: asserted first. Beside the
factors the raw latents, as the ceiling. A factor that has frames is read in windows of 11 frames, content by its
codes' digits one-hot, style as the generator takes it (log2 f0, whether voiced, energy); where a stretch of 3 s is
asked about, the probe takes mean and deviation of its hidden layer over the stretch (of the windows, if linear).
    who speaks        40 speakers, and those of AN4 apart: 3 s, their clips joined; a probe gets to know them by
                      half of their clips, stops by a sixth, is judged on a third
    phone, f0         of a frame. What belongs to a whole utterance is repeated for each frame of it. Phones are
                      those of the text, aligned by the recogniser that reads the content codes: its spikes, which
                      come late, are moved back, frames take the nearest one's, frames that are not speech are left
                      out. f0 is the pitch tracker's.
    snr, t60, ..      3 s of clips in made-up surroundings (room2; for fitting also room0 and room1): T60 of those
                      in a room, SNR of those with noise added
Probes other than those of who speaks are fitted to the valid, reserved and dev speakers. Intervals of 95 %: clips
are drawn again where speakers are told apart, else speakers.
"""
import argparse
import json
import os
import time
from types import SimpleNamespace
import numpy as np
import torch
import content_scores
import extract
import nets
import probes
import splits
from style_items import style_items
from surroundings import Clips, parts_of

WINDOW, EVERY, STRETCH, NEAR = 11, 5, 150, 8   # frames
LATE = 8                                       # frames that spikes come behind what latents tell of a phone
ROOMS = ('room0', 'room1', 'room2')
SIZES = dict(stretches=10, clips=160, rows=8000)               # a speaker's stretches; clips and frames of a set
QUICK = dict(stretches=6, clips=60, rows=3000)
REPRESENTATIONS = ('latents', 'content', 'style', 'style items', 'speaker', 'environment', 'channel')
torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', 1)))


class Networks:
    def __init__(self, runs):
        self.nets = {n: extract.network(runs, n) for n in ('content', 'style', 'speaker', 'surroundings')}
        self.states = {n: torch.load(extract.state(runs, n), map_location='cpu', weights_only=False)
                       for n in self.nets}
        s, self.levels = self.states['content'], self.nets['content'].m['levels']
        self.phones = nets.Phones(s['config']['phones'], len(self.levels), len(s['config']['symbols'])).eval()
        self.phones.load_state_dict(s['ema']['phones'])

    @torch.no_grad()
    def __call__(self, z):
        """Latents [N, T, D], T even -> {representation: [N, T, F] or [N, F]}, phones' log odds [N, S, P]."""
        mask, n = torch.ones(z.shape[:2]), self.nets
        digits = extract.digits(n['content'], z, mask).numpy()
        half = np.array(self.levels) // 2
        stride = n['content'].m['stride']
        codes = torch.from_numpy(digits[:, ::stride] / half).float()
        odds = torch.log_softmax(self.phones(codes), -1)
        f0, energy = extract.style(n['style'], z, mask).double().numpy().transpose(2, 0, 1)
        read = odds.argmax(-1).numpy().repeat(stride, 1)
        frames = np.stack([np.where(f0 > 0, np.log2(np.maximum(f0, 1) / 150), 0), f0 > 0, (energy + 60) / 20], -1)
        environment, channel, _ = n['surroundings'](z, mask)
        made = {'latents': z.numpy(), 'content': one_hot(digits + half, self.levels), 'style': frames,
                'style items': np.stack([style_items(*r)[1] for r in zip(f0, energy, read)]),
                'speaker': n['speaker'](z, mask).numpy(), 'environment': environment.numpy(),
                'channel': channel.numpy()}
        return {k: v.astype(np.float32) for k, v in made.items()}, odds.numpy()


def one_hot(digits, levels):
    return content_scores.one_hot(digits.reshape(-1, len(levels)), levels).reshape(*digits.shape[:2], -1)


class Data:
    def __init__(self, folder, runs):
        self.clips = extract.load_clips(folder)
        self.z, self.folder = extract.load_latents(folder, 'base'), folder
        self.said = json.load(open(os.path.join(folder, 'phones.json')))['clips']
        self.f0, self.energy = (np.fromfile(os.path.join(folder, n + '.f32'), np.float32) for n in ('f0', 'energy'))
        self.heldout = [i for i, c in enumerate(self.clips) if c['split'] == 'heldout']
        self.assert_unseen(runs)
        others = [i for i, c in enumerate(self.clips) if c['split'] in ('valid', 'reserved', 'dev')]
        names = sorted({self.who(i) for i in others})
        rare = set(names[::5])
        self.enrol = [i for i in others if self.who(i) not in rare]
        self.choose = [i for i in others if self.who(i) in rare]
        self.number = {s: k for k, s in enumerate(sorted({self.who(i) for i in others + self.heldout}))}

    def assert_unseen(self, runs):
        """No speaker who is judged was in any training."""
        tested = {self.clips[i]['speaker'] for i in self.heldout}
        trained = {c['speaker'] for c in self.clips if c['split'] == 'train'}
        for n in ('speaker', 'style'):
            trained |= set(json.load(open(os.path.join(runs, 'factors-' + n, 'speakers.json'))))
        splits.assert_disjoint(trained)
        assert tested == set(splits.listed('heldout.txt')) and not tested & trained

    def who(self, i):
        return self.clips[i]['speaker'] or self.clips[i]['source']

    def rows(self, i):
        return np.arange(self.clips[i]['frames']) + self.clips[i]['first']

    def latents(self, rows):
        return torch.from_numpy(self.z[rows].astype(np.float32) / 512)


def in_parts(networks, z, size=32):
    """networks(z) of a long list."""
    made = [networks(z[k:k + size])[0] for k in range(0, len(z), size)]
    return {k: np.concatenate([m[k] for m in made]) for k in REPRESENTATIONS}


def windowed(x):
    """[N, T, F] -> [N, T / EVERY, WINDOW F]; what has no frames stays."""
    if x.ndim == 2:
        return x
    t, half = x.shape[1], WINDOW // 2
    at = (np.arange(0, t, EVERY)[:, None] + np.arange(-half, half + 1)).clip(0, t - 1)
    return x[:, at].reshape(len(x), len(at), -1).astype(np.float16)


def judged(made, y, groups, keep, ask):
    """ask(enrol, choose, test, kind) of all representations; each argument is a list for these three."""
    table = {}
    for name in REPRESENTATIONS:
        sets = [probes.Set(windowed(m[name][k]), a[k], g[k]) for m, a, g, k in zip(made, y, groups, keep)]
        table[name] = {kind: ask(*sets, kind) for kind in probes.KINDS}
    return table


def show(name, table):
    for r, kinds in table.items():
        for kind, e in kinds.items():
            value = e.get('accuracy', e.get('correlation'))
            rest = ', '.join('%s %.3f' % (k, e[k]) for k in ('chance', 'median_error', 'chance_error') if k in e)
            print('%-12s %-12s %-10s %.3f (%.3f .. %.3f) %s' % (name, r, kind, value, e['low'], e['high'], rest),
                  flush=True)


def identities(networks, data, sizes):
    """Who speaks; no clip is in two of the three parts."""
    parts = content_scores.divide(SimpleNamespace(clips=data.clips), data.heldout)
    speakers, made, y, groups = sorted(parts[0]), [], [], []
    for part in parts:
        rows, who, clip = [], [], []
        for s in speakers:
            joined = np.concatenate([data.rows(i) for i in part[s]])
            of = np.concatenate([np.full(data.clips[i]['frames'], i) for i in part[s]])
            for a in range(0, max(1, len(joined) - STRETCH + 1), STRETCH // 2)[:sizes['stretches']]:
                rows.append(joined[np.arange(a, a + STRETCH) % len(joined)])
                who.append(speakers.index(s))
                clip.append(of[a])
        made.append(in_parts(networks, data.latents(np.stack(rows))))
        y.append(np.array(who))
        groups.append(np.array(clip))
    an4 = np.array([splits.family(s) == 'an4' for s in speakers])
    number = np.cumsum(an4) - 1
    ask = lambda count: lambda *sets: probes.classify(*sets, count)         # noqa: E731
    yield 'speaker', judged(made, y, groups, [slice(None)] * 3, ask(len(speakers)))
    yield 'speaker, an4', judged(made, [number[a] for a in y], groups, [an4[a] for a in y], ask(an4.sum()))


def align(odds, said):
    """The most likely way through: [S] index into said, -1 where blank; None if the phones do not fit."""
    states = np.zeros(2 * len(said) + 1, int)
    states[1::2] = said
    skip = np.zeros(len(states), bool)
    skip[3::2] = states[3::2] != states[1:-2:2]
    score, back = np.full(len(states), -np.inf), []
    score[:2] = odds[0, states[:2]]
    for o in odds[1:]:
        ways = np.full((3, len(states)), -np.inf)
        ways[0], ways[1, 1:], ways[2, 2:] = score, score[:-1], np.where(skip[2:], score[:-2], -np.inf)
        back.append(ways.argmax(0))
        score = ways.max(0) + o[states]
    at = len(states) - 1 - (score[-2] > score[-1])
    if not np.isfinite(score[at]):
        return None
    way = [at]
    for b in back[::-1]:
        way.append(way[-1] - b[way[-1]])
    way = np.array(way[::-1])
    return np.where(way % 2, way // 2, -1)


def phones_of(data, i, odds, stride):
    """[frames] phone, 0 where none is known."""
    said, n = data.said[i], data.clips[i]['frames']
    way = align(odds, said)
    if way is None:
        return np.zeros(n, int)
    spikes = np.array([(np.flatnonzero(way == k).mean() + 0.5) * stride - LATE for k in range(len(said))])
    apart = np.abs(np.arange(n)[:, None] + 0.5 - spikes)
    speech = content_scores.speech(SimpleNamespace(clips=data.clips, energy=data.energy), i)
    known = (apart.min(1) <= NEAR) & np.isin(np.arange(n), speech)
    return np.where(known, np.array(said)[apart.argmin(1)], 0)


def frame_set(networks, data, clips, sizes, rng):
    """-> {representation: [N, F]}, phone, log2 f0 (NaN where unvoiced), speaker, of frames drawn from clips."""
    clips = [i for i in clips if data.said[i] and data.clips[i]['lang'] == 'en']
    clips = rng.permutation(clips)[:sizes['clips']]
    each, parts = -(-sizes['rows'] // len(clips)), []
    for i in clips:
        n = data.clips[i]['frames']
        made, odds = networks(torch.nn.functional.pad(data.latents(data.rows(i)), (0, 0, 0, n % 2))[None])
        phone = phones_of(data, i, odds[0], networks.nets['content'].m['stride'])
        f0 = data.f0[data.rows(i)]
        t = np.flatnonzero(phone > 0)
        t = np.sort(rng.permutation(t)[:each])
        x = {k: probes.windows(v[0, :n], WINDOW)[t] if v.ndim == 3 else v.repeat(len(t), 0)
             for k, v in made.items()}
        pitch = np.where(f0[t] > 0, np.log2(np.maximum(f0[t], 1)), np.nan)
        parts.append((x, phone[t], pitch, np.full(len(t), data.number[data.who(i)])))
    x, *rest = zip(*parts)
    return {k: np.concatenate([p[k] for p in x]) for k in REPRESENTATIONS}, *(np.concatenate(r) for r in rest)


def frames(networks, data, sizes):
    rng = np.random.default_rng(8)
    made, phone, pitch, who = zip(*(frame_set(networks, data, c, s, rng) for c, s in (
        (data.enrol, sizes), (data.choose, {k: v // 3 for k, v in sizes.items()}), (data.heldout, sizes))))
    count = np.bincount(phone[0], minlength=256)
    classes = np.flatnonzero(count >= 20)
    index = np.full(256, -1)
    index[classes] = np.arange(len(classes))
    known = [index[p] for p in phone]
    yield 'phone', judged(made, known, who, [k >= 0 for k in known],
                          lambda *sets: probes.classify(*sets, len(classes)))
    voiced = [~np.isnan(p) for p in pitch]
    yield 'f0', judged(made, pitch, who, voiced, lambda *sets: probes.regress(*sets, unit=lambda v: 1200 * v))


def surroundings(networks, model, data):
    clips, made, y, who, labels = Clips(model, data.folder, ROOMS), [], [], [], []
    for sets, which in ((ROOMS, data.enrol), (ROOMS, data.choose), (ROOMS[-1:], data.heldout)):
        parts = [p for s in sets for p in parts_of(clips, s, which, STRETCH / 50)]
        made.append(in_parts(networks, torch.stack([clips.latents(p) for p in parts]) / 512))
        y.append(clips.targets(parts).numpy())
        who.append(np.array([data.number[data.who(p[1])] for p in parts]))
        labels.append([clips.labels[p[0]][p[1]] for p in parts])
    noisy = [np.array([r['snr_added_db'] is not None for r in a]) for a in labels]
    inside = [np.array([r['t60_s'] > 0.1 for r in a]) for a in labels]
    everything = [slice(None)] * 3
    for k, (name, keep, unit) in enumerate((
            ('snr', [n & ~np.isnan(v[:, 0]) for n, v in zip(noisy, y)], lambda v: 20 * v),
            ('t60', inside, lambda v: 0.4 * 2 ** v), ('bandwidth', everything, lambda v: 6000 * v))):
        yield name, judged(made, [v[:, k] for v in y], who, keep,
                           lambda *sets, unit=unit: probes.regress(*sets, unit=unit))
    yield 'codec', judged(made, [v[:, 3].astype(int) for v in y], who, everything,
                          lambda *sets: probes.classify(*sets, len(nets.CODECS)))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('model', 'data', 'runs', 'out'):
        p.add_argument(name)
    p.add_argument('--quick', action='store_true', help='fewer rows: to see whether it runs')
    a = p.parse_args()
    data, began = Data(a.data, a.runs), time.time()
    networks, sizes = Networks(a.runs), QUICK if a.quick else SIZES
    result = dict(quick=a.quick, steps={n: s['step'] for n, s in networks.states.items()}, columns={})
    for made in (identities(networks, data, sizes), frames(networks, data, sizes),
                 surroundings(networks, a.model, data)):
        for name, table in made:
            result['columns'][name] = table
            show(name, table)
    json.dump(result, open(a.out, 'w'), indent=1, default=float)
    print('%d s, of them %d of this process' % (time.time() - began, time.process_time()))


if __name__ == '__main__':
    main()
