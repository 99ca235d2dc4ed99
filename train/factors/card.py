"""Fill the tables of the factor model's card: card.py CARD DATA RUNS [LAC MODEL.lacf]

A table stands between the lines <!-- NAME --> and <!-- end of NAME -->. They are made of DATA/clips.json,
RUNS/factors-*/state.pt, the scores in RUNS/factors-*/scores.json, RUNS/factors-certificate.json, the licences in
the codec's card, and what LAC tells about the model. What has no scores is said not to be measured.
"""
import json
import os
import re
import subprocess
import sys
import torch
from loop import DEFAULTS
from surroundings_scores import cell

NETWORKS = ('content', 'speaker', 'surroundings', 'style', 'generator')
LEAVE = set(DEFAULTS) - {'seed', 'muon_rate', 'weight_decay'} | {'steps', 'sets'}
KINDS = ('linear', 'two-layer')
TITLES = {'speaker': 'speaker of 40', 'speaker, an4': 'speaker within AN4', 'phone': 'phone', 'codec': 'codec of 4',
          'f0': 'F0, cents', 'snr': 'SNR, dB', 't60': 'T60, s', 'bandwidth': 'bandwidth'}
NUMBERS = {'f0': 0, 'snr': 1, 't60': 2, 'bandwidth': None}        # digits behind the point of errors
ROWS = {'speaker': 'speaker vector', 'content': 'content codes', 'style': 'style, frames',
        'style items': 'style, items', 'environment': 'environment', 'channel': 'channel', 'latents': 'raw latents'}


def markdown(head, rows):
    return '\n'.join('| %s |' % ' | '.join(r) for r in [head, ['---'] * len(head), *rows]) + '\n'


def percent(v):
    return '%.1f (%.1f .. %.1f)' % tuple(100 * x for x in v)


def plain(v):
    return '%.3f (%.3f .. %.3f)' % tuple(v)


def sources(data, codec_card):
    """Hours of each source in each split, its licence."""
    clips = json.load(open(os.path.join(data, 'clips.json')))
    splits = ('train', 'valid', 'heldout', 'reserved', 'dev')
    licence = dict(re.findall(r'^\| train \| (\S+) \|.*\| ([^|]+) \|$', open(codec_card).read(), re.M))
    rows = []
    for name in sorted({c['source'] for c in clips}):
        hours = [sum(c['seconds'] for c in clips if (c['source'], c['split']) == (name, s)) / 3600 for s in splits]
        rows.append([name, *('%.2f' % h if h else '' for h in hours), licence.get(name, '')])
    people = [len({c['speaker'] for c in clips if c['split'] == s} - {None}) for s in splits]
    hours = [sum(c['seconds'] for c in clips if c['split'] == s) / 3600 for s in splits]
    rows += [['all', *('%.2f' % h for h in hours), ''], ['speakers', *map(str, people), '']]
    return markdown(['hours', *splits, 'licence'], rows)


def networks(runs):
    rows = []
    for n in NETWORKS:
        path = os.path.join(runs, 'factors-' + n, 'state.pt')
        if not os.path.exists(path):
            continue
        s = torch.load(path, map_location='cpu', weights_only=False)
        states = s['ema'].values() if n == 'content' else [s['ema']]
        size = sum(v.numel() for state in states for v in state.values())
        options = ', '.join('%s %s' % (k, json.dumps(v).replace('"', '')) for k, v in s['options'].items()
                            if k not in LEAVE)
        rows.append(['content, phones' if n == 'content' else n, '{:,}'.format(size),
                     '%d of %d' % (s['step'], s['options']['steps']), options])
    return markdown(['network', 'parameters', 'steps', 'options'], rows)


def model(lac, path):
    known = json.loads(subprocess.run([lac, 'info', '--json', path], check=True, capture_output=True).stdout)
    return markdown(['', ''], [[k.replace('_', ' '), '{:,}'.format(v) if isinstance(v, int) else str(v)]
                               for k, v in known.items()])


def speaker(d):
    kinds = list(next(iter(d['verification'].values())))
    equal = lambda e: percent((e['eer'], e['low'], e['high']))              # noqa: E731
    table = markdown(['equal error rate, %', *kinds, kinds[0] + ', AN4 only', kinds[0] + ', LibriSpeech only'],
                     [[name, *(equal(v[k]['all']) for k in kinds), equal(v[kinds[0]]['an4']),
                       equal(v[kinds[0]]['librispeech'])] for name, v in d['verification'].items()])
    head = ['calibration on the held-out speakers', 'expected calibration error', 'missed, %', 'accepted, %']
    told = markdown(head, [[k, '%.3f' % r['error'], '%.1f' % (100 * r['miss']), '%.1f' % (100 * r['accept'])]
                           for k, r in d['reliability'].items()])
    return table + '\n' + told


def content(d):
    head, rows = ['phone error, %', 'phones', 'content codes', 'raw latents', 'ratio'], []
    for f, r in d.get('phone_error', {}).items():
        raw = ['not measured yet'] * 2
        if 'raw' in r:
            raw = ['%.1f' % (100 * r['raw']), plain((r['ratio'], *r['ratio_interval']))]
        rows.append([f, str(r['phones']), percent((r['tokens'], *r['tokens_interval'])), *raw])
    table = markdown(head, rows) if rows else ''
    rows = []
    for name, g, length, e in ((n, g, k, e) for n, groups in d.get('identity', {}).items()
                               for g, lengths in groups.items() for k, e in lengths.items()):
        told = [percent((e[k]['accuracy'], e[k]['low'], e[k]['high'])) if k in e else '' for k in KINDS]
        rows.append([name, g, length, *told, '%.1f' % (100 * list(e.values())[0]['chance'])])
    head = ['speaker told from', 'among', 'of', *('%s, %%' % k for k in KINDS), 'chance, %']
    return table + ('\n' + markdown(head, rows) if rows else '')


def style(d):
    names = list(next(iter(d['scores'].values())))
    return markdown(['', *names], [[k, *(plain(r[n]) for n in names)] for k, r in d['scores'].items()])


def surroundings(d):
    rows = [['%s, %s' % (r['what'], r['of']), str(r['clips']), cell(r['what'], tuple(r['network'])),
             cell(r['what'], tuple(r['raw'])), str(r['goal'] or '')] for r in d['rows']]
    return markdown(['median error; codec: share wrong', 'clips', 'network', 'raw latents', 'goal'], rows) + (
        '\nAlways "not coded" would be wrong in %.3f.\n' % d['codec_guess'])


def generator(d):
    return '%d clips, %d speakers; accepted above the cosine %.3f.\n\n%s' % (
        d['clips'], d['speakers'], d['threshold'],
        markdown(['', ''], [[k.replace('_', ' '), plain(v)] for k, v in d.items() if isinstance(v, list)]))


def spread(v, digits=2):
    return '%.*f (%.*f .. %.*f)' % (digits, v[1], digits, v[0], digits, v[2])


def voices(d):
    """Middles with 5 % and 95 % where a distribution is described, shares with 95 % intervals."""
    rows, told = [], lambda t, k: percent(t[k]['nearest neighbour']) if t else ''      # noqa: E731
    for n, r in d['described'].items():
        t, known = d['tests'].get(n), d['likelihood'].get(n)
        rows.append([n, *('%.1f' % known[k] if known else '' for k in ('valid', 'heldout')), told(t, 'valid'),
                     told(t, 'heldout'), spread(r['nearest training speaker']), spread(r['cosine among them']),
                     spread(r['median pitch, Hz'], 0)])
    table = markdown(['', 'log likelihood, valid', 'held out', 'told from valid, %', 'from held out, %',
                      'cosine to nearest in training', 'cosine among them', 'median pitch, Hz'], rows)
    columns = {'train': 'draws, of the training speakers', 'heldout': 'draws, of the held-out',
               'real, valid': 'valid people, of the training speakers',
               'real, heldout': 'held-out people, of the training speakers'}
    shares = markdown(['nearer than, %', *columns.values()],
                      [[k, *('%.1f' % (100 * d['limits'][c][k]) for c in columns)] for k in d['limits']['train']])
    found = markdown(['attributes', ''], [[k, '%.2f' % v] for k, v in d['attributes'].items()
                                          if not isinstance(v, list)])
    places = markdown(['read off', 'sampled', 'valid clips in made-up rooms', 'neutral'],
                      [[k, *(spread(v) for v in r.values()), '%.2f' % n]
                       for (k, r), n in zip(d['places'].items(), d['neutral']['read'])])
    tables = [table, shares, found, places]
    if 'heard' in d:
        rows = [[k, *('%.2f' % v for v in r.values())] for k, r in d['heard']['rows'].items()]
        tables.append(markdown(['%d clips said by' % d['heard']['clips'], *d['heard']['heads']], rows))
    return '\n'.join(tables)


def probed(d, names, head, entry, chance):
    """A table of columns `names` of the certificate."""
    rows = [[title, kind, *(entry(c, d['columns'][c][r][kind]) for c in names)]
            for r, title in ROWS.items() for kind in KINDS]
    last = ['chance', '', *(chance(c, d['columns'][c]['latents']['linear']) for c in names)]
    return markdown([head, 'probe', *(TITLES[c] for c in names)], [*rows, last])


def error(c, e, keys=('median_error', 'error_low', 'error_high')):
    v = ['%.*f' % (NUMBERS[c], e[k]) for k in keys]
    return '%s (%s .. %s)' % tuple(v) if len(v) == 3 else v[0]


def certificate(d):
    """What probes tell, and for numbers how far off they are; not of bandwidth: most clips have the median."""
    classes, numbers = [c for c in TITLES if c not in NUMBERS], list(NUMBERS)
    return 'Networks after %s steps%s.\n\n%s\n%s\n%s' % (
        ', '.join('%d (%s)' % (v, k) for k, v in d['steps'].items()),
        '; a quick run, with few rows' if d['quick'] else '',
        probed(d, classes, 'right, %', lambda c, e: percent((e['accuracy'], e['low'], e['high'])),
               lambda c, e: '%.1f' % (100 * e['chance'])),
        probed(d, numbers, 'correlation', lambda c, e: '%.2f (%.2f .. %.2f)' % (
            e['correlation'], e['low'], e['high']), lambda c, e: '0'),
        probed(d, numbers[:-1], 'median error', error, lambda c, e: error(c, e, ['chance_error'])))


def fill(text, name, table):
    pattern = re.compile('(<!-- %s -->\n).*?(<!-- end of %s -->)' % (name, name), re.S)
    assert len(pattern.findall(text)) == 1, name
    return pattern.sub(lambda m: '%s\n%s\n%s' % (m[1], table, m[2]), text)


def main(card, data, runs, lac=None, lacf=None):
    codec_card = os.path.join(os.path.dirname(card), 'speech24.md')
    text, made = open(card).read(), {'sources': sources(data, codec_card), 'networks': networks(runs)}
    if lacf:
        made['model'] = model(lac, lacf)
    for write in (speaker, content, style, surroundings, generator, voices, certificate):
        name = write.__name__
        where = 'factors-certificate.json' if name == 'certificate' else 'factors-%s/scores.json' % name
        path = os.path.join(runs, where)
        made[name] = write(json.load(open(path))) if os.path.exists(path) else 'Not measured yet.\n'
    for name, table in made.items():
        text = fill(text, name, table)
    open(card, 'w').write(text)


if __name__ == '__main__':
    if len(sys.argv) not in (4, 6):
        sys.exit(__doc__)
    main(*sys.argv[1:])
