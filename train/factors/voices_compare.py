"""Whether liblac-latent samples what doc/factor-format.md says, computed in float64 from the file's tensors:

    voices_compare.py LIBLAC_LATENT_SO FACTORS.lacf [SEEDS]
"""
import ctypes as C
import sys
import numpy as np
import lacf
from gaussian import gaussian, hash32, key_of
from style_items import Analyser, Factors

ENVIRONMENT, CHANNEL = 2, 3                    # enum lac_factor_kind
PASSES, RIDGE = 8, 0.05
TOLERANCE = {'speaker': 1e-5, 'f0, octaves': 1e-4, 'cosine': 1e-5, 'attributes': 1e-3, 'environment': 1e-4,
             'channel': 1e-4}


class Settings(C.Structure):
    _fields_ = [('spread', C.c_float), ('attribute', C.c_float * lacf.ATTRIBUTES), ('avoid', C.c_void_p),
                ('avoid_count', C.c_size_t), ('largest_cosine', C.c_float), ('attempts', C.c_uint32)]


def draw(t, name, seed, first=0):
    m = {k: t['sampling.%s.%s' % (name, k)].astype(float) for k in ('bounds', 'means', 'factors')}
    with np.errstate(over='ignore'):
        u = float(hash32(key_of(seed) + np.uint64(first + 512))[0] >> np.uint64(8)) / 2 ** 24
    c = min(int((m['bounds'] <= u).sum()), len(m['bounds']) - 1)
    return m['means'][c] + gaussian(1, m['factors'].shape[1], seed, first)[0].astype(float) @ m['factors'][c]


def unit(x):
    return np.append(x[:-1] / np.linalg.norm(x[:-1]), x[-1])


def voice(t, seed, spread, wanted, attempt):
    """-> speaker vector and octaves over 150 Hz [193], attributes [4]"""
    middle = t['sampling.middle'].astype(float)
    directions, moves = t['sampling.directions'].astype(float), t['sampling.moves'].astype(float)
    measure = lambda x: directions @ x[:-1] + t['sampling.offsets']           # noqa: E731
    x, some = unit(middle + spread * (draw(t, 'voices', seed, 1024 * attempt) - middle)), ~np.isnan(wanted)
    for _ in range(PASSES if some.any() else 0):
        m = directions[some] @ moves[some, :-1].T + RIDGE * np.eye(some.sum())
        x = unit(x + np.linalg.solve(m, (wanted - measure(x))[some]) @ moves[some])
    return x, measure(x)


def sampled(library, model, settings, seed):
    """C's voice and attributes, likewise, the place, the line, the cosine."""
    f, cosine, attributes = Factors(), C.c_float(), (C.c_float * lacf.ATTRIBUTES)()
    call = lambda name, *more: getattr(library, name)(model, *more)           # noqa: E731
    status = call('lac_voice_sample', C.byref(settings), C.c_uint64(seed), C.byref(f), C.byref(cosine))
    status |= call('lac_voice_attributes', C.byref(f.speaker), attributes)
    status |= call('lac_factors_sample', ENVIRONMENT, C.c_uint64(seed), C.byref(f))
    status |= call('lac_factors_sample', CHANNEL, C.c_uint64(seed), C.byref(f))
    assert status == 0, status
    octaves = np.log2(f.f0_median[0] / 150)
    parts = (np.array(v) for v in (attributes, f.environment, f.channel))
    return np.append(f.speaker, octaves), *parts, cosine.value


def main(library, model, count=1000):
    analyser, t = Analyser(library, model), lacf.read(model)[3]
    rng, worst, attempts = np.random.default_rng(1), dict.fromkeys(TOLERANCE, 0.0), []
    people = np.stack([unit(draw(t, 'voices', 10 ** 6 + i))[:-1] for i in range(64)]).astype(np.float32)
    limit = float(np.quantile(people @ people.T, 0.9))
    for n in range(int(count)):
        seed, spread = int(rng.integers(2 ** 63)), float(rng.choice([0.5, 1, 1.5]))
        wanted = np.where(rng.random(lacf.ATTRIBUTES) < 0.25, rng.uniform(-2, 2, lacf.ATTRIBUTES), np.nan)
        avoid = np.ascontiguousarray(people[rng.permutation(64)[:4]])
        s = Settings(spread, (C.c_float * lacf.ATTRIBUTES)(*wanted), avoid.ctypes.data, len(avoid), limit, 1000)
        got, attributes, environment, channel, cosine = sampled(analyser.lib, analyser.model, s, seed)
        attempt = 0
        while (nearest := (avoid @ (want := voice(t, seed, spread, wanted, attempt))[0][:-1]).max()) > limit:
            attempt += 1
        attempts.append(attempt + 1)
        octaves = np.clip(want[0][-1], *np.log2(np.array([50, 600]) / 150))
        off = {'speaker': got[:-1] - want[0][:-1], 'f0, octaves': got[-1] - octaves, 'cosine': cosine - nearest,
               'attributes': attributes - want[1],
               'environment': environment - draw(t, 'environment', seed, 2 << 40),
               'channel': channel - draw(t, 'channel', seed, 3 << 40)}
        worst = {k: max(worst[k], float(np.abs(v).max())) for k, v in off.items()}
    print('%s seeds, %.1f attempts each' % (count, np.mean(attempts)))
    for k, v in worst.items():
        print('%-14s off by at most %.1e%s' % (k, v, '' if v <= TOLERANCE[k] else ', which is too much'))
    sys.exit(int(any(v > TOLERANCE[k] for k, v in worst.items())))


if __name__ == '__main__':
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main(*sys.argv[1:])
