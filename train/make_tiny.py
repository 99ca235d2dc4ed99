"""Regenerate the tiny seeded models and their reference activations, and the same with a prior: make_tiny.py OUT_DIR
(vectors/)

Its weights are random: it proves arithmetic, not sound. Everything comes from one seed by correctly rounded float64
operations, so that the model file is the same on every machine.
"""
import os
import sys
import numpy as np
import torch
import lacm
import prior_integer
import quantised
import reference
from integers import Quantiser
from model import BINS, F0_MIN, F0_SPAN, LONG, PAD, PERIODIC_HI, PERIODIC_LO, SR, WIN

SEED = 21
MODEL = {'bands': 52, 'latent': 16, 'kernel': 7, 'codebooks': 4, 'codewords': 64,
         'encoder': {'fine': [24], 'coarse': [40]}, 'decoder': {'coarse': [40], 'fine': [28]},
         'expand_encoder_fine': 3, 'expand_coarse': 3, 'expand_decoder_fine': 2}
FSQ_MODEL = dict(MODEL, codewords=60, levels=[5, 4, 3])
FRAMES = 16


def tables(p):
    """The constant tables as model.py has them, in float64."""
    t = np.arange(WIN) + 0.5
    lag = 1 / (F0_MIN * np.exp(np.arange(p) / (p - 1) * F0_SPAN))
    bins = np.arange(PERIODIC_LO, PERIODIC_HI) * (SR / PAD)
    window = np.sin(np.pi * t / WIN)
    return {'encoder.window': window, 'decoder.window': window,
            'encoder.long_window': 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(LONG) / LONG),
            'encoder.cosines': np.cos(2 * np.pi * bins[:, None] * lag[None])}


def tensors(m, rng):
    out = {k: v.astype(np.float32) for k, v in tables(m['bands']).items()}
    for name, dtype, shape in lacm.layout(m):
        if name in out:
            continue
        if name == 'fsq.into':
            out.update(fsq(m['levels'], shape, rng))
        elif name == 'codes':                                   # each stage finer than the last
            fall = 0.8 ** np.arange(shape[0])[:, None, None] * 0.7
            out[name] = np.rint(rng.uniform(-1, 1, shape) * fall * 3 ** 0.5 * lacm.ONE).astype(np.int16)
        elif dtype == 1:
            out[name] = rng.integers(-127, 128, shape).astype(np.int8)
        elif name.endswith('.scale'):                         # int8 weights have a deviation of 73
            fan = out[name[:-5] + 'weight'].shape[1]
            gain = 0.5 if '.down.' in name else 1.0
            out[name] = (rng.uniform(0.5, 1.5, shape) * gain / (73 * fan ** 0.5)).astype(np.float32)
        elif name.endswith('depthwise.weight'):
            out[name] = (rng.uniform(-1, 1, shape) * (3 / shape[0]) ** 0.5).astype(np.float32)
        else:
            out[name] = rng.uniform(-0.1, 0.1, shape).astype(np.float32)
    speak(out, m)
    return out


def fsq(levels, shape, rng):
    """An RFSQ of random projections of int16 [Q][d][D]: even thresholds, and the steps that belong to them."""
    into = rng.uniform(-1, 1, shape)
    into = np.rint(into * (lacm.MOST / np.abs(into).max(-1, keepdims=True)))
    spacing = 4.2 * 0.9 ** np.arange(shape[0])
    thresholds = np.zeros((*shape[:2], max(levels) - 1))
    for j, n in enumerate(levels):
        at = (np.arange(n - 1) - (n - 2) / 2 + rng.uniform(-0.1, 0.1, (shape[0], n - 1))) * spacing[:, None]
        thresholds[:, j, :n - 1] = np.rint(at * 2 ** 16) / 2 ** 16
    back = np.rint(into * (spacing[:, None] * lacm.THRESHOLD_ONE / (into ** 2).sum(-1))[..., None])
    middle = sum((n - 1) / 2 * back[:, j] for j, n in enumerate(levels))
    return {'fsq.into': into.astype(np.int16), 'fsq.thresholds': thresholds.astype(np.float32),
            'fsq.back': back.astype(np.int16),
            'fsq.bias': np.rint(rng.uniform(-20, 20, middle.shape) - middle).astype(np.int16)}


def speak(out, m):
    """Make the decoder's output alive: moving pitch, voicing that switches, falling spectra."""
    scale, bias = out['decoder.output.scale'], out['decoder.output.bias']
    scale[5 * BINS:] *= 3
    bias[5 * BINS] += 9.0                                     # unvoiced, against the sum of all classes
    tilt = (1 - np.arange(BINS) / 120).astype(np.float32)
    for band in range(3):
        bias[band * BINS:(band + 1) * BINS] += tilt - 0.7


def write(folder, name, m, seed):
    t = tensors(m, np.random.default_rng(seed))
    path = os.path.join(folder, name + '.lacm')
    lacm.write(path, name, m, t)
    arrays = reference.activations(quantised.load(m, t), Quantiser(m, t), reference.speechlike(FRAMES, seed))
    reference.write(os.path.join(folder, name.replace('-', '_') + '_reference.bin'), arrays)
    f0, y = arrays['decoder.pitch'], arrays['pcm.out']
    print('%s: %d bytes; voiced %d of %d, pitch %.0f .. %.0f Hz, PCM rms %.3f peak %.3f, tokens %d distinct' % (
        path, os.path.getsize(path), (f0 > 0).sum(), len(f0), f0[f0 > 0].min(), f0.max(), y.std(), np.abs(y).max(),
        len(np.unique(arrays['tokens']))))
    z, q = arrays['encoder.latent.grid'].astype(float), arrays['decoder.latent.grid']
    print('what the quantiser leaves of the latents: %.3f' % (((z - q) ** 2).mean() / (z ** 2).mean()))


def main(folder):
    torch.set_num_threads(1)
    write(folder, 'tiny', MODEL, SEED)
    write(folder, 'tiny-fsq', FSQ_MODEL, SEED)
    prior_integer.write_tiny(folder, SEED)


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
