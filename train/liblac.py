"""liblac from Python, by ctypes: what the scripts here need of it, nothing more."""
import ctypes as C
import os
import numpy as np

HOP = 240


class EncoderSettings(C.Structure):
    _fields_ = [(n, C.c_uint32) for n in ('codebooks', 'block_frames', 'threads', 'batch_only', 'beam')]


class DecoderSettings(C.Structure):
    _fields_ = [(n, C.c_uint32) for n in ('block_frames', 'threads')]


def pointer(a):
    return a.ctypes.data_as(C.c_void_p)


class Library:
    def __init__(self, path, model):
        self.lib, self.model = C.CDLL(os.path.abspath(path)), C.c_void_p()
        self.lib.lac_encoder_max_frames.restype = C.c_size_t
        self.call('lac_model_open_file', C.byref(self.model), os.fsencode(model))

    def call(self, name, *arguments):
        status = getattr(self.lib, name)(*arguments)
        if status:
            raise RuntimeError('%s: status %d' % (name, status))

    def encoder(self, codebooks, beam):
        """An encoder, for `tokens`; to be closed."""
        e = C.c_void_p()
        self.call('lac_encoder_open', C.byref(e), self.model, C.byref(EncoderSettings(codebooks, 64, 1, 0, beam)))
        return e

    def close(self, encoder):
        self.lib.lac_encoder_close(C.byref(encoder))

    def tokens(self, encoder, x, stages):
        """x [N] of float32 -> tokens [T][stages] (stages: the model's Q), and the encoder reset."""
        n, flushed = C.c_size_t(), C.c_size_t()
        capacity = self.lib.lac_encoder_max_frames(encoder, C.c_size_t(len(x))) + 4
        tokens = np.zeros((capacity, stages), np.uint16)
        self.call('lac_encoder_write', encoder, pointer(x), C.c_size_t(len(x)), pointer(tokens),
                  C.c_size_t(capacity), C.byref(n))
        self.call('lac_encoder_flush', encoder, pointer(tokens[n.value:]), C.c_size_t(capacity - n.value),
                  C.byref(flushed))
        self.lib.lac_encoder_reset(encoder)
        return tokens[:n.value + flushed.value]

    def latents(self, encoder, x, stages, dimensions):
        """x [N] of float32 -> latents [T][dimensions] of int16 before the search, tokens [T][stages]; encoder reset."""
        n = C.c_size_t()
        capacity = self.lib.lac_encoder_max_frames(encoder, C.c_size_t(len(x)))
        tokens, z = np.zeros((capacity, stages), np.uint16), np.zeros((capacity, dimensions), np.int16)
        self.call('lac_encoder_write_latents', encoder, pointer(x), C.c_size_t(len(x)), pointer(tokens), pointer(z),
                  C.c_size_t(capacity), C.byref(n))
        self.lib.lac_encoder_reset(encoder)
        return z[:n.value], tokens[:n.value]

    def encode(self, x, stages):
        """x [N] -> tokens [T][stages], all of the model's, by greedy search."""
        e = self.encoder(stages, 1)
        tokens = self.tokens(e, x, stages)
        self.close(e)
        return tokens

    def decode(self, tokens, codebooks, n):
        """tokens [T][Q] -> PCM [n], the first `codebooks` of each row."""
        d, frames = C.c_void_p(), len(tokens)
        y, counts = np.zeros(frames * 2 * HOP, np.float32), np.full(frames, codebooks, np.uint8)
        self.call('lac_decoder_open', C.byref(d), self.model, C.byref(DecoderSettings(64, 1)))
        self.call('lac_decoder_read', d, pointer(tokens), pointer(counts), C.c_size_t(frames), pointer(y))
        self.lib.lac_decoder_close(C.byref(d))
        return y[HOP:HOP + n]
