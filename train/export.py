"""Export a training state: export.py STATE OUT.lacm [--name speech24] [--refit DATA | --keep MODEL.lacm]
[--reference OUT.bin]

Takes the averaged weights. --keep: of a state whose decoder alone was trained further; all else is that model's, to
the bit (a state in float16 has it rounded), and what it knows of its latents and tokens, its extensions. --refit fits
the codebooks anew to the averaged, quantised encoder: while training they follow the live one; and the predictor of
lost frames. --reference writes the activations of every layer, for C to be compared with, and those of the float
network.
"""
import argparse
import os
import numpy as np
import torch
import lacm
import quantised
import reference
from batches import Batches
from integers import Quantiser
from model import RVQ, Codec

PRIOR = 60
CROP = 2.0                                    # seconds


@torch.no_grad()
def latents(codec, batches, seconds, rank):
    """Encoder output [M, D] over crops that training has not drawn."""
    z, step = [], 0
    while sum(map(len, z)) < 50 * seconds:
        x, _ = batches(step, rank)
        z.append(codec.encoder(x).flatten(0, 1))
        step += 1
    return torch.cat(z)


def lloyd(r, start, nearest, iterations):
    """Codewords start [K, D] refined on residuals r [M, D]; each counts as PRIOR points at its trained place, without
    which the fit gets worse on other speech."""
    c = start
    for _ in range(iterations):
        i = nearest(r, c)
        n = torch.bincount(i, minlength=len(c)).float()[:, None]
        c = torch.zeros_like(c).index_add_(0, i, r).add(start, alpha=PRIOR) / (n + PRIOR)
    return c


def nearest(r, c):
    return torch.cat([RVQ.nearest(p, c) for p in r.split(8192)])


def refit_stage(quantiser, r, q, iterations):
    """An RVQ's codewords, or where the levels of an RFSQ lie: its least squares."""
    if isinstance(quantiser, RVQ):
        quantiser.codes[q] = lloyd(r, quantiser.codes[q], nearest, iterations)
        return
    codes = quantiser.digits(r, q).round() / (quantiser.levels // 2)
    rows = torch.cat([codes, torch.ones_like(codes[:, :1])], 1)
    fit = torch.linalg.lstsq(rows, r / quantiser.scale[q]).solution
    quantiser.back.data[q], quantiser.bias.data[q] = fit[:-1], fit[-1]


def words(quantiser, r, q):
    """What stage q takes of residuals r [M, D]."""
    if isinstance(quantiser, RVQ):
        return quantiser.codes[q][nearest(r, quantiser.codes[q])]
    return quantiser.word(quantiser.digits(r, q).round(), q)


def residual_energy(name, z, quantiser):
    """Prints what each stage leaves of unit variance."""
    r, rows = z.clone(), []
    for q in range(quantiser.q):
        r -= words(quantiser, r, q)
        rows.append(r.pow(2).mean().item())
    print('%-8s residual' % name, ' '.join('%.4f' % e for e in rows), flush=True)


@torch.no_grad()
def refit(codec, quantiser, config, data, seconds, iterations):
    """The quantiser fitted, stage by stage from the trained one, to the latents of codec; the predictor (weight, bias) of
    its sums. Prints what that gains on held-out crops."""
    batches = Batches(data, dict(config, seconds=CROP, batch=8, noise_probability=0))
    r, held = latents(codec, batches, seconds, 1000), latents(codec, batches, 150, 1001)
    residual_energy('trained', held, quantiser)
    z, stages = [torch.zeros_like(r)], quantiser.q
    for q in range(stages):
        refit_stage(quantiser, r, q, iterations)
        word = words(quantiser, r, q)
        r -= word
        z.append(z[-1] + word)
    residual_energy('refitted', held, quantiser)
    rows = torch.arange(len(r))
    kept = torch.randint(stages // 4, stages + 1, (len(r),))         # what is lost may have any rate
    return fit_predictor(torch.stack(z)[kept, rows], z[-1])


def fit_predictor(z, target):
    """Least squares from frame t of z [M, D] to frame t + h of target: weight [4][D][D], bias [4][D]."""
    frames, d = int(CROP * 50), z.shape[1]
    z, target = z.view(-1, frames, d).double(), target.view(-1, frames, d).double()
    weight, bias = [], []
    for h in range(1, lacm.HORIZONS + 1):
        x, y = z[:, :-h].reshape(-1, d), target[:, h:].reshape(-1, d)
        x = torch.cat([x, torch.ones(len(x), 1).double()], 1)
        w = torch.linalg.solve(x.T @ x + 0.05 * torch.eye(d + 1).double(), x.T @ y)
        print('%d frames lost: error %.3f of the variance, %.3f when held' % (
            h, (x @ w - y).pow(2).mean() / y.var(0).mean(), (x[:, :d] - y).pow(2).mean() / y.var(0).mean()), flush=True)
        weight.append(w[:d].T)
        bias.append(w[d])
    return torch.stack(weight).numpy(), torch.stack(bias).numpy()


def write_reference(path, m, t, codec):
    """Activations of the file's weights, which C is compared with, and those of the float network as float.*."""
    x = reference.speechlike(50, 1)
    arrays = reference.activations(quantised.load(m, t), Quantiser(m, t), x)
    exact = reference.activations(codec, Quantiser(m, t), x)
    for name in arrays:
        if arrays[name].dtype != 'int16' and arrays[name].shape == exact[name].shape:
            error = ((arrays[name] - exact[name]) ** 2).mean() ** 0.5 / exact[name].std()
            print('%-24s differs from the float network by %.4f of its deviation' % (name, error))
    arrays.update({'float.' + k: v for k, v in exact.items()})
    reference.write(path, arrays)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('state')
    p.add_argument('out')
    p.add_argument('--name', default='speech24')
    p.add_argument('--refit', metavar='DATA')
    p.add_argument('--keep', metavar='MODEL.lacm')
    p.add_argument('--seconds', type=int, default=2400, help='of audio that the codebooks are fitted to')
    p.add_argument('--iterations', type=int, default=2)
    p.add_argument('--reference', metavar='OUT.bin')
    a = p.parse_args()
    torch.set_num_threads(1)
    s = torch.load(a.state, map_location='cpu')
    m = s['config']['model']
    codec = Codec(m)
    codec.load_state_dict({k: v.float() for k, v in s['ema'].items()})
    t = quantised.tensors(codec.eval())
    extensions = []
    if a.refit:
        predictor = refit(quantised.load(m, t, exact=False), codec.quantiser, s['config'], a.refit, a.seconds,
                          a.iterations)
        t = quantised.tensors(codec)
        extensions.append(lacm.predictor(*predictor))
    if a.keep:
        for key, value in lacm.read(a.keep)[2].items():
            if not key.startswith('decoder.'):
                assert np.allclose(value, t[key], 0.02, 0.02 * np.abs(value).max()), key + ' is not that of ' + a.keep
                t[key] = value
        extensions = [content for _, content in lacm.split(a.keep)[1]]
    lacm.write(a.out, a.name, m, t, extensions)
    print('%s: %d bytes, step %d' % (a.out, os.path.getsize(a.out), s['step']))
    if a.reference:
        write_reference(a.reference, m, t, codec)


if __name__ == '__main__':
    main()
