"""Residual quantisers fitted by liblac and by FAISS: faiss_compare.py LIBLAC.so MODEL DATA [--rows 65536] [--stages 8]
[--codewords 1024] [--refinements 8] [--beams 1,8] [--out RESULT.json]

Both fit the same latents of the model's encoder on the prepared training data (DATA: what data.py wrote), one thread
each, and code latents of the dev split, which neither saw. Prints seconds of processor time to fit and to code, and the mean
squared error of an element, in units of the latents' variance. Needs faiss-cpu from PyPI.
"""
import argparse
import ctypes as C
import glob
import json
import os
import time
import wave
import numpy as np

ONE = 512


class EncoderSettings(C.Structure):
    _fields_ = [(n, C.c_uint32) for n in ('codebooks', 'block_frames', 'threads', 'batch_only', 'beam')]


class FitSettings(C.Structure):
    _fields_ = [(n, C.c_uint32) for n in (
        'stages', 'codewords', 'dimension', 'method', 'iterations', 'spread', 'refinements', 'beam', 'layered', 'prior', 'batch',
        'decay', 'rows', 'threads')] + [('seed', C.c_uint64), ('levels', C.c_uint8 * 12)]


def pointer(a):
    return a.ctypes.data_as(C.c_void_p)


class Lac:
    def __init__(self, path, model):
        self.lib, self.model = C.CDLL(os.path.abspath(path)), C.c_void_p()
        self.call('lac_model_open_file', C.byref(self.model), os.fsencode(model))

    def call(self, name, *arguments):
        status = getattr(self.lib, name)(*arguments)
        if status:
            raise RuntimeError('%s: status %d' % (name, status))

    def latents(self, clips, stages, dimension=64):
        """Encoder output int16 [rows][D] of clips of float32."""
        encoder, rows = C.c_void_p(), []
        self.call('lac_encoder_open', C.byref(encoder), self.model, C.byref(EncoderSettings(1, 64, 1, 0, 1)))
        for x in clips:
            n, capacity = C.c_size_t(), len(x) // 480 + 1
            tokens, z = np.zeros((capacity, stages), np.uint16), np.zeros((capacity, dimension), np.int16)
            self.call('lac_encoder_write_latents', encoder, pointer(x), C.c_size_t(len(x)), pointer(tokens), pointer(z),
                      C.c_size_t(capacity), C.byref(n))
            self.lib.lac_encoder_reset(encoder)
            rows.append(z[:n.value])
        self.lib.lac_encoder_close(C.byref(encoder))
        return np.concatenate(rows)

    def fit(self, z, stages, codewords, **settings):
        s, fit = FitSettings(), C.c_void_p()
        self.lib.lac_fit_default_settings(C.byref(s))
        for k, v in dict(settings, stages=stages, codewords=codewords, dimension=z.shape[1], rows=len(z)).items():
            setattr(s, k, v)
        self.call('lac_fit_open', C.byref(fit), C.byref(s), None)
        self.call('lac_fit_add', fit, pointer(z), C.c_size_t(len(z)))
        while self.lib.lac_fit_done(fit) < self.lib.lac_fit_steps(fit):
            self.call('lac_fit_step', fit)
        return fit

    def code(self, fit, z, stages, beam):
        """Tokens, and seconds."""
        tokens, start = np.zeros((len(z), stages), np.uint16), time.process_time()
        self.call('lac_fit_encode', fit, pointer(z), C.c_size_t(len(z)), stages, beam, pointer(tokens))
        return tokens, time.process_time() - start

    def decode(self, fit, tokens, stages, dimension):
        z = np.zeros((len(tokens), dimension), np.int16)
        self.call('lac_fit_decode', fit, pointer(tokens), C.c_size_t(len(tokens)), stages, pointer(z))
        return z


def training_clips(data, rows):
    """Clips of at most 10 s in random order, enough for so many rows."""
    pcm, index = np.memmap(os.path.join(data, 'pcm.i16'), np.int16, 'r'), np.load(os.path.join(data, 'index.npy'))
    clips, have = [], 0
    for i in np.random.default_rng(1).permutation(len(index)):
        if have >= rows:
            break
        p, n, _ = index[i]
        clips.append(pcm[p:p + min(n, 240000)].astype(np.float32) / 32768)
        have += len(clips[-1]) // 480
    return clips


def dev_clips(data):
    for path in sorted(glob.glob(os.path.join(data, 'dev', '*.wav'))):
        with wave.open(path) as w:
            yield np.frombuffer(w.readframes(w.getnframes()), np.int16).astype(np.float32) / 32768


def error(z, decoded):
    return float(((z.astype(np.float32) - decoded) ** 2).mean() / z.astype(np.float32).var())


def by_lac(lac, train, held, a):
    start = time.process_time()
    fit = lac.fit(train, a.stages, a.codewords, refinements=a.refinements, layered=0, iterations=a.iterations,
                  spread=a.spread)
    result = {'fit_s': time.process_time() - start}
    for beam in a.beams:
        tokens, seconds = lac.code(fit, held, a.stages, beam)
        result['beam %d' % beam] = (seconds, error(held, lac.decode(fit, tokens, a.stages, held.shape[1])))
    lac.lib.lac_fit_close(C.byref(fit))
    return result


def by_faiss(train, held, a):
    import faiss
    faiss.omp_set_num_threads(1)
    bits = a.codewords.bit_length() - 1
    rq = faiss.ResidualQuantizer(train.shape[1], a.stages, bits)
    train, held = train.astype(np.float32) / ONE, held.astype(np.float32) / ONE
    start = time.process_time()
    rq.train(train)
    result = {'fit_s': time.process_time() - start}
    for beam in a.beams:
        rq.max_beam_size = beam
        start = time.process_time()
        codes = rq.compute_codes(held)
        result['beam %d' % beam] = (time.process_time() - start, error(held, rq.decode(codes)))
    return result


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('liblac')
    p.add_argument('model')
    p.add_argument('data')
    p.add_argument('--rows', type=int, default=65536)
    p.add_argument('--stages', type=int, default=8)
    p.add_argument('--codewords', type=int, default=1024)
    p.add_argument('--iterations', type=int, default=10)
    p.add_argument('--spread', type=int, default=5, help='FAISS has 5')
    p.add_argument('--refinements', type=int, default=0)
    p.add_argument('--beams', type=lambda s: [int(b) for b in s.split(',')], default=[1, 8])
    p.add_argument('--only', choices=('lac', 'faiss'))
    p.add_argument('--out')
    a = p.parse_args()
    lac, results = Lac(a.liblac, a.model), {}
    train = lac.latents(training_clips(a.data, a.rows), 12)[:a.rows]
    held = lac.latents(dev_clips(a.data), 12)
    print('%d rows to fit, %d held out; %d stages of %d' % (len(train), len(held), a.stages, a.codewords), flush=True)
    for name, run in (('lac', lambda: by_lac(lac, train, held, a)), ('faiss', lambda: by_faiss(train, held, a))):
        if a.only in (None, name):
            results[name] = r = run()
            print('%-5s fitted in %.1f s' % (name, r['fit_s']), ''.join(
                '; beam %d: %.3f s, error %.4f' % (b, *r['beam %d' % b]) for b in a.beams), flush=True)
    if a.out:
        json.dump(results, open(a.out, 'w'))


if __name__ == '__main__':
    main()
