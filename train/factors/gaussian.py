"""Normal noise as C makes it (latent/gaussian.h)."""
import numpy as np


def hash32(counter):
    """lac_hash32 of core/rng.h for an array of uint64."""
    with np.errstate(over='ignore'):
        z = (counter + np.uint64(1)) * np.uint64(0x9e3779b97f4a7c15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xbf58476d1ce4e5b9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94d049bb133111eb)
    return (z ^ (z >> np.uint64(31))) >> np.uint64(32)


def key_of(seed):
    return hash32(np.uint64([seed])) << np.uint64(32) | hash32(~np.uint64([seed]))


def gaussian(rows, width, seed=0, first=0):
    """float32 [rows][width] of variance 1: what a generator of that seed begins with. first: an even index."""
    key, index = key_of(seed), np.arange(rows * width, dtype=np.uint64) + np.uint64(first)
    with np.errstate(over='ignore'):
        pair = key + (index & ~np.uint64(1))
        u = ((hash32(pair) >> np.uint64(8)).astype(float) + 1) / 2 ** 24
        turn = hash32(pair + np.uint64(1)).astype(float) * (2 * np.pi / 2 ** 32)
    x = np.sqrt(-2 * np.log(u)) * np.where(index & np.uint64(1), np.sin(turn), np.cos(turn))
    return x.reshape(rows, width).astype(np.float32)
