"""Regenerate the tiny seeded model and its reference activations, and the same with a prior: make_tiny.py OUT_DIR
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
from model import BINS, F0_MIN, F0_SPAN, LONG, PAD, PERIODIC_HI, PERIODIC_LO, SR, WIN

SEED = 21
MODEL = {'bands': 52, 'latent': 16, 'kernel': 7, 'codebooks': 4, 'codewords': 64,
         'encoder': {'fine': [24], 'coarse': [40]}, 'decoder': {'coarse': [40], 'fine': [28]},
         'expand_encoder_fine': 3, 'expand_coarse': 3, 'expand_decoder_fine': 2}
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
        if name == 'codes':                                   # each stage finer than the last
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


def speak(out, m):
    """Make the decoder's output alive: moving pitch, voicing that switches, falling spectra."""
    scale, bias = out['decoder.output.scale'], out['decoder.output.bias']
    scale[5 * BINS:] *= 3
    bias[5 * BINS] += 9.0                                     # unvoiced, against the sum of all classes
    tilt = (1 - np.arange(BINS) / 120).astype(np.float32)
    for band in range(3):
        bias[band * BINS:(band + 1) * BINS] += tilt - 0.7


def main(folder):
    torch.set_num_threads(1)
    t = tensors(MODEL, np.random.default_rng(SEED))
    path = os.path.join(folder, 'tiny.lacm')
    lacm.write(path, 'tiny', MODEL, t)
    arrays = reference.activations(quantised.load(MODEL, t), t['codes'], reference.speechlike(FRAMES, SEED))
    reference.write(os.path.join(folder, 'tiny_reference.bin'), arrays)
    prior_integer.write_tiny(folder, SEED)
    f0, y = arrays['decoder.pitch'], arrays['pcm.out']
    print('%s: %d bytes; voiced %d of %d, pitch %.0f .. %.0f Hz, PCM rms %.3f peak %.3f, tokens %d distinct' % (
        path, os.path.getsize(path), (f0 > 0).sum(), len(f0), f0[f0 > 0].min(), f0.max(), y.std(), np.abs(y).max(),
        len(np.unique(arrays['tokens']))))


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
