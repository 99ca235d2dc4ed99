"""Whether liblac-latent computes what PyTorch does with a factor model's tensors, on real latents:

    networks_compare.py LIBLAC_LATENT_SO FACTORS.lacf DATA [CLIPS]

runs analyser and generator over clips of DATA's validation split and lacf.load's modules over the same.
"""
import ctypes as C
import json
import os
import sys
import numpy as np
import torch
import torch.nn.functional as F
import lacf
import nets
from gaussian import gaussian
from style_items import Analyser
from integers import fixed
from lacm import ONE

NOISE = 0.3                                    # deviation, lac_generator's default


def class_to_f0(odds):
    """[T, 1 + PITCHES] -> Hz, the average of the five classes around the peak or 0; the probability of voice."""
    voicing, q = 1 - torch.softmax(odds, -1)[:, 0], odds[:, 1:]
    near = q.argmax(-1, keepdim=True) + torch.arange(-2, 3)
    inside = (near >= 0) & (near < nets.PITCHES)
    p = torch.softmax(q.gather(-1, near.clamp(0, nets.PITCHES - 1)).masked_fill(~inside, -1e9), -1)
    hz = nets.PITCH_MIN * (nets.PITCH_MAX / nets.PITCH_MIN) ** ((p * near).sum(-1) / (nets.PITCHES - 1))
    return torch.where(voicing > 0.5, hz, torch.zeros_like(hz)), voicing


@torch.no_grad()
def analyse(made, m, t, z):
    """int16 [T][64], T even -> {name: array}, tokens' arrays [T / stride]."""
    x, every, rows = torch.from_numpy(z.astype(np.float32) / ONE)[None], torch.ones(1, len(z)), []
    hook = made['content'].output.register_forward_hook(lambda _m, _i, y: rows.append(y[0].numpy()))
    made['content'].bounded(x)
    hook.remove()
    levels = np.array(m['content']['levels'])
    digits = lacf.digits(t, levels, rows[0])
    codes = torch.from_numpy(((digits - levels // 2) / (levels // 2)).astype(np.float32))[None]
    odds, energy = (y[0, m['style']['ahead']:] for y in made['style'](F.pad(x, (0, 0, 0, m['style']['ahead']))))
    f0, voicing = class_to_f0(odds)
    environment, channel, read = made['surroundings'](x, every)
    return {'content': digits @ np.cumprod([1, *levels[:-1]]), 'phone': made['phones'](codes)[0].argmax(-1).numpy(),
            'f0': f0.numpy(), 'voicing': voicing.numpy(), 'energy': (20 * energy - 60).clamp(-100, 0).numpy(),
            'speaker': made['speaker'](x, every)[0].numpy(), 'environment': environment[0].numpy(),
            'channel': channel[0].numpy(),
            'read': np.concatenate([(20 * read['snr']).clamp(-10, 60), (0.4 * 2 ** read['t60']).clamp(0.05, 3),
                                    (6000 * read['bandwidth']).clamp(500, 12000),
                                    torch.softmax(read['codec'][0], -1)])}


@torch.no_grad()
def generate(made, m, frames, vectors):
    """C's frames [T] -> int16 [T][64]."""
    levels, ahead = np.array(m['content']['levels']), m['generator']['ahead']
    digits = frames['content'].astype(int)[:, None] // np.cumprod([1, *levels[:-1]]) % levels
    voiced = frames['f0'] > 0
    pitch = np.where(voiced, np.log2(np.maximum(frames['f0'], 50) / 150), 0)
    rows = np.concatenate([(digits - levels // 2) / (levels // 2),
                           np.stack([pitch, voiced, (frames['energy'] + 60) / 20], 1)], 1)
    rows = np.pad(rows, ((0, ahead), (0, 0))).astype(np.float32)
    noise = np.float32(NOISE) * gaussian(len(rows), nets.LATENT)
    z = made['generator'](*[torch.from_numpy(a)[None] for a in (rows, vectors, noise)])
    return fixed(z[0, ahead:].numpy())


class Settings(C.Structure):
    """lac_generator_settings"""
    _fields_ = [('block_frames', C.c_uint32), ('threads', C.c_uint32), ('seed', C.c_uint64), ('noise', C.c_float)]


class Generator:
    def __init__(self, analyser):
        self.analyser, self.generator, settings = analyser, C.c_void_p(), Settings(64, 1, 0, NOISE)
        analyser.call('lac_generator_open', C.byref(self.generator), analyser.model, C.byref(settings))

    def latents(self, frames, factors):
        f, z, n, rest = np.ascontiguousarray(frames), np.zeros((len(frames), 64), np.int16), C.c_size_t(), C.c_size_t()
        self.analyser.lib.lac_generator_reset(self.generator)
        self.analyser.call('lac_generator_set', self.generator, C.byref(factors))
        self.analyser.call('lac_generator_write', self.generator, f.ctypes.data_as(C.c_void_p), C.c_size_t(len(f)),
                           z.ctypes.data_as(C.c_void_p), C.c_size_t(len(z)), C.byref(n))
        self.analyser.call('lac_generator_flush', self.generator, C.c_void_p(z.ctypes.data + 128 * n.value),
                           C.c_size_t(len(z) - n.value), C.byref(rest))
        return z


def main(library, model, folder, count=8):
    torch.set_num_threads(1)
    _, m, _, t = lacf.read(model)
    made, analyser = lacf.load(m, t), Analyser(library, model)
    generator, stride = Generator(analyser), m['content']['stride']
    latents = np.memmap(os.path.join(folder, 'base.i16'), np.int16, 'r').reshape(-1, 64)
    clips = [c for c in json.load(open(os.path.join(folder, 'clips.json'))) if c['split'] == 'valid']
    for c in clips[::max(1, len(clips) // int(count))][:int(count)]:
        z = np.array(latents[c['first']:c['first'] + min(c['frames'], 500) // stride * stride])
        got, factors = analyser.frames(z)
        want = analyse(made, m, t, z)
        row = ['%d frames' % len(z)]
        row += ['%s %.2f %% differ' % (k, 100 * (got[k][::stride] != want[k]).mean()) for k in ('content', 'phone')]
        row += ['%s off by %.1e' % (k, np.abs(got[k] - want[k]).max()) for k in ('f0', 'voicing', 'energy')]
        row += ['%s %.1e' % (k, np.abs(np.array(getattr(factors, k)) - want[k]).max())
                for k in ('speaker', 'environment', 'channel', 'read')]
        vectors = np.concatenate([np.array(getattr(factors, k)) for k in ('speaker', 'environment', 'channel')])
        back = generate(made, m, got, vectors.astype(np.float32)).astype(int)
        off = np.abs(generator.latents(got, factors) - back)
        row += ['latents off by %d, %.2f on average' % (off.max(), off.mean())]
        print(', '.join(row))


if __name__ == '__main__':
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
