"""The three tasks: who trains, who chooses, who tests, and that nobody does two of it."""
import glob
import json
import os
import sys
from collections import Counter
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'factors'))
import splits                                                                # noqa: E402

SIZES = {'an4': (5, 10, 20), 'accents': (3,), 'verification': (40,)}
KINDS = ('Addresses', 'Names', 'Numbers')       # read in alphanumeric_accents; the words are not written down
FAMILIES = {'an4': 30, 'librispeech': 10}       # of the 40 training speakers, as of the 40 held out
MOST = 12                                       # clips of a training speaker in verification


class Task:
    """`train`, `valid`, `test`: indices of `clips` (clips.json of train/data/factors); `speakers`, who trains."""

    def __init__(self, name, size, seed, clips):
        self.name, self.size, self.seed, self.clips = name, size, seed, clips
        self.id = '%s-%d-%d' % (name, size, seed)
        self.speakers = getattr(self, name)()
        assert len(set(self.speakers)) == size
        most = MOST if name == 'verification' else 1000
        self.train = [c for s in self.speakers for c in self.of(('train',), (s,))[:most]]

    def of(self, parts, speakers=None, family=None):
        return [i for i, c in enumerate(self.clips) if c['split'] in parts and
                (c['speaker'] in speakers if speakers else splits.family(c['speaker']) == family)]

    def shuffled(self, family, least):
        count = Counter(c['speaker'] for c in self.clips if c['split'] == 'train')
        known = sorted(s for s in count if splits.family(s) == family and count[s] >= least)
        return [str(s) for s in np.random.default_rng([9, self.seed]).permutation(known)]

    def an4(self):
        self.valid, self.test = self.of(('valid',), family='an4'), self.of(('heldout',), family='an4')
        return self.shuffled('an4', 4)[:self.size]

    def accents(self):
        self.valid, self.test = [], self.of(('reserved', 'dev'), family='alphanumeric_accents')
        return list(splits.SEED_VOICES)

    def verification(self):
        self.valid = [i for f in FAMILIES for i in self.of(('valid',), family=f)]
        self.test = self.of(('heldout',), splits.listed('heldout.txt'))
        return [s for f, n in FAMILIES.items() for s in self.shuffled(f, MOST)[:n]]

    def everyone(self):
        """All clips that some task of this name may need, whatever its size and seed."""
        known = {'an4': [('train', 'an4')], 'accents': [('train', 'alphanumeric_accents')],
                 'verification': [('train', f) for f in FAMILIES]}[self.name]
        return sorted({i for part, f in known for i in self.of((part,), family=f)} | set(self.valid + self.test))

    def voices(self, part):
        return sorted({self.clips[i]['speaker'] for i in part})


def trained(runs, clips):
    """{name: speakers} of every list that a factor network was trained with; the splits' is all of theirs."""
    lists = {'splits.py': {c['speaker'] for c in clips if c['split'] == 'train'} - {None}}
    for path in sorted(glob.glob(os.path.join(runs, '*', 'speakers.json'))):
        lists[path] = set(json.load(open(path)))
    return lists


def assert_apart(task, manifest, runs, rows):
    """No test speaker among those that the factor networks, the synthesis (rows of its manifest) or the task's own
    networks were trained with or chosen by."""
    told = {c['path']: c['split'] for c in splits.load(manifest)}
    assert all(told[c['path']] == c['split'] for c in task.clips), 'clips.json is of other splits'
    test = set(task.voices(task.test))
    assert test and test <= set(splits.listed('heldout.txt') + splits.listed('reserved.txt'))
    lists = dict(trained(runs, task.clips), synthesis={r['speaker'] for r in rows if r.get('speaker')},
                 task=set(task.speakers), valid=set(task.voices(task.valid)))
    for name, speakers in lists.items():
        splits.assert_disjoint(speakers)
        assert not test & speakers, '%s: test speakers %s' % (name, ' '.join(sorted(test & speakers)))
    return {name: len(s) for name, s in lists.items()}
