"""C against PyTorch over a folder: compare.py LIBLAC.so MODEL.lacm STATE FOLDER [CLIPS]

Mel distance (validate.py) of the float network, of the same with the file's integer weights, and of C, all with the
file's codebooks; and how often C chooses the token that PyTorch chooses.
"""
import ctypes as C
import glob
import os
import sys
import numpy as np
import soundfile as sf
import torch
import lacm
import quantised
import reference
from model import Codec
from validate import log_mel

RATES = (1, 3, 6, 12)


class EncoderSettings(C.Structure):
    _fields_ = [(n, C.c_uint32) for n in ('codebooks', 'block_frames', 'threads')]


class DecoderSettings(C.Structure):
    _fields_ = [(n, C.c_uint32) for n in ('block_frames', 'threads')]


class Library:
    def __init__(self, path, model):
        self.lib, self.model = C.CDLL(os.path.abspath(path)), C.c_void_p()
        self.lib.lac_encoder_max_frames.restype = C.c_size_t
        self.call('lac_model_open_file', C.byref(self.model), os.fsencode(model))

    def call(self, name, *arguments):
        status = getattr(self.lib, name)(*arguments)
        if status:
            raise RuntimeError('%s: status %d' % (name, status))

    def encode(self, x, q):
        """x [N] -> tokens [T][q]."""
        e, n, flushed = C.c_void_p(), C.c_size_t(), C.c_size_t()
        self.call('lac_encoder_open', C.byref(e), self.model, C.byref(EncoderSettings(q, 64, 1)))
        capacity = self.lib.lac_encoder_max_frames(e, C.c_size_t(len(x))) + 4
        tokens = np.zeros((capacity, q), np.uint16)
        self.call('lac_encoder_write', e, x.ctypes.data_as(C.c_void_p), C.c_size_t(len(x)),
                  tokens.ctypes.data_as(C.c_void_p), C.c_size_t(capacity), C.byref(n))
        self.call('lac_encoder_flush', e, tokens[n.value:].ctypes.data_as(C.c_void_p),
                  C.c_size_t(capacity - n.value), C.byref(flushed))
        self.lib.lac_encoder_close(C.byref(e))
        return tokens[:n.value + flushed.value]

    def decode(self, tokens, codebooks, n):
        """tokens [T][Q] -> PCM [n], the first `codebooks` of each row."""
        d, frames = C.c_void_p(), len(tokens)
        y, counts = np.zeros(frames * 480, np.float32), np.full(frames, codebooks, np.uint8)
        self.call('lac_decoder_open', C.byref(d), self.model, C.byref(DecoderSettings(64, 1)))
        self.call('lac_decoder_read', d, tokens.ctypes.data_as(C.c_void_p), counts.ctypes.data_as(C.c_void_p),
                  C.c_size_t(frames), y.ctypes.data_as(C.c_void_p))
        self.lib.lac_decoder_close(C.byref(d))
        return y[240:240 + n]


def float_codec(state, codes):
    s = torch.load(state, map_location='cpu')
    codec = Codec(s['config']['model'])
    codec.load_state_dict({k: v.float() for k, v in s['ema'].items()})
    codec.rvq.codes = torch.from_numpy(codes.astype(np.float32) / lacm.ONE)
    return codec.eval()


@torch.no_grad()
def main(library, model, state, folder, clips=16):
    torch.set_num_threads(1)
    _, m, t = lacm.read(model)
    c, nets = Library(library, model), [float_codec(state, t['codes']), quantised.load(m, t)]
    rates = [k for k in RATES if k <= m['codebooks']]
    paths = sorted(glob.glob(os.path.join(folder, '*.wav')))
    rows, same = [], []
    for path in paths[::max(1, len(paths) // int(clips))]:
        x = sf.read(path, dtype='float32')[0]
        mel, padded = log_mel(x), torch.from_numpy(np.pad(x, (0, 960 - len(x) % 480)))[None]
        z = [net.encoder(padded) for net in nets]
        tokens = c.encode(x, m['codebooks'])
        grid = np.clip(np.rint(z[1][0].numpy() * lacm.ONE), -4095, 4095).astype(np.int16)
        n = min(len(tokens), len(grid))
        same.append((reference.search(t['codes'], grid)[:n] == tokens[:n]).mean(0))
        row = []
        for k in rates:
            for net, latent in zip(nets, z):
                torch.manual_seed(0)
                y = net.decoder(net.quantiser(latent, torch.tensor([k]))[0])[0][0, :len(x)].numpy()
                row.append(np.abs(log_mel(y) - mel).mean())
            row.append(np.abs(log_mel(c.decode(tokens, k, len(x))) - mel).mean())
        rows.append(row)
    for k, (f, i, own) in zip(rates, np.mean(rows, 0).reshape(-1, 3)):
        print('%2d codebooks: float %.4f, integer weights %.4f, C %.4f (%+.2f %% of float)' % (
            k, f, i, own, 100 * (own / f - 1)))
    print('tokens as PyTorch chooses, by codebook:', np.mean(same, 0).round(4))


if __name__ == '__main__':
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__)
    main(*sys.argv[1:])
