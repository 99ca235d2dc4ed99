"""Voices changed: what prepare.py's sets fast, slow and shiftN are.

    fast, slow  resampled, so that tempo, pitch and formants move together by 1.1 or 0.9: as further speakers
    shiftN      pitch by 2^(-0.5 .. 0.5) and formants by 0.85 .. 1.18, each by itself; tempo kept, to within 8 ms:
                what is said stays, who says it does not (arXiv 2110.14513). WSOLA (Verhelst and Roelands 1993) and
                resampling move pitch, a cepstral envelope that is warped puts the formants where they are to be.
"""
import functools
import numpy as np
import soxr
import torch

SR, FRAME = 24000, 480
SPEEDS = {'fast': 1.1, 'slow': 0.9}
DOWN, WINDOW, REACH = 3, 720, 192               # the search is at 8 kHz; window of 30 ms, 8 ms either side
FFT, STEP, LIFTER = 1024, 256, 40               # an envelope of 1.7 ms: below the period of most voices


def speed(corpus, c, rng, factor):
    y = soxr.resample(corpus.pcm(c), SR, SR / factor)
    frames = -(-len(y) // FRAME)
    return np.pad(y, (0, frames * FRAME - len(y))), {'speed': factor, 'frames': frames}


def stretch(x, factor):
    """x [N] -> about N * factor samples of the same pitch."""
    hop, out = WINDOW // 2, int(len(x) * factor)
    window, y = np.hanning(WINDOW + 1)[:-1].astype(np.float32), np.zeros(out + 2 * WINDOW, np.float32)
    pad = WINDOW + REACH
    x = np.pad(x, (pad, 2 * pad + hop))
    low = np.ascontiguousarray(x[::DOWN])
    energy = np.concatenate([[0], np.cumsum(low.astype(np.float64) ** 2)])
    w, r, at = WINDOW // DOWN, REACH // DOWN, pad // DOWN
    for k in range(out // hop + 2):
        want = (pad + int(k * hop / factor)) // DOWN
        if want + r + w > len(low):
            break
        if k:
            like = low[at + hop // DOWN:at + hop // DOWN + w]
            first = want - r
            score = np.correlate(low[first:want + r + w], like, 'valid')[:2 * r + 1]
            score /= np.sqrt(energy[first + w:first + w + len(score)] - energy[first:first + len(score)] + 1e-4)
            at = first + int(score.argmax())
        y[k * hop:k * hop + WINDOW] += window * x[at * DOWN:at * DOWN + WINDOW]
    return y[hop:hop + out]


def move_formants(x, factor):
    """Spectral envelope stretched along frequency; excitation kept."""
    n, window = len(x), torch.hann_window(FFT)
    s = torch.stft(torch.from_numpy(x), FFT, STEP, window=window, return_complex=True, pad_mode='constant')
    cepstrum = torch.fft.irfft((s.abs() + 1e-5).log(), dim=0)
    cepstrum[LIFTER:-LIFTER + 1] = 0
    envelope = torch.fft.rfft(cepstrum, dim=0).real
    at = (torch.arange(FFT // 2 + 1) / factor).clamp(max=FFT // 2)
    i = at.long().clamp(max=FFT // 2 - 1)
    moved = torch.lerp(envelope[i], envelope[i + 1], (at - i)[:, None])
    gain = (moved - envelope).clamp(-6, 3).exp()
    return torch.istft(s * gain, FFT, STEP, window=window, length=n).numpy()


def shift(corpus, c, rng):
    x = corpus.pcm(c)
    pitch, formants = 2 ** rng.uniform(-0.5, 0.5), 0.85 * (1.18 / 0.85) ** rng.random()
    y = soxr.resample(stretch(x, pitch), SR * pitch, SR)[:len(x)]
    y = move_formants(np.pad(y, (0, len(x) - len(y))).astype(np.float32), formants / pitch)
    y *= x.std() / (y.std() + 1e-9)
    y *= min(1, 0.99 / (np.abs(y).max() + 1e-9))
    return y, {'pitch': round(pitch, 4), 'formants': round(formants, 4)}


def transform(name):
    torch.set_num_threads(1)
    if name in SPEEDS:
        return functools.partial(speed, factor=SPEEDS[name])
    if name.startswith('shift'):
        return shift
    raise SystemExit('no set ' + name)
