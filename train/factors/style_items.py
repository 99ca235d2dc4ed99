"""An utterance's style from its frames as lac/factors.h defines it, and whether liblac-latent says the same:

    style_items.py LIBLAC_LATENT_SO FACTORS.lacf DATA [CLIPS]

runs the analyser over clips of DATA's held-out speakers and compares. Percentiles, which C counts in bins, may
differ by a bin of 0.1 semitones, all else by rounding.
"""
import ctypes as C
import json
import os
import sys
import numpy as np

RATE = 50
ITEMS = ('f0 deviation', 'f0 range', 'f0 slope', 'voiced', 'energy deviation', 'energy slope', 'rate', 'pauses')
TOLERANCE = np.array([0.002, 0.201, 0.02, 1e-5, 1e-3, 0.1, 1e-3, 1e-5])
FRAME = np.dtype([('content', 'u2'), ('phone', 'u2'), ('f0', 'f4'), ('voicing', 'f4'), ('energy', 'f4')])
VECTORS = [('speaker', 192), ('f0_median', 1), ('style', 8), ('environment', 32), ('channel', 32), ('read', 7)]


class Factors(C.Structure):
    _fields_ = [('frames', C.c_uint64), ('speech_s', C.c_float), ('confidence', C.c_float)] + [
        (n, C.c_float * k) for n, k in VECTORS]


def speech(energy):
    """Which frames are: above -70 dB and within 40 dB of the quietest of the 50 (or a quarter) loudest."""
    level = np.floor(np.round((energy + 100) * 256).clip(0, 400 * 64 - 1) / 64) / 4 - 100
    loud = np.sort(level)[-min(RATE, -(-len(level) // 4))]
    return level, level >= max(loud - 40, -70)


def style_items(f0, energy, phone):
    """Frames [T] -> (median f0 in Hz, items [8])."""
    level, is_speech = speech(energy)
    voiced, items, median = f0 > 0, np.zeros(8), 0
    pitch = 12 * np.log2(np.where(voiced, f0, 50).clip(50, 600) / 50)
    if voiced.any():
        shares = np.float32([5, 50, 95]) / np.float32(100)
        low, middle, high = np.quantile(pitch[voiced], shares, method='inverted_cdf')
        median = 50 * 2 ** (middle / 12)
        items[:2] = pitch[voiced].std(), high - low
    if (both := voiced[1:] & voiced[:-1]).any():
        items[2] = RATE * np.abs(np.diff(pitch))[both].mean()
    if is_speech.any():
        starts = (phone > 0) & (phone != np.concatenate([[0], phone[:-1]]))
        items[3:5] = voiced[is_speech].mean(), level[is_speech].std()
        items[6] = min(starts.sum() * RATE / is_speech.sum(), 50)
    if (both := is_speech[1:] & is_speech[:-1]).any():
        items[5] = RATE * np.abs(np.diff(energy))[both].mean()
    items[7] = 1 - is_speech.mean()
    return median, items


class Analyser:
    def __init__(self, library, model):
        self.lib, self.model, self.analyser = C.CDLL(os.path.abspath(library)), C.c_void_p(), C.c_void_p()
        self.call('lac_factor_model_open', C.byref(self.model), os.fsencode(model))
        self.call('lac_analyser_open', C.byref(self.analyser), self.model, None)

    def call(self, name, *arguments):
        status = getattr(self.lib, name)(*arguments)
        if status:
            raise RuntimeError('%s: status %d' % (name, status))

    def frames(self, latents):
        """int16 [T][64] -> frames [T], Factors."""
        z, n, rest = np.ascontiguousarray(latents), C.c_size_t(), C.c_size_t()
        frames, found = np.zeros(len(z) + 512, FRAME), Factors()
        at = lambda i: C.c_void_p(frames.ctypes.data + FRAME.itemsize * i)  # noqa: E731
        self.call('lac_analyser_write', self.analyser, z.ctypes.data_as(C.c_void_p), C.c_size_t(len(z)), at(0),
                  C.c_size_t(len(frames)), C.byref(n))
        left = C.c_size_t(len(frames) - n.value)
        self.call('lac_analyser_flush', self.analyser, at(n.value), left, C.byref(rest))
        self.lib.lac_analyser_get(self.analyser, C.byref(found))
        self.lib.lac_analyser_reset(self.analyser)
        return frames[:n.value + rest.value], found


def main(library, model, folder, count=40):
    analyser, worst = Analyser(library, model), np.zeros(9)
    latents = np.memmap(os.path.join(folder, 'base.i16'), np.int16, 'r').reshape(-1, 64)
    clips = [c for c in json.load(open(os.path.join(folder, 'clips.json'))) if c['split'] == 'heldout']
    for c in clips[::max(1, len(clips) // int(count))]:
        f, found = analyser.frames(latents[c['first']:c['first'] + c['frames']])
        median, items = style_items(f['f0'].astype(float), f['energy'].astype(float), f['phone'])
        assert len(f) == c['frames'] == found.frames
        off = abs(12 * np.log2(median / found.f0_median[0])) if median > 0 else found.f0_median[0]
        worst = np.maximum(worst, [*np.abs(items - np.array(found.style)), off])
    for name, w, t in zip(ITEMS + ('f0 median',), worst, [*TOLERANCE, 0.1]):
        print('%-18s off by at most %.6f%s' % (name, w, '' if w <= t else ', which is too much'))
    sys.exit(int((worst > [*TOLERANCE, 0.1]).any()))


if __name__ == '__main__':
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
