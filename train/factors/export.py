"""Export the trained factor networks: export.py OUT.lacf [--runs train/runs] [--codec models/speech24.lacm]
    [--name speech24] [--draft] [--data train/data/factors]

Takes the averaged weights of RUNS/factors-content (with its phones), -speaker, -surroundings, -style, -generator, and
RUNS/factors-calibration.json: 'speaker' by speaker_scores.py, 'style', 'environment' and 'channel' by deviations.py,
which runs a draft; and what voices.py fitted, to sample from. --draft fills in what is missing: untrained networks, a
calibration of ones, nothing to sample from. --data compares the file's networks with those trained, on clips of the
`valid` speakers.
"""
import argparse
import json
import os
import numpy as np
import torch
import lacf
import nets
import voices

CALIBRATION = {'speaker': {'scale': 10.0, 'offset': -4.0}, 'style': [1.0] * lacf.STYLE,
               'environment': [1.0] * nets.ENVIRONMENT, 'channel': [1.0] * nets.CHANNEL}
HERE = os.path.dirname(os.path.abspath(__file__))
CLIPS = 40                                    # to compare on


def missing(what, draft):
    if not draft:
        raise SystemExit('export.py: %s is missing (--draft fills it in)' % what)
    print('draft: %s is made up' % what)


def trained(runs, draft):
    """(m, {network: state_dict}) of the runs; m as lacf has it."""
    m, states = dict(json.load(open(os.path.join(HERE, 'config.json'))), latent=nets.LATENT, symbols=['a']), {}
    for name in ('content', 'speaker', 'surroundings', 'style', 'generator'):
        path = os.path.join(runs, 'factors-' + name, 'state.pt')
        if not os.path.exists(path):
            missing(path, draft)
            continue
        s = torch.load(path, map_location='cpu', weights_only=False)
        m.update(s['config'] if name in s['config'] else {name: s['config']})
        states.update(s['ema'] if name in s['ema'] else {name: s['ema']})
        print('%s: step %d' % (path, s['step']))
    return {k: m[k] for k in lacf.NETWORKS + ['latent', 'symbols']}, states


def load_networks(m, states):
    torch.manual_seed(1)
    made = lacf.networks(m)
    for name, state in states.items():
        made[name].load_state_dict({k: v.float() for k, v in state.items()})
    return {k: n.eval() for k, n in made.items()}


def load_calibration(path, draft):
    known = json.load(open(path)) if os.path.exists(path) else {}
    for k in CALIBRATION:
        if k not in known:
            missing('%s: %s' % (path, k), draft)
    return dict(CALIBRATION, **known)


def latents(data):
    """Some clips' [1, T, D], T even."""
    clips = [c for c in json.load(open(os.path.join(data, 'clips.json'))) if c['split'] == 'valid'][:CLIPS]
    z = np.memmap(os.path.join(data, 'base.i16'), np.int16, 'r').reshape(-1, nets.LATENT)
    for c in clips:
        rows = z[c['first']:c['first'] + c['frames'] // 2 * 2]
        yield torch.from_numpy(rows.astype(np.float32) / 512)[None]


def results(n, z):
    """{name: what the networks make of z, [rows, values]}"""
    mask, out = torch.ones(z.shape[:2]), {}
    out['content digits'] = n['content'].bounded(z).round()[0]
    codes = out['content digits'] / (n['content'].levels // 2)
    out['phones'] = n['phones'](codes[None])[0].argmax(-1, keepdim=True)
    out['speaker'] = n['speaker'](z, mask)
    environment, channel, read = n['surroundings'](z, mask)
    out['environment'], out['channel'], out['snr, db'] = environment, channel, 20 * read['snr'][:, None]
    odds, energy = n['style'](z)
    out['pitch class'], out['energy, db'] = odds[0].argmax(-1, keepdim=True), 20 * energy[0, :, None]
    pitch = torch.where(out['pitch class'] > 0, (out['pitch class'] - 60) / 30, torch.zeros(()))
    frames = torch.cat([codes.repeat_interleave(n['content'].m['stride'], 0), pitch, out['pitch class'] > 0,
                        energy[0, :, None]], -1)
    about = torch.cat([out['speaker'], environment, channel], -1)
    noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(1))
    out['generator'] = n['generator'](frames[None], about, noise)[0]
    return out


@torch.no_grad()
def compare(trained_networks, file_networks, data):
    """Whole numbers: how many agree. Others: the difference's share of what there is, root mean square."""
    rows = {}
    for z in latents(data):
        a, b = results(trained_networks, z), results(file_networks, z)
        for k in a:
            rows.setdefault(k, []).append((a[k].double(), b[k].double()))
    for k, pairs in rows.items():
        a, b = (torch.cat(p) for p in zip(*pairs))
        if k in ('content digits', 'phones', 'pitch class'):
            print('%-15s %.2f %% agree' % (k, 100 * (a == b).all(-1).double().mean()))
        else:
            print('%-15s differs by %.4f' % (k, (a - b).pow(2).mean().sqrt() / a.pow(2).mean().sqrt()))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('out')
    p.add_argument('--runs', default='train/runs')
    p.add_argument('--codec', default='models/speech24.lacm')
    p.add_argument('--name', default='speech24')
    p.add_argument('--draft', action='store_true')
    p.add_argument('--data')
    a = p.parse_args()
    torch.set_num_threads(1)
    m, states = trained(a.runs, a.draft)
    made = load_networks(m, states)
    calibration = load_calibration(os.path.join(a.runs, 'factors-calibration.json'), a.draft)
    t = {**lacf.tensors(made), **lacf.constants(m, calibration)}
    fitted = voices.tensors(a.runs)
    if fitted is None:
        missing('what voices.py fits', a.draft)
    else:
        m['sampling'] = fitted[0]
        t.update(fitted[1])
    lacf.write(a.out, a.name, m, lacf.latent_id(a.codec), t)
    print('%s: %d bytes' % (a.out, os.path.getsize(a.out)))
    if a.data:
        compare(made, lacf.load(m, lacf.read(a.out)[3]), a.data)


if __name__ == '__main__':
    main()
