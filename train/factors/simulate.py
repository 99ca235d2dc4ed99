"""Surroundings, made up: prepare.py's sets roomN. Each clip goes, by chance, through a room, noise is added, then
comes the channel: microphone, band limit, and one of libopus at 6 to 32 kbit/s, mu-law at 8 kHz, clipping. Nothing
moves in time. room0 and room1 are for training, and room3, in which more of the noise is like voices or comes in
bursts; room2 has rooms, noises, babble, microphones that those have not (and of it only the clips that are not
trained on).

What SET.json says of a clip:
    snr_db          speech to noise, both as the codec gets them, above 100 Hz: the mean power of the speech's
                    active frames (20 ms within 25 dB of the 95th percentile) over the mean power of the noise, in
                    which the recording's own floor is counted; 60 at most
    snr_added_db    the same of the added noise alone, or null
    t60_s           of the room, as rooms.measured_t60 has it; 0.1 for none
    bandwidth_hz    of the recording, the band limit and the codec together
    codec           of nets.CODECS; bitrate for opus
    level_db        mean power of the active frames, full scale 1
SET.levels is float16 [frames][2]: dB of the speech and of all the noise, for the SNR of any part of a clip.
"""
import os
import zlib
import numpy as np
import soxr
from scipy.signal import butter, firwin, firwin2, lfilter, oaconvolve, sosfilt
import rooms
from opus import Opus
from splits import read_manifest

SR, FRAME = 24000, 480
TEST_CLASSES = ('Helicopter', 'Sea waves', 'Baby cry')
ABOVE = butter(2, 100, 'high', fs=SR, output='sos')
BITRATES = (6000, 8000, 10000, 12000, 16000, 24000, 32000)
CLEAN, QUIET = 60.0, 1e-10


def frame_power(x):
    return (sosfilt(ABOVE, x).reshape(-1, FRAME) ** 2).mean(1) + QUIET


def active(power):
    return power > np.percentile(power, 95) * 10 ** -2.5


def own_snr(x):
    """dB over the recording's floor, taken as its quietest frames."""
    p = frame_power(x)
    return min(CLEAN, 10 * np.log10(p[active(p)].mean() / np.percentile(p, 5)) - 2)


def is_test_noise(row):
    if row['source'] == 'ovos_noise':
        return zlib.crc32(row['path'].encode()) % 4 == 0
    return any(c in row['text'] for c in TEST_CLASSES)


def prepare(corpus, manifest, out):
    """OUT/rooms.npz and OUT/own_snr.npy, once."""
    if os.path.exists(os.path.join(out, 'own_snr.npy')):
        return
    rows = [r for r in read_manifest(manifest) if r['split'] == 'noise']
    bank = {'noise_test': np.array([is_test_noise(r) for r in rows])}
    for kind in rooms.KINDS:
        h, first, t60 = rooms.make(kind)
        bank.update({kind + '_h': h, kind + '_first': first, kind + '_t60': t60})
    np.savez(os.path.join(out, 'rooms.npz'), **bank)
    snr = np.array([own_snr(corpus.pcm(c)) for c in range(len(corpus.clips))], np.float32)
    by = {}
    for c, r in enumerate(corpus.clips):
        by.setdefault(r['speaker'] or r['path'], []).append(c)
    for mine in by.values():            # one recording room a speaker; clips without pauses show no floor
        snr[mine] = np.maximum(snr[mine], np.median(snr[mine]))
    np.save(os.path.join(out, 'own_snr.npy'), snr)


def peaks(rng):
    """A microphone of training: four resonances or dips and a low end."""
    b, a = np.ones(1), np.ones(1)
    for f in 80 * 130 ** rng.random(4):
        gain, w = 10 ** (rng.uniform(-9, 9) / 40), 2 * np.pi * f / SR
        alpha = np.sin(w) / (2 * rng.uniform(0.5, 2))
        b = np.convolve(b, [1 + alpha * gain, -2 * np.cos(w), 1 - alpha * gain])
        a = np.convolve(a, [1 + alpha / gain, -2 * np.cos(w), 1 - alpha / gain])
    low = butter(1, rng.uniform(30, 250), 'high', fs=SR)
    return np.convolve(b, low[0]), np.convolve(a, low[1])


def curve(rng):
    """A microphone of the test: a linear-phase filter through random points."""
    f = np.concatenate([[0], np.geomspace(100, 11000, 9), [SR / 2]])
    gain = np.concatenate([[rng.uniform(-20, 0)], np.cumsum(rng.normal(0, 3.5, 9)), [-10]])
    return firwin2(257, f, 10 ** ((gain - gain[5]) / 20), fs=SR), None


def filtered(x, microphone, limit):
    if microphone:
        b, a = microphone
        x = lfilter(b, a, x) if a is not None else oaconvolve(x, b, 'same')
    if limit:
        x = oaconvolve(x, firwin(255, limit, fs=SR), 'same')
    return x


def mulaw(x):
    y = np.clip(soxr.resample(x, SR, 8000), -1, 1)
    code = np.round(np.sign(y) * np.log1p(255 * np.abs(y)) / np.log(256) * 127) / 127
    y = soxr.resample(np.sign(code) * np.expm1(np.abs(code) * np.log(256)) / 255, 8000, SR)
    return np.pad(y, (0, max(0, len(x) - len(y))))


def clipped(x, rng):
    top = np.abs(x).max() * 10 ** (-rng.uniform(4, 18) / 20)
    return np.clip(x, -top, top) if rng.random() < 0.7 else top * np.tanh(x / top)


class Surroundings:
    def __init__(self, corpus, data, out, name):
        test, self.varied = name == 'room2', name == 'room3'
        self.corpus, self.kind = corpus, 'test' if test else 'train'
        bank = np.load(os.path.join(out, 'rooms.npz'))
        self.h, self.first, self.t60 = (bank[self.kind + k] for k in ('_h', '_first', '_t60'))
        self.own = np.load(os.path.join(out, 'own_snr.npy'))
        self.pcm = np.memmap(os.path.join(data, 'noise.i16'), np.int16, 'r')
        self.noises = np.load(os.path.join(data, 'noise.npy'))[bank['noise_test'] == test]
        self.talkers = [c for c, r in enumerate(corpus.clips) if r['split'] == ('reserved' if test else 'train')]
        self.microphone, self.opus = curve if test else peaks, Opus()

    def room(self, x, rng):
        r = rng.integers(len(self.t60))
        return oaconvolve(x, self.h[self.first[r]:self.first[r + 1]])[:len(x)], float(self.t60[r])

    def recorded(self, n, rng):
        while True:
            p, size, _ = self.noises[rng.integers(len(self.noises))]
            v = self.pcm[p:p + size].astype(np.float32) / 32768
            if v.std() > 1e-3:
                return np.roll(np.tile(v, -(-n // size)), rng.integers(size))[:n]

    def babble(self, n, rng):
        v = np.zeros(n, np.float32)
        for c in rng.choice(self.talkers, rng.integers(3, 8)):
            y = self.corpus.pcm(c)
            v += np.roll(np.tile(y, -(-n // len(y)))[:n], rng.integers(n)) / (y.std() + 1e-5)
        return v

    def coloured(self, n, rng):
        s = np.fft.rfft(rng.standard_normal(n))
        s /= np.maximum(np.arange(len(s)) * SR / n, 50) ** rng.uniform(0, 1)
        return np.fft.irfft(s, n)

    def voices(self, n, rng):
        """One or two talkers, backwards and at another speed: like voices, nothing said."""
        v = np.zeros(n, np.float32)
        for c in rng.choice(self.talkers, rng.integers(1, 3)):
            y = soxr.resample(self.corpus.pcm(c)[::-1], SR, SR * rng.uniform(0.6, 1.6))
            v += np.roll(np.tile(y, -(-n // len(y)))[:n], rng.integers(n)) / (y.std() + 1e-5)
        return v

    def bursts(self, n, rng):
        """Noise that comes and goes, 0.05 to 0.8 s each."""
        v = self.coloured(n, rng) if rng.random() < 0.5 else self.recorded(n, rng)
        edges = np.cumsum(rng.uniform(0.05, 0.8, int(n / SR / 0.05) + 2)) * SR
        on = np.searchsorted(edges, np.arange(n)) % 2
        soft = oaconvolve(on, np.full(SR // 100, 100 / SR), 'same')
        return v * (soft + 10 ** (-rng.uniform(10, 40) / 20))

    def noise(self, n, rng):
        u = rng.random()
        if self.varied and u < 0.5:
            return self.voices(n, rng) if u < 0.25 else self.bursts(n, rng)
        u = rng.random() if self.varied else u
        if u < 0.2:
            return self.babble(n, rng)
        return self.coloured(n, rng) if u < 0.35 and self.kind == 'train' else self.recorded(n, rng)

    def coded(self, x, band, rng):
        """x of bandwidth `band` or no limit -> PCM, codec, bandwidth, bitrate"""
        u, n = rng.random(), len(x)
        if u < 0.3:
            bitrate = int(rng.choice(BITRATES))
            y, coded = self.opus.through(x, bitrate)
            return y[:n], 'opus', coded, bitrate
        if u < 0.42:
            return mulaw(x)[:n], 'mulaw', 4000, None
        if u < 0.55:
            return filtered(clipped(x, rng), None, band), 'clipped', SR / 2, None
        return x, 'none', SR / 2, None

    def __call__(self, c, rng):
        clip, x, t60 = self.corpus.clips[c], self.corpus.pcm(c), 0.1
        if rng.random() < 0.6:
            x, t60 = self.room(x, rng)
        microphone = self.microphone(rng) if rng.random() < 0.7 else None
        limit = rng.uniform(2500, 11000) if rng.random() < 0.4 else None
        x = filtered(x, microphone, limit)
        band = min(clip['bandwidth_hz'], limit or SR / 2)       # noise has no more of it than the recording
        band = band if band < SR / 2 else None
        power = frame_power(x)
        speech = power[active(power)].mean()
        noise, added = np.full(len(power), speech * 10 ** (-self.own[c] / 10)), None
        if rng.random() < 0.7:
            added = rng.uniform(-5, 35)
            v = filtered(self.noise(len(x), rng), microphone, band)
            p = frame_power(v)
            gain = speech / p.mean() * 10 ** (-added / 10)
            x, noise = x + np.sqrt(gain) * v, noise + gain * p
        level = rng.uniform(-40, -14)
        g = min(10 ** (level / 20) / np.sqrt(speech), 0.97 / (np.abs(x).max() + 1e-9))
        x, codec, coded, bitrate = self.coded((g * x).astype(np.float32), band, rng)
        snr = min(CLEAN, 10 * np.log10(speech / noise.mean()))
        return np.clip(x, -1, 1), {
            'snr_db': round(float(snr), 2), 'snr_added_db': added and round(added, 2), 't60_s': round(t60, 3),
            'bandwidth_hz': round(min(band or SR / 2, coded)), 'codec': codec, 'bitrate': bitrate,
            'level_db': round(10 * float(np.log10(g * g * speech)), 2),
            'levels': 10 * np.log10(np.stack([power, noise], 1) * g * g + QUIET).astype(np.float16)}
