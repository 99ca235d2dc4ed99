"""Who may be trained on: splits.py MANIFEST writes heldout.txt and reserved.txt beside itself.

    heldout     40 speakers of at least 4 clips, never seen in any training: published numbers are theirs
    reserved    all speakers of alphanumeric_accents but the three seed voices (they have 2 or 3 clips each, so
                that none can be held out), and all of the dev split but four who have a source to themselves
    valid       24 speakers to choose models and calibrate by
    dev         clips of the manifest's dev split, whoever speaks
    train       all else; clips without a speaker too

load(manifest) and assert_disjoint(speakers) are what the other scripts use.
"""
import json
import os
import random
import sys
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
HELDOUT = {'an4': 30, 'librispeech': 10}
VALID = {'an4': 12, 'librispeech': 4}           # of at least 4 clips
VALID_SHORT = 8                                 # of one clip, LibriSpeech
SEED_VOICES = ('alphanumeric_accents:R_3nAeHdtYMOFbRQJ', 'alphanumeric_accents:R_1wB3pJ1YQM5wyqI',
               'alphanumeric_accents:R_7OVSal7s7tNbjLO')
OWN_SOURCE = ('rhasspy_kathleen:kathleen', 'rhasspy_flemishguy:flemishguy', 'rhasspy_nathalie_lossy:nathalie',
              'ljspeech:LJ')


def read_manifest(manifest):
    return [json.loads(line) for line in open(manifest)]


def family(speaker):
    return speaker.split(':')[0] if speaker else None


def listed(name):
    return open(os.path.join(HERE, name)).read().split()


def reserved_of(rows):
    known = {r['speaker'] for r in rows if r['split'] in ('train', 'dev') and r['speaker']}
    dev = {r['speaker'] for r in rows if r['split'] == 'dev' and r['speaker']} - set(OWN_SOURCE)
    return sorted(dev | {s for s in known if family(s) == 'alphanumeric_accents'} - set(SEED_VOICES))


def chosen(rows):
    """-> (heldout, valid), a function of the manifest."""
    count = Counter(r['speaker'] for r in rows if r['split'] == 'train' and r['speaker'])
    left, rng = sorted(set(count) - set(reserved_of(rows))), random.Random(8)
    rng.shuffle(left)
    heldout, valid = [], []
    for f in HELDOUT:
        many = [s for s in left if family(s) == f and count[s] >= 4]
        heldout += many[:HELDOUT[f]]
        valid += many[HELDOUT[f]:HELDOUT[f] + VALID[f]]
    valid += [s for s in left if family(s) == 'librispeech' and count[s] == 1][:VALID_SHORT]
    return sorted(heldout), sorted(valid)


def load(manifest):
    """Clips of the train and dev splits in the order of train/data.py's, each with its 'split'."""
    rows = read_manifest(manifest)
    of = {s: 'valid' for s in chosen(rows)[1]}
    of.update({s: 'reserved' for s in listed('reserved.txt')})
    of.update({s: 'heldout' for s in listed('heldout.txt')})
    clips = [dict(r, split=of.get(r['speaker'], 'train')) for r in rows if r['split'] == 'train']
    clips += [r for r in rows if r['split'] == 'dev']
    assert_disjoint([c['speaker'] for c in clips if c['split'] == 'train'])
    return clips


def assert_disjoint(train_speakers):
    """What trains calls this with its list of speakers, what tests with the list of the training that it judges."""
    both = set(train_speakers) & set(listed('heldout.txt') + listed('reserved.txt'))
    assert not both, 'held-out speakers in training: ' + ' '.join(sorted(both))


def main(manifest):
    rows = read_manifest(manifest)
    for name, speakers in (('heldout.txt', chosen(rows)[0]), ('reserved.txt', reserved_of(rows))):
        open(os.path.join(HERE, name), 'w').write('\n'.join(speakers) + '\n')
    clips = load(manifest)
    for split in ('train', 'valid', 'heldout', 'reserved', 'dev'):
        mine = [c for c in clips if c['split'] == split]
        print('%-8s %4d speakers %4d clips %5.2f h' % (split, len({c['speaker'] for c in mine} - {None}), len(mine),
                                                      sum(c['seconds'] for c in mine) / 3600))


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
