"""Regenerate corpus/npz: files of factors, whole and faulty, for fuzz_npz. make_npz.py FACTORS.npz, which lac factors wrote.

The first byte 'z' stands before an array that replaces that of one name in a sound archive.
"""
import io
import os
import sys
import numpy as np

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'npz')
NAMES = ('factor_model factor_model_id latent_id source sample_rate duration_s content_rate_hz speech_s confidence '
         'f0_median_hz snr_db t60_s bandwidth_hz codec style speaker environment channel content phones f0_hz voicing '
         'energy_db').split()


def write(name, data):
    with open(os.path.join(HERE, name), 'wb') as f:
        f.write(data)


def archive(arrays, save=np.savez):
    out = io.BytesIO()
    save(out, **arrays)
    return out.getvalue()


def array(name, value):
    out = io.BytesIO()
    np.save(out, value)
    write('array_' + name, b'z' + bytes([NAMES.index(name)]) + out.getvalue())


os.makedirs(HERE, exist_ok=True)
whole = open(sys.argv[1], 'rb').read()
arrays = dict(np.load(io.BytesIO(whole)))
write('whole', whole)
write('deflated', archive(arrays, np.savez_compressed))
write('wide', archive({k: v.astype('<f8') if v.dtype.kind == 'f' else v for k, v in arrays.items()}))
write('empty', b'')
write('cut', whole[:len(whole) // 2])
write('cut_directory', whole[:-30])
write('flipped', bytes(b ^ (i % 997 == 5) for i, b in enumerate(whole)))
write('nothing', archive({}))
write('few', archive({k: arrays[k] for k in NAMES[:9]}))
array('speaker', np.full(192, 0.5, 'f4'))
array('environment', np.full(32, np.nan, 'f4'))
array('channel', np.zeros(33, 'f4'))
array('f0_hz', np.full(3, np.inf, 'f4'))
array('voicing', np.zeros(4, 'f4'))
array('content', np.array([1, 70000], 'u4'))
array('phones', np.array([1, 2], 'i2'))
array('factor_model_id', np.array('xyz'))
array('factor_model', np.array('m' * 80))
array('content_rate_hz', np.array(0.0))
array('duration_s', np.array(-1.0))
array('confidence', np.array(2, 'f4'))
