"""How new voices compare with real people: voices_scores.py DATA RUNS [--flow STEPS]

RUNS/factors-voices/state.pt is voices.py's. The mixture, a single Gaussian and a small rectified flow (arXiv
2209.03003) are fitted to the training speakers and judged by the valid and the held-out ones, beside the training
speakers themselves. Writes RUNS/factors-voices/scores.json for card.py.
"""
import argparse
import json
import os
import numpy as np
import torch
import torch.nn as nn
import extract
import mixture
import splits
import voices

SAMPLES, STEPS = 4000, 40                      # STEPS of the flow's integration
LIMITS = (0.4, 0.478, 0.5, 0.6, 0.7)           # cosines; .478: where verification errs equally often both ways


class Flow(nn.Module):
    """Velocity of coordinates [N][D], in deviations, at times [N]."""

    def __init__(self, dimensions, width=128):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(dimensions + 1, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(),
                                    nn.Linear(width, dimensions))

    def forward(self, x, t):
        return self.layers(torch.cat([x, t[:, None]], -1))


def flow_loss(net, x, noise, t):
    between = (1 - t[:, None]) * noise + t[:, None] * x
    return (net(between, t) - (x - noise)).pow(2).mean()


def fit_flow(x, valid, steps):
    """Kept where its likelihood of the valid speakers is best. -> network, steps it took"""
    torch.manual_seed(1)
    net = Flow(x.shape[1])
    optimiser = torch.optim.AdamW(net.parameters(), 3e-4, weight_decay=0.05)
    best = None
    for step in range(1, steps + 1):
        rows = x[torch.randint(len(x), (256,))]
        loss = flow_loss(net, rows + 0.1 * torch.randn_like(rows), torch.randn_like(rows), torch.rand(len(rows)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 100 == 0:
            now = flow_likelihood(net, valid).mean().item()
            if best is None or now > best[0]:
                best = now, step, {k: v.clone() for k, v in net.state_dict().items()}
    net.load_state_dict(best[2])
    return net, best[1]


@torch.no_grad()
def flow_samples(net, dimensions, n):
    x = torch.randn(n, dimensions, generator=torch.Generator().manual_seed(1))
    for i in range(STEPS):
        x = x + net(x, torch.full((n,), (i + 0.5) / STEPS)) / STEPS
    return x


def flow_likelihood(net, x):
    """Log density [N] by the change of variables, back along the flow."""
    total, each = torch.zeros(len(x)), torch.func.vmap(torch.func.jacrev(lambda y, t: net(y[None], t[None])[0]))
    for i in reversed(range(STEPS)):
        t = torch.full((len(x),), (i + 0.5) / STEPS)
        total -= torch.diagonal(each(x, t), dim1=-2, dim2=-1).sum(-1).detach() / STEPS
        x = (x - net(x, t) / STEPS).detach()
    return total - 0.5 * (x ** 2).sum(-1) - 0.5 * x.shape[1] * np.log(2 * np.pi)


# ---- two-sample measures, on unit vectors ----

def interval(values):
    return [float(v) for v in (np.mean(values), *np.percentile(values, [2.5, 97.5]))]


def nearest_neighbour_test(a, b, rng, rounds=200):
    """How often the nearest by cosine of as many of each is of the same kind, itself left out: 0.5 if they cannot
    be told apart (Lopez-Paz, Oquab 2017). Mean over draws and their middle 95 %."""
    k, right = min(len(a), len(b)), []
    for _ in range(rounds):
        x = np.concatenate([a[rng.permutation(len(a))[:k]], b[rng.permutation(len(b))[:k]]])
        cosine, kind = x @ x.T, np.arange(2 * k) < k
        np.fill_diagonal(cosine, -2)
        right.append((kind[cosine.argmax(1)] == kind).mean())
    return interval(right)


def linear_test(a, b, rng, rounds=40, folds=4):
    """Cross-validated accuracy of a ridge classifier, likewise."""
    k, right = min(len(a), len(b)), []
    for _ in range(rounds):
        x = np.concatenate([a[rng.permutation(len(a))[:k]], b[rng.permutation(len(b))[:k]]])
        y, fold = np.where(np.arange(2 * k) < k, 1.0, -1.0), rng.permutation(2 * k) % folds
        told = np.empty(2 * k)
        for f in range(folds):
            rest = fold != f
            told[~rest] = (x[~rest] - x[rest].mean(0)) @ voices.ridge(x[rest] - x[rest].mean(0), y[rest], 10.0)
        right.append((told * y > 0).mean())
    return interval(right)


def nearest(a, people):
    """Cosine of each with the nearest of the people."""
    return (a @ people.T).max(1)


def among(a):
    return (a @ a.T)[np.triu_indices(len(a), 1)]


def quantiles(x):
    return [float(v) for v in np.percentile(x, [5, 50, 95])]


def compared(made, real, rng):
    """Unit vectors; `made` may be the training speakers themselves."""
    grid = np.linspace(-1, 1, 401)
    shares = [np.searchsorted(s, grid) / len(s) for s in (np.sort(among(real)), np.sort(among(made[:400])))]
    return {'nearest neighbour': nearest_neighbour_test(made, real, rng), 'linear': linear_test(made, real, rng),
            'largest distance of cosines': float(np.abs(shares[0] - shares[1]).max())}


def described(v, pitch, near):
    """near: cosines with the nearest training speaker."""
    return {'nearest training speaker': quantiles(near), 'cosine among them': quantiles(among(v[:400])),
            'median pitch, Hz': quantiles(voices.PITCH * 2 ** pitch)}


def limits(v, people):
    """Shares of draws that come nearer to one of the people than each limit."""
    n = nearest(v, people)
    return {str(k): float((n > k).mean()) for k in LIMITS}


# ---- attributes ----

def area(low, high):
    """Chance that one of `high` is above one of `low`."""
    return float((high[:, None] > low).mean())


def attribute_scores(data, runs, t, ends):
    """On people and clips that nothing was fitted to."""
    measure = lambda v: v @ t['sampling.directions'].T + t['sampling.offsets']            # noqa: E731
    names, v, pitch = voices.people(data, 'heldout')
    a = measure(v)
    moved, factors = voices.shifts(data, runs, 'valid')
    change = moved @ t['sampling.directions'].T
    collection = np.array([splits.family(s) for s in names])
    cor = lambda x, y: float(np.corrcoef(x, y)[0, 1])                                      # noqa: E731
    _, mine, _ = voices.people(data, 'train')
    return {'pitch with log f0, held out': cor(a[:, 0], pitch),
            'formants with their shift, valid': cor(change[:, 1], factors[:, 1]),
            'formants with a shift of pitch, valid': cor(change[:, 1], factors[:, 0]),
            'pitch with a shift of pitch, valid': cor(change[:, 0], factors[:, 0]),
            'deviations for formants 10 % up': float(np.polyfit(factors[:, 1], change[:, 1], 1)[0] * np.log2(1.1)),
            'accent: %s above %s, held out' % (ends[1], ends[0]): area(*(a[collection == e, 3] for e in ends)),
            'correlations among training speakers': np.corrcoef(measure(mine).T).round(3).tolist()}


# ---- places and lines ----

def place_scores(data, runs, mixtures):
    """What the network's own heads read off sampled vectors and off those of the valid clips in made-up rooms."""
    rng, clips = np.random.default_rng(1), extract.load_clips(data)
    v = voices.vectors(data, 'room0')[np.array([c['split'] == 'valid' for c in clips])]
    real = voices.readings(runs, *(v[:, c] for c in voices.COLUMNS.values()))
    made = voices.readings(runs, *(mixture.sample(mixtures[k], SAMPLES, rng) for k in voices.COLUMNS))
    return {what: {'sampled': quantiles(made[:, i]), 'valid clips in rooms': quantiles(real[:, i])}
            for i, what in enumerate(('SNR, dB', 'T60, s', 'bandwidth, Hz', 'probability of no codec'))}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('data')
    p.add_argument('runs')
    p.add_argument('--flow', type=int, default=4000)
    a = p.parse_args()
    torch.set_num_threads(1)
    path = os.path.join(a.runs, 'factors-voices')
    s = torch.load(os.path.join(path, 'state.pt'), map_location='cpu', weights_only=False)
    real = {k: voices.people(a.data, k)[1:] for k in ('train', 'valid', 'heldout')}
    space, rng = voices.Space(*real['train']), np.random.default_rng(1)
    x = {k: space.into(*v) for k, v in real.items()}
    train = real['train'][0]
    single = mixture.fit(x['train'], 1, max(s['tried'], key=lambda k: s['tried'][k] if k[0] == 1 else -1e9)[1])
    deviation = x['train'].std(0)
    scaled = {k: torch.from_numpy((v / deviation).astype(np.float32)) for k, v in x.items()}
    net, steps = fit_flow(scaled['train'], scaled['valid'], a.flow)
    likelihood = {'mixture': lambda k: mixture.log_density(x[k], s['mixtures']['voices']).mean(),
                  'Gaussian': lambda k: mixture.log_density(x[k], single).mean(),
                  'flow': lambda k: flow_likelihood(net, scaled[k]).mean().item() - np.log(deviation).sum()}
    made = {'mixture': space.back(mixture.sample(s['mixtures']['voices'], SAMPLES, rng)),
            'Gaussian': space.back(mixture.sample(single, SAMPLES, rng)),
            'flow': space.back(flow_samples(net, x['train'].shape[1], SAMPLES).numpy() * deviation)}
    scores = {'speakers': {k: len(v[0]) for k, v in real.items()}, 'settings': list(s['best']), 'flow steps': steps,
              'samples': SAMPLES, 'dimensions': voices.DIMENSIONS, 'neutral': s['told'],
              'likelihood': {n: {k: float(of(k)) for k in x} for n, of in likelihood.items()}}
    people = {**made, 'training speakers': real['train']}
    scores['tests'] = {n: {k: compared(v[0], real[k][0], rng) for k in ('valid', 'heldout')}
                       for n, v in people.items()}
    people.update({'valid speakers': real['valid'], 'held-out speakers': real['heldout']})
    others = (train @ train.T - 2 * np.eye(len(train))).max(1)
    scores['described'] = {n: described(*v, others if v[0] is train else nearest(v[0], train))
                           for n, v in people.items()}
    scores['limits'] = {k: limits(made['mixture'][0], real[k][0]) for k in ('train', 'heldout')}
    scores['limits'].update({'real, ' + k: limits(real[k][0], train) for k in ('valid', 'heldout')})
    scores['attributes'] = attribute_scores(a.data, a.runs, s['tensors'], s['ends'])
    scores['places'] = place_scores(a.data, a.runs, s['mixtures'])
    json.dump(scores, open(os.path.join(path, 'scores.json'), 'w'), indent=1)
    print(json.dumps(scores, indent=1))


if __name__ == '__main__':
    main()
