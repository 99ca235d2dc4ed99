"""Sets of latents: prepare.py LIBLAC MODEL MANIFEST DATA OUT SET... [--jobs N] [--seed N]

DATA is train/data.py's output, SET `base` or one that perturb.py or simulate.py makes. Writes into OUT
    clips.json  [{path, speaker, source, lang, text, text_kind, split, frames, first, seconds, native_rate,
                bandwidth_hz}]
    pcm.i16     24 kHz; clip c is samples 480 first .. 480 (first + frames), filled up with silence
    SET.i16     [frames][64] latents before the search of the encoder of MODEL, a hop of silence appended
    SET.tokens  uint16 [frames][12], greedy: quantise.py makes of them latents at any number of codebooks
    SET.json    per clip what was done to it (not base); SET.levels: see simulate.py
room2, for tests, has clips that are not trained on; the others' places hold zeros. A set is a function of its name,
the seed and the data: not of the number of jobs.
"""
import argparse
import functools
import json
import os
import sys
import zlib
from multiprocessing import get_context
import numpy as np
import soundfile as sf

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from liblac import Library                                                  # noqa: E402
import perturb                                                              # noqa: E402
import simulate                                                             # noqa: E402
import splits                                                               # noqa: E402

SR, FRAME, HOP, LATENT, STAGES = 24000, 480, 240, 64, 12
KEEP = ('path', 'speaker', 'source', 'lang', 'text', 'text_kind', 'split', 'seconds', 'native_rate',
        'unseen_speaker')


TEST = 'room2'
BANDWIDTH = {'rhasspy_kerstin_lossy': 7000}                   # of recordings that their rates do not tell


class Corpus:
    """The clips of OUT: pcm(c) is float32 at full scale 1, as long as the clip's frames."""

    def __init__(self, out):
        self.clips = json.load(open(os.path.join(out, 'clips.json')))
        self.samples = np.memmap(os.path.join(out, 'pcm.i16'), np.int16, 'r')

    def pcm(self, c):
        r = self.clips[c]
        x = self.samples[FRAME * r['first']:FRAME * (r['first'] + r['frames'])]
        return x.astype(np.float32) / 32768


def recordings(clips, data):
    """PCM of all clips, int16, in order."""
    index, pcm = np.load(os.path.join(data, 'index.npy')), np.memmap(os.path.join(data, 'pcm.i16'), np.int16, 'r')
    index = iter(index)
    for c in clips:
        if c['path'].startswith('dev/'):
            name = os.path.splitext(os.path.basename(c['path']))[0] + '.wav'
            x = sf.read(os.path.join(data, 'dev', name), dtype='int16')[0]
        else:
            p, n, _ = next(index)
            x = pcm[p:p + n]
        if abs(len(x) / SR - c['seconds']) > 0.05:
            sys.exit('%s: %.2f s of PCM where the manifest says %.2f' % (c['path'], len(x) / SR, c['seconds']))
        yield x


def write_corpus(manifest, data, out):
    clips, first = splits.load(manifest), 0
    rows = []
    with open(os.path.join(out, 'pcm.i16'), 'wb') as f:
        for c, x in zip(clips, recordings(clips, data)):
            frames = -(-len(x) // FRAME)
            f.write(np.pad(x, (0, frames * FRAME - len(x))).tobytes())
            band = BANDWIDTH.get(c['source'], min(c['native_rate'], c['rate'], SR) // 2)
            rows.append(dict({k: c[k] for k in KEEP if k in c}, frames=frames, first=first, bandwidth_hz=band))
            first += frames
    json.dump(rows, open(os.path.join(out, 'clips.json'), 'w'), ensure_ascii=False, indent=0)


def transform_of(a, name, corpus):
    """Set name -> a function (clip, rng) -> (PCM float32, what was done)."""
    if name == 'base':
        return lambda c, rng: (corpus.pcm(c), {})
    if name.startswith('room'):
        return simulate.Surroundings(corpus, a.data, a.out, name)
    return functools.partial(perturb.transform(name), corpus)


def start_worker(a, name):
    global work
    library, corpus = Library(a.liblac, a.model), Corpus(a.out)
    transform = transform_of(a, name, corpus)
    encoder, seed = library.encoder(STAGES, 1), [a.seed, zlib.crc32(name.encode())]

    def work(c):
        if name == TEST and corpus.clips[c]['split'] == 'train':
            n = corpus.clips[c]['frames']
            return (np.zeros((n, LATENT), np.int16), np.zeros((n, STAGES), np.uint16),
                    {'levels': np.zeros((n, 2), np.float16)})
        x, done = transform(c, np.random.default_rng(seed + [c]))
        x = np.concatenate([x, np.zeros(HOP, np.float32)]).astype(np.float32)
        return *library.latents(encoder, x, STAGES, LATENT), done


def work_on(c):
    return work(c)


def write_set(a, name):
    corpus = Corpus(a.out)
    if name.startswith('room'):
        simulate.prepare(corpus, a.manifest, a.out)
    labels, levels, first = [], [], 0
    parts = [os.path.join(a.out, name + end) for end in ('.i16', '.tokens')]
    with get_context('fork').Pool(a.jobs, start_worker, (a, name)) as pool, \
            open(parts[0] + '.part', 'wb') as latents, open(parts[1] + '.part', 'wb') as tokens:
        for c, (z, t, done) in zip(corpus.clips, pool.imap(work_on, range(len(corpus.clips)), 4)):
            assert len(z) == done.get('frames', c['frames']), c['path']
            latents.write(z.tobytes())
            tokens.write(t.tobytes())
            levels.append(done.pop('levels', None))
            labels.append(dict(done, first=first, frames=len(z)))
            first += len(z)
    if name != 'base':
        json.dump(labels, open(os.path.join(a.out, name + '.json'), 'w'), indent=0)
    if levels[0] is not None:
        np.concatenate(levels).tofile(os.path.join(a.out, name + '.levels'))
    for p in parts:
        os.rename(p + '.part', p)
    print('%s: %d clips, %d frames' % (name, len(labels), first), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for n in ('liblac', 'model', 'manifest', 'data', 'out'):
        p.add_argument(n)
    p.add_argument('sets', nargs='+')
    p.add_argument('--jobs', type=int, default=2)
    p.add_argument('--seed', type=int, default=8)
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    for name in a.sets:
        if name == 'base' and not os.path.exists(os.path.join(a.out, 'clips.json')):
            write_corpus(a.manifest, a.data, a.out)
        write_set(a, name)


if __name__ == '__main__':
    main()
