"""Factor models (.lacf): names, shapes, order of tensors, writing, reading; networks of nets.py to tensors and back.
doc/factor-format.md is normative.

m is config.json's dictionary with 'latent' and 'symbols' (of the phones) beside the networks' entries, and, if there
is something to sample from, 'sampling': {mixture: {'components', 'rank'}}.
"""
import hashlib
import os
import struct
import sys
import numpy as np
import torch
import torch.nn as nn

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import lacm                                                                 # noqa: E402
import nets                                                                 # noqa: E402
from integers import fsq_thresholds                                         # noqa: E402
from model import CausalConv                                                # noqa: E402
from quantised import IntegerConv, IntegerLinear, array, int8_rows          # noqa: E402

TABLE, LATENT_ID = 384, 160
MAX_LEVELS, SYMBOL_BYTES, STYLE, HEAD, ROOM, LINE = 8, 16, 8, 64, 2, 1 + len(nets.CODECS)
FIXED = [50, lacm.ONE, nets.SPEAKER, nets.ENVIRONMENT, nets.CHANNEL, nets.PITCHES, len(nets.CODECS), HEAD]
DTYPES = {**lacm.DTYPES, 4: np.dtype('u1')}
SCALARS = [('', 'latent'), ('content', 'stride'), ('content', 'ahead'), ('content', 'late'), ('style', 'ahead'),
           ('generator', 'condition'), ('generator', 'steps'), ('generator', 'ahead')]
NETWORKS = ['content', 'phones', 'speaker', 'surroundings', 'style', 'generator']
SHAPE = ['width', 'expand', 'kernel', 'blocks']
VOICE, ATTRIBUTES = nets.SPEAKER + 1, 4
MIXTURES = {'voices': VOICE, 'environment': nets.ENVIRONMENT, 'channel': nets.CHANNEL}
MIXTURE = ['components', 'rank']


def trunk(name, inputs, m):
    return (lacm.linear(name + '.input', 3 * inputs, m['width'])
            + lacm.blocks(name + '.blocks', [m['width']] * m['blocks'], m['expand'], m['kernel']))


def layout(m):
    """[(name, dtype, shape)] in file order."""
    c, p, s, u, y, g = (m[n] for n in NETWORKS)
    d, w, rows = len(c['levels']), g['width'], []
    rows += trunk('content', m['latent'], c) + lacm.linear('content.join', c['stride'] * c['width'], c['width'])
    rows += lacm.blocks('content.late', [c['width']] * c['late'], c['expand'], c['kernel'])
    rows += lacm.linear('content.output', c['width'], d)
    rows += trunk('phones', d, p) + lacm.linear('phones.output', p['width'], 1 + len(m['symbols']))
    rows += trunk('speaker', m['latent'], s) + lacm.linear('speaker.weigh', s['width'], 1)
    rows += lacm.linear('speaker.output', 2 * s['width'], nets.SPEAKER)
    rows += trunk('surroundings', m['latent'], u) + lacm.linear('surroundings.weigh', u['width'], 1)
    for name, size, out in ('environment', nets.ENVIRONMENT, ROOM), ('channel', nets.CHANNEL, LINE):
        rows += lacm.linear('surroundings.' + name, 2 * u['width'], size)
    for name, size, out in ('environment', nets.ENVIRONMENT, ROOM), ('channel', nets.CHANNEL, LINE):
        rows += lacm.linear('surroundings.%s_hidden' % name, size, HEAD)
        rows += lacm.linear('surroundings.%s_output' % name, HEAD, out)
    rows += trunk('style', m['latent'], y) + lacm.linear('style.output', y['width'], 2 + nets.PITCHES)
    rows += lacm.linear('generator.about', nets.SPEAKER + nets.ENVIRONMENT + nets.CHANNEL + 1, g['condition'])
    for n in range(g['blocks']):
        rows += lacm.linear('generator.modulate.%d' % n, g['condition'], 2 * w)
    rows += trunk('generator', d + 3 + (m['latent'] if g['steps'] else 0), g)
    rows += lacm.linear('generator.output', w, m['latent'])
    return rows + [('content.thresholds', 3, (d, max(c['levels']) - 1)),
                   ('phones.symbols', 4, (1 + len(m['symbols']), SYMBOL_BYTES)), ('calibration.speaker', 3, (2,)),
                   ('calibration.style', 3, (STYLE,)), ('calibration.environment', 3, (nets.ENVIRONMENT,)),
                   ('calibration.channel', 3, (nets.CHANNEL,))] + (sampling_layout(m) if 'sampling' in m else [])


def sampling_layout(m):
    rows = []
    for name, size in MIXTURES.items():
        n, rank = (m['sampling'][name][k] for k in MIXTURE)
        rows += [('%s.bounds' % name, (n,)), (name + '.means', (n, size)), (name + '.factors', (n, rank, size))]
    rows += [('middle', (VOICE,)), ('directions', (ATTRIBUTES, nets.SPEAKER)), ('offsets', (ATTRIBUTES,)),
             ('moves', (ATTRIBUTES, VOICE)), ('dry_place', (nets.ENVIRONMENT,)), ('wide_line', (nets.CHANNEL,))]
    return [('sampling.' + name, 3, shape) for name, shape in rows]


def constants(m, calibration):
    """The tensors that no network has. calibration: {'speaker': {'scale', 'offset'}, 'style', 'environment',
    'channel'}, the last three lists of deviations."""
    levels = m['content']['levels']
    thresholds = np.zeros((len(levels), max(levels) - 1), np.float32)
    symbols = np.zeros((1 + len(m['symbols']), SYMBOL_BYTES), np.uint8)
    for row, n in zip(thresholds, levels):
        row[:n - 1] = fsq_thresholds(n)
    for row, s in zip(symbols[1:], m['symbols']):
        text = s.encode()
        assert 0 < len(text) < SYMBOL_BYTES, s
        row[:len(text)] = list(text)
    speaker = np.float32([calibration['speaker']['scale'], calibration['speaker']['offset']])
    deviations = {'calibration.' + k: np.float32(calibration[k]) for k in ('style', 'environment', 'channel')}
    return {'content.thresholds': thresholds, 'phones.symbols': symbols, 'calibration.speaker': speaker, **deviations}


def latent_id(path):
    """As lac_model_latent_id, of a .lacm."""
    values = [a.tobytes() for k, a in lacm.read(path)[2].items() if not k.startswith('decoder.')]
    return hashlib.sha256(b''.join(values)).digest()[:16]


def header(name, m, identity):
    levels = m['content']['levels']
    scalars = [m[key] if net == '' else m[net][key] for net, key in SCALARS] + [1 + len(m['symbols'])]
    shapes = [m[n][k] for n in NETWORKS for k in SHAPE]
    body = struct.pack('<64s8I16s', name.encode(), *FIXED, identity)
    body += struct.pack('<%dI' % (1 + MAX_LEVELS), len(levels), *(levels + [0] * (MAX_LEVELS - len(levels))))
    if 'sampling' in m:
        shapes += [m['sampling'][n][k] for n in MIXTURES for k in MIXTURE]
    body += struct.pack('<%dI' % (len(scalars) + len(shapes)), *scalars, *shapes)
    return body + bytes(TABLE - 64 - len(body))


def write(path, name, m, identity, tensors):
    """tensors: {name: array of the layout's dtype and shape}."""
    rows, table, data = layout(m), b'', b''
    start = TABLE + 80 * len(rows)
    for key, dtype, shape in rows:
        a = np.ascontiguousarray(tensors[key], DTYPES[dtype])
        assert a.shape == shape and np.array_equal(a, tensors[key]), key
        assert dtype != 3 or np.abs(a).max() <= 1000, key
        data += bytes(lacm.round_up(start + len(data)) - start - len(data))
        table += struct.pack('<40sII4IQQ', key.encode(), dtype, len(shape), *(shape + (0,) * 4)[:4],
                             start + len(data), a.nbytes)
        data += a.tobytes()
    data += bytes(lacm.round_up(start + len(data)) - start - len(data))
    body = header(name, m, identity) + table + data
    head = struct.pack('<4sIQII40s', b'LACF', 2 if 'sampling' in m else 1, 64 + len(body), 0, len(rows), b'')
    with open(path, 'wb') as f:
        f.write(head[:16] + struct.pack('<I', lacm.crc32c(head + body)) + head[20:] + body)


def read(path):
    """A sound file -> name, m, latent id, {name: array}."""
    with open(path, 'rb') as f:
        raw = f.read()
    magic, version, _, _, count = struct.unpack_from('<4sIQII', raw)
    assert magic == b'LACF' and version in (1, 2)
    at = LATENT_ID + 16
    d, *levels = struct.unpack_from('<%dI' % (1 + MAX_LEVELS), raw, at)
    at += 4 * (1 + MAX_LEVELS)
    m = {n: {} for n in NETWORKS}
    for net, key in SCALARS:
        (m[net] if net else m)[key], at = struct.unpack_from('<I', raw, at)[0], at + 4
    at += 4
    for n in NETWORKS:
        m[n].update(zip(SHAPE, struct.unpack_from('<4I', raw, at)))
        at += 16
    m['content']['levels'] = levels[:d]
    mixtures = struct.unpack_from('<%dI' % (2 * len(MIXTURES)), raw, at)
    if mixtures[0]:
        m['sampling'] = {n: dict(zip(MIXTURE, mixtures[2 * i:])) for i, n in enumerate(MIXTURES)}
    tensors = {}
    for i in range(count):
        key, dtype, rank, *rest = struct.unpack_from('<40sII4IQQ', raw, TABLE + 80 * i)
        shape = rest[:rank]
        a = np.frombuffer(raw, DTYPES[dtype], int(np.prod(shape)), rest[4])
        tensors[key.rstrip(b'\0').decode()] = a.reshape(shape)
    m['symbols'] = [bytes(row).rstrip(b'\0').decode() for row in tensors['phones.symbols'][1:]]
    return raw[64:128].rstrip(b'\0').decode(), m, raw[LATENT_ID:LATENT_ID + 16], tensors


def networks(m):
    """{name: module of nets.py}."""
    assert m['latent'] == nets.LATENT
    d = len(m['content']['levels'])
    return {'content': nets.Content(m['content']), 'phones': nets.Phones(m['phones'], d, len(m['symbols'])),
            'speaker': nets.Speaker(m['speaker']), 'surroundings': nets.Surroundings(m['surroundings']),
            'style': nets.Style(m['style']), 'generator': nets.Generator(m['generator'], d)}


def named(networks, kinds):
    """[(name in the file, network, path, module)]"""
    rows = [(net, path, module) for net, n in networks.items() for path, module in n.named_modules()
            if isinstance(module, kinds)]
    return [(net + '.' + path.replace('trunk.', '').replace('pool.', ''), networks[net], path, module)
            for net, path, module in rows]


def linear_layers(networks):
    return named(networks, (nn.Linear, CausalConv))


def tensors(networks, search=True):
    """Of all networks {name: array}. The blocks' residual scales are folded into their last layer, the ones of the
    generator's gains into their biases."""
    out, fold = {}, {}
    for name, _, _, b in named(networks, nets.Block):
        out[name + '.depthwise.weight'] = array(b.depthwise.weight)[:, 0].T
        out[name + '.depthwise.bias'] = array(b.depthwise.bias)
        fold[name + '.down'] = array(b.scale)
    for name, _, _, layer in linear_layers(networks):
        conv = isinstance(layer, CausalConv)
        w = array(layer.conv.weight).transpose(0, 2, 1) if conv else array(layer.weight)
        bias = array(layer.conv.bias if conv else layer.bias)
        s = fold.get(name, np.ones(len(w), np.float32))
        q, scale = int8_rows(w.reshape(len(w), -1) * s[:, None], search)
        one = np.arange(len(w)) < len(w) // 2 if name.startswith('generator.modulate.') else 0
        out.update({name + '.weight': q, name + '.scale': scale, name + '.bias': bias * s + np.float32(one)})
    return out


class Gains(IntegerLinear):
    """A modulation as nets.Generator wants it: it adds the gains' 1 itself."""

    def forward(self, x):
        y = super().forward(x)
        return y - (torch.arange(y.shape[-1]) < y.shape[-1] // 2).float()


def load(m, t, exact=True):
    """A file's m and tensors -> {name: module of nets.py} in evaluation mode that computes with them as C does. With
    exact=False activations stay float32: the same weights, faster."""
    made = networks(m)
    for name, network, path, layer in linear_layers(made):
        if isinstance(layer, CausalConv):
            c = layer.conv
            new = IntegerConv(t, name, exact, layer.pad, c.kernel_size[0], c.stride[0])
        else:
            new = (Gains if name.startswith('generator.modulate.') else IntegerLinear)(t, name, exact)
        parent, _, field = path.rpartition('.')
        setattr(network.get_submodule(parent), field, new)
    for name, _, _, b in named(made, nets.Block):
        b.scale.data.fill_(1)
        b.depthwise.weight.data = torch.from_numpy(t[name + '.depthwise.weight'].T[:, None].copy())
        b.depthwise.bias.data = torch.from_numpy(t[name + '.depthwise.bias'] + 0)
    return {k: n.eval() for k, n in made.items()}


def digits(t, levels, output):
    """content.output's rows [.., d] to digits from 0, by the file's thresholds."""
    thresholds = t['content.thresholds']
    used = np.arange(thresholds.shape[1]) < np.array(levels)[:, None] - 1
    return ((output[..., None] >= thresholds) & used).sum(-1)
