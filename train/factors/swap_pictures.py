"""Draw voice swaps: swap_pictures.py LAC MANIFEST FACTORS.lacf OUT.png [--pairs N]

Clips of held-out speakers, drawn by seed, each said with the voice of another of them by `lac recombine`: spectrograms
with pitch of the clip as the codec brings it, of the other voice, and of the clip in that voice; cosines by
`lac compare`.
"""
import argparse
import json
import os
import random
import subprocess
import tempfile
import matplotlib
import numpy as np
import soundfile as sf
import splits
from PIL import Image
from scipy.signal import stft

matplotlib.use('Agg')
import matplotlib.pyplot as plt                                             # noqa: E402

TOP, SECONDS = 8000, 4.0                       # Hz and length that are drawn


def pairs(manifest, count):
    rows, rng = splits.load(manifest), random.Random(8)
    splits.assert_disjoint([r['speaker'] for r in rows if r['split'] == 'train'])
    held = [r for r in rows if r['split'] == 'heldout' and 2 < r['seconds'] < 6]
    for r in rng.sample(held, count):
        family = splits.family(r['speaker'])
        yield r, rng.choice([o for o in held if o['speaker'] != r['speaker'] and splits.family(o['speaker']) == family])


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def draw(axis, wav, pitch, title):
    x, rate = sf.read(wav)
    f, t, z = stft(x, rate, nperseg=rate // 40, noverlap=rate // 40 - rate // 200)
    level = 20 * np.log10(np.abs(z[f <= TOP]) + 1e-6)
    axis.imshow(level, origin='lower', aspect='auto', cmap='magma', vmin=level.max() - 70, vmax=level.max(),
                extent=(0, t[-1], 0, TOP / 1000))
    twin = axis.twinx()
    pitch = np.array(pitch, float)
    twin.plot(np.arange(len(pitch)) / 50, np.where(pitch > 0, pitch, np.nan), 'c.', markersize=2)
    twin.set_ylim(50, 500)
    axis.set_xlim(0, SECONDS)
    axis.set_title(title, fontsize=8)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('lac', 'manifest', 'model', 'out'):
        p.add_argument(name)
    p.add_argument('--pairs', type=int, default=5)
    a = p.parse_args()
    figure, axes = plt.subplots(a.pairs, 3, figsize=(12, 2.2 * a.pairs), constrained_layout=True)
    here = os.path.dirname(a.manifest)
    with tempfile.TemporaryDirectory() as folder:
        for row, (own, other) in zip(axes, pairs(a.manifest, a.pairs)):
            paths = [os.path.join(here, r['path']) for r in (own, other)]
            wavs = [os.path.join(folder, n + '.wav') for n in ('own', 'other', 'swap')]
            for path, wav in zip(paths, wavs):
                run(a.lac, 'encode', '-f', path, wav + '.lac')
                run(a.lac, 'decode', '-f', wav + '.lac', wav)
            run(a.lac, 'recombine', '-f', '-m', a.model, '--content', paths[0], '--speaker', paths[1], '-o', wavs[2])
            cosines = [json.loads(run(a.lac, 'compare', '--json', '-m', a.model, wavs[2], w)) for w in wavs[:2]]
            titles = ['%s, coded' % own['speaker'], '%s, coded' % other['speaker'], 'swapped: '
                      'cosine %.2f to the first, %.2f to the second' % tuple(c['speaker_cosine'] for c in cosines)]
            for axis, wav, title in zip(row, wavs, titles):
                factors = json.loads(run(a.lac, 'factors', '--json', '-m', a.model, wav))
                draw(axis, wav, factors['f0_hz'], title)
    axes[-1][0].set_xlabel('s, left kHz, right Hz of pitch')
    figure.savefig(a.out, dpi=72)
    Image.open(a.out).convert('RGB').quantize(64).save(a.out, optimize=True)


if __name__ == '__main__':
    main()
