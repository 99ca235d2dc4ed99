"""Rooms by the image method (Allen and Berkley 1979), images moved at random by up to 5 cm so that their lattice
does not sing (De Sena et al. 2015), and with the decay of low and of high frequencies each its own."""
import numpy as np
from scipy.signal import butter, firwin, oaconvolve, sosfilt

SR, SOUND, CROSSOVER = 24000, 343.0, 1500
KINDS = {'train': 400, 'test': 160}
HIGH_PASS = butter(2, 60, 'high', fs=SR, output='sos')
MIDDLE = butter(2, [354, 1414], 'band', fs=SR, output='sos')        # the octaves of 500 and 1000 Hz


def axis(length, source, microphone, reach):
    """Images along one axis: distances, numbers of reflections."""
    n = np.arange(-reach, reach + 1)
    d = np.concatenate([source + 2 * n * length - microphone, -source + 2 * n * length - microphone])
    return d, np.concatenate([np.abs(2 * n), np.abs(2 * n - 1)])


def reflection(size, t60):
    """Of all walls alike, by Eyring's formula."""
    volume, surface = size.prod(), 2 * (size[0] * size[1] + size[1] * size[2] + size[0] * size[2])
    return np.exp(-0.161 * volume / (surface * t60) / 2)


def impulse_response(size, source, microphone, t60, t60_high, rng):
    """Metres, seconds -> [N], from the direct sound on."""
    seconds = 1.1 * t60
    reach = np.ceil(SOUND * seconds / (2 * size)).astype(int)
    (x, i), (y, j), (z, k) = (axis(*a) for a in zip(size, source, microphone, reach))
    d2 = (x[:, None, None] ** 2 + y[:, None] ** 2) + z ** 2
    count = (i[:, None, None] + j[:, None]) + k
    heard = d2 < (SOUND * seconds) ** 2
    d, count = np.sqrt(d2[heard]), count[heard]
    direct = d.min()
    d = np.where(d > direct, np.maximum(d + rng.uniform(-0.05, 0.05, len(d)), direct), d)
    at = np.round((d - direct) / SOUND * SR).astype(int)
    low, high = (np.bincount(at, reflection(size, t) ** count / d, minlength=at.max() + 129)
                 for t in (t60, t60_high))
    h = high + oaconvolve(low - high, firwin(129, CROSSOVER, fs=SR), 'same')
    h = sosfilt(HIGH_PASS, h)
    return (h / np.sqrt((h ** 2).sum())).astype(np.float32)


def measured_t60(h):
    """Schroeder's integral of the 500 and 1000 Hz octaves, three times the time from -5 to -25 dB."""
    e = np.cumsum(sosfilt(MIDDLE, h)[::-1] ** 2)[::-1]
    decay = 10 * np.log10(e / e[0] + 1e-12)
    t = np.nonzero((decay < -5) & (decay > -25))[0]
    return -60 / np.polyfit(t / SR, decay[t], 1)[0]


def random_room(rng):
    size = np.array([rng.uniform(3, 9), rng.uniform(2.5, 7), rng.uniform(2.3, 3.6)])
    while True:
        source, microphone = (rng.uniform(0.4, size - 0.4) for _ in range(2))
        if 0.5 < np.linalg.norm(source - microphone) < 3:
            break
    t60 = 0.15 * (1.1 / 0.15) ** rng.random()
    return impulse_response(size, source, microphone, t60, t60 * rng.uniform(0.5, 1), rng)


def make(kind, seed=8):
    """-> responses one after the other, first sample of each and the end, measured seconds."""
    rng = np.random.default_rng([seed, len(kind)])
    h = [random_room(rng) for _ in range(KINDS[kind])]
    return (np.concatenate(h), np.cumsum([0] + [len(v) for v in h]),
            np.array([measured_t60(v) for v in h], np.float32))
