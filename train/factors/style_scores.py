"""Pitch, voicing and energy of the style network against the tracker, on unseen speakers:

    style_scores.py DATA MODEL RUN OUT.json

Of DATA's held-out speakers, asserted to be none of RUN/speakers.json: from latents as the encoder makes them, from
tokens at 3 and 6 kbit/s, and, where the set room2 is, in rooms and noises that no training has; labels are those of
the clean recording. Beside it what a linear map (ridge) reads off a window of the raw latents, fitted on training
speakers. Correlation of log pitch, median error and gross errors (beyond 300 cents) count frames that both call
voiced. 95 % intervals: speakers drawn again.
"""
import json
import os
import sys
import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import splits                                                               # noqa: E402
from nets import LATENT, Style                                              # noqa: E402
from style import Data, of_clips, score                                     # noqa: E402

BEFORE, AFTER = 5, 2            # frames that the linear map sees beside its own
FIT = 60000                     # frames that it is fitted on
RIDGE = 10.0
CONDITIONS = [('latents', 'base', 0), ('3 kbit/s', 'base', 6), ('6 kbit/s', 'base', 12),
              ('unseen rooms and noises', 'room2', 0)]


class Ridge:
    """From windows of latents to log2 f0 (fitted on voiced frames), voicing and energy."""

    def __init__(self, data, clips):
        clips = clips[np.random.default_rng(8).permutation(len(clips))]
        clips = clips[:np.searchsorted(clips[:, 1].cumsum(), FIT) + 1]
        x = np.concatenate([self.windows(data, c, 'base', 0) for c in clips])
        rows = np.concatenate([f + np.arange(n) for f, n in clips])
        f0, voiced = data.f0[rows], data.f0[rows] > 0
        self.pitch = self.fit(x[voiced], np.log2(f0[voiced]))
        self.voicing, self.energy = self.fit(x, voiced.astype(np.float32)), self.fit(x, data.energy[rows])

    @staticmethod
    def windows(data, clip, name, codebooks):
        first, n = clip
        z = np.pad(data.latents(name, np.arange(first, first + n), codebooks).numpy(), ((BEFORE, AFTER), (0, 0)))
        w = np.lib.stride_tricks.sliding_window_view(z, (BEFORE + 1 + AFTER, LATENT)).reshape(n, -1)
        return np.concatenate([w, np.ones((n, 1), np.float32)], 1)

    @staticmethod
    def fit(x, y):
        return np.linalg.solve(x.T @ x + RIDGE * np.eye(x.shape[1], dtype=np.float32), x.T @ y)

    def __call__(self, data, clips, name, codebooks):
        rows = np.concatenate([f + np.arange(n) for f, n in clips])
        x = np.concatenate([self.windows(data, c, name, codebooks) for c in clips])
        found = 2 ** (x @ self.pitch), x @ self.voicing, x @ self.energy
        return (data.f0[rows], data.energy_in(name)[rows]), found


def interval(parts, times=300):
    """parts: (label, found) of each speaker -> {what: (value, low, high)}."""
    def joined(chosen):
        return score(*(tuple(np.concatenate(a) for a in zip(*(parts[i][k] for i in chosen))) for k in (0, 1)))

    rng, value = np.random.default_rng(5), joined(range(len(parts)))
    drawn = [joined(rng.integers(len(parts), size=len(parts))) for _ in range(times)]
    bounds = {k: np.percentile([d[k] for d in drawn], [2.5, 97.5]) for k in value}
    return {k: [v, *map(float, bounds[k])] for k, v in value.items()}


def main(folder, model, run, out):
    data, state = Data(folder, model), torch.load(os.path.join(run, 'state.pt'))
    net = Style(state['config'])
    net.load_state_dict(state['ema'])
    trained = json.load(open(os.path.join(run, 'speakers.json')))
    splits.assert_disjoint(trained)
    speakers = sorted({c['speaker'] for c in data.clips if c['split'] == 'heldout'})
    assert not set(speakers) & set(trained)
    clips = [np.array([(c['first'], c['frames']) for c in data.clips if c['speaker'] == s]) for s in speakers]
    ridge, found = Ridge(data, data.rows('train')), {}
    print('%d speakers, %d frames' % (len(speakers), sum(c[:, 1].sum() for c in clips)))
    for condition, name, codebooks in CONDITIONS:
        if not data.has(name):
            continue
        for what, read in (('style', lambda *a: of_clips(net.eval(), *a)), ('raw latents, linear', ridge)):
            row = interval([read(data, c, name, codebooks) for c in clips])
            found['%s, %s' % (condition, what)] = row
            print('%-26s %-20s' % (condition, what), *('%s %.3f (%.3f .. %.3f)' % (k, *v) for k, v in row.items()),
                  flush=True)
    json.dump(dict(speakers=len(speakers), scores=found), open(out, 'w'), indent=1)


if __name__ == '__main__':
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
