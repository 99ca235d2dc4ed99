"""Distortion against rate: rate_distortion.py LIBLAC.so RVQ.lacm FSQ.lacm DATA OUT.png

Mean squared error of the dev split's latents over their variance, by plain bits a frame, for
- the RVQ model's tokens, greedy and with a beam of 8, and the FSQ model's, each on its own encoder's latents;
- a residual FSQ and a scalar quantiser fitted to the RVQ model's latents of the training set: to each axis of the
  Karhunen-Loeve transform its own Lloyd-Max quantiser, whole bits given where they help most;
- the bound for a Gaussian source of the same covariance (reverse water-filling: Cover and Thomas, section 10.3.3),
  which these latents, that are not Gaussian and that the RVQ was trained with, may beat.
"""
import glob
import sys
import numpy as np
import soundfile as sf
import torch
import lacm
import quantised
from batches import Batches
from export import latents
from integers import Quantiser
from liblac import Library
from model import RFSQ

SECONDS = 3000                                # of training audio whose latents are fitted to
LEVELS = [4, 4, 4, 4, 4]
DEEPEST = 6                                   # most bits of an axis


@torch.no_grad()
def coded(so, model, clips, beam):
    """Error over variance by number of codebooks, of the library's tokens; and the latents."""
    _, m, t = lacm.read(model)
    library, quantiser, codec = Library(so, model), Quantiser(m, t), quantised.load(m, t, exact=False)
    z = [codec.encoder(torch.from_numpy(np.pad(x, (0, 480 - len(x) % 480)))[None])[0].numpy() for x in clips]
    rows, stages = [], m['codebooks']
    for n in range(1, stages + 1):
        encoder, error = library.encoder(n, beam), []
        for x, latent in zip(clips, z):
            tokens = library.tokens(encoder, x, stages)[:len(latent)]
            error.append(((quantiser.decode(tokens, n) / lacm.ONE - latent[:len(tokens)]) ** 2).mean(1))
        library.close(encoder)
        rows.append(float(np.concatenate(error).mean() / (np.concatenate(z) ** 2).mean()))
    return rows, torch.from_numpy(np.concatenate(z))


def gaussian_bound(z, bits):
    """Bits a frame -> distortion over variance."""
    values = torch.linalg.eigvalsh(torch.cov(z.T)).clamp(min=1e-9).numpy()
    levels = np.geomspace(values.max(), 1e-9, 4000)
    rate = [0.5 * np.log2(np.maximum(values / t, 1)).sum() for t in levels]
    distortion = [np.minimum(values, t).sum() / values.sum() for t in levels]
    return np.interp(bits, rate, distortion)


def lloyd_max(x, levels):
    """Samples x, sorted -> reconstruction values."""
    c = np.quantile(x, (np.arange(levels) + 0.5) / levels)
    total = np.concatenate([[0], np.cumsum(x)])
    for _ in range(60):
        edge = np.concatenate([[0], np.searchsorted(x, (c[1:] + c[:-1]) / 2), [len(x)]])
        n = np.diff(edge)
        c = np.where(n > 0, np.diff(total[edge]) / np.maximum(n, 1), c)
    return c


def nearest(x, c):
    return c[np.searchsorted((c[1:] + c[:-1]) / 2, x)]


def scalar(train, dev, bits):
    """Distortion over variance of dev at each number of bits a frame (ascending)."""
    mean, (_, axes) = train.mean(0), torch.linalg.eigh(torch.cov(train.T))
    a, b = (((z - mean) @ axes).double().numpy().T for z in (train, dev))
    tables = []
    for x, y in zip(np.sort(a[:, ::4], 1), b):
        codes = [np.zeros(1)] + [lloyd_max(x, 2 ** k) for k in range(1, DEEPEST + 1)]
        tables.append([(((x - nearest(x, c)) ** 2).mean(), ((y - nearest(y, c)) ** 2).mean()) for c in codes])
    given, rows = [0] * len(tables), []
    for n in range(bits[-1]):
        gain = [t[k][0] - t[k + 1][0] if k < DEEPEST else 0 for t, k in zip(tables, given)]
        given[int(np.argmax(gain))] += 1
        if n + 1 in bits:
            rows.append(sum(t[k][1] for t, k in zip(tables, given)) / dev.pow(2).sum(1).mean().item())
    return rows


@torch.no_grad()
def fitted_fsq(train, dev, stages):
    torch.manual_seed(1)
    q = RFSQ(train.shape[1], LEVELS, stages)
    q.fit(train)
    left, rows = dev.clone(), []
    for s in range(stages):
        left = left - q.word(q.digits(left, s), s)
        rows.append((left.pow(2).mean() / dev.pow(2).mean()).item())
    return rows


def draw(bits, curves, path):
    import matplotlib
    matplotlib.use('Agg')
    import matplotlib.pyplot as plt
    plt.figure(figsize=(7, 5))
    for name, rows in curves.items():
        plt.plot(bits, 10 * np.log10(rows), '--' if 'bound' in name else '.-', label=name)
    plt.xlabel('bits a frame (50 frames a second)')
    plt.ylabel('squared error of the latents over their variance, dB')
    plt.legend()
    plt.grid(alpha=0.3)
    plt.savefig(path, dpi=110, bbox_inches='tight')


def main(so, rvq, fsq, data, picture):
    torch.set_num_threads(1)
    clips = [sf.read(p, dtype='float32')[0] for p in sorted(glob.glob(data + '/dev/*.wav'))]
    curves = {}
    curves['RVQ, greedy'], dev = coded(so, rvq, clips, 1)
    curves['RVQ, beam 8'], _ = coded(so, rvq, clips, 8)
    stages = len(curves['RVQ, greedy'])
    batches = Batches(data, dict(seed=1, seconds=2.0, batch=8, noise_probability=0))
    train = latents(quantised.load(*lacm.read(rvq)[1:], exact=False), batches, SECONDS, 1002)
    bits = [10 * n for n in range(1, stages + 1)]
    curves['residual FSQ fitted to these latents'] = fitted_fsq(train, dev, stages)
    curves['scalar, Lloyd-Max on KLT axes'] = scalar(train, dev, bits)
    curves['Gaussian bound'] = gaussian_bound(train, bits).tolist()
    curves['FSQ model on its own latents, greedy'], _ = coded(so, fsq, clips, 1)
    curves['FSQ model on its own latents, beam 8'], own = coded(so, fsq, clips, 8)
    curves['Gaussian bound of its latents'] = gaussian_bound(own, bits).tolist()
    for name, rows in curves.items():
        print('| %s | %s |' % (name, ' | '.join('%.3f' % v for v in rows)))
    draw(bits, curves, picture)


if __name__ == '__main__':
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
