"""Speaker verification: trials, equal error rate and its interval, calibration of scores to a probability."""
import numpy as np

RATE = 50


def utterances(clips, speakers, seconds, most, seed=3):
    """Stretches of `seconds` of each speaker, at most `most`; where his clips are shorter they are joined, and no
    clip is in two stretches.

    -> speaker of each [N], index among `speakers`; its places in the clips [N], each a list of (clip, frames)."""
    n, who, found = int(round(seconds * RATE)), [], []
    for i, s in enumerate(speakers):
        mine = [c for c, r in enumerate(clips) if r['speaker'] == s]
        np.random.default_rng([seed, i]).shuffle(mine)
        stretches, open_ = [], []
        for c in mine:
            open_.append((c, min(clips[c]['frames'], n - sum(f for _, f in open_))))
            if sum(f for _, f in open_) == n:
                stretches, open_ = stretches + [open_], []
        found += stretches[:most]
        who += [i] * len(stretches[:most])
    return np.array(who), found


def rows(clips, places):
    """Rows of the frame-aligned sets [N, T] of what utterances() gave."""
    return np.array([np.concatenate([np.arange(f) + clips[c]['first'] for c, f in p]) for p in places])


def trials(who):
    """All pairs of utterances once: indices a, b, and whether one speaker says both."""
    a, b = np.triu_indices(len(who), 1)
    return a, b, who[a] == who[b]


def equal_error(scores, same, weights=None):
    """-> (equal error rate, its threshold); weights count a trial more than once."""
    w = np.ones(len(scores)) if weights is None else weights
    order = np.argsort(scores)
    same, w = same[order], w[order]
    miss = np.cumsum(w * same) / max((w * same).sum(), 1e-9)             # rejected up to and with this score
    accept = 1 - np.cumsum(w * ~same) / max((w * ~same).sum(), 1e-9)
    i = int(np.argmax(miss >= accept))
    return (miss[i] + accept[i]) / 2, scores[order[i]]


def interval(scores, who_a, who_b, speakers, times=200, seed=5):
    """95 % interval of the equal error rate over drawings of the speakers."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(times):
        count = np.bincount(rng.integers(speakers, size=speakers), minlength=speakers).astype(float)
        w = np.where(who_a == who_b, count[who_a], count[who_a] * count[who_b])
        keep = w > 0
        if (who_a[keep] == who_b[keep]).any() and (who_a[keep] != who_b[keep]).any():
            found.append(equal_error(scores[keep], (who_a == who_b)[keep], w[keep])[0])
    return np.percentile(found, [2.5, 97.5])


def balanced(same):
    """Weights with which pairs of one and of two speakers count half and half."""
    return np.where(same, 0.5 / max(same.sum(), 1), 0.5 / max((~same).sum(), 1))


def calibrate(scores, same, weights):
    """Logistic regression: probability = 1 / (1 + exp(-(scale * score + offset)))."""
    x, theta = np.stack([scores, np.ones_like(scores)], 1).astype(np.float64), np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ theta))
        gradient = x.T @ (weights * (p - same))
        theta -= np.linalg.solve((x * (weights * p * (1 - p))[:, None]).T @ x + 1e-9 * np.eye(2), gradient)
    return float(theta[0]), float(theta[1])


def calibration_error(probability, same, weights, bins=10):
    """Expected calibration error, and per bin (share of trials, mean probability, share of one speaker)."""
    at, table = np.minimum((probability * bins).astype(int), bins - 1), []
    for b in range(bins):
        w = weights * (at == b)
        if w.sum() > 0:
            table.append((w.sum() / weights.sum(), (w * probability).sum() / w.sum(), (w * same).sum() / w.sum()))
    return sum(n * abs(p - s) for n, p, s in table), table
