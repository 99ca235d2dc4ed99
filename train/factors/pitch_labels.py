"""Pitch, voicing and energy of every frame: pitch_labels.py LIBLAC_LATENT_SO FACTORS_DIR

Tracks the clips of FACTORS_DIR/clips.json in pcm.i16 and writes f0.f32 (Hz, 0: unvoiced), voicing.f32 (0 .. 1) and
energy.f32 (dB), a value a frame, in the order of base.i16.
"""
import json
import os
import sys
import numpy as np
from pitch import HOP, Tracker


def main(library, folder):
    tracker = Tracker(library)
    clips = json.load(open(os.path.join(folder, 'clips.json')))
    pcm = np.memmap(os.path.join(folder, 'pcm.i16'), np.int16, 'r')
    out = np.zeros((len(pcm) // HOP, 3), np.float32)
    for c in clips:
        first, end = c['first'], c['first'] + c['frames']
        out[first:end] = tracker.track(pcm[first * HOP:end * HOP].astype(np.float32) / 32768)
    for i, name in enumerate(('f0', 'voicing', 'energy')):
        out[:, i].tofile(os.path.join(folder, name + '.f32'))
    print('%d frames, voiced %.3f, median %.1f Hz' % (len(out), (out[:, 0] > 0).mean(),
                                                     np.median(out[out[:, 0] > 0, 0])))


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
