"""How much style, environment and channel differ from utterance to utterance: their deviations, by which distances are
counted: deviations.py LIBLAC_LATENT_SO FACTORS.lacf DATA CALIBRATION.json [CLIPS]

Runs the analyser over clips of DATA's training split, of the sets base and room0 in turn, and writes 'style',
'environment' and 'channel' into CALIBRATION.json.
"""
import json
import os
import sys
import numpy as np
from style_items import Analyser

SETS = ('base', 'room0')
LEAST = 50                                     # frames of a clip
FLOOR = 1e-3                                   # of a deviation


def main(library, model, data, out, count=600):
    clips = json.load(open(os.path.join(data, 'clips.json')))
    clips = [c for c in clips if c['split'] == 'train' and c['frames'] > LEAST]
    chosen = np.random.default_rng(1).permutation(len(clips))[:int(count)]
    latents = [np.memmap(os.path.join(data, s + '.i16'), np.int16, 'r').reshape(-1, 64) for s in SETS]
    analyser, found = Analyser(library, model), {'style': [], 'environment': [], 'channel': []}
    for n, i in enumerate(chosen):
        c = clips[i]
        factors = analyser.frames(latents[n % len(SETS)][c['first']:c['first'] + c['frames']])[1]
        for k in found:
            found[k].append(list(getattr(factors, k)))
    known = json.load(open(out)) if os.path.exists(out) else {}
    for k, rows in found.items():
        known[k] = [round(float(v), 6) for v in np.maximum(np.std(rows, 0), FLOOR)]
        print(k, ' '.join('%.4g' % v for v in known[k]))
    with open(out, 'w') as f:
        json.dump(known, f, indent=1)


if __name__ == '__main__':
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__)
    main(*sys.argv[1:])
