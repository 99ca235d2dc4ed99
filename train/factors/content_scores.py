"""What content codes keep and lose: content_scores.py DATA OUT RUN [--raw RUN] [--split heldout]

RUN is a run of content.py; --raw another, of the same steps and batches, whose recogniser reads latents without a
bottleneck ("bottleneck": false). Printed, and written to OUT as JSON, for speakers never trained on:
    phone error rate of both, and their ratio
    who speaks, told by probes from 0.22 s (11 frames) and pooled 3 s of latents, of codes, and of the phones of the
    text spread evenly over the clip (what the wording alone gives away); among all, and among an4's alone
Intervals are of 95 %, by drawing clips again.
"""
import argparse
import json
import os
import numpy as np
import torch
import content
import nets
import probes
import splits

WINDOW, STRETCH = 11, 150                      # frames of 20 ms
FRAMES, STRETCHES = 1000, 16                   # of a speaker, at most
torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', 1)))


def load(run, data):
    """-> content.Training with averaged weights."""
    s = torch.load(os.path.join(run, 'state.pt'), map_location='cpu', weights_only=False)
    t = content.Training(data, s['options'], s['config'])
    t.content.load_state_dict(s['ema']['content'])
    t.phones.load_state_dict(s['ema']['phones'])
    t.content.eval()
    t.phones.eval()
    return t, s['step']


def batches(data, clips, size=12):
    """-> (clips, latents [B, T, D]), zeros behind."""
    clips = sorted(clips, key=lambda i: data.clips[i]['frames'])
    for part in (clips[k:k + size] for k in range(0, len(clips), size)):
        t = data.clips[part[-1]]['frames']
        z = np.zeros((len(part), t + t % 2, nets.LATENT), np.float32)
        for b, i in enumerate(part):
            z[b, :data.clips[i]['frames']] = data.latents('base', i)
        yield part, torch.from_numpy(z)


@torch.no_grad()
def run_over(training, data, clips):
    """-> {clip: (digits at 50 Hz or None, phones read)}"""
    found, stride = {}, training.m['stride']
    half = training.content.levels // 2
    for part, z in batches(data, clips):
        codes, _ = training.codes(z)
        logits = training.phones(codes)
        for b, i in enumerate(part):
            n = data.clips[i]['frames']
            digits = None
            if training.o['bottleneck']:
                digits = (codes[b] * half + half).round().long().repeat_interleave(stride, 0)[:n]
            found[i] = digits, content.read(logits[b, :-(-n // stride)])
    return found


def error_counts(data, found, clips):
    """[clips with a text][2]: edits, phones; and which of the collections."""
    clips = [i for i in clips if data.phones['clips'][i]]
    counts = [(content.edits(data.phones['clips'][i], found[i][1]), len(data.phones['clips'][i])) for i in clips]
    return np.array(counts), np.array([content.family(data.clips[i]['speaker']) for i in clips])


def rate(counts, rows):
    return counts[rows, 0].sum() / counts[rows, 1].sum()


def phone_errors(data, tokens, raw, clips):
    """Phone error rates by collection with intervals, and tokens' over raw's."""
    table, (a, families) = {}, error_counts(data, tokens, clips)
    b = error_counts(data, raw, clips)[0] if raw else None
    for f in ('all', 'an4', 'librispeech'):
        use = np.flatnonzero((families == f) | (f == 'all'))
        row = {'phones': int(a[use, 1].sum()), 'tokens': rate(a, use),
               'tokens_interval': probes.bootstrap(lambda r: rate(a, use[r]), use)}
        if raw:
            row.update(raw=rate(b, use), ratio=rate(a, use) / rate(b, use),
                       ratio_interval=probes.bootstrap(lambda r: rate(a, use[r]) / rate(b, use[r]), use))
        table[f] = row
    return table


def one_hot(digits, levels):
    return np.concatenate([np.eye(n, dtype=np.float32)[digits[:, k]] for k, n in enumerate(levels)], 1)


def text_frames(data, i):
    n, said = data.clips[i]['frames'], data.phones['clips'][i] or [0]
    return np.eye(1 + len(data.phones['phones']), dtype=np.float32)[np.array(said)[np.arange(n) * len(said) // n]]


def speech(data, i):
    """Frames within 40 dB of the clip's loudest."""
    c = data.clips[i]
    e = data.energy[c['first']:c['first'] + c['frames']]
    return np.flatnonzero(e > e.max() - 40)


def divide(data, clips):
    """Clips by speaker -> enrol, choose, test: {speaker: clips}, half, a sixth and a third of them or so."""
    parts, by = ({}, {}, {}), {}
    for i in clips:
        by.setdefault(data.clips[i]['speaker'], []).append(i)
    for s in sorted(by):
        for k, i in enumerate(by[s]):
            parts[(0, 2, 0, 1, 2, 0)[k % 6]].setdefault(s, []).append(i)
    return parts


def window_set(data, features, part, speakers):
    x, y, group = [], [], []
    for s in speakers:
        rows = [(i, t) for i in part[s] for t in speech(data, i)]
        kept = {}
        for i, t in rows[::max(1, len(rows) // FRAMES)]:
            kept.setdefault(i, []).append(t)
        for i, t in kept.items():
            x.append(probes.windows(features[i], WINDOW)[t].astype(np.float16))
            y += [speakers.index(s)] * len(t)
            group += [i] * len(t)
    return probes.Set(np.concatenate(x), np.array(y), np.array(group))


def stretch_set(data, features, part, speakers):
    """Stretches of speech, every other frame with its neighbours: x [N, 75, F]; they overlap by half."""
    x, y, group = [], [], []
    for s in speakers:
        frames = np.concatenate([probes.windows(features[i], WINDOW)[speech(data, i)].astype(np.float16)
                                 for i in part[s]])
        clip = np.concatenate([np.full(len(speech(data, i)), i) for i in part[s]])
        starts = list(range(0, max(1, len(frames) - STRETCH + 1), STRETCH // 2))[:STRETCHES]
        for a in starts:
            rows = np.arange(a, a + STRETCH, 2) % len(frames)
            x.append(frames[rows])
            y.append(speakers.index(s))
            group.append(clip[a])
    return probes.Set(np.stack(x), np.array(y), np.array(group))


def identities(data, features, clips, kinds=probes.KINDS):
    """{features: {speakers: {length: {kind: classify()}}}}"""
    parts, table = divide(data, clips), {}
    everyone = sorted(parts[0])
    groups = {'all': everyone, 'an4': [s for s in everyone if content.family(s) == 'an4']}
    for name, f in features.items():
        for g, speakers in groups.items():
            for length, make in (('0.22 s', window_set), ('3 s', stretch_set)):
                sets = [make(data, f, p, speakers) for p in parts]
                for kind in kinds:
                    found = probes.classify(*sets, kind, len(speakers))
                    table.setdefault(name, {}).setdefault(g, {}).setdefault(length, {})[kind] = found
                    print('%-8s %-4s %-6s %-9s %5.1f %% (%.1f .. %.1f), chance %.1f' % (
                        name, g, length, kind, *(100 * found[k] for k in ('accuracy', 'low', 'high', 'chance'))),
                        flush=True)
    return table


def several(data, split):
    """Clips of the split's speakers who have four or more."""
    clips = [i for i, c in enumerate(data.clips) if c['split'] == split and c['speaker']]
    names = [data.clips[i]['speaker'] for i in clips]
    return [i for i, s in zip(clips, names) if names.count(s) >= 4]


def leak(training, data):
    """How often a probe tells which of the valid speakers says 3 s of codes: to watch a training by."""
    clips = several(data, 'valid')
    tokens, parts = run_over(training, data, clips), divide(data, clips)
    hot = {i: one_hot(tokens[i][0].numpy(), training.m['levels']) for i in clips}
    speakers = sorted(parts[0])
    with torch.enable_grad():
        return probes.classify(*(stretch_set(data, hot, p, speakers) for p in parts), 'two-layer', len(speakers),
                               rounds=1)['accuracy']


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('data', 'out', 'run'):
        p.add_argument(name)
    p.add_argument('--raw')
    p.add_argument('--split', default='heldout', help='valid: to choose by')
    p.add_argument('--only', choices=('phones', 'speaker'))
    p.add_argument('--features', nargs='+', default=['tokens', 'latents', 'text'])
    p.add_argument('--kinds', nargs='+', default=probes.KINDS)
    a = p.parse_args()
    data = content.Data(a.data)
    clips = [i for i, c in enumerate(data.clips) if c['split'] == a.split and c['speaker']]
    tested = {data.clips[i]['speaker'] for i in clips}
    assert not tested & {data.clips[i]['speaker'] for i in data.train}
    assert a.split != 'heldout' or tested == set(splits.listed('heldout.txt'))
    training, step = load(a.run, data)
    tokens = run_over(training, data, clips) if a.only != 'speaker' or 'tokens' in a.features else None
    result = dict(run=a.run, step=step, split=a.split, speakers=len(tested))
    if a.only != 'speaker':
        raw = run_over(load(a.raw, data)[0], data, clips) if a.raw else None
        result['phone_error'] = phone_errors(data, tokens, raw, clips)
        print(json.dumps(result, indent=1), flush=True)
    if a.only != 'phones':
        many = several(data, a.split)
        features = {'tokens': lambda i: one_hot(tokens[i][0].numpy(), training.m['levels']),
                    'latents': lambda i: data.latents('base', i), 'text': lambda i: text_frames(data, i)}
        made = {k: {i: features[k](i) for i in many} for k in a.features}
        result['identity'] = identities(data, made, many, a.kinds)
    json.dump(result, open(a.out, 'w'), indent=1)


if __name__ == '__main__':
    main()
