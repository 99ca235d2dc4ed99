"""Probes: how well can something be told from a representation?

A set is Set(x, y, group): x [N, F], or stretches [N, T, F] that are pooled; y classes or numbers; group the clip
that a row comes from, by which intervals are drawn (rows of a clip are alike). `enrol` is fitted to, `choose`
decides when to stop, `test` is judged; no clip in two of them.
Kinds: 'linear', and 'two-layer' with a hidden layer of 256.
"""
from dataclasses import dataclass
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

KINDS = ('linear', 'two-layer')
HIDDEN, BATCH = 256, 256


@dataclass
class Set:
    x: np.ndarray
    y: np.ndarray
    group: np.ndarray


class Probe(nn.Module):
    def __init__(self, inputs, outputs, kind, pooled, mean, deviation):
        super().__init__()
        self.register_buffer('mean', mean)
        self.register_buffer('deviation', deviation)
        self.pooled = pooled
        self.hidden = nn.Linear(inputs, HIDDEN) if kind == 'two-layer' else None
        self.output = nn.Linear((HIDDEN if self.hidden else inputs) * (2 if pooled else 1), outputs)

    def forward(self, x):
        x = (x - self.mean) / self.deviation
        if self.hidden:
            x = F.relu(self.hidden(x))
        if self.pooled:
            x = torch.cat([x.mean(1), (x.var(1, correction=0) + 1e-5).sqrt()], -1)
        return self.output(F.dropout(x, 0.2, self.training)).float()


def windows(frames, count):
    """[T, F] -> [T, count F]: each frame among its neighbours, the first and last repeated."""
    half = count // 2
    padded = np.concatenate([frames[:1].repeat(half, 0), frames, frames[-1:].repeat(half, 0)])
    return np.lib.stride_tricks.sliding_window_view(padded, count, 0).swapaxes(1, 2).reshape(len(frames), -1)


def outputs_of(probe, x):
    with torch.no_grad():
        return torch.cat([probe(torch.from_numpy(x[i:i + 1024]).float()) for i in range(0, len(x), 1024)])


def fit(enrol, choose, kind, loss, outputs, score, epochs=25, rate=1e-3, seed=1):
    """The probe of the epoch with the best score(outputs, y) on `choose`."""
    assert kind in KINDS and not set(enrol.group) & set(choose.group)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    axes = tuple(range(enrol.x.ndim - 1))
    mean, deviation = enrol.x.mean(axes, dtype=np.float64), enrol.x.std(axes, dtype=np.float64) + 1e-3
    probe = Probe(enrol.x.shape[-1], outputs, kind, enrol.x.ndim == 3, torch.from_numpy(mean).float(),
                  torch.from_numpy(deviation).float())
    optimiser = torch.optim.AdamW(probe.parameters(), rate, weight_decay=0.01)
    y, best, kept = torch.from_numpy(enrol.y), -np.inf, None
    batch = min(BATCH, max(16, len(y) // 20))
    for epoch in range(epochs):
        probe.train()
        for rows in np.array_split(rng.permutation(len(y)), max(1, len(y) // batch)):
            optimiser.zero_grad()
            loss(probe(torch.from_numpy(enrol.x[rows]).float()), y[rows]).backward()
            optimiser.step()
        probe.eval()
        now = score(outputs_of(probe, choose.x).numpy(), choose.y)
        if now > best:
            best, kept = now, {k: v.clone() for k, v in probe.state_dict().items()}
    probe.load_state_dict(kept)
    return probe.eval()


def bootstrap(statistic, group, rounds=1000, seed=1):
    """95 % interval of statistic(rows), groups drawn with replacement."""
    rng = np.random.default_rng(seed)
    order = np.argsort(group, kind='stable')
    parts = np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
    drawn = [statistic(np.concatenate([parts[k] for k in rng.integers(0, len(parts), len(parts))]))
             for _ in range(rounds)]
    return tuple(float(v) for v in np.nanpercentile(drawn, [2.5, 97.5]))


def balanced_accuracy(right, y, classes):
    """Mean over the classes that occur of the share that is right."""
    count = np.bincount(y, minlength=classes)
    return float((np.bincount(y, right, classes)[count > 0] / count[count > 0]).mean())


def classify(enrol, choose, test, kind, classes, rounds=1000, seed=1):
    """-> {accuracy (classes weigh alike), low, high, chance}"""
    assert not set(test.group) & (set(enrol.group) | set(choose.group))
    weight = torch.from_numpy(len(enrol.y) / (classes * np.bincount(enrol.y, minlength=classes).clip(1))).float()
    probe = fit(enrol, choose, kind, lambda o, y: F.cross_entropy(o, y, weight), classes,
                lambda o, y: balanced_accuracy(o.argmax(-1) == y, y, classes), seed=seed)
    right = outputs_of(probe, test.x).argmax(-1).numpy() == test.y
    low, high = bootstrap(lambda r: balanced_accuracy(right[r], test.y[r], classes), test.group, rounds)
    return dict(accuracy=balanced_accuracy(right, test.y, classes), low=low, high=high,
                chance=1 / len(np.unique(test.y)))


def regress(enrol, choose, test, kind, seed=1, unit=lambda v: v):
    """-> {correlation, low, high, median_error, error_low, error_high, chance_error}; errors are those of unit(y),
    chance is the median of `enrol`."""
    assert not set(test.group) & (set(enrol.group) | set(choose.group))
    middle, spread = np.median(enrol.y), enrol.y.std() + 1e-6
    scaled = [Set(s.x, ((s.y - middle) / spread).astype(np.float32), s.group) for s in (enrol, choose)]
    probe = fit(*scaled, kind, lambda o, y: F.smooth_l1_loss(o[:, 0], y), 1,
                lambda o, y: -np.abs(o[:, 0] - y).mean(), seed=seed)
    told = outputs_of(probe, test.x)[:, 0].numpy() * spread + middle
    error = np.abs(unit(told) - unit(test.y))
    correlation = lambda r: float(np.corrcoef(told[r], test.y[r])[0, 1])     # noqa: E731
    low, high = bootstrap(correlation, test.group)
    error_low, error_high = bootstrap(lambda r: np.median(error[r]), test.group)
    return dict(correlation=correlation(np.arange(len(told))), low=low, high=high,
                median_error=float(np.median(error)), error_low=error_low, error_high=error_high,
                chance_error=float(np.median(np.abs(unit(middle) - unit(test.y)))))
