"""Model files (.lacm): names, shapes, order of tensors, writing and reading. doc/model-format.md is normative."""
import struct
import numpy as np
from model import LONG, PERIODIC_HI, PERIODIC_LO, WIN, input_size, output_sizes

ALIGN, TABLE, BLOCKS = 64, 384, 12
RVQ, FSQ, LEVELS = 1, 2, 24                   # quantisers; where the header has the levels of FSQ
ONE, MOST = 512, 4095                         # fixed-point one of codewords; the largest value
THRESHOLD_ONE = 1 << 20                       # of FSQ
HORIZONS, PREDICTOR_ONE = 4, 4096             # of the predictor of lost frames
METRIC, METRIC_ONE = 3, 1024                  # of the search's metric: its kind of extension, fixed-point one
DTYPES = {1: np.dtype('<i1'), 2: np.dtype('<i2'), 3: np.dtype('<f4')}
SCALARS = ['bands', 'latent', 'kernel', 'codebooks', 'codewords', 'expand_encoder_fine', 'expand_coarse',
           'expand_decoder_fine']
LISTS = [('encoder', 'fine'), ('encoder', 'coarse'), ('decoder', 'coarse'), ('decoder', 'fine')]


def crc32c(data):
    table = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (0x82f63b78 if i & 1 else 0)
        table.append(i)
    crc = 0xffffffff
    for byte in data:
        crc = crc >> 8 ^ table[(crc ^ byte) & 255]
    return crc ^ 0xffffffff


def linear(name, i, o):
    return [(name + '.weight', 1, (o, i)), (name + '.scale', 3, (o,)), (name + '.bias', 3, (o,))]


def blocks(name, widths, expand, kernel):
    rows = []
    for n, c in enumerate(widths):
        p = '%s.%d' % (name, n)
        rows += [(p + '.depthwise.weight', 3, (kernel, c)), (p + '.depthwise.bias', 3, (c,))]
        rows += linear(p + '.up', c, expand * c) + linear(p + '.down', expand * c, c)
    return rows


def quantiser(m):
    q, d = m['codebooks'], m['latent']
    if 'levels' not in m:
        return [('codes', 2, (q, m['codewords'], d))]
    n = len(m['levels'])
    return [('fsq.into', 2, (q, n, d)), ('fsq.thresholds', 3, (q, n, max(m['levels']) - 1)), ('fsq.back', 2, (q, n, d)),
            ('fsq.bias', 2, (q, d))]


def layout(m):
    """config['model'] -> [(name, dtype, shape)] in file order."""
    e, d, p, k = m['encoder'], m['decoder'], m['bands'], m['kernel']
    return ([('encoder.window', 3, (WIN,)), ('encoder.long_window', 3, (LONG,)),
             ('encoder.cosines', 3, (PERIODIC_HI - PERIODIC_LO, p))]
            + linear('encoder.input', input_size(m), e['fine'][0])
            + blocks('encoder.fine', e['fine'], m['expand_encoder_fine'], k)
            + linear('encoder.downsample', 4 * e['fine'][0], e['coarse'][0])
            + blocks('encoder.coarse', e['coarse'], m['expand_coarse'], k)
            + linear('encoder.output', e['coarse'][0], m['latent'])
            + [('decoder.window', 3, (WIN,))]
            + linear('decoder.input', 3 * m['latent'], d['coarse'][0])
            + blocks('decoder.coarse', d['coarse'], m['expand_coarse'], k)
            + linear('decoder.upsample', d['coarse'][0], 2 * d['fine'][0])
            + blocks('decoder.fine', d['fine'], m['expand_decoder_fine'], k)
            + linear('decoder.output', d['fine'][0], sum(output_sizes(m)))
            + quantiser(m))


def round_up(n):
    return -(-n // ALIGN) * ALIGN


def extension(kind, content):
    size = round_up(32 + len(content))
    body = struct.pack('<QQ', size, 0) + content + bytes(size - 32 - len(content))
    head = struct.pack('<4sII', b'LACX', kind, 0)
    return head + struct.pack('<I', crc32c(head + bytes(4) + body)) + body


def predictor(weight, bias):
    """Extension: weight [4][D][D], bias [4][D] in latent units -> bytes."""
    w, b = (np.round(np.asarray(v) * one).clip(-32767, 32767).astype('<i2')
            for v, one in ((weight, PREDICTOR_ONE), (bias, ONE)))
    return extension(1, bytes(32) + w.tobytes() + b.tobytes())


def metric(a):
    """Extension: a [D][D], after which errors of latents are measured -> bytes."""
    a = np.round(np.asarray(a) * METRIC_ONE)
    assert np.abs(a).max() <= 4095
    return extension(METRIC, bytes(32) + a.astype('<i2').tobytes())


def write(path, name, m, tensors, extensions=()):
    """tensors: {name: array of the layout's dtype and shape}."""
    rows = layout(m)
    table, data = b'', b''
    start = TABLE + 80 * len(rows)
    for key, dtype, shape in rows:
        a = np.ascontiguousarray(tensors[key], DTYPES[dtype])
        assert a.shape == shape and np.array_equal(a, tensors[key]), key
        assert dtype != 3 or np.abs(a).max() <= 1000, key
        data += bytes(round_up(start + len(data)) - start - len(data))
        table += struct.pack('<40sII4IQQ', key.encode(), dtype, len(shape), *(shape + (0,) * 4)[:4],
                             start + len(data), a.nbytes)
        data += a.tobytes()
    data += bytes(round_up(start + len(data)) - start - len(data))
    arch = [m[k] for k in SCALARS]
    for side, kind in LISTS:
        w = m[side][kind]
        arch += [len(w)] + w + [0] * (BLOCKS - len(w))
    levels = m.get('levels', [])
    assert not levels or np.prod(levels) == m['codewords']
    fixed = struct.pack('<64s64I', name.encode(), 24000, 480, ONE, FSQ if levels else RVQ, *arch)
    body = fixed + table + data
    levels = bytes([len(levels), *levels]) if levels else b''
    head = struct.pack('<4sIQII40s', b'LACM', 1, 64 + len(body), 0, len(rows), levels)
    crc = crc32c(head + body)
    with open(path, 'wb') as f:
        f.write(head[:16] + struct.pack('<I', crc) + head[20:] + body + b''.join(extensions))


def split(path):
    """A model file -> its bytes without extensions, [(kind, bytes of the extension)]."""
    with open(path, 'rb') as f:
        raw = f.read()
    at, rows = struct.unpack_from('<Q', raw, 8)[0], []
    model = raw[:at]
    while at < len(raw):
        kind, size = struct.unpack_from('<I8xQ', raw, at + 4)
        rows.append((kind, raw[at:at + size]))
        at += size
    return model, rows


def attach(source, out, kind, content):
    """Write the model file `source` to `out` with this extension in place of any other of its kind."""
    model, rows = split(source)
    with open(out, 'wb') as f:
        f.write(model + b''.join(r for k, r in rows if k != kind) + content)


def read_metric(path):
    """The metric [D][D] of a model file's search, or None."""
    raw = dict(split(path)[1]).get(METRIC)
    if raw is None:
        return None
    d = read(path)[1]['latent']
    return np.frombuffer(raw, '<i2', d * d, 64).reshape(d, d).astype(np.float32) / METRIC_ONE


def read(path):
    """A sound file -> name, config['model'], {name: array}."""
    with open(path, 'rb') as f:
        raw = f.read()
    magic, version, _, _, count = struct.unpack_from('<4sIQII', raw)
    assert magic == b'LACM' and version == 1
    arch = list(struct.unpack_from('<60I', raw, 144))
    m = dict(zip(SCALARS, arch), encoder={}, decoder={})
    for n, (side, kind) in enumerate(LISTS):
        row = arch[8 + 13 * n:21 + 13 * n]
        m[side][kind] = row[1:1 + row[0]]
    if struct.unpack_from('<I', raw, 140)[0] == FSQ:
        m['levels'] = list(raw[LEVELS + 1:LEVELS + 1 + raw[LEVELS]])
    tensors = {}
    for i in range(count):
        key, dtype, rank, *rest = struct.unpack_from('<40sII4IQQ', raw, TABLE + 80 * i)
        shape, offset = rest[:rank], rest[4]
        a = np.frombuffer(raw, DTYPES[dtype], int(np.prod(shape)), offset)
        tensors[key.rstrip(b'\0').decode()] = a.reshape(shape)
    return raw[64:128].rstrip(b'\0').decode(), m, tensors
