"""The pitch tracker of liblac-latent (lac/pitch.h) from Python, by ctypes."""
import ctypes as C
import os
import numpy as np

RATE, HOP = 24000, 480


def pointer(a):
    return a.ctypes.data_as(C.c_void_p)


class Tracker:
    def __init__(self, library):
        self.lib, self.pitch = C.CDLL(os.path.abspath(library)), C.c_void_p()
        self.lib.lac_pitch_max_frames.restype = C.c_size_t
        self.call('lac_pitch_open', C.byref(self.pitch))

    def call(self, name, *arguments):
        status = getattr(self.lib, name)(*arguments)
        if status:
            raise RuntimeError('%s: status %d' % (name, status))

    def track(self, x):
        """x [N] of float32 at 24 kHz -> [ceil(N / 480)][3]: f0 in Hz (0: unvoiced), voicing, energy in dB."""
        x, n = np.ascontiguousarray(x, np.float32), C.c_size_t()
        out = np.zeros((-(-len(x) // HOP), 3), np.float32)
        self.call('lac_pitch_write', self.pitch, pointer(x), C.c_size_t(len(x)), pointer(out), C.c_size_t(len(out)),
                  C.byref(n))
        self.call('lac_pitch_flush', self.pitch, pointer(out[n.value:]), C.c_size_t(len(out) - n.value), C.byref(n))
        self.lib.lac_pitch_reset(self.pitch)
        return out
