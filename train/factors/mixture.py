"""Gaussian mixtures with covariances shrunk towards a diagonal, by expectation maximisation in numpy.

A mixture is (weights [C], means [C][D], covariances [C][D][D]).
"""
import numpy as np


def log_gaussians(x, means, covariances):
    """[N][C]"""
    out = np.empty((len(x), len(means)))
    for c, (m, s) in enumerate(zip(means, covariances)):
        root = np.linalg.cholesky(s)
        z = np.linalg.solve(root, (x - m).T)
        out[:, c] = -0.5 * (z ** 2).sum(0) - np.log(np.diag(root)).sum() - 0.5 * len(m) * np.log(2 * np.pi)
    return out


def log_density(x, mixture):
    weights, means, covariances = mixture
    t = log_gaussians(x, means, covariances) + np.log(weights)
    most = t.max(1)
    return most + np.log(np.exp(t - most[:, None]).sum(1))


def maximise(x, share, shrink, floor):
    """Shares [N][C] of the components -> mixture. The diagonal is that of all components together."""
    n = share.sum(0) + 1e-9
    means = share.T @ x / n[:, None]
    raw = np.stack([(share[:, c, None] * (x - m)).T @ (x - m) / n[c] for c, m in enumerate(means)])
    common = np.diag(np.diag((raw * n[:, None, None]).sum(0) / n.sum())) + np.diag(floor)
    return n / n.sum(), means, (1 - shrink) * raw + shrink * common + np.diag(floor)


def start(x, components, rng):
    """Shares by the nearest of centres that are far from each other (k-means++)."""
    centres = x[rng.integers(len(x), size=1)]
    while len(centres) < components:
        d = ((x[:, None] - centres) ** 2).sum(-1).min(1)
        centres = np.concatenate([centres, x[rng.choice(len(x), 1, p=d / d.sum())]])
    return np.eye(components)[((x[:, None] - centres) ** 2).sum(-1).argmin(1)]


def fit(x, components, shrink, seed=1, rounds=60):
    floor = 1e-4 * x.var(0) + 1e-9
    mixture = maximise(x, start(x, components, np.random.default_rng(seed)), shrink, floor)
    for _ in range(rounds if components > 1 else 0):
        t = log_gaussians(x, *mixture[1:]) + np.log(mixture[0])
        share = np.exp(t - t.max(1, keepdims=True))
        mixture = maximise(x, share / share.sum(1, keepdims=True), shrink, floor)
    return mixture


def moments(mixture):
    """Mean and covariance of all."""
    weights, means, covariances = mixture
    mean = weights @ means
    away = means - mean
    return mean, (weights[:, None, None] * covariances).sum(0) + (weights[:, None] * away).T @ away


def sample(mixture, n, rng):
    weights, means, covariances = mixture
    roots, which = np.linalg.cholesky(covariances), rng.choice(len(weights), n, p=weights)
    return means[which] + np.einsum('nij,nj->ni', roots[which], rng.normal(size=(n, means.shape[1])))
