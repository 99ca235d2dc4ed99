"""Phones of the clips whose text is what is said: phones.py MANIFEST CLIPS OUT

espeak-ng reads each text in its language; stress and length are dropped, and the symbols of English, Dutch and
German merged into one list. OUT, JSON: 'phones', the symbols, and 'clips', for each row of CLIPS (clips.json) a
list of phones, 1 the first symbol, or null.
"""
import json
import re
import subprocess
import sys
from collections import Counter
from functools import lru_cache

VOICES = {'en': 'en-us', 'nl': 'nl', 'de': 'de'}
KINDS = ('sentence', 'word', 'spelling')
LABELS = ('alphanumeric_accents',)             # their texts name what was read, they do not say it
PAIRS = 'tʃ dʒ ts aɪ aʊ eɪ oʊ ɔɪ ɔø œy ɛɪ ʌʊ'.split()
NEAR = {'ɔø': 'ɔɪ', 'ɛɪ': 'eɪ', 'ʌʊ': 'aʊ', 'e': 'eɪ', 'o': 'oʊ', 'ɐ': 'ə', 'ᵻ': 'ɪ', 'ɜ': 'ɚ', 'ɝ': 'ɚ', 'ɒ': 'ɔ',
        'ʁ': 'r', 'ʀ': 'r', 'χ': 'x', 'ɣ': 'x', 'ʋ': 'v', 'g': 'ɡ', 'ɫ': 'l', 'ʏ': 'y', 'ɵ': 'ʏ', 'ɱ': 'm',
        'ɲ': 'n', 'œ': 'ø', 'ʔ': '', '?': '', 'ɕ': 'ʃ', 'ʑ': 'ʒ', 'β': 'v', 'ʎ': 'l', 'ɬ': 'l'}
IGNORED = re.compile('[ˈˌːˑʲ\u0303\u0329\u032f\u0361\u200d\'-]')


def split(unit):
    """'əl' -> ['ə', 'l']: espeak's unit to symbols of the list."""
    unit, symbols = IGNORED.sub('', unit), []
    while unit:
        n = 2 if unit[:2] in PAIRS else 1
        symbols.append(NEAR.get(unit[:n], unit[:n]))
        unit = unit[n:]
    return [s for s in symbols if s]


@lru_cache(None)
def pronounce(text, lang):
    """-> symbols."""
    said = subprocess.run(['espeak-ng', '-q', '-v', VOICES[lang], '--ipa', '--sep=_', '--', text],
                          check=True, capture_output=True, text=True).stdout
    said = re.sub(r'\([a-z-]+\)', '', said)    # changes of language
    return [s for unit in re.split(r'[_\s]+', said) for s in split(unit)]


def phones_of(row):
    """-> symbols, or None of a row whose text does not say them."""
    if row.get('text_kind') not in KINDS or row['lang'] not in VOICES or row['source'] in LABELS:
        return None
    words = row['text'].lower().split() if row['text_kind'] == 'spelling' else [row['text'].lower()]
    return [s for w in words for s in pronounce(w, row['lang'])]


def main(manifest, clips, out):
    rows = {r['path']: r for r in map(json.loads, open(manifest))}
    spoken = [phones_of(rows[c['path']]) for c in json.load(open(clips))]
    count = Counter(s for p in spoken if p for s in p)
    symbols = sorted(count)
    index = {s: i + 1 for i, s in enumerate(symbols)}
    json.dump({'phones': symbols, 'clips': [p and [index[s] for s in p] for p in spoken]}, open(out, 'w'))
    print(len(symbols), 'phones;', sum(p is not None for p in spoken), 'clips;', sum(count.values()), 'in all')
    print(' '.join('%s %d' % c for c in count.most_common()))


if __name__ == '__main__':
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
