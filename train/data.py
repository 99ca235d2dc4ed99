"""Data preparation: data.py AUDIO_DIR OUT_DIR  (needs opusdec of opus-tools, and libsndfile for the dev split)

Decodes every training clip that AUDIO_DIR/manifest.jsonl names to 24 kHz mono and writes
    pcm.i16     all clips one after the other, each a whole number of hops (240 samples)
    f0.f32      tracked pitch in Hz, one value a hop (0 = unvoiced), at sample multiples of 240
    index.npy   [clips][3]: first sample, number of samples, 1 where the recording holds content up to 11 kHz
    noise.i16, noise.npy   the noise clips in the same form
    dev/*.wav   the dev split at 24 kHz, for validation
"""
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np
import soundfile as sf
import soxr
import torch
from scipy.signal import firwin, medfilt

HOP = 240
LAG_MIN, LAG_MAX = 16, 133          # at 8 kHz: 60 to 500 Hz


def decode(path):
    """Opus file -> int16 at 24 kHz mono."""
    out = subprocess.run(['opusdec', '--quiet', '--rate', '24000', '--force-wav', path, '-'],
                         capture_output=True, check=True).stdout
    start = out.find(b'data') + 8
    return np.frombuffer(out[start:start + (len(out) - start) // 2 * 2], np.int16)


def track_pitch(x):
    """x float32 [N] at 24 kHz -> F0 in Hz (0 = unvoiced) every HOP: normalised autocorrelation of 40 ms at 8 kHz.

    Boersma 1993 (window autocorrelation divided out); the shortest lag within 87 % of the best wins.
    """
    y = np.convolve(x, firwin(61, 1000, fs=24000).astype(np.float32), 'same')[::3].astype(np.float32)
    n = len(x) // HOP
    w = torch.hann_window(320)
    f = torch.from_numpy(np.pad(y, (160, 480))).unfold(0, 320, 80)[:n] * w

    def autocorrelation(v):
        return torch.fft.irfft(torch.fft.rfft(v, 1024).abs() ** 2, 1024)[..., :200]

    r, rw = autocorrelation(f), autocorrelation(w)
    energy = r[:, 0]
    r = r / (energy[:, None] + 1e-7) / (rw / rw[0])
    s = r[:, LAG_MIN:LAG_MAX + 1]
    good = s > 0.87 * s.max(1, keepdim=True).values
    good[:, 1:-1] &= (s[:, 1:-1] >= s[:, :-2]) & (s[:, 1:-1] >= s[:, 2:])
    good[:, 0] = good[:, -1] = False
    lag = good.float().argmax(1) + LAG_MIN
    a, b, c = (r.gather(1, (lag + k)[:, None])[:, 0] for k in (-1, 0, 1))
    f0 = 8000 / (lag + (0.5 * (a - c) / (a - 2 * b + c - 1e-9)).clamp(-.5, .5))
    f0 = torch.where(good.any(1) & (b > 0.5) & (energy > 1e-3), f0, torch.zeros(()))
    return medfilt(f0.numpy(), 3).astype(np.float32)


def pack(audio, rows, out, name, pitch):
    """Decode rows into out/name.i16 and, where asked, their pitch into out/f0.f32; returns the index."""
    index, pos = [], 0
    f0 = open(os.path.join(out, 'f0.f32'), 'wb') if pitch else None
    with ThreadPoolExecutor(2) as pool, open(os.path.join(out, name + '.i16'), 'wb') as pcm:
        for r, a in zip(rows, pool.map(decode, [os.path.join(audio, r['path']) for r in rows])):
            a = a[:len(a) // HOP * HOP]
            if len(a) < HOP * 10:
                continue
            pcm.write(a.tobytes())
            if f0:
                f0.write(track_pitch(a.astype(np.float32) / 32768).tobytes())
            index.append((pos, len(a), r['rate'] >= 24000 and (r['native_rate'] or 0) >= 22050))
            pos += len(a)
    if f0:
        f0.close()
    return np.array(index, np.int64)


def main(audio, out):
    torch.set_num_threads(1)
    os.makedirs(os.path.join(out, 'dev'), exist_ok=True)
    rows = [json.loads(line) for line in open(os.path.join(audio, 'manifest.jsonl'))]
    opus = [r for r in rows if r['path'].endswith('.opus')]
    for r in rows:
        if r['split'] == 'dev':
            x, rate = sf.read(os.path.join(audio, r['path']), dtype='float32', always_2d=True)
            name = os.path.splitext(os.path.basename(r['path']))[0] + '.wav'
            sf.write(os.path.join(out, 'dev', name), soxr.resample(x[:, 0], rate, 24000), 24000)
    noise = pack(audio, [r for r in opus if r['split'] == 'noise'], out, 'noise', False)
    np.save(os.path.join(out, 'noise.npy'), noise)
    index = pack(audio, [r for r in opus if r['split'] == 'train'], out, 'pcm', True)
    np.save(os.path.join(out, 'index.npy'), index)
    print('%d clips, %.2f h; %d noise clips, %.2f h' % (
        len(index), index[:, 1].sum() / 86.4e6, len(noise), noise[:, 1].sum() / 86.4e6))


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
