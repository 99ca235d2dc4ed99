"""Reference activations of a model on a fixed input, layer by layer, for C to be compared with.

File: magic "LACREF1\\0", u32 count, u32 zero; then for each array name[40] (zero-padded), u32 dtype (2 = int16,
3 = float32), u32 rank, u32 shape[4], and the values, padded with zeros to a multiple of 4 bytes. Little-endian.
"""
import struct
import numpy as np
import torch
from integers import fixed
from lacm import DTYPES, ONE
from model import class_to_f0, excitation, HOP, SR


def speechlike(frames, seed):
    """Voiced stretches with gliding pitch, noise bursts and pauses: [frames * 480], of 16-bit values."""
    rng = np.random.default_rng(seed)
    n = frames * 2 * HOP
    t = np.arange(n) / SR
    f0 = 140 + 60 * np.sin(2 * np.pi * 1.7 * t)
    phase = np.cumsum(f0) / SR
    voice = sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 16))
    noise = rng.uniform(-1, 1, n)
    gate = np.sin(2 * np.pi * 3.1 * t)
    x = 0.12 * voice * np.clip(2 * gate, 0, 1) + 0.15 * noise * np.clip(-3 * gate - 1.5, 0, 1)
    return (np.rint(np.clip(x, -1, 1) * 32767) / 32768).astype(np.float32)


def counter_noise(n):
    """lac_noise of core/rng.h for counters 0 .. n - 1."""
    with np.errstate(over='ignore'):
        z = (np.arange(n, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9e3779b97f4a7c15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xbf58476d1ce4e5b9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94d049bb133111eb)
    h = ((z ^ (z >> np.uint64(31))) >> np.uint64(40)).astype(np.int64)
    return (h - (1 << 23)).astype(np.float32) * np.float32(np.float32(1.7320508) / np.float32(8388608))


def hook_all(codec, out):
    """Record the output of every layer under its name in the file."""
    def add(name, module):
        module.register_forward_hook(lambda _m, _i, y: out.__setitem__(name, y[0].float().numpy()))
    for side, net in (('encoder', codec.encoder), ('decoder', codec.decoder)):
        add(side + '.input', net.inp)
        for kind in ('fine', 'coarse'):
            for n, b in enumerate(getattr(net, kind)):
                add('%s.%s.%d' % (side, kind, n), b)
    add('encoder.downsample', codec.encoder.downsample)
    add('decoder.upsample', codec.decoder.upsample)                            # [T][2 * width]
    add('decoder.output', codec.decoder.out)


@torch.no_grad()
def activations(codec, quantiser, x):
    """codec from quantised.load, integers.Quantiser, x [N] -> {name: array}. lac_decoder_read gives pcm.out
    decoder_delay_samples later; the last HOP samples of pcm.out lack a frame that C has not seen either."""
    out = {'pcm.in': x}
    hook_all(codec, out)
    x = torch.from_numpy(x)[None]
    out['encoder.features'] = codec.encoder.features(x)[0].numpy()
    z = codec.encoder(x)[0].numpy()
    grid = fixed(z)
    out['encoder.latent'], out['encoder.latent.grid'] = z, grid
    out['tokens'] = quantiser.search(grid)
    q = out['decoder.latent.grid'] = quantiser.decode(out['tokens'], quantiser.q)
    o = codec.decoder.network(torch.from_numpy(q.astype(np.float32) / ONE)[None])
    parts = codec.decoder.parts(o)
    f0 = class_to_f0(parts['logits'])
    out['decoder.pitch'] = f0[0].numpy()
    out['decoder.excitation'] = excitation(f0, parts['phase'])[0].numpy()
    noise = torch.from_numpy(counter_noise(x.shape[1]))[None]
    out['pcm.out'] = codec.decoder.synthesise(o, f0, noise)[0].numpy()
    return out


def write(path, arrays):
    with open(path, 'wb') as f:
        f.write(struct.pack('<8sII', b'LACREF1', len(arrays), 0))
        for name, a in arrays.items():
            dtype = 2 if a.dtype == np.int16 else 3
            a = np.ascontiguousarray(a, DTYPES[dtype])
            f.write(struct.pack('<40sII4I', name.encode(), dtype, a.ndim, *(a.shape + (0,) * 4)[:4]))
            f.write(a.tobytes() + bytes(-a.nbytes % 4))
