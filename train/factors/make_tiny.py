"""Regenerate the tiny seeded factor models and their reference activations: make_tiny.py OUT_DIR (vectors/)

Weights are random: they prove arithmetic. Everything comes from one seed. They belong to OUT_DIR/tiny.lacm;
tiny-voices.lacf is tiny.lacf with distributions to sample from.
"""
import os
import sys
import numpy as np
import torch
import lacf
import lacm
import nets
import reference
from gaussian import gaussian

SEED, FRAMES = 8, 40
MODEL = {'latent': 16, 'symbols': ['a', '\u0283', '\u03b8', 't\u0283'],
         'content': {'width': 12, 'expand': 2, 'kernel': 3, 'blocks': 1, 'late': 2, 'stride': 2, 'ahead': 4,
                     'levels': [4, 3, 3]},
         'phones': {'width': 8, 'expand': 1, 'kernel': 2, 'blocks': 1},
         'speaker': {'width': 10, 'expand': 2, 'kernel': 3, 'blocks': 2},
         'surroundings': {'width': 8, 'expand': 3, 'kernel': 1, 'blocks': 1},
         'style': {'width': 9, 'expand': 2, 'kernel': 5, 'blocks': 1, 'ahead': 1},
         'generator': {'width': 12, 'expand': 2, 'kernel': 3, 'blocks': 2, 'condition': 8, 'steps': 2, 'ahead': 3}}
SAMPLING = {'voices': {'components': 2, 'rank': 4}, 'environment': {'components': 2, 'rank': 2},
            'channel': {'components': 1, 'rank': 2}}
CALIBRATION = {'speaker': {'scale': 9.0, 'offset': -3.5}}


def tensors(m, rng):
    spread = {'style': lacf.STYLE, 'environment': nets.ENVIRONMENT, 'channel': nets.CHANNEL}
    calibration = dict(CALIBRATION, **{k: rng.uniform(0.5, 2, n) for k, n in spread.items()})
    out = lacf.constants(m, calibration)
    for name, dtype, shape in lacf.layout(m):
        if name in out:
            continue
        if dtype == 1:
            out[name] = rng.integers(-127, 128, shape).astype(np.int8)
        elif name.endswith('.scale'):                         # int8 weights have a deviation of 73
            fan = out[name[:-5] + 'weight'].shape[1]
            gain = 0.5 if '.down.' in name else 1.5 if name == 'content.output.scale' else 1.0
            out[name] = (rng.uniform(0.5, 1.5, shape) * gain / (73 * fan ** 0.5)).astype(np.float32)
        elif name.endswith('depthwise.weight'):
            out[name] = (rng.uniform(-1, 1, shape) * (3 / shape[0]) ** 0.5).astype(np.float32)
        else:
            out[name] = rng.uniform(-0.1, 0.1, shape).astype(np.float32)
            if name.startswith('generator.modulate.'):
                out[name][:shape[0] // 2] += np.float32(1)
    return out


def sampling(m, rng):
    """Distributions that hang together: attributes are the first numbers drawn, in deviations, the last the sum of
    the first two. A voice's numbers are alike in both components."""
    out = {name: rng.normal(0, 1, shape) for name, _, shape in lacf.sampling_layout(m)}
    for name, n in ((name, m['sampling'][name]['components']) for name in lacf.MIXTURES):
        out['sampling.%s.bounds' % name] = np.arange(1, n + 1) / n
    rows, rank = out['sampling.voices.factors'], m['sampling']['voices']['rank']
    basis = np.linalg.qr(rng.normal(0, 1, (nets.SPEAKER, rank + 1)))[0].T
    rows[:, :, :-1], rows[:, :, -1] = 0.3 * basis[1:], 0.1
    out['sampling.middle'] = np.append(0.8 * basis[0], 0.2)
    out['sampling.voices.means'] = out['sampling.middle'] + np.array([-0.2, 0.2])[:, None] * rows[:, 3]
    moves = np.stack([rows[0, 0], rows[0, 1], rows[0, 2], rows[0, 0] + rows[0, 1]])
    out['sampling.moves'] = moves / np.array([1, 1, 1, 2 ** 0.5])[:, None]
    out['sampling.directions'] = out['sampling.moves'][:, :-1] / 0.09
    out['sampling.offsets'] = np.array([0, 0, 0.25, 0])
    return {k: v.astype(np.float32) for k, v in out.items()}


def hook_all(networks, out):
    """Record the output of every layer under its name in the file, of a layer that runs more than once the first; of a
    modulation the gains are less 1."""
    def add(name, module):
        def record(_module, _inputs, y):
            out.setdefault(name, y[0].float().numpy())
        module.register_forward_hook(record)
    kinds = (lacf.IntegerLinear, lacf.IntegerConv, nets.Block, nets.Pool)
    for name, _, _, module in lacf.named(networks, kinds):
        if not name.endswith(('.up', '.down', '.linear')):
            add(name, module)


@torch.no_grad()
def activations(m, t, rng):
    """{name: array}. Rows of content and phones are those of latents with content's `ahead` zero rows behind them."""
    made, out = lacf.load(m, t), {}
    hook_all(made, out)
    latents = np.rint(rng.normal(0, lacm.ONE, (FRAMES, m['latent']))).clip(-lacm.MOST, lacm.MOST).astype(np.int16)
    out['latents'] = latents
    z, levels = torch.from_numpy(latents.astype(np.float32) / lacm.ONE)[None], np.array(m['content']['levels'])
    made['content'].bounded(z)
    out['content.digits'] = lacf.digits(t, levels, out['content.output']).astype(np.int16)
    codes = torch.from_numpy(((out['content.digits'] - levels // 2) / (levels // 2)).astype(np.float32))[None]
    made['phones'](codes)
    mask = torch.ones(1, FRAMES)
    out['speaker'] = made['speaker'](z, mask)[0].numpy()
    made['surroundings'](z, mask)
    made['style'](z)
    generate(m, made['generator'], codes, rng, out)
    return out


def generate(m, generator, codes, rng, out):
    """FRAMES frames with `ahead` zero ones behind: row t of the latents is about frame t - ahead."""
    ahead, d = m['generator']['ahead'], codes.shape[-1]
    pitch = rng.uniform(-1, 1, FRAMES) * (rng.uniform(0, 1, FRAMES) < 0.6)
    extras = np.stack([pitch, pitch != 0, rng.uniform(-1, 2, FRAMES)], 1)
    frames = torch.zeros(1, FRAMES + ahead, d + 3)
    frames[0, :FRAMES, :d] = codes[0].repeat_interleave(m['content']['stride'], 0)
    frames[0, :FRAMES, d:] = torch.from_numpy(extras.astype(np.float32))
    about = rng.normal(0, 1, nets.SPEAKER + nets.ENVIRONMENT + nets.CHANNEL).astype(np.float32)
    about[:nets.SPEAKER] /= np.linalg.norm(about[:nets.SPEAKER])
    noise = gaussian(FRAMES + ahead, m['latent'])
    out['generator.frames'], out['generator.vectors'], out['generator.noise'] = frames[0].numpy(), about, noise
    z = generator(frames, torch.from_numpy(about)[None], torch.from_numpy(noise)[None])
    out['generator.latents'] = z[0].numpy()


def write(folder, name, m, t):
    """-> what was read again: m, tensors"""
    path, identity = os.path.join(folder, name + '.lacf'), lacf.latent_id(os.path.join(folder, 'tiny.lacm'))
    lacf.write(path, name, m, identity, t)
    *head, read = lacf.read(path)
    assert head == [name, m, identity] and all(np.array_equal(read[k], t[k]) for k in t)
    print('%s: %d bytes' % (path, os.path.getsize(path)))
    return m, read


def main(folder):
    torch.set_num_threads(1)
    nets.LATENT = MODEL['latent']
    rng = np.random.default_rng(SEED)
    t, more = tensors(MODEL, rng), dict(MODEL, sampling=SAMPLING)
    arrays = activations(*write(folder, 'tiny', MODEL, t), rng)
    write(folder, 'tiny-voices', more, dict(t, **sampling(more, rng)))
    reference.write(os.path.join(folder, 'tiny_factors_reference.bin'), arrays)
    used = len(np.unique(arrays['content.digits'], axis=0))
    print('%d different tokens' % used)
    for k, a in arrays.items():
        print('%-40s %-14s %9.4f %9.4f' % (k, a.shape, a.mean(), a.std()))


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
