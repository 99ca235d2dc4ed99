"""How well the speaker vector tells unseen speakers apart, and what its cosine means:

    speaker_scores.py LIBLAC MODEL DATA SETS RUN OUT.json [--calibration FILE]

DATA is train/data.py's output, SETS prepare.py's, RUN holds state.pt and speakers.json of speaker.py. Judged are
the held-out speakers alone, asserted to be none of RUN/speakers.json; a clip is in one stretch at most, short ones
are joined. Beside the vector: the raw latents' mean and deviation, less their mean over the training speakers, by
cosine, and the same after a linear discriminant analysis of the training speakers. 95 % intervals: speakers drawn
again. The valid speakers give the logistic regression of the log odds that one speaker says both, pairs of one and
of two speakers half and half, and the equal-error threshold: written to --calibration under "speaker".
"""
import argparse
import json
import os
import sys
import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import simulate                                                             # noqa: E402
import splits                                                               # noqa: E402
from liblac import HOP, Library                                             # noqa: E402
from nets import LATENT, Speaker                                            # noqa: E402
from prepare import Corpus                                                  # noqa: E402
from quantise import Quantiser                                              # noqa: E402
from speaker import STAGES, Data, embed, family                             # noqa: E402
from verification import (RATE, balanced, calibrate, calibration_error, equal_error, interval, rows, trials,
                          utterances)                                       # noqa: E402

MOST, SECONDS, SNR = 12, 3, 10
LENGTHS = (1.5, 3, 5, 10)                       # of what the calibration sees


class Simulated:
    """Latents of stretches in the surroundings of the test: rooms, noises, microphones that no training has."""

    def __init__(self, a):
        self.corpus, self.library = Corpus(a.sets), Library(a.liblac, a.model)
        self.encoder = self.library.encoder(STAGES, 1)
        self.around = simulate.Surroundings(self.corpus, a.data, a.sets, True)

    def noise(self, x, band, rng):
        v = simulate.filtered(self.around.noise(len(x), rng), None, band if band < simulate.SR / 2 else None)
        p = simulate.frame_power(x)
        gain = p[simulate.active(p)].mean() / simulate.frame_power(v).mean() * 10 ** (-SNR / 10)
        return x + np.sqrt(gain) * v

    def room(self, x, band, rng):
        return self.around.room(x, rng)[0]

    def channel(self, x, band, rng):
        limit = rng.uniform(2500, 8000) if rng.random() < 0.4 else None
        x = simulate.filtered(x, self.around.microphone(rng), limit)
        x *= 0.5 / (np.abs(x).max() + 1e-9)
        return self.around.coded(x.astype(np.float32), limit, rng)[0]

    def __call__(self, kind, places):
        found = []
        for i, p in enumerate(places):
            x = np.concatenate([self.corpus.pcm(c)[:simulate.FRAME * f] for c, f in p])
            band = min(self.corpus.clips[c]['bandwidth_hz'] for c, _ in p)
            x = getattr(self, kind)(x, band, np.random.default_rng([8, i]))
            x = np.pad(x * min(1, 0.97 / (np.abs(x).max() + 1e-9)), (0, HOP)).astype(np.float32)
            found.append(self.library.latents(self.encoder, x, STAGES, LATENT)[0])
        return found


def statistics(latents):
    z = [np.asarray(v, np.float32) / 512 for v in latents]
    return np.stack([np.concatenate([v.mean(0), v.std(0)]) for v in z])


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


class Raw:
    """Mean and deviation of latents, less the training speakers' mean; with `analysis` its linear discriminants."""

    def __init__(self, x, who, analysis):
        self.mean, self.map = x.mean(0), np.eye(x.shape[1])
        if analysis:
            known, who = np.unique(who, return_inverse=True)
            own = np.stack([x[who == s].mean(0) for s in range(len(known))])
            inside, between = np.cov((x - own[who]).T), np.cov(own.T)
            inside += 0.1 * np.trace(inside) / len(inside) * np.eye(len(inside))
            value, vector = np.linalg.eigh(np.linalg.solve(np.linalg.cholesky(inside),
                                           np.linalg.solve(np.linalg.cholesky(inside), between).T))
            self.map = np.linalg.solve(np.linalg.cholesky(inside).T, vector[:, -64:])

    def __call__(self, latents):
        return unit((statistics(latents) - self.mean) @ self.map)


class Test:
    """The representations, and the latents of a split's stretches."""

    def __init__(self, a):
        s = torch.load(os.path.join(a.run, 'state.pt'))
        net = Speaker(s['config'])
        net.load_state_dict(s['ema'])
        self.data, self.quantiser = Data(a.sets), Quantiser(a.model)
        self.trained = json.load(open(os.path.join(a.run, 'speakers.json')))
        splits.assert_disjoint(self.trained)
        who, places = utterances(self.data.clips, self.trained, [SECONDS], MOST)
        x = statistics(self.base(places))
        self.kinds = {'speaker vector': lambda z: embed(net.eval(), z), 'raw latents': Raw(x, who, False),
                      'raw latents, LDA': Raw(x, who, True)}

    def speakers(self, split):
        found = sorted({c['speaker'] for c in self.data.clips if c['split'] == split})
        assert not set(found) & set(self.trained)
        return found

    def base(self, places):
        return [self.data.latents('base')[r] for r in rows(self.data.clips, places)]

    def coded(self, places, codebooks):
        tokens = [self.data.tokens('base')[r].astype(np.int32) for r in rows(self.data.clips, places)]
        return [self.quantiser.dequantise(torch.from_numpy(t), codebooks).numpy() for t in tokens]


def conditions(test, simulated, speakers):
    """-> {name: (who, latents of one side, of the other)}"""
    at = {s: utterances(test.data.clips, speakers, [s], MOST) for s in (1.5, SECONDS, 10)}
    found = {'%g s' % s: (who, test.base(p), None) for s, (who, p) in at.items()}
    who, places = at[SECONDS]
    for name, kind in (('other channel', 'channel'), ('%d dB noise' % SNR, 'noise'), ('room', 'room')):
        found['%g s, %s' % (SECONDS, name)] = who, test.base(places), simulated(kind, places)
    for kbits in (3, 6):
        found['%g s, %d kbit/s' % (SECONDS, kbits)] = who, test.coded(places, 2 * kbits), None
    return found


def error(u, v, who, families, of):
    a, b, same = trials(who)
    cosine = (u @ v.T)[a, b]
    keep = np.ones(len(a), bool) if of == 'all' else (families[who[a]] == of) & (families[who[b]] == of)
    a, b, same, cosine = a[keep], b[keep], same[keep], cosine[keep]
    low, high = interval(cosine, who[a], who[b], len(families))
    return dict(eer=equal_error(cosine, same)[0], low=low, high=high, same=same.sum(), other=(~same).sum())


def table(test, found, speakers):
    families, result = np.array([family(s) for s in speakers]), {}
    for name, (who, one, other) in found.items():
        for kind, represent in test.kinds.items():
            u = represent(one)
            v = u if other is None else represent(other)
            for of in ('all', 'an4', 'librispeech'):
                e = error(u, v, who, families, of)
                result.setdefault(name, {}).setdefault(kind, {})[of] = e
                print('%-20s %-17s %-11s %5.2f %% (%.2f .. %.2f)' % (
                    name, kind, of, 100 * e['eer'], 100 * e['low'], 100 * e['high']), flush=True)
    return result


def mixed_pairs(test, split):
    """Cosines of stretches of 1.5 to 10 s, half of them as tokens bring them; several drawings of the stretches."""
    cosine, same, speakers = [], [], test.speakers(split)
    for seed in range(8):
        who, places = utterances(test.data.clips, speakers, LENGTHS, MOST, 100 + seed)
        coded, rng = test.coded(places, int(3 + seed % 4 * 3)), np.random.default_rng(seed)
        z = [c if rng.random() < 0.5 else b for c, b in zip(coded, test.base(places))]
        u = test.kinds['speaker vector'](z)
        a, b, s = trials(who)
        cosine.append((u @ u.T)[a, b])
        same.append(s)
    return np.concatenate(cosine), np.concatenate(same)


def reliability(cosine, same, scale, offset):
    p, w = 1 / (1 + np.exp(-scale * cosine - offset)), balanced(same)
    e, bins = calibration_error(p, same, w)
    return dict(error=e, bins=bins, right=float((w * ((p > 0.5) == same)).sum() / w.sum()))


def calibration(test, found):
    """From the valid speakers; how reliable it is on the held-out ones."""
    cosine, same = mixed_pairs(test, 'valid')
    scale, offset = calibrate(cosine, same, balanced(same))
    fit = dict(scale=scale, offset=offset, threshold=float(equal_error(cosine, same)[1]))
    pairs = {'1.5 to 10 s, half as tokens': mixed_pairs(test, 'heldout')}
    for name, (who, one, other) in found.items():
        u = test.kinds['speaker vector'](one)
        v = u if other is None else test.kinds['speaker vector'](other)
        a, b, s = trials(who)
        pairs[name] = (u @ v.T)[a, b], s
    told = {}
    for name, (c, s) in pairs.items():
        r = told[name] = reliability(c, s, scale, offset)
        r.update(miss=float((c < fit['threshold'])[s].mean()), accept=float((c >= fit['threshold'])[~s].mean()))
        print('%-27s calibration error %.3f, right %.3f; of one missed %.3f, of two accepted %.3f' %
              (name, r['error'], r['right'], r['miss'], r['accept']), flush=True)
    return fit, told


def ridge(x, y, strength):
    """-> a function of x; strength in units of the mean variance."""
    mean, level = x.mean(0), y.mean()
    x = x - mean
    w = np.linalg.solve(x.T @ x + strength * len(x) * x.var(0).mean() * np.eye(x.shape[1]), x.T @ (y - level))
    return lambda v: (v - mean) @ w + level


def surroundings(test, name, split):
    """Stretches of 3 s of a simulated set: latents, their clip's labels."""
    labels = json.load(open(os.path.join(test.data.folder, name + '.json')))
    one = [i for i, c in enumerate(test.data.clips) if c['split'] == split and c['speaker']
           and c['frames'] >= SECONDS * RATE and 'snr_db' in labels[i]]
    z = [test.data.latents(name)[test.data.clips[i]['first']:][:SECONDS * RATE] for i in one]
    y = np.array([[labels[i]['snr_db'], labels[i]['t60_s'], labels[i]['bandwidth_hz'],
                   test.data.clips[i]['source'] == 'an4'] for i in one])
    return z, y


def leakage(test):
    """What ridge regression reads of surroundings, fitted to the training speakers, on held-out ones elsewhere:
    correlations, and of whether AN4's room it is the share that is right, AN4 and not counted half and half."""
    z, y = surroundings(test, 'room0', 'train')
    unseen, truth = surroundings(test, 'room2', 'heldout')
    result = {}
    for kind in ('speaker vector', 'raw latents'):
        x, v = test.kinds[kind](z), test.kinds[kind](unseen)
        read = np.stack([ridge(x, y[:, k], 0.01)(v) for k in range(y.shape[1])], 1)
        told = {k: np.corrcoef(read[:, i], truth[:, i])[0, 1] for i, k in enumerate(('snr', 't60', 'bandwidth'))}
        right, an4 = (read[:, 3] > 0.5) == truth[:, 3], truth[:, 3] > 0.5
        result[kind] = dict(told, source=(right[an4].mean() + right[~an4].mean()) / 2)
        print('read off %-15s' % (kind + ':'), {k: round(float(v), 3) for k, v in result[kind].items()}, flush=True)
    return result


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for n in ('liblac', 'model', 'data', 'sets', 'run', 'out'):
        p.add_argument(n)
    p.add_argument('--calibration', help='the JSON file whose "speaker" is to be written')
    a = p.parse_args()
    test = Test(a)
    speakers = test.speakers('heldout')
    assert len(speakers) == 40
    found = conditions(test, Simulated(a), speakers)
    result = dict(verification=table(test, found, speakers))
    result['calibration'], result['reliability'] = calibration(test, found)
    print(result['calibration'])
    result['leakage'] = leakage(test)
    json.dump(result, open(a.out, 'w'), indent=1, default=float)
    if a.calibration:
        whole = json.load(open(a.calibration)) if os.path.exists(a.calibration) else {}
        json.dump(dict(whole, speaker=result['calibration']), open(a.calibration, 'w'), indent=1)


if __name__ == '__main__':
    main()
