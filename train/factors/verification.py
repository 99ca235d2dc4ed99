"""Speaker verification: trials, equal error rate and its interval, calibration of scores to a probability."""
import numpy as np

RATE = 50


def utterances(clips, speakers, seconds, most, seed=3):
    """Stretches of each speaker, at most `most`, each as long as one of `seconds` by chance; where his clips are
    shorter they are joined, and no clip is in two stretches.

    -> speaker of each [N], index among `speakers`; its places in the clips [N], each a list of (clip, frames)."""
    who, found = [], []
    for i, s in enumerate(speakers):
        rng = np.random.default_rng([seed, i])
        mine = [c for c, r in enumerate(clips) if r['speaker'] == s]
        rng.shuffle(mine)
        stretches, places, left = [], [], 0
        for c in mine:
            left = left or int(round(rng.choice(seconds) * RATE))
            places.append((c, min(clips[c]['frames'], left)))
            left -= places[-1][1]
            if not left:
                stretches, places = stretches + [places], []
        found += stretches[:most]
        who += [i] * len(stretches[:most])
    return np.array(who), found


def rows(clips, places):
    """Rows of the frame-aligned sets that places of utterances() are: [N] of [T]."""
    return [np.concatenate([np.arange(f) + clips[c]['first'] for c, f in p]) for p in places]


def trials(who):
    """All pairs of utterances once: indices a, b, and whether one speaker says both."""
    a, b = np.triu_indices(len(who), 1)
    return a, b, who[a] == who[b]


def crossing(one, two):
    """Weights of trials of one and of two speakers by rising score -> where the shares of wrong answers on both
    sides of a threshold meet, and how large they are there."""
    miss, accept = np.cumsum(one) / max(one.sum(), 1e-9), 1 - np.cumsum(two) / max(two.sum(), 1e-9)
    i = int(np.argmax(miss >= accept))
    return i, (miss[i] + accept[i]) / 2


def equal_error(scores, same):
    """-> (equal error rate, its threshold)"""
    order = np.argsort(scores)
    i, error = crossing(same[order], ~same[order])
    return error, scores[order[i]]


def redrawn(scores, who_a, who_b, speakers, times=400, bins=1000, seed=5):
    """Equal error rate of each of `times` drawings of the speakers, the same drawings for one seed."""
    at = np.searchsorted(np.quantile(scores, np.linspace(0, 1, bins + 1)[1:-1]), scores)
    same, pair, rng = who_a == who_b, who_a * speakers + who_b, np.random.default_rng(seed)
    one = np.bincount(who_a[same] * bins + at[same], minlength=speakers * bins).reshape(-1, bins)
    two = np.bincount(pair[~same] * bins + at[~same], minlength=speakers ** 2 * bins).reshape(-1, bins)
    present = np.unique(np.concatenate([who_a, who_b]))
    drawn = np.stack([np.bincount(rng.choice(present, len(present)), minlength=speakers) for _ in range(times)])
    drawn = drawn.astype(np.float32)
    pairs = (drawn[:, :, None] * drawn[:, None]).reshape(times, -1)
    return [crossing(*h)[1] for h in zip(drawn @ one.astype(np.float32), pairs @ two.astype(np.float32))]


def interval(*trials_and_speakers):
    """95 % interval of the equal error rate: redrawn()'s arguments."""
    return np.percentile(redrawn(*trials_and_speakers), [2.5, 97.5])


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
