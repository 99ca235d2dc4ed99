"""Crops of the prepared data: a batch is a function of (seed, step, rank), so that a resumed run sees the same."""
import os
import numpy as np
import torch
from model import HOP


class Batches:
    """cfg['data_share']: this part of the clips, 1 if not said, drawn at random. cfg['speed']: half of the crops are up
    to so much faster or slower, pitch and all, 0 if not said: more voices than were recorded."""

    def __init__(self, folder, cfg):
        self.pcm = np.memmap(os.path.join(folder, 'pcm.i16'), np.int16, 'r')
        self.f0 = np.memmap(os.path.join(folder, 'f0.f32'), np.float32, 'r')
        self.index = np.load(os.path.join(folder, 'index.npy'))
        clips = np.random.default_rng(cfg['seed']).permutation(len(self.index))
        self.index = self.index[np.sort(clips[:round(len(clips) * cfg.get('data_share', 1))])]
        self.noise = np.memmap(os.path.join(folder, 'noise.i16'), np.int16, 'r')
        self.noise_index = np.load(os.path.join(folder, 'noise.npy'))
        self.weight = np.cumsum(self.index[:, 1] * np.where(self.index[:, 2] > 0, 2.0, 1.0))  # wide-band clips twice
        self.cfg, self.n = cfg, int(cfg['seconds'] * 24000) // (2 * HOP) * 2 * HOP

    def crop(self, rng):
        """A crop that is not near silence: samples at full scale 1, and two rows of pitch, one value a hop.

        The first, which the network is to give, lags by one hop: the tracker's window then ends where the encoder's
        does; the first value of a voiced stretch is not delayed. The second is the tracker's at the hop's start.
        """
        speed, most = 1.0, self.cfg.get('speed', 0)
        if most and rng.random() < 0.5:
            speed = 1 + rng.uniform(-most, most)
        need = -(-round(self.n * speed) // HOP) * HOP
        for _ in range(4):
            p, n, _wide = self.index[np.searchsorted(self.weight, rng.random() * self.weight[-1])]
            s = p + rng.integers(0, max(1, (n - need) // HOP)) * HOP
            y = self.pcm[s:min(s + need, p + n)].astype(np.float32) / 32768
            if y.std() > 0.004:
                break
        if speed != 1:
            import soxr                                  # a machine lent for its GPU has none
            y = soxr.resample(y, 24000 * speed, 24000, quality='LQ')[:self.n]
        x, f0 = np.zeros(self.n, np.float32), np.zeros((2, self.n // HOP), np.float32)
        x[:len(y)] = y
        hops = len(y) // HOP
        at = s // HOP + np.rint(np.arange(hops) * speed).astype(int)
        late = self.f0[np.minimum(at, len(self.f0) - 1)] * np.float32(speed)
        now = np.zeros(hops, np.float32)
        now[:-1] = late[1:]
        f0[:, :hops] = np.where(late > 0, late, now), late
        return x, f0

    def add_noise(self, x, rng):
        p, n, _ = self.noise_index[rng.integers(len(self.noise_index))]
        v = self.noise[p:p + n].astype(np.float32) / 32768
        v = np.tile(v, -(-len(x) // len(v)))
        s = rng.integers(0, len(v) - len(x) + 1)
        v = v[s:s + len(x)]
        return x + v * (x.std() / (v.std() + 1e-5)) * 10 ** (-rng.uniform(5, 30) / 20)

    def __call__(self, step, rank):
        """PCM [B, N] and pitch [B, 2, N / HOP]."""
        rng = np.random.default_rng([self.cfg['seed'], step, rank])
        xs, fs = [], []
        for _ in range(self.cfg['batch']):
            x, f0 = self.crop(rng)
            if rng.random() < self.cfg['noise_probability']:
                x = self.add_noise(x, rng)
            x = x * 10 ** (rng.uniform(-14, 4) / 20)
            xs.append(x * min(1.0, 0.99 / (np.abs(x).max() + 1e-9)))
            fs.append(f0)
        return torch.from_numpy(np.stack(xs)), torch.from_numpy(np.stack(fs))
