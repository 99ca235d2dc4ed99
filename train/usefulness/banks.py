"""Banks of clips that the small networks listen to, each written once as log-mel frames.

    real             train, valid and test clips of a task, as recorded
    usual            MULTIPLY copies of the task's training clips, augmented as usual
    PLAN             what `lac synth` made of them by plans/PLAN.yaml
    PLAN+usual       the same, each augmented as usual once

RUNS/usefulness/heard/NAME.npy: frames float16 of all clips; NAME.json: who says what for how many frames.
"""
import io
import json
import os
import sys
import tarfile
import zlib
import numpy as np
import soundfile as sf
import sound

MULTIPLY = 10


class Corpus:
    """The recordings: clips.json and pcm.i16 of train/factors/prepare.py."""

    def __init__(self, sets):
        self.clips = json.load(open(os.path.join(sets, 'clips.json')))
        self.samples = np.memmap(os.path.join(sets, 'pcm.i16'), np.int16, 'r')

    def pcm(self, i):
        c = self.clips[i]
        return self.samples[480 * c['first']:480 * (c['first'] + c['frames'])].astype(np.float32) / 32768

    def told(self, i):
        return {'clip': i, 'speaker': self.clips[i]['speaker'], 'text': self.clips[i].get('text')}


class Bank:
    """Clips as (frames [T, BANDS], what is told of them). `key` changes with what they were made of."""

    def __init__(self, path):
        self.key = os.path.basename(path)
        self.rows = np.load(path + '.npy', mmap_mode='r')
        self.told = json.load(open(path + '.json'))
        self.ends = np.cumsum([t['frames'] for t in self.told])

    def frames(self, k):
        return self.rows[self.ends[k] - self.told[k]['frames']:self.ends[k]]

    def labelled(self, label, which=None):
        """[(frames, label(told))] of the clips `which`, or all."""
        return [(self.frames(k), label(self.told[k])) for k in (range(len(self.told)) if which is None else which)]


def write(path, heard):
    """heard: pairs of frames and what is told."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    rows, told = [], []
    for x, t in heard:
        rows.append(x)
        told.append(dict(t, frames=len(x)))
    np.save(path + '.part.npy', np.concatenate(rows))
    json.dump(told, open(path + '.json', 'w'))
    os.rename(path + '.part.npy', path + '.npy')


def generator(*key):
    return np.random.default_rng([zlib.crc32(str(k).encode()) for k in key])


def usual_copies(corpus, task, usual):
    for i in task.train:
        for k in range(MULTIPLY):
            yield sound.hear(usual(corpus.pcm(i), generator(task.seed, i, k))), corpus.told(i)


def outputs(folder):
    """Accepted outputs of `lac synth` in the order of their indices: (PCM, record)."""
    for name in sorted(n for n in os.listdir(folder) if n.endswith('.tar')):
        tar = tarfile.open(os.path.join(folder, name))
        members = {m.name: m for m in tar if not m.name.endswith('.json')}
        for line in open(os.path.join(folder, name[:-4] + '.jsonl')):
            r = json.loads(line)
            if r['accepted']:
                yield sf.read(io.BytesIO(tar.extractfile(members[r['file']]).read()), dtype='float32')[0], r


def made(folder, usual=None):
    for x, r in outputs(folder):
        x = usual(x, generator(r['seed'])) if usual else x
        yield sound.hear(x), {'speaker': r['speaker'], 'text': r['text'], 'index': r['index'],
                              'content': r['sources'][0]['path']}


class Banks:
    """The banks of RUNS/usefulness. synthesis(task, plan) -> the folder of that plan's outputs, made by then."""

    def __init__(self, corpus, usual, runs, synthesis):
        self.corpus, self.usual, self.synthesis = corpus, usual, synthesis
        self.root = os.path.join(runs, 'usefulness')

    def get(self, task, name):
        plan, _, augmented = name.partition('+')
        key = '%s-%s' % (task.name if name == 'real' else task.id, name)
        folder = self.synthesis(task, plan) if plan not in ('real', 'usual') else None
        if folder:
            key = '%s-%s%s' % (task.id, os.path.basename(folder), '+usual' if augmented else '')
        path = os.path.join(self.root, 'heard', key)
        if not os.path.exists(path + '.npy'):
            print('hearing', key, file=sys.stderr, flush=True)
            write(path, made(folder, self.usual if augmented else None) if folder else self.hear(task, name))
        return Bank(path)

    def hear(self, task, name):
        if name == 'usual':
            return usual_copies(self.corpus, task, self.usual)
        return ((sound.hear(self.corpus.pcm(i)), self.corpus.told(i)) for i in task.everyone())
