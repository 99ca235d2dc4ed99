"""Fit what new voices, places and lines are sampled from: voices.py DATA RUNS

DATA is train/data/factors with base, room0, room1 and shift0 (extract.py), RUNS has the trained networks. Writes
RUNS/factors-voices/state.pt, of which tensors() makes those of a factor model's file (doc/sampling.md says what
they are), and shift0.speaker.f32 beside it.

Fitted to the training speakers, chosen by the likelihood of the valid ones; held-out and reserved ones stay out.
"""
import json
import os
import sys
import numpy as np
import torch
import extract
import lacf
import mixture
import nets
import splits

DIMENSIONS = 24                               # principal components that are drawn: what the generator can follow
PITCH = 150.0                                 # Hz that count as 0 octaves
WIDE_HZ, CLEAN_DB, DRY_S = 11000, 38, 0.16    # clips that are neutral
GRID = {'components': (1, 2, 4, 6, 8, 12, 16, 24), 'shrink': (0.1, 0.2, 0.4, 0.7, 1.0)}
PLACES = (1, 2, 4, 8, 16, 32)                 # components tried for environment and channel
COLUMNS = {'environment': slice(nets.SPEAKER, -nets.CHANNEL), 'channel': slice(-nets.CHANNEL, None)}
LEAST_OF_COLLECTION = 10                      # speakers, to count for the accent-like direction


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def vectors(data, name):
    return np.fromfile(os.path.join(data, name + '.vectors.f32'), np.float32).reshape(-1, 256).astype(float)


def people(data, split):
    """Speakers of a split: names, unit mean vectors [N][192], log2 of their median pitch over 150 Hz [N]."""
    clips, v = extract.load_clips(data), vectors(data, 'base')[:, :nets.SPEAKER]
    f0 = np.memmap(os.path.join(data, 'base.style.f32'), np.float32, 'r').reshape(-1, 2)[:, 0]
    of = {}
    for i, c in enumerate(clips):
        if c['split'] == split and c['speaker']:
            of.setdefault(c['speaker'], []).append(i)
    if split in ('train', 'valid'):
        splits.assert_disjoint(of)
    names, means, pitch = sorted(of), [], []
    for s in names:
        means.append(sum(clips[i]['frames'] * v[i] for i in of[s]))
        rows = np.concatenate([f0[clips[i]['first']:clips[i]['first'] + clips[i]['frames']] for i in of[s]])
        pitch.append(np.log2(np.median(rows[rows > 0]) / PITCH))
    return names, unit(np.array(means)), np.array(pitch)


class Space:
    """Voices, unit vectors [N][192] and pitch [N], as coordinates [N][dimensions + 1]."""

    def __init__(self, v, pitch, dimensions=DIMENSIONS):
        self.middle = np.append(v.mean(0), pitch.mean())
        basis = np.linalg.svd(v - v.mean(0), full_matrices=False)[2][:dimensions]
        self.rows = np.zeros((dimensions + 1, lacf.VOICE))
        self.rows[:-1, :-1], self.rows[-1, -1] = basis, 1

    def into(self, v, pitch):
        return (np.concatenate([v, pitch[:, None]], 1) - self.middle) @ self.rows.T

    def back(self, x):
        """-> unit vectors, pitch"""
        y = self.middle + x @ self.rows
        return unit(y[:, :-1]), y[:, -1]


def choose_voices(x, valid):
    """The mixture of the grid that makes the valid speakers likeliest, its settings, {settings: mean likelihood}."""
    tried = {}
    for n in GRID['components']:
        for shrink in GRID['shrink']:
            fitted = mixture.fit(x, n, shrink)
            tried[n, shrink] = mixture.log_density(valid, fitted).mean(), fitted
    best = max(tried, key=lambda k: tried[k][0])
    return tried[best][1], best, {k: v[0] for k, v in tried.items()}


# ---- attributes ----

def ridge(x, y, strength):
    return np.linalg.solve(x.T @ x + strength * np.trace(x.T @ x) / x.shape[1] * np.eye(x.shape[1]), x.T @ y)


def shifted(data, runs):
    """Speaker vectors of the set shift0 [clips][192]; zeros for clips of no known speaker and split."""
    path = os.path.join(runs, 'factors-voices', 'shift0.speaker.f32')
    if not extract.fresh(path, [extract.state(runs, 'speaker')]):
        clips = extract.load_clips(data)
        mine = [i for i, c in enumerate(clips) if c['speaker'] and c['split'] in ('train', 'valid')]
        z = extract.load_latents(data, 'shift0')
        out = np.zeros((len(clips), nets.SPEAKER), np.float32)
        out[mine] = extract.run(extract.network(runs, 'speaker'), extract.speaker, z, [clips[i] for i in mine],
                                False, nets.SPEAKER, np.float32)
        out.tofile(path)
    return np.fromfile(path, np.float32).reshape(-1, nets.SPEAKER).astype(float)


def shifts(data, runs, split):
    """What a shift of pitch and formants did to clips of a split: [N][192], log2 of the two factors [N][2]. Every
    speaker counts by at most 8 clips."""
    clips, after, seen, mine = extract.load_clips(data), shifted(data, runs), {}, []
    done = json.load(open(os.path.join(data, 'shift0.json')))
    for i in np.random.default_rng(1).permutation(len(clips)):
        c = clips[i]
        if c['speaker'] and c['split'] == split and seen.setdefault(c['speaker'], 0) < 8:
            seen[c['speaker']] += 1
            mine.append(i)
    splits.assert_disjoint(seen)
    before = vectors(data, 'base')[:, :nets.SPEAKER]
    return after[mine] - before[mine], np.log2([[done[i]['pitch'], done[i]['formants']] for i in mine])


def widest_between(x, groups, shrink=0.3):
    """Of linear discriminant analysis: the direction that tells groups apart best, in coordinates."""
    known = [g for g in sorted(set(groups)) if groups.count(g) >= LEAST_OF_COLLECTION]
    rows = [x[[g == k for g in groups]] for k in known]
    centre = np.mean([r.mean(0) for r in rows], 0)
    within = sum((r - r.mean(0)).T @ (r - r.mean(0)) for r in rows) / sum(len(r) for r in rows)
    within = (1 - shrink) * within + shrink * np.eye(len(within)) * np.trace(within) / len(within)
    between = sum(np.outer(r.mean(0) - centre, r.mean(0) - centre) for r in rows)
    values, found = np.linalg.eig(np.linalg.solve(within, between))
    d = np.real(found[:, np.argmax(np.real(values))])
    ends = sorted((r.mean(0) @ d, k) for k, r in zip(known, rows))
    return d, [ends[0][1], ends[-1][1]]


def attributes(data, runs, space, names, v, pitch):
    """-> directions [4][192], offsets [4], names of the collections at the accent-like direction's ends"""
    x = space.into(v, pitch)[:, :-1]
    basis = space.rows[:-1, :-1]
    of_pitch = ridge(x, pitch - pitch.mean(), 0.1) @ basis
    moved, factors = shifts(data, runs, 'train')
    of_formants = ridge(moved, factors[:, 1], 0.1)
    accent, ends = widest_between(x, [splits.family(s) for s in names])
    scaled = lambda d: d / (v @ d).std()                                     # noqa: E731
    young = scaled(of_pitch) + scaled(of_formants)
    directions = np.stack([scaled(d) for d in (of_pitch, of_formants, young, accent @ basis)])
    return directions, -(v @ directions.T).mean(0), ends


# ---- surroundings ----

@torch.no_grad()
def readings(runs, environment, channel):
    """What the network's heads read off vectors: SNR in dB, T60 in s, bandwidth in Hz, probability of no codec."""
    net = extract.network(runs, 'surroundings')
    gelu = lambda x: torch.nn.functional.gelu(x, approximate='tanh')         # noqa: E731
    e, c = (torch.from_numpy(np.asarray(x, np.float32)) for x in (environment, channel))
    room = net.environment_output(gelu(net.environment_hidden(e)))
    line = net.channel_output(gelu(net.channel_hidden(c)))
    read = [20 * room[:, 0], 0.4 * 2 ** room[:, 1], 6000 * line[:, 0], torch.softmax(line[:, 1:], -1)[:, 0]]
    return torch.stack(read, 1).numpy().astype(float)


def by_source(clips, mine, x):
    """Mean over sources of their means."""
    sources = sorted({clips[i]['source'] for i in mine})
    return np.mean([x[[i for i in mine if clips[i]['source'] == s]].mean(0) for s in sources], 0), sources


def neutral(data, runs):
    """The places of clean, dry recordings and the lines of wide ones, as recorded; what they are made of."""
    clips, v = extract.load_clips(data), vectors(data, 'base')
    environment, channel = (v[:, c] for c in COLUMNS.values())
    read, own = readings(runs, environment, channel), np.load(os.path.join(data, 'own_snr.npy'))
    train = np.array([c['split'] == 'train' for c in clips])
    clean = np.flatnonzero(train & (own >= CLEAN_DB) & (read[:, 0] >= CLEAN_DB) & (read[:, 1] <= DRY_S))
    wide = np.flatnonzero(train & (np.array([c['bandwidth_hz'] for c in clips]) >= WIDE_HZ)
                          & (read[:, 2] >= WIDE_HZ) & (read[:, 3] > 0.9))
    dry_place, clean_sources = by_source(clips, clean, environment)
    wide_line, wide_sources = by_source(clips, wide, channel)
    told = {'clean clips': len(clean), 'clean sources': clean_sources, 'wide clips': len(wide),
            'wide sources': wide_sources, 'read': readings(runs, dry_place[None], wide_line[None])[0].tolist()}
    return dry_place, wide_line, told


def choose_places(data, columns):
    """Mixture over room0 and room1 of the training split; {components: likelihood of the valid split}."""
    split = np.array([c['split'] for c in extract.load_clips(data)])
    x, valid = (np.concatenate([vectors(data, n)[split == s][:, columns] for n in ('room0', 'room1')])
                for s in ('train', 'valid'))
    fitted = {n: mixture.fit(x, n, 0.05, rounds=40) for n in PLACES}
    tried = {n: mixture.log_density(valid, m).mean() for n, m in fitted.items()}
    return fitted[max(tried, key=tried.get)], tried


# ---- the file's tensors ----

def drawn(name, m, rows=None, middle=0):
    """A mixture as the file has it, in coordinates `rows` about a middle."""
    weights, means, covariances = m
    rows = np.eye(means.shape[1]) if rows is None else rows
    roots = np.linalg.cholesky(covariances).transpose(0, 2, 1)
    made = {'bounds': np.cumsum(weights), 'means': middle + means @ rows, 'factors': roots @ rows}
    return {'sampling.%s.%s' % (name, k): v for k, v in made.items()}


def tensors(runs):
    """RUNS/factors-voices' sampling entry of a factor model's m, and its tensors; None if it was not fitted."""
    path = os.path.join(runs, 'factors-voices', 'state.pt')
    if not os.path.exists(path):
        return None
    s = torch.load(path, map_location='cpu', weights_only=False)
    return s['sampling'], s['tensors']


def main(data, runs):
    out = os.path.join(runs, 'factors-voices')
    os.makedirs(out, exist_ok=True)
    names, v, pitch = people(data, 'train')
    _, other, other_pitch = people(data, 'valid')
    space = Space(v, pitch)
    voices, best, tried = choose_voices(space.into(v, pitch), space.into(other, other_pitch))
    print('voices: components, shrinking %s, valid log likelihood %.2f' % (best, tried[best]), flush=True)
    directions, offsets, ends = attributes(data, runs, space, names, v, pitch)
    moves = directions @ space.rows[:-1, :-1].T @ mixture.moments(voices)[1][:-1] @ space.rows
    dry_place, wide_line, told = neutral(data, runs)
    t = {'sampling.middle': space.middle, 'sampling.directions': directions, 'sampling.offsets': offsets,
         'sampling.moves': moves, 'sampling.dry_place': dry_place, 'sampling.wide_line': wide_line,
         **drawn('voices', voices, space.rows, space.middle)}
    sampled = {'voices': voices}
    for name, columns in COLUMNS.items():
        sampled[name], told[name] = choose_places(data, columns)
        t.update(drawn(name, sampled[name]))
        print(name, {n: round(v, 2) for n, v in told[name].items()}, flush=True)
    t = {k: np.float32(x) for k, x in t.items()}
    sampling = {n: dict(zip(lacf.MIXTURE, t['sampling.%s.factors' % n].shape)) for n in lacf.MIXTURES}
    torch.save({'sampling': sampling, 'tensors': t, 'mixtures': sampled, 'best': best, 'tried': tried, 'told': told,
                'ends': ends}, os.path.join(out, 'state.pt'))
    print(json.dumps(told), ends, sampling)


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
