#!/usr/bin/env python3
"""What the predictor of lost frames gains: concealment.py BUILD MODEL AUDIO_DIR [--loss 10] [--jobs N]

Codes the dev split with single frames lost (tests/lossy of the build folder), once with the model as it is and once
with its extensions cut off, when the last latent is held. Prints the scores of score.py: without loss, of
both, and the difference paired by clip, with 95 % intervals.
"""
import argparse
import os
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
import numpy as np
import soundfile as sf
from quality import EVAL, METRICS, dev_split, interval

RATE = 24000


def one_clip(job):
    lossy, models, path, percent = job
    sys.path.insert(0, EVAL)
    import metrics
    import score
    x, rate = sf.read(path, always_2d=True)
    x = metrics.resample(x.mean(1), rate, RATE)
    rows = []
    for model, loss in ((models[0], 0), (models[0], percent), (models[1], percent)):
        y = subprocess.run([lossy, model, str(loss), '1'], input=x.astype('<f4').tobytes(), capture_output=True,
                           check=True).stdout
        rows.append(score.score(x, np.frombuffer(y, '<f4').astype(float), RATE))
    return rows


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('build')
    a.add_argument('model')
    a.add_argument('audio')
    a.add_argument('--loss', type=float, default=10)
    a.add_argument('--jobs', type=int, default=2)
    a = a.parse_args()
    clips, _ = dev_split(a.audio)
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(a.jobs) as pool:
        held = os.path.join(folder, 'held.lacm')
        with open(a.model, 'rb') as f:
            raw = f.read()
        open(held, 'wb').write(raw[:struct.unpack_from('<Q', raw, 8)[0]])
        jobs = [(os.path.join(a.build, 'tests', 'lossy'), (a.model, held), clip, a.loss) for clip in clips.values()]
        rows = list(pool.map(one_clip, jobs))
    print('| | ' + ' | '.join(METRICS) + ' |\n|---' + '|---' * len(METRICS) + '|')
    for i, name in enumerate(('no loss', 'predicted', 'held')):
        print('| %s | ' % name + ' | '.join(interval([r[i][m] for r in rows if m in r[i]]) for m in METRICS) + ' |')
    print('| predicted - held | ' + ' | '.join(interval([r[1][m] - r[2][m] for r in rows if m in r[1] and m in r[2]])
                                               for m in METRICS) + ' |')


if __name__ == '__main__':
    main()
