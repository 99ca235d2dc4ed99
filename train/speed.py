#!/usr/bin/env python3
"""Speed beside others, all in one run on one thread: speed.py LAC [--opus OPUS_SPEED] [--json OUT.json]

Our own network run by onnxruntime, in float32 and int8, frame by frame as in a call and in large pieces as in a file.
Compared is the same part of the work: from features to latents and from latents to the synthesis' input. On our side
`lac bench` tells what these layers take; features, codebook search and synthesis, which onnxruntime is spared, are shown
as well. Its int8 rounds activations to 8 bits, ours to 13. And Opus at complexity 10, encoder and decoder: OPUS_SPEED is
tests/opus_speed of the build folder.

Every figure is the best of --rounds, taken in turn: microseconds for a frame of 20 ms. Needs the packages onnx and
onnxruntime.
"""
import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings
import numpy as np
import onnxruntime as ort
import soundfile as sf
import torch
import lacm
import quantised
import reference
from onnx_network import Network, export, quantise

BLOCK, PASSES = 64, 3
KINDS = ('float32', 'int8 dynamic', 'int8 static')
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')
TRANSFORMS = ('features', 'search', 'sources', 'spectra', 'overlap')   # layers of lac bench outside the network


class Runner:
    """A network file run over all frames in pieces, its states carried from piece to piece without copies."""

    def __init__(self, path, pieces, shapes, output):
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self.session = ort.InferenceSession(path, options, providers=['CPUExecutionProvider'])
        self.pieces = pieces
        self.x = ort.OrtValue.ortvalue_from_numpy(pieces[0].copy())
        self.y = ort.OrtValue.ortvalue_from_numpy(np.zeros(output, np.float32))
        self.states = [[ort.OrtValue.ortvalue_from_numpy(np.zeros(s, np.float32)) for s in shapes] for _ in range(2)]
        self.bindings = [self.bind(*self.states), self.bind(*self.states[::-1])]

    def bind(self, before, after):
        b = self.session.io_binding()
        b.bind_ortvalue_input('x', self.x)
        b.bind_ortvalue_output('y', self.y)
        for i, (s, t) in enumerate(zip(before, after)):
            b.bind_ortvalue_input('s%d' % i, s)
            b.bind_ortvalue_output('t%d' % i, t)
        return b

    def reset(self):
        for s in self.states[0]:
            s.update_inplace(np.zeros(s.shape(), np.float32))

    def fastest(self):
        """Seconds for all pieces, the best of PASSES, as `lac bench` has them."""
        return min(self.time() for _ in range(PASSES))

    def time(self):
        self.reset()
        start = time.perf_counter()
        for i, piece in enumerate(self.pieces):
            self.x.update_inplace(piece)
            self.session.run_with_iobinding(self.bindings[i & 1])
        return time.perf_counter() - start

    def output(self):
        self.reset()
        rows = []
        for i, piece in enumerate(self.pieces):
            self.x.update_inplace(piece)
            self.session.run_with_iobinding(self.bindings[i & 1])
            rows.append(self.y.numpy().copy())
        return np.concatenate(rows, 1)


def calibration(path, pieces, shapes):
    """Inputs of a stream, states included, for the ranges of static quantisation."""
    session = ort.InferenceSession(path, providers=['CPUExecutionProvider'])
    states, rows = [np.zeros(s, np.float32) for s in shapes], []
    for piece in pieces[:300]:
        rows.append(dict({'s%d' % i: s for i, s in enumerate(states)}, x=piece))
        states = session.run(None, rows[-1])[1:]
    return rows


def build(folder, m, t, inputs, wanted, frames):
    """{(piece, kind): [(encoder, decoder)]}, a pair for each way to write depthwise convolutions, and
    {kind: error of its outputs as a share of their deviation}."""
    runners, errors = {}, {}
    for piece in (1, BLOCK, frames):
        for depthwise in ('rows', 'conv'):
            sides = {kind: [] for kind in KINDS}
            for side, x in inputs.items():
                rows = x.shape[1] // frames * piece
                path = os.path.join(folder, '%s.%d.%s.onnx' % (side, piece, depthwise))
                shapes = export(path, Network(side, m, t, depthwise), x[:, :rows])
                pieces = [p.numpy().copy() for p in x.split(rows, 1)]
                output = (1, wanted[side].shape[1] // frames * piece, wanted[side].shape[2])
                for kind in KINDS:
                    file = path if kind == 'float32' else \
                        quantise(path, kind.split()[1], calibration(path, pieces, shapes))
                    runner = Runner(file, pieces, shapes, output)
                    e = runner.output() - wanted[side]
                    errors[side, kind] = max(errors.get((side, kind), 0), e.std() / wanted[side].std())
                    sides[kind].append(runner)
            for kind in KINDS:
                runners.setdefault((piece, kind), []).append(sides[kind])
    return runners, errors


def lac_bench(lac, model, wav):
    """{(block, 'network', 'encoder' or 'decoder'): us a frame}, and what else `lac bench` tells."""
    b = json.loads(subprocess.run([lac, 'bench', '--json', '-t', '1', '-m', model, wav], check=True,
                                  stdout=subprocess.PIPE).stdout)
    times = {}
    for block in (1, BLOCK):
        for row in b['layers']:
            us = row['block_%d' % block]['us_per_frame']
            for part in (row['side'], 'network')[:1 if row['layer'] in TRANSFORMS else 2]:
                times[block, part] = times.get((block, part), 0) + us
    return times, b


def opus_speed(program, raw):
    lines = subprocess.run([program, raw], check=True, stdout=subprocess.PIPE).stdout.decode().splitlines()
    return {row['kbps']: row for row in map(json.loads, lines)}


def least(best, new):
    for k, v in new.items():
        best[k] = min(v, best.get(k, v))


def measure(a, runners, folder, wav, frames):
    ours, theirs, opus, facts = {}, {}, {}, None
    for n in range(a.rounds):
        times, facts = lac_bench(a.lac, a.model, wav)
        least(ours, times)
        least(ours, {('file', 'encoder'): 2e4 / facts['encode_xrt'], ('file', 'decoder'): 2e4 / facts['decode_xrt']})
        for key, pairs in runners.items():
            us = min(sum(side.fastest() for side in pair) for pair in pairs) / frames * 1e6
            least(theirs, {key: us})
        if a.opus:
            for kbps, row in opus_speed(a.opus, os.path.join(folder, 'a.f32')).items():
                least(opus, {(kbps, 'encoder'): row['encode_us'], (kbps, 'decoder'): row['decode_us']})
    return ours, theirs, opus, facts


def report(ours, theirs, opus, errors, frames):
    print('%-34s%12s%8s%8s' % ('network, encoder + decoder', 'onnxruntime', 'lac', 'ratio'))
    for name, block, piece in (('frame by frame', 1, 1), ('in blocks of %d' % BLOCK, BLOCK, BLOCK),
                               ('whole file', BLOCK, frames)):
        for kind in KINDS:
            us, lac = theirs[piece, kind], ours[block, 'network']
            print('  %-18s%-14s%12.1f%8.1f%8.2f' % (name, kind, us, lac, us / lac))
    for kind in KINDS:
        print('  error of %-13s encoder %.4f, decoder %.4f of the deviation of what it computes'
              % (kind, errors['encoder', kind], errors['decoder', kind]))
    print('%-34s%12s%8s%8s' % ('the whole codec', 'encoder', 'decoder', 'both'))
    rows = [('lac, frame by frame', ours, 1), ('lac, in blocks of %d' % BLOCK, ours, BLOCK), ('lac, file to file', ours, 'file')]
    rows += [('Opus, %g kbit/s, complexity 10' % kbps, opus, kbps) for kbps, side in sorted(opus) if side == 'encoder']
    for name, times, key in rows:
        pair = times[key, 'encoder'], times[key, 'decoder']
        print('  %-32s%12.1f%8.1f%8.1f' % (name, *pair, sum(pair)))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('lac')
    p.add_argument('--model', default=os.path.join(ROOT, 'models', 'speech24.lacm'))
    p.add_argument('--opus', metavar='OPUS_SPEED')
    p.add_argument('--blocks', type=int, default=9, help='blocks of 64 frames of audio')
    p.add_argument('--rounds', type=int, default=5)
    p.add_argument('--json', metavar='OUT.json')
    a = p.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings('ignore')
    logging.disable(logging.WARNING)
    _, m, t = lacm.read(a.model)
    frames = a.blocks * BLOCK
    x = reference.speechlike(frames, 1)
    codec = quantised.load(m, t, exact=False)
    with torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        wav = os.path.join(folder, 'a.wav')
        sf.write(wav, x, 24000, 'FLOAT')
        x.astype('<f4').tofile(os.path.join(folder, 'a.f32'))
        features = codec.encoder.features(torch.from_numpy(x)[None])
        z = codec.encoder(torch.from_numpy(x)[None])
        inputs = {'encoder': features, 'decoder': z}
        wanted = {'encoder': z.numpy(), 'decoder': codec.decoder.network(z).numpy()}
        runners, errors = build(folder, m, t, inputs, wanted, frames)
        ours, theirs, opus, facts = measure(a, runners, folder, wav, frames)
    print('%d s of audio, best of %d; kernels: %s; onnxruntime %s' % (frames / 50, a.rounds, facts['kernels'],
                                                                     ort.__version__))
    report(ours, theirs, opus, errors, frames)
    if a.json:
        table = {'lac': ours, 'onnxruntime': theirs, 'opus': opus}
        with open(a.json, 'w') as f:
            json.dump({k: {str(i): v for i, v in row.items()} for k, row in table.items()}, f, indent=1)


if __name__ == '__main__':
    sys.exit(main())
