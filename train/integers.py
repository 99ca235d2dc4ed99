"""A file's quantiser in integers, as quant/rvq.h and quant/rfsq.h define it."""
import numpy as np
import torch
import torch.nn as nn
from lacm import METRIC_ONE, MOST, ONE, THRESHOLD_ONE


class Quantiser:
    """config['model'] and the tensors of a file, the metric of its search (lacm.read_metric) or None. Latents are int16
    [T][D], tokens [T][Q]."""

    def __init__(self, m, t, metric=None):
        self.t, self.q, self.levels = t, m['codebooks'], np.array(m.get('levels', []), int)
        self.place = np.cumprod([1, *self.levels])[:-1]
        self.metric = None if metric is None else np.rint(metric * METRIC_ONE).astype(np.int64)
        self.measured = metric is not None and Quantiser(m, {'codes': self.measure(t['codes'])})

    def measure(self, v):
        return ((v.astype(np.int64) @ self.metric.T + METRIC_ONE // 2) // METRIC_ONE).clip(-MOST, MOST)

    def nearest(self, r, q):
        """Greedy tokens of stage q for residuals [T][D]."""
        if 'codes' in self.t:
            c = self.t['codes'][q].astype(np.int64)
            return (r @ c.T - ((c * c).sum(1) >> 1)).argmax(1)
        p = r @ self.t['fsq.into'][q].T.astype(np.int64)
        at = np.trunc(self.t['fsq.thresholds'][q].astype(np.float64) * THRESHOLD_ONE)
        return sum((p[:, j, None] >= at[j, :n - 1]).sum(1) * self.place[j] for j, n in enumerate(self.levels))

    def words(self, tokens, q):
        """tokens [T] of stage q -> [T][D]."""
        if 'codes' in self.t:
            return self.t['codes'][q].astype(np.int64)[tokens]
        level = np.asarray(tokens)[:, None] // self.place % self.levels
        return level @ self.t['fsq.back'][q].astype(np.int64) + self.t['fsq.bias'][q]

    def search(self, z):
        if self.measured:
            return self.measured.search(self.measure(z))
        r, tokens = z.astype(np.int64), []
        for q in range(self.q):
            tokens.append(self.nearest(r, q))
            r = np.clip(r - self.words(tokens[-1], q), -MOST, MOST)
        return np.stack(tokens, 1).astype(np.int16)

    def decode(self, tokens, stages):
        """The first `stages` of each row."""
        return np.clip(sum(self.words(tokens[:, q], q) for q in range(stages)), -MOST, MOST).astype(np.int16)


def fixed(x):
    """Latent units to a file's integers."""
    return np.clip(np.rint(x * ONE), -MOST, MOST).astype(np.int16)


class IntegerRFSQ(nn.Module):
    """model.RFSQ as C computes it, without gradients."""

    def __init__(self, m, t):
        super().__init__()
        self.quantiser = Quantiser(m, t)

    def forward(self, z, stages):
        out, tokens = [], []
        for row, n in zip(z, stages.tolist()):
            tokens.append(self.quantiser.search(fixed(row.numpy())))
            out.append(torch.from_numpy(self.quantiser.decode(tokens[-1], n).astype(np.float32) / ONE))
        out, idx = torch.stack(out), torch.from_numpy(np.stack(tokens).astype(np.int64))
        return out, (z - out).pow(2).mean(), list(idx.permute(2, 0, 1)[:int(stages.max())])


def fsq_thresholds(n):
    """Where model.fsq_bound, rounded, changes."""
    half, offset = (n - 1) * (1 + 1e-3) / 2, 0.5 if n % 2 == 0 else 0.0
    between = np.arange(n - 1) - n // 2 + 0.5
    return np.arctanh((between + offset) / half) - np.arctanh(offset / half)


def fsq_tensors(q):
    """model.RFSQ -> tensors of a file. Its bounds become thresholds of projections, its codes steps of a level."""
    scale, into, shift, back, bias = (x.detach().numpy().astype(np.float64)
                                      for x in (q.scale, q.into, q.shift, q.back, q.bias))
    levels, into = q.levels.numpy().astype(int), into.transpose(0, 2, 1) / scale[:, None, None]
    unit = MOST / np.abs(into).max(-1)
    thresholds = np.zeros((*unit.shape, max(levels) - 1))
    for j, n in enumerate(levels):
        t = (fsq_thresholds(n) - shift[:, j, None]) * unit[:, j, None] * ONE
        thresholds[:, j, :n - 1] = np.clip(np.rint(t) / THRESHOLD_ONE, -1000, 1000)
    step = fixed(scale[:, None, None] * back / (levels // 2)[:, None])
    middle = scale[:, None] * bias - np.einsum('j,qjd->qd', levels // 2, step) / ONE
    return {'fsq.into': np.rint(into * unit[..., None]).astype(np.int16), 'fsq.back': step, 'fsq.bias': fixed(middle),
            'fsq.thresholds': thresholds.astype(np.float32)}
