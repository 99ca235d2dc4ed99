"""Tokens of all prepared audio, for train/prior.py: code_tokens.py LIBLAC.so MODEL.lacm DATA OUT_DIR [SET...]

DATA is what data.py wrote. A SET is CODEBOOKS.VARIANT: all clips coded at that number of codebooks with the
beam of `lac encode`. A beam serves the frame at its number, so tokens at 6 codebooks are not the first 6 of 12.
Variant 0 is the audio as it is; in others each clip has its own level, speed and start within a frame, by the
variant's seed. Writes OUT_DIR/train_SET.npz, and of variant 0 dev_SET.npz: tokens [frames][codebooks] of
uint16, clip after clip, and `frames`, those of each clip. Sets that are there already stay.
"""
import glob
import json
import os
import sys
import time
import numpy as np
import soundfile as sf
import soxr
import lacm
from liblac import Library

BEAM = 8
SETS = ('6.0', '12.0', '3.0', '6.1', '6.4')
GAIN = -12, 4                                  # dB
SPEED = 0.92, 1.08


def vary(x, rng):
    """A clip with another level, speed and pitch, and start."""
    x = soxr.resample(x, 24000 * rng.uniform(*SPEED), 24000, quality='LQ')[rng.integers(0, 480):]
    x = x * np.float32(10 ** (rng.uniform(*GAIN) / 20))
    return np.ascontiguousarray(x * min(1.0, 0.99 / (np.abs(x).max() + 1e-9)), np.float32)


def training(data, variant):
    pcm = np.memmap(os.path.join(data, 'pcm.i16'), np.int16, 'r')
    for clip, (start, n, _) in enumerate(np.load(os.path.join(data, 'index.npy'))):
        x = pcm[start:start + n].astype(np.float32) / 32768
        yield vary(x, np.random.default_rng([variant, clip])) if variant else x


def dev(data):
    for path in sorted(glob.glob(os.path.join(data, 'dev', '*.wav'))):
        yield sf.read(path, dtype='float32')[0]


def code(library, stages, codebooks, clips, path):
    encoder, rows = library.encoder(codebooks, BEAM), []
    for x in clips:
        rows.append(library.tokens(encoder, x, stages)[:, :codebooks].copy())
    library.close(encoder)
    np.savez(path + '.new.npz', tokens=np.concatenate(rows), frames=np.array([len(r) for r in rows]))
    os.replace(path + '.new.npz', path)


def main(lib, model, data, out, *sets):
    stages = lacm.read(model)[1]['codebooks']
    library = Library(lib, model)
    os.makedirs(out, exist_ok=True)
    for name in sets or [s for s in SETS if int(s.split('.')[0]) <= stages]:
        codebooks, variant = map(int, name.split('.'))
        jobs = [('train', training(data, variant))] + ([] if variant else [('dev', dev(data))])
        for split, clips in jobs:
            path = os.path.join(out, '%s_%s.npz' % (split, name))
            if not os.path.exists(path):
                start = time.time()
                code(library, stages, codebooks, clips, path)
                print(json.dumps(dict(set=path, seconds=round(time.time() - start))), flush=True)


if __name__ == '__main__':
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
