"""Train content codes and the phone recogniser on them: content.py DATA RUN [--options JSON] [--from RUN]
    [--network JSON]

A row of a batch is clips laid one after the other, each in one of its aligned sets or as a few codebooks leave it.
Losses:
    ctc      phones from the codes (connectionist temporal classification), where a clip has any
    rebuild  a network thrown away afterwards tells the latents of the clip as it was from the codes, its pitch and
             energy, and the mean and deviation of the speaker's latents: the codes keep what those leave open
    same     codes of a changed clip against those of the clip as it was
    window   who speaks, told from 11 codes, and pooled: from all of a clip; both by adversaries whose gradients the
             codes get reversed (arXiv 1505.07818). They choose among speakers of the same collection only.
    halves   an adversary that tells which halves belong to one clip: a voice (a changed one too) or a channel
DATA needs clips.json, phones.json, SET.i16, base.tokens, f0.f32 and energy.f32.
"""
import argparse
import json
import os
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import nets
import splits
from loop import Loop, Reverse
from quantise import Quantiser

HERE = os.path.dirname(os.path.abspath(__file__))
MODEL = os.path.join(HERE, '..', '..', 'models', 'speech24.lacm')
ROW = 960                                      # frames; the longest clip has 926
SHARE = {'librispeech_tc5': .30, 'librispeech_tc100sub': .06, 'librispeech_resemblyzer': .10, 'an4': .16,
         'rhasspy_kathleen': .08, 'ljspeech': .04, 'philippmatthes_readslj': .03, 'rhasspy_flemishguy': .05,
         'rhasspy_nathalie_lossy': .05, 'rhasspy_kerstin_lossy': .04, 'picovoice_wakeword': .03,
         'picovoice_s2i': .03, 'gcompris_lossy': .01, 'ovos_ww': .01, 'alphanumeric_accents': .01}     # of the time
OPTIONS = dict(steps=2700, rate=2e-3, rows=4, validate=250, log=25, save_seconds=120, bottleneck=True, noise=0.1,
               weights=dict(ctc=1.0, rebuild=3.0, same=2.0), reverse=1.0, reverse_steps=600, chase=4,
               views={'base': .25, 'coarse': .15, 'shift': .4, 'room': .2})


def family(speaker):
    f = splits.family(speaker) if speaker else None
    return f if f in ('an4', 'librispeech') else None


class Data:
    def __init__(self, folder):
        self.clips = json.load(open(os.path.join(folder, 'clips.json')))
        self.phones = json.load(open(os.path.join(folder, 'phones.json')))
        have = [s for s in ('base', 'shift0', 'shift1', 'shift2', 'room0', 'room1')
                if os.path.exists(os.path.join(folder, s + '.i16')) and self.whole(folder, s)]
        self.z = {s: np.memmap(os.path.join(folder, s + '.i16'), np.int16, 'r').reshape(-1, nets.LATENT)
                  for s in have}
        self.tokens = np.memmap(os.path.join(folder, 'base.tokens'), np.uint16, 'r').reshape(-1, 12)
        self.f0 = np.fromfile(os.path.join(folder, 'f0.f32'), np.float32)
        self.energy = np.fromfile(os.path.join(folder, 'energy.f32'), np.float32)
        self.quantiser = Quantiser(MODEL)
        self.train = [i for i, c in enumerate(self.clips) if c['split'] == 'train']
        splits.assert_disjoint([self.clips[i]['speaker'] for i in self.train])
        total = {}
        for i in self.train:
            total[self.clips[i]['source']] = total.get(self.clips[i]['source'], 0) + self.clips[i]['frames']
        p = np.array([SHARE[self.clips[i]['source']] / total[self.clips[i]['source']] for i in self.train])
        self.p = p / p.sum()
        self.speakers = sorted({self.clips[i]['speaker'] for i in self.train if family(self.clips[i]['speaker'])})
        self.about = self.statistics()

    def whole(self, folder, name):
        rows = sum(c['frames'] for c in self.clips)
        return os.path.getsize(os.path.join(folder, name + '.i16')) == rows * 2 * nets.LATENT

    def statistics(self):
        """Mean and deviation of each clip's speaker's latents [clips][128]; of the clip's where nobody is named."""
        sums = {}
        for i, c in enumerate(self.clips):
            z = self.latents('base', i)
            s = sums.setdefault(c['speaker'] or i, [0, 0, 0])
            s[0], s[1], s[2] = s[0] + len(z), s[1] + z.sum(0), s[2] + (z * z).sum(0)
        told = {k: np.concatenate([a / n, 3 * np.sqrt(b / n - (a / n) ** 2 + 1e-4) - 2])
                for k, (n, a, b) in sums.items()}
        return np.stack([told[c['speaker'] or i] for i, c in enumerate(self.clips)]).astype(np.float32)

    def latents(self, name, i):
        c = self.clips[i]
        return self.z[name][c['first']:c['first'] + c['frames']].astype(np.float32) / 512

    def coarse(self, i, codebooks):
        c = self.clips[i]
        t = torch.from_numpy(self.tokens[c['first']:c['first'] + c['frames']].astype(np.int64))
        return self.quantiser.dequantise(t, codebooks).numpy() / 512

    def style(self, i):
        """[frames][3]: pitch, voiced, energy, as the generator takes them."""
        rows = slice(self.clips[i]['first'], self.clips[i]['first'] + self.clips[i]['frames'])
        return nets.prosody(self.f0[rows], self.energy[rows])

    def view(self, i, views, rng):
        """-> (latents, changed)"""
        kind = rng.choice(list(views), p=list(views.values()))
        names = [s for s in self.z if s.startswith(kind)]
        if kind == 'coarse':
            return self.coarse(i, int(rng.integers(3, 13))), True
        return (self.latents(rng.choice(names), i), kind != 'base') if names else (self.latents('base', i), False)


class Rows:
    """Clips one after the other in rows: x (views), z (base), style, changed, about, and where each clip is."""

    def __init__(self, data, places, count, views, rng):
        self.places = places                   # [(clip, row, first)]
        self.x, self.z = np.zeros((2, count, ROW, nets.LATENT), np.float32)
        self.style, self.about = np.zeros((count, ROW, 3), np.float32), np.zeros((count, ROW, 128), np.float32)
        self.changed, self.mask, self.different = *np.zeros((2, count, ROW), np.float32), []
        for i, r, s in places:
            n = data.clips[i]['frames']
            self.x[r, s:s + n], changed = data.view(i, views, rng)
            self.z[r, s:s + n] = data.latents('base', i)
            self.style[r, s:s + n], self.about[r, s:s + n + n % 2] = data.style(i), data.about[i]
            self.changed[r, s:s + n], self.mask[r, s:s + n] = changed, 1
            self.different.append(changed)
        for k in ('x', 'z', 'style', 'about', 'changed', 'mask'):
            setattr(self, k, torch.from_numpy(getattr(self, k)))
        self.different = torch.tensor(self.different)


def pack(data, clips, count):
    """Clips into the first of `count` rows with room, those that find none are left out."""
    used, places = [0] * count, []
    for i in clips:
        n = data.clips[i]['frames'] + data.clips[i]['frames'] % 2
        r = next((r for r in range(count) if used[r] + n <= ROW), None)
        if r is not None:
            places.append((i, r, used[r]))
            used[r] += n
    return places


class Rebuild(nn.Module):
    """Codes [B, S, d], style [B, S stride, 3], about [B, S, 128] -> latents [B, S stride, D]; 3 codes ahead."""

    def __init__(self, dimensions, stride, width=192, blocks=3):
        super().__init__()
        self.stride = stride
        self.about = nn.Linear(128, 48)
        self.input = nets.CausalConv(dimensions + 3 * stride + 48, width, 3)
        self.blocks = nn.ModuleList([nets.Block(width, 2, 7) for _ in range(blocks)])
        self.norm, self.output = nn.LayerNorm(width), nn.Linear(width, nets.LATENT * stride)

    def forward(self, codes, style, about):
        b, s, _ = codes.shape
        x = torch.cat([codes, style.reshape(b, s, -1), torch.tanh(self.about(about))], -1)
        x = self.input(F.pad(x, (0, 0, 0, 3)))
        for block in self.blocks:
            x = block(x)
        return self.output(self.norm(x[:, 3:])).float().reshape(b, s * self.stride, -1)


class Adversary(nn.Module):
    """Codes [B, S, d] -> log odds of speakers from 11 codes [B, S, N], and of all codes of each clip [clips, N]."""

    def __init__(self, dimensions, speakers, width=192):
        super().__init__()
        self.window = nn.Conv1d(dimensions, width, 11, padding=5)
        self.hidden, self.output = nn.Linear(width, width), nn.Linear(width, speakers)
        self.pooled_hidden, self.pooled = nn.Linear(2 * width, width), nn.Linear(width, speakers)

    def forward(self, codes, segments):
        h = F.gelu(self.window(codes.transpose(1, 2)).transpose(1, 2), approximate='tanh')
        h = F.gelu(self.hidden(h), approximate='tanh')
        parts = [h[r, a:b].float() for r, a, b in segments]
        pools = torch.stack([torch.cat([p.mean(0), (p.var(0, correction=0) + 1e-4).sqrt()]) for p in parts])
        pooled = self.pooled(F.gelu(self.pooled_hidden(pools), approximate='tanh'))
        return self.output(h).float(), pooled.float()


class Halves(nn.Module):
    """Codes -> unit vectors of the first and of the second half of clips, which are to find each other by voice."""

    def __init__(self, dimensions, width=192, size=64):
        super().__init__()
        self.window = nn.Conv1d(dimensions, width, 11, padding=5)
        self.hidden, self.output = nn.Linear(width, width), nn.Linear(2 * width, size)
        self.scale = nn.Parameter(torch.tensor(8.0))

    def pool(self, h):
        return torch.cat([h.mean(0), (h.var(0, correction=0) + 1e-4).sqrt()])

    def forward(self, codes, segments, rivals):
        """Cross-entropy of the other half among those of rivals [clips, clips], itself included."""
        h = F.gelu(self.window(codes.transpose(1, 2)).transpose(1, 2), approximate='tanh')
        h = F.gelu(self.hidden(h), approximate='tanh').float()
        halves = [torch.stack([self.pool(p) for p in parts]) for parts in zip(*(
            (h[r, a:(a + b) // 2 - 3], h[r, (a + b) // 2 + 3:b]) for r, a, b in segments))]
        first, second = (F.normalize(self.output(x).float(), dim=-1) for x in halves)
        logits = (self.scale.clamp(1, 30) * first @ second.T).masked_fill(~rivals, -1e4)
        own = torch.arange(len(segments))
        return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


def edits(a, b):
    """Levenshtein distance."""
    row = np.arange(len(b) + 1)
    b = np.asarray(b)
    for i, s in enumerate(a):
        best = np.minimum(row[:-1] + (b != s), row[1:] + 1)
        row = np.concatenate([[i + 1], best])
        row = np.minimum.accumulate(row - np.arange(len(row))) + np.arange(len(row))
    return int(row[-1])


def read(logits):
    """Log odds [S, 1 + phones] -> phones: repetitions, then blanks dropped."""
    best = logits.argmax(-1)
    best = best[torch.cat([torch.tensor([True]), best[1:] != best[:-1]])]
    return best[best > 0].tolist()


class Training:
    def __init__(self, data, o, config):
        self.data, self.o, self.m = data, o, config['content']
        d = len(self.m['levels']) if o['bottleneck'] else self.m['width']
        self.content = nets.Content(self.m)
        self.phones = nets.Phones(config['phones'], d, len(data.phones['phones']))
        self.rebuild = Rebuild(d, self.m['stride'])
        self.adversary = Adversary(d, len(data.speakers))
        self.halves = Halves(d)
        both = [*self.adversary.parameters(), *self.halves.parameters()]
        self.chase, self.seen = torch.optim.AdamW(both, o['rate'], weight_decay=0.01, fused=True), []
        index = {s: i for i, s in enumerate(data.speakers)}
        self.speaker = [index.get(c['speaker'], -100) if c['split'] == 'train' else -100 for c in data.clips]
        families = np.array([family(s) for s in data.speakers])
        self.rivals = torch.from_numpy(families[:, None] == families[None])

    def begin(self, average):
        for name, network in self.networks().items():
            if name in average:
                network.load_state_dict(average[name])

    def freeze(self, state):
        """From now on only the recogniser learns, on the codes of a state's averaged network."""
        self.o = dict(self.o, frozen=True, reverse=0, weights=dict(ctc=1.0))
        self.content.load_state_dict(state['ema']['content'])
        self.phones.load_state_dict(state['ema']['phones'])
        self.content.requires_grad_(False)

    def networks(self):
        if self.o.get('frozen'):
            return {'phones': self.phones}
        nets_ = {'content': self.content, 'phones': self.phones}
        if self.o['weights'].get('rebuild'):
            nets_['rebuild'] = self.rebuild
        return dict(nets_, adversary=self.adversary, halves=self.halves) if self.o['reverse'] else nets_

    def codes(self, z):
        """-> codes, and the numbers before the rounding; without a bottleneck what would enter it."""
        if not self.o['bottleneck']:
            return (self.content.features(z),) * 2
        b = self.content.bounded(z)
        half = self.content.levels // 2
        return (b + (b.round() - b).detach()) / half, b / half

    def segments(self, rows):
        k = self.m['stride']
        return [(r, s // k, s // k + (self.data.clips[i]['frames'] + k - 1) // k) for i, r, s in rows.places]

    def ctc(self, codes, rows, segments):
        spoken = [(p, g) for (i, _, _), g in zip(rows.places, segments) if (p := self.data.phones['clips'][i])]
        logits = F.log_softmax(self.phones(codes), -1)
        parts = nn.utils.rnn.pad_sequence([logits[r, a:b] for _, (r, a, b) in spoken])
        target = torch.tensor([x for p, _ in spoken for x in p])
        count, length = torch.tensor([len(p) for p, _ in spoken]), torch.tensor([b - a for _, (_, a, b) in spoken])
        loss = F.ctc_loss(parts, target, length, count, reduction='none', zero_infinity=True)
        return loss.sum() / count.sum()

    def told(self, logits, speaker):
        """Cross-entropy among speakers of the same collection."""
        use = speaker >= 0
        logits, speaker = logits[use], speaker[use]
        return F.cross_entropy(logits.masked_fill(~self.rivals[speaker], -1e4), speaker)

    def adversaries(self, codes, rows, segments, factor):
        label = torch.full(codes.shape[:2], -100)
        clip = torch.tensor([self.speaker[i] for i, _, _ in rows.places])
        for (r, a, b), s in zip(segments, clip):
            label[r, a:b] = s
        window, pooled = self.adversary(Reverse.apply(codes, factor), segments)
        label[:, int(torch.randint(0, 2, ()))::2] = -100
        return self.told(window.flatten(0, 1), label.flatten()), self.told(pooled, clip)

    def matched(self, codes, rows, segments, factor):
        """Halves of a clip find each other among clips of its source that sound otherwise, by speaker or view."""
        use = [k for k, (_, a, b) in enumerate(segments) if b - a >= 50]
        clips = [self.data.clips[rows.places[k][0]] for k in use]
        changed = rows.different[use]
        source = np.array([c['source'].split('_')[0] for c in clips])
        speaker = np.array([str(c['speaker']) for c in clips])
        other = torch.from_numpy(speaker[:, None] != speaker[None]) | changed[:, None] | changed[None]
        rivals = torch.from_numpy(source[:, None] == source[None]) & other | torch.eye(len(use), dtype=torch.bool)
        return self.halves(Reverse.apply(codes, factor), [segments[k] for k in use], rivals)

    def rebuilt(self, codes, rows):
        k = self.m['stride']
        y = self.rebuild(codes, rows.style, rows.about[:, ::k])
        return (((y - rows.z) ** 2).mean(-1) * rows.mask).sum() / rows.mask.sum()

    def same(self, bounded, rows):
        with torch.no_grad():
            plain = self.codes(rows.z)[1]
        changed = rows.changed[:, ::self.m['stride']]
        return (((bounded - plain) ** 2).mean(-1) * changed).sum() / changed.sum().clamp(min=1)

    def train_adversaries(self, codes, rows, segments, rng):
        """They follow faster than the codes flee: some steps of their own on codes of the last batches. (What is
        remembered is not in the run's state: after resumption it is gathered again.)"""
        self.seen = (self.seen + [(codes.detach(), rows, segments)])[-24:]
        for k in rng.integers(0, len(self.seen), self.o['chase']):
            self.chase.zero_grad()
            loss = sum(self.adversaries(*self.seen[k], 0.0)) + self.matched(*self.seen[k], 0.0)
            loss.backward()
            self.chase.step()

    def losses(self, step, rng):
        o, w = self.o, self.o['weights']
        drawn = rng.choice(self.data.train, 20 * o['rows'], p=self.data.p)
        rows = Rows(self.data, pack(self.data, drawn, o['rows']), o['rows'], o['views'], rng)
        segments, found = self.segments(rows), {}
        x = rows.x + o['noise'] * torch.rand(o['rows'], 1, 1) * torch.randn_like(rows.x)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            codes, bounded = self.codes(x)
            found['ctc'] = self.ctc(codes, rows, segments)
            if w.get('rebuild'):
                found['rebuild'] = self.rebuilt(codes, rows)
            if w.get('same'):
                found['same'] = self.same(bounded, rows)
            if o['reverse']:
                self.train_adversaries(codes, rows, segments, rng)
                factor = o['reverse'] * min(1.0, step / o['reverse_steps'])
                found['window'], found['pooled'] = self.adversaries(codes, rows, segments, factor)
                found['halves'] = self.matched(codes, rows, segments, factor)
        return sum(v * w.get(k, 1.0) for k, v in found.items()), {k: v.detach() for k, v in found.items()}

    def validate(self, networks):
        import content_scores                  # it imports this file
        rng, clips = np.random.default_rng(1), self.data.clips
        wrong, number = {'an4': 0, 'librispeech': 0}, {'an4': 0, 'librispeech': 0}
        places = pack(self.data, [i for i, c in enumerate(clips) if c['split'] == 'valid'][::2], 12)
        rows = Rows(self.data, places, 12, {'base': 1.0}, rng)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            codes, _ = self.codes(rows.z)
            logits = self.phones(codes)
            rebuilt = float(self.rebuilt(codes, rows)) if 'rebuild' in networks else 0.0
        for (i, _, _), (r, a, b) in zip(places, self.segments(rows)):
            if p := self.data.phones['clips'][i]:
                f = family(clips[i]['speaker'])
                wrong[f] += edits(p, read(logits[r, a:b]))
                number[f] += len(p)
        result = {'valid_' + f: wrong[f] / number[f] for f in wrong}
        if self.o['bottleneck'] and not self.o.get('frozen'):
            half = self.content.levels // 2
            c = (codes.float() * half + half).round().flatten(0, 1).long()
            base = torch.cumprod(torch.cat([torch.ones(1), self.content.levels[:-1]]), 0).long()
            n = torch.bincount((c * base).sum(-1), minlength=int(self.content.levels.prod())).float()
            p = n[n > 0] / n.sum()
            result['valid_bits'] = float(-(p * p.log2()).sum())
            result['valid_speaker'] = content_scores.leak(self, self.data)
        return dict(result, valid_rebuild=rebuilt)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('data')
    p.add_argument('run')
    p.add_argument('--options', default='{}', help='JSON: what of OPTIONS is to be another')
    p.add_argument('--phones-of', help='RUN whose codes are kept, only their recogniser is trained further; '
                   'it ends in the state of that run')
    p.add_argument('--from', dest='start', help="begin with the averaged networks of this RUN's state")
    p.add_argument('--network', default='{}', help='JSON: what of content in config.json is to be another')
    a = p.parse_args()
    o = dict(OPTIONS, **json.loads(a.options))
    config = json.load(open(os.path.join(HERE, 'config.json')))
    config = {'content': dict(config['content'], **json.loads(a.network)), 'phones': config['phones']}
    torch.manual_seed(o.get('seed', 1))
    data = Data(a.data)
    print(list(data.z), len(data.train), 'clips', len(data.speakers), 'speakers', flush=True)
    config['symbols'] = data.phones['phones']
    t = Training(data, o, config)
    if a.start:
        t.begin(torch.load(os.path.join(a.start, 'state.pt'), weights_only=False)['average'])
    if a.phones_of:
        train_phones(t, a.run, a.phones_of, config)
    else:
        Loop(a.run, t.networks(), ['content', 'phones'], config, o).go(t.losses, t.validate)


def train_phones(t, run, of, config):
    path = os.path.join(of, 'state.pt')
    state, written = torch.load(path, weights_only=False), os.stat(path)
    t.freeze(state)
    loop = Loop(run, t.networks(), ['phones'], config, t.o)
    loop.go(t.losses, t.validate)
    state['ema']['phones'] = loop.average['phones']
    torch.save(state, path + '.new')
    os.utime(path + '.new', (written.st_atime, written.st_mtime))     # the codes are as old as they were
    os.replace(path + '.new', path)


if __name__ == '__main__':
    main()
