"""Factors of every clip of a latent set, by the trained networks: extract.py DATA RUNS SET...

DATA is train/data/factors, RUNS holds factors-content, -speaker, -surroundings and -style. Writes into DATA
    SET.digits.i8     [frames][d]: content codes in their integer form, each for as many frames as it stands for
    SET.style.f32     [frames][2]: f0_hz (0 unvoiced) and energy_db
    SET.vectors.f32   [clips][256]: speaker, environment, channel
What exists is made anew only if a network is younger.
"""
import json
import os
import sys
import numpy as np
import torch
import nets
from model import class_to_f0

SPAN = float(np.log(nets.PITCH_MAX / nets.PITCH_MIN))
ROWS = 24000                                   # frames of a batch, padding included
torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', 1)))


def state(runs, name):
    return os.path.join(runs, 'factors-' + name, 'state.pt')


def network(runs, name):
    """The averaged network of a run, to be used."""
    s = torch.load(state(runs, name), map_location='cpu', weights_only=False)
    ema, config = s['ema'], s['config']
    config = config.get(name, config)
    if name == 'content':
        ema = ema['content']
    net = {'content': nets.Content, 'speaker': nets.Speaker, 'surroundings': nets.Surroundings,
           'style': nets.Style}[name](config)
    net.load_state_dict(ema)
    return net.eval()


def load_clips(data):
    return json.load(open(os.path.join(data, 'clips.json')))


def load_latents(data, name):
    return np.memmap(os.path.join(data, name + '.i16'), np.int16, 'r').reshape(-1, nets.LATENT)


def batches(clips):
    """Clips by length, in lists of about ROWS frames."""
    part, order = [], sorted(range(len(clips)), key=lambda i: clips[i]['frames'])
    for i in order:
        if part and (len(part) + 1) * clips[i]['frames'] > ROWS:
            yield part
            part = []
        part.append(i)
    yield part


def padded(z, clips, part):
    """-> latents [B, T, D], mask [B, T]; T is even."""
    t = max(clips[i]['frames'] for i in part)
    out, mask = torch.zeros(len(part), t + t % 2, nets.LATENT), torch.zeros(len(part), t + t % 2)
    for b, i in enumerate(part):
        c = clips[i]
        out[b, :c['frames']] = torch.from_numpy(z[c['first']:c['first'] + c['frames']].astype(np.float32) / 512)
        mask[b, :c['frames']] = 1
    return out, mask


def digits(net, z, mask):
    """[B, T, d] of int8."""
    stride = net.m['stride']
    return net.bounded(z).round().to(torch.int8).repeat_interleave(stride, 1)[:, :z.shape[1]]


def style(net, z, mask):
    """[B, T, 2]"""
    ahead = net.m['ahead']
    logits, energy = net(torch.nn.functional.pad(z, (0, 0, 0, ahead)))
    return torch.stack([class_to_f0(logits, nets.PITCH_MIN, SPAN), energy * 20 - 60], -1)[:, ahead:]


def speaker(net, z, mask):
    return net(z, mask)


def surroundings(net, z, mask):
    return torch.cat(net(z, mask)[:2], -1)


@torch.no_grad()
def run(net, call, z, clips, each_frame, width, dtype):
    """call on all clips -> array by frame or by clip."""
    out = np.zeros((len(z) if each_frame else len(clips), width), dtype)
    for part in batches(clips):
        x, mask = padded(z, clips, part)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            y = call(net, x, mask).float().numpy()
        for b, i in enumerate(part):
            c = clips[i]
            if each_frame:
                out[c['first']:c['first'] + c['frames']] = y[b, :c['frames']]
            else:
                out[i] = y[b]
    return out


def fresh(path, sources):
    return os.path.exists(path) and all(os.path.getmtime(path) > os.path.getmtime(s) for s in sources)


def extract(data, runs, name, suffixes=('digits.i8', 'style.f32', 'vectors.f32')):
    clips, z = load_clips(data), load_latents(data, name)
    for suffix, each, parts in (('digits.i8', True, ['content']), ('style.f32', True, ['style']),
                                ('vectors.f32', False, ['speaker', 'surroundings'])):
        path = os.path.join(data, '%s.%s' % (name, suffix))
        if suffix not in suffixes or fresh(path, [state(runs, p) for p in parts]):
            continue
        calls = {'content': (digits, np.int8), 'style': (style, np.float32), 'speaker': (speaker, np.float32),
                 'surroundings': (surroundings, np.float32)}
        columns = []
        for p in parts:
            net = network(runs, p)
            width = {'content': lambda: len(net.m['levels']), 'style': lambda: 2, 'speaker': lambda: nets.SPEAKER,
                     'surroundings': lambda: nets.ENVIRONMENT + nets.CHANNEL}[p]()
            columns.append(run(net, calls[p][0], z, clips, each, width, calls[p][1]))
        np.concatenate(columns, 1).tofile(path)
        print(path, flush=True)


if __name__ == '__main__':
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    for one in sys.argv[3:]:
        extract(sys.argv[1], sys.argv[2], one)
