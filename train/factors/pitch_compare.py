"""The pitch tracker beside others on real speech: pitch_compare.py LIBLAC_LATENT_SO DATA  (needs praat-parselmouth)

Of two clips of every held-out speaker: lac/pitch.h, Praat's autocorrelation (Boersma 1993) and train/data.py's,
each against Praat's of the clean recording, also with white noise added. Gross: beyond 300 cents, of the frames
that both call voiced. Where Praat and lac are an octave apart no one knows who is right: the last column says with
whom data.py's tracker then sides.
"""
import json
import os
import sys
import time
import numpy as np
import parselmouth
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import data as preparation                                                  # noqa: E402
from pitch import HOP, RATE, Tracker                                        # noqa: E402

CLIPS, SECONDS = 2, 15


def praat(x):
    """f0 at the frames' centres, between Praat's own frames of 5 ms."""
    p = parselmouth.Sound(x.astype(float), RATE).to_pitch_ac(time_step=0.005, pitch_floor=60, pitch_ceiling=600)
    f, t, at = p.selected_array['frequency'], p.xs(), (np.arange(-(-len(x) // HOP)) * HOP + HOP / 2) / RATE
    right = np.clip(np.searchsorted(t, at), 1, len(t) - 1)
    w, a, b = (at - t[right - 1]) / (t[right] - t[right - 1]), f[right - 1], f[right]
    found = np.where((a > 0) & (b > 0), a * (1 - w) + b * w, np.where(w < 0.5, a, b))
    return np.where((w < -0.5) | (w > 1.5), 0, found)


def autocorrelation(x):
    n = -(-len(x) // HOP)
    return np.pad(preparation.track_pitch(x), (0, 2 * n + 2))[1:2 * n:2]


def cents(found, reference):
    both = (found > 0) & (reference > 0)
    return 1200 * np.log2(found[both] / reference[both])


def describe(name, found, reference, third):
    c = cents(found, reference)
    gross = np.abs(c) > 300
    row = '%-24s missed %.3f false %.3f | gross %.4f (up %.4f) | cents: median %.1f mean %.1f' % (
        name, ((found == 0) & (reference > 0)).sum() / (reference > 0).sum(),
        ((found > 0) & (reference == 0)).sum() / (reference == 0).sum(), gross.mean(), (c > 300).mean(),
        np.median(np.abs(c)), np.abs(c[~gross]).mean())
    both = (found > 0) & (reference > 0) & (third > 0)
    apart = both & (np.abs(np.log2(np.where(both, found, 1) / np.where(both, reference, 1))) > 0.25)
    side = [(np.abs(np.log2(third[apart] / r[apart])) < 0.1).mean() for r in (found, reference)]
    print(row + ' | sided with %.2f, against %.2f' % tuple(side), flush=True)


def main(library, folder):
    torch.set_num_threads(1)
    tracker, seen, recordings = Tracker(library), {}, []
    pcm = np.memmap(os.path.join(folder, 'pcm.i16'), np.int16, 'r')
    for c in json.load(open(os.path.join(folder, 'clips.json'))):
        if c['split'] == 'heldout' and seen.setdefault(c['speaker'], 0) < CLIPS:
            seen[c['speaker']] += 1
            x = pcm[c['first'] * HOP:(c['first'] + c['frames']) * HOP][:SECONDS * RATE]
            recordings.append(x.astype(np.float32) / 32768)
    methods = {'lac': lambda x: tracker.track(x)[:, 0], 'praat': praat, 'autocorrelation': autocorrelation}
    reference, third = (np.concatenate([f(x) for x in recordings]) for f in (praat, autocorrelation))
    print('%d clips of %d speakers, %d frames' % (len(recordings), len(seen), len(reference)))
    for snr in (None, 20, 10):
        rng, level = np.random.default_rng(5), 0 if snr is None else 10 ** (-snr / 20)
        noisy = [x + level * x.std() * rng.standard_normal(len(x)) for x in recordings]
        for name, method in methods.items():
            began = time.process_time()
            found = np.concatenate([method(x.astype(np.float32)) for x in noisy])
            speed = sum(map(len, noisy)) / RATE / (time.process_time() - began)
            if snr is not None or name != 'praat':
                label = '%s %s %.0fx' % (name, 'clean' if snr is None else '%d dB' % snr, speed)
                describe(label, found, reference, third)


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
