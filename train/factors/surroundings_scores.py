"""How well SNR, T60, bandwidth and codec are read off: surroundings_scores.py MODEL DATA STATE [OUT.json]

Held-out speakers in room2: rooms, noises, babble and microphones of no training set. Median absolute errors with
95 % intervals (speakers drawn again), beside ridge regression on mean and deviation of the raw latents, fitted to
the clips that the network was trained on. SNR is judged where noise was added, T60 also where there is a room.
"""
import json
import sys
import numpy as np
import torch
import splits
from nets import CODECS, Surroundings
from surroundings import TOP, Clips, errors, parts_of, run, statistics

GOALS = {'snr_db': 3, 't60_s': 0.15, 't60_s in a room': 0.15, 'bandwidth_hz': 1000, 'codec': None}


def features(clips, parts, codebooks):
    return np.concatenate([statistics(*clips.batch([p], [codebooks])).numpy() for p in parts])


def targets(clips, parts):
    y = clips.targets(parts).numpy().astype(np.float64)
    return y, np.concatenate([y[:, :3], np.eye(len(CODECS))[y[:, 3].astype(int)]], 1)


def ridge(x, y, strength=10.0):
    """-> a function of features; rows with a NaN are left out."""
    known = ~np.isnan(y).any(1)
    mean, deviation = x.mean(0), x.std(0) + 1e-6
    a = np.concatenate([(x - mean) / deviation, np.ones((len(x), 1))], 1)
    w = np.linalg.solve(a[known].T @ a[known] + strength * np.eye(a.shape[1]), a[known].T @ y[known])
    return lambda v: np.concatenate([(v - mean) / deviation, np.ones((len(v), 1))], 1) @ w


def baseline(clips):
    """Fitted at 3 s, where the network's crops are 2 to 4 s."""
    train = clips.of('train')
    parts = [p for s in ('room0', 'room1') for p in parts_of(clips, s, train, 3)]
    return ridge(features(clips, parts, None), targets(clips, parts)[1])


def judged(clips, parts, read):
    """-> {what: (errors, the clip's speaker)}"""
    y, _ = targets(clips, parts)
    e = errors(read, y)
    e['t60_s in a room'] = e['t60_s']
    rows = [clips.labels['room2'][p[1]] for p in parts]
    noisy = np.array([r['snr_added_db'] is not None for r in rows])
    asked = {'snr_db': noisy & ~np.isnan(y[:, 0]) & (y[:, 0] * 20 < TOP),
             't60_s in a room': np.array([r['t60_s'] > 0.1 for r in rows])}
    who = np.array([clips.clips[p[1]]['speaker'] for p in parts])
    return {k: (e[k][asked[k]], who[asked[k]]) if k in asked else (e[k], who) for k in GOALS}


def interval(v, who, centre, seed=8):
    rng, names = np.random.default_rng(seed), np.unique(who)
    mine = {n: v[who == n] for n in names}
    drawn = [centre(np.concatenate([mine[n] for n in rng.choice(names, len(names))])) for _ in range(1000)]
    return np.percentile(drawn, [2.5, 97.5])


def measured(what, v, who):
    """-> (value, low, high)"""
    centre = np.mean if what == 'codec' else np.median
    return tuple(float(x) for x in (centre(v), *interval(v, who, centre)))


def cell(what, values):
    return ('%.0f (%.0f .. %.0f)' if what == 'bandwidth_hz' else '%.3f (%.3f .. %.3f)') % values


def main(model, data, state, out=None):
    torch.set_num_threads(1)
    clips = Clips(model, data, ['room0', 'room1', 'room2'])
    speakers = {clips.clips[c]['speaker'] for c in clips.of('train')} - {None}
    heldout = clips.of('heldout')
    assert {clips.clips[c]['speaker'] for c in heldout} == set(splits.listed('heldout.txt'))
    splits.assert_disjoint(speakers)
    s = torch.load(state)
    net, fitted = Surroundings(s['config']).eval(), baseline(clips)
    net.load_state_dict(s['ema'])
    print('%d training speakers, %d held out, none in both; %d steps' % (
        len(speakers), len(splits.listed('heldout.txt')), s['step']))
    print('| median error; codec: share wrong | clips | network | raw latents | goal |\n|---|---|---|---|---|')
    rows = []
    for name, seconds, codebooks in (('3 s', 3, None), ('whole clip', None, None), ('3 s, 6 codebooks', 3, 6)):
        parts = parts_of(clips, 'room2', heldout, seconds)
        own = judged(clips, parts, run(net, clips, parts, codebooks)[1])
        raw = judged(clips, parts, fitted(features(clips, parts, codebooks)))
        for k, goal in GOALS.items():
            row = dict(what=k, of=name, clips=len(own[k][0]), network=measured(k, *own[k]),
                       raw=measured(k, *raw[k]), goal=goal)
            print('| %s, %s | %d | %s | %s | %s |' % (k, name, row['clips'], cell(k, row['network']),
                                                    cell(k, row['raw']), goal or ''))
            rows.append(row)
    codec = [clips.labels['room2'][c]['codec'] for c in heldout]
    guess = float(1 - np.mean([c == 'none' for c in codec]))
    print('codec: %.3f wrong by always saying none' % guess)
    if out:
        json.dump(dict(step=s['step'], codec_guess=guess, rows=rows), open(out, 'w'), indent=1)


if __name__ == '__main__':
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
