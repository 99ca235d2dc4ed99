"""What the small networks hear: log-mel frames, and the usual augmentation that recombination is held against."""
import os
import sys
import numpy as np
import soxr
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'factors'))
from perturb import stretch                                                  # noqa: E402

SR, HOP, WINDOW, FFT, BANDS = 24000, 240, 600, 1024, 40
LOW, HIGH = 60.0, 7600.0                        # an4's recordings end at 8 kHz
SCALE = 4.0                                     # of log power, so that inputs are about 1


def triangles():
    """[FFT / 2 + 1][BANDS], bands equally wide on the mel scale."""
    mel = np.linspace(np.log1p(LOW / 700), np.log1p(HIGH / 700), BANDS + 2)
    edges, f = 700 * np.expm1(mel), np.arange(FFT // 2 + 1) * SR / FFT
    up = (f[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - f[:, None]) / (edges[2:] - edges[1:-1])
    return torch.from_numpy(np.maximum(0, np.minimum(up, down)).astype(np.float32))


TRIANGLES = triangles()


def hear(x):
    """PCM float32 [N] -> float16 [N / HOP][BANDS]: log power less its mean over the clip."""
    s = torch.stft(torch.from_numpy(x), FFT, HOP, WINDOW, torch.hann_window(WINDOW), return_complex=True)
    mel = (s.abs().square().T[:max(1, len(x) // HOP)] @ TRIANGLES + 1e-5).log()
    return ((mel - mel.mean(0)) / SCALE).half().numpy()


class Usual:
    """Speed, pitch and noise, drawn for each clip: tempo by .9 .. 1.1, pitch and formants by up to 3 semitones
    (each in two of three clips), a recording of noise 5 .. 30 dB below the speech (in one of two)."""

    def __init__(self, data):
        self.noise = np.memmap(os.path.join(data, 'noise.i16'), np.int16, 'r')
        self.where = np.load(os.path.join(data, 'noise.npy'))

    def __call__(self, x, rng):
        speed = rng.uniform(0.9, 1.1) if rng.random() < 0.67 else 1.0
        pitch = 2 ** (rng.uniform(-3, 3) / 12) if rng.random() < 0.67 else 1.0
        y = stretch(x, pitch / speed) if pitch != speed else x
        y = soxr.resample(y, SR * pitch, SR).astype(np.float32) if pitch != 1 else y
        return self.noisy(y, rng) if rng.random() < 0.5 else y

    def noisy(self, x, rng):
        first, n, _ = self.where[rng.integers(len(self.where))]
        at = first + rng.integers(max(1, n - len(x)))
        noise = np.resize(self.noise[at:min(at + len(x), first + n)], len(x)).astype(np.float32) / 32768
        snr = rng.uniform(5, 30)
        return x + noise * np.float32(x.std() / (noise.std() + 1e-6) * 10 ** (-snr / 20))


def mask(x, frames, rng, times, bands=4, seconds=0.05):
    """SpecAugment (arXiv 1904.08779) in place on a batch [B, T, BANDS] whose rows have `frames` frames: `times`
    stretches of bands and of time each."""
    for i, n in enumerate(frames):
        for _ in range(times):
            k, t = rng.integers(bands + 1), rng.integers(min(int(100 * seconds), n // 5) + 1)
            b, s = rng.integers(BANDS - k + 1), rng.integers(n - t + 1)
            x[i, :, b:b + k] = 0
            x[i, s:s + t] = 0
