"""Regenerate corpus/factors: small factor models, whole and faulty, for fuzz_factors. make_factors.py (in tests/corpus)

The first byte of a file is fuzz_factors' switch: 1 has it put size and checksum right.
"""
import os
import struct
import sys
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', '..', 'train', 'factors'))
import lacf                                                                    # noqa: E402
import nets                                                                    # noqa: E402

SHAPE = {'width': 1, 'expand': 1, 'kernel': 1, 'blocks': 1}
M = {'latent': 1, 'symbols': ['a'], 'content': dict(SHAPE, late=1, stride=1, ahead=0, levels=[2]), 'phones': SHAPE,
     'speaker': SHAPE, 'surroundings': SHAPE, 'style': dict(SHAPE, ahead=0),
     'generator': dict(SHAPE, condition=1, steps=1, ahead=0)}
ONES = {'speaker': {'scale': 1, 'offset': 0}, 'style': np.ones(lacf.STYLE), 'environment': np.ones(nets.ENVIRONMENT),
        'channel': np.ones(nets.CHANNEL)}


def patch(raw, at, fmt, *values):
    out = bytearray(raw)
    struct.pack_into('<' + fmt, out, at, *values)
    return bytes(out)


def whole(m, fill):
    """fill(shape, dtype) makes the values that count."""
    t = {name: fill(shape, dtype).astype(lacf.DTYPES[dtype]) for name, dtype, shape in lacf.layout(m)}
    t.update(lacf.constants(m, ONES))
    path = os.path.join(HERE, 'factors', 'whole')
    lacf.write(path, 'micro', m, bytes(16), t)
    with open(path, 'rb') as f:
        return f.read()


def main():
    os.makedirs(os.path.join(HERE, 'factors'), exist_ok=True)
    longer = dict(M, generator=dict(M['generator'], steps=3, ahead=2), content=dict(M['content'], stride=2, ahead=2))
    huge = whole(longer, lambda shape, dtype: np.full(shape, 127 if dtype == 1 else 1000))
    raw = whole(M, lambda shape, dtype: np.zeros(shape))
    head = raw[:384 + 80 * 4]
    files = {
        'whole': b'\0' + raw, 'huge': b'\0' + huge, 'cut': b'\0' + head, 'cut_repaired': b'\1' + head,
        'magic': b'\0LACF', 'version': b'\0' + patch(head, 4, 'I', 2), 'size': b'\0' + patch(head, 8, 'Q', 1 << 63),
        'count': b'\1' + patch(head, 20, 'I', 0xffffffff), 'levels': b'\1' + patch(head, 176, '9I', 8, *[64] * 8),
        'widths': b'\1' + patch(head, 248, '4I', 1024, 8, 31, 12), 'tail': b'\1' + raw + bytes(64),
        'offset': b'\1' + patch(head, 448, 'Q', 2 ** 64 - 64), 'bytes': b'\1' + patch(head, 456, 'Q', 2 ** 64 - 1),
        'empty': b'\0',
    }
    for name, data in files.items():
        with open(os.path.join(HERE, 'factors', name), 'wb') as f:
            f.write(data)


if __name__ == '__main__':
    main()
