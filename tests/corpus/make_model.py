"""Regenerate corpus/model: small whole models and faulty ones for fuzz_model. make_model.py (in tests/corpus)

The first byte of a file is fuzz_model's switch: 1 has it put the checksum right, 2 that of the extension.
"""
import os
import struct
import sys
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', '..', 'train'))
import lacm                                                                    # noqa: E402
import prior_integer                                                           # noqa: E402

M = {'bands': 2, 'latent': 1, 'kernel': 1, 'codebooks': 1, 'codewords': 2, 'encoder': {'fine': [1], 'coarse': [1]},
     'decoder': {'coarse': [1], 'fine': [1, 1]}, 'expand_encoder_fine': 1, 'expand_coarse': 1, 'expand_decoder_fine': 1}


def patch(raw, at, fmt, *values):
    out = bytearray(raw)
    struct.pack_into('<' + fmt, out, at, *values)
    return bytes(out)


def extension(kind, flags):
    p = struct.pack('<4sIIIQQ', b'LACX', kind, flags, 0, 64, 0) + bytes(32)
    return patch(p, 12, 'I', lacm.crc32c(p))


def main():
    t = {name: np.zeros(shape, lacm.DTYPES[dtype]) for name, dtype, shape in lacm.layout(M)}
    path = os.path.join(HERE, 'model', 'whole')
    lacm.write(path, 'micro', M, t)
    with open(path, 'rb') as f:
        raw = f.read()
    head = raw[:384 + 80 * 4]
    words = prior_integer.words(path)
    tensors = prior_integer.tiny(words, np.random.default_rng(1), h=3, e=2)
    prior = b'\2' + raw + prior_integer.extension(tensors, *words.shape)
    at = 1 + len(raw)
    files = {
        'whole': b'\0' + raw, 'extended': b'\0' + raw + extension(1, 0), 'mandatory': b'\0' + raw + extension(1, 1),
        'cut': b'\0' + head, 'cut_repaired': b'\1' + head, 'magic': b'\0LACM', 'version': b'\0' + patch(head, 4, 'I', 2),
        'size': b'\0' + patch(head, 8, 'Q', 1 << 63), 'count': b'\1' + patch(head, 20, 'I', 0xffffffff),
        'widths': b'\1' + patch(head, 180, '12I', *[1024] * 12), 'expand': b'\1' + patch(head, 164, 'I', 1 << 31),
        'offset': b'\1' + patch(head, 448, 'Q', 2 ** 64 - 64), 'bytes': b'\1' + patch(head, 456, 'Q', 2 ** 64 - 1),
        'nan': b'\1' + patch(raw, struct.unpack_from('<Q', raw, 448)[0], 'I', 0x7fc00000), 'empty': b'\0',
        'prior': prior, 'prior_cut': prior[:-128], 'prior_state': patch(prior, at + 36, 'I', 512),
        'prior_classes': patch(prior, at + 44, '2I', 2, 1), 'prior_leaves': patch(prior, at + 6 * 64, 'H', 1),
    }
    for name, data in files.items():
        with open(os.path.join(HERE, 'model', name), 'wb') as f:
            f.write(data)


if __name__ == '__main__':
    main()
