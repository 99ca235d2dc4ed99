"""Tokens of all prepared audio, for train/prior.py: code_tokens.py LIBLAC.so MODEL.lacm DATA OUT_DIR [SET...]

DATA is what data.py wrote. A SET is CODEBOOKS.VARIANT: all clips coded at that number of codebooks with the
beam of `lac encode`. A beam serves the frame at its number, so tokens at 6 codebooks are not the first 6 of 12.
Variant 0 is the audio as it is; in others each clip has its own level, speed and start within a frame, by the
variant's seed. Writes OUT_DIR/train_SET.npz, and of variant 0 dev_SET.npz: tokens [frames][codebooks] of
uint16, clip after clip, and `frames`, those of each clip. Sets that are there already stay.

A SET aRATE.0 is all audio in one piece at an average of RATE / 10 kbit/s, by build/tools/lac beside LIBLAC.so: tokens
of all the model's codebooks, and `counts` [frames], how many of them each frame has.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile
import time
import numpy as np
import soundfile as sf
import soxr
import lacm
from liblac import Library

BEAM = 8
SETS = ('6.0', '12.0', '3.0', '6.1', '6.4', 'a30.0', 'a15.0')
NONE = 65535                                   # where a frame has fewer codebooks
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


def code_average(lac, model, stages, rate, clips, path):
    raw = ['--raw', '24000:1:s16', '-']
    with tempfile.TemporaryDirectory() as folder:
        coded, tokens = os.path.join(folder, 'a.lac'), os.path.join(folder, 'a.npy')
        encoder = subprocess.Popen([lac, 'encode', '-m', model, '-b', str(rate), *raw, coded], stdin=subprocess.PIPE)
        for x in clips:
            encoder.stdin.write(np.rint(x * 32767).astype('<i2').tobytes())
        encoder.stdin.close()
        if encoder.wait():
            raise SystemExit('lac encode failed')
        subprocess.run([lac, 'tokens', 'export', '-f', 'npy', '-m', model, '-o', tokens, coded], check=True)
        a = np.load(tokens)
    counts = (a != NONE).sum(1).astype(np.uint8)
    a = np.pad(np.where(a != NONE, a, 0), ((0, 0), (0, stages - a.shape[1])))
    np.savez(path + '.new.npz', tokens=a, counts=counts, frames=np.array([len(a)]))
    os.replace(path + '.new.npz', path)


def code_set(library, lac, model, stages, name, clips, path):
    rate = name.split('.')[0]
    if rate.startswith('a'):
        code_average(lac, model, stages, int(rate[1:]) / 10, clips, path)
    else:
        code(library, stages, int(rate), clips, path)


def main(lib, model, data, out, *sets):
    stages = lacm.read(model)[1]['codebooks']
    library = Library(lib, model)
    os.makedirs(out, exist_ok=True)
    lac = os.path.join(os.path.dirname(os.path.abspath(lib)), '..', 'tools', 'lac')
    for name in sets or [s for s in SETS if s.startswith('a') or int(s.split('.')[0]) <= stages]:
        variant = int(name.split('.')[1])
        jobs = [('train', training(data, variant))] + ([] if variant else [('dev', dev(data))])
        for split, clips in jobs:
            path = os.path.join(out, '%s_%s.npz' % (split, name))
            if not os.path.exists(path):
                start = time.time()
                code_set(library, lac, model, stages, name, clips, path)
                print(json.dumps(dict(set=path, seconds=round(time.time() - start))), flush=True)


if __name__ == '__main__':
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
