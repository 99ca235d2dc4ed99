"""C against PyTorch over a folder: compare.py LIBLAC.so MODEL.lacm STATE FOLDER [CLIPS]

Mel distance (validate.py) of the float network, of the same with the file's integer weights, and of C, all with the
file's codebooks; and how often C chooses the token that PyTorch chooses.
"""
import glob
import os
import sys
import numpy as np
import soundfile as sf
import torch
import integers
import lacm
import quantised
from liblac import Library
from model import Codec
from validate import log_mel

RATES = (1, 3, 6, 12)


def float_codec(state, m, t):
    s = torch.load(state, map_location='cpu')
    codec = Codec(s['config']['model'])
    codec.load_state_dict({k: v.float() for k, v in s['ema'].items()})
    if 'levels' in m:
        codec.fsq = integers.IntegerRFSQ(m, t)
    else:
        codec.rvq.codes = torch.from_numpy(t['codes'].astype(np.float32) / lacm.ONE)
    return codec.eval()


@torch.no_grad()
def main(library, model, state, folder, clips=16):
    torch.set_num_threads(1)
    _, m, t = lacm.read(model)
    metric, c, nets = lacm.read_metric(model), Library(library, model), [float_codec(state, m, t), quantised.load(m, t)]
    for net in nets if metric is not None else []:
        net.rvq.metric = torch.from_numpy(metric)
    quantiser, rates = integers.Quantiser(m, t, metric), [k for k in RATES if k <= m['codebooks']]
    paths = sorted(glob.glob(os.path.join(folder, '*.wav')))
    rows, same = [], []
    for path in paths[::max(1, len(paths) // int(clips))]:
        x = sf.read(path, dtype='float32')[0]
        mel, padded = log_mel(x), torch.from_numpy(np.pad(x, (0, 960 - len(x) % 480)))[None]
        z = [net.encoder(padded) for net in nets]
        tokens = c.encode(x, m['codebooks'])
        grid = integers.fixed(z[1][0].numpy())
        n = min(len(tokens), len(grid))
        same.append((quantiser.search(grid)[:n] == tokens[:n]).mean(0))
        row = []
        for k in rates:
            for net, latent in zip(nets, z):
                torch.manual_seed(0)
                y = net.decoder(net.quantiser(latent, torch.tensor([k]))[0])[0][0, :len(x)].numpy()
                row.append(np.abs(log_mel(y) - mel).mean())
            row.append(np.abs(log_mel(c.decode(tokens, k, len(x))) - mel).mean())
        rows.append(row)
    for k, (f, i, own) in zip(rates, np.mean(rows, 0).reshape(-1, 3)):
        print('%2d codebooks: float %.4f, integer weights %.4f, C %.4f (%+.2f %% of float)' % (
            k, f, i, own, 100 * (own / f - 1)))
    print('tokens as PyTorch chooses, by codebook:', np.mean(same, 0).round(4))


if __name__ == '__main__':
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__)
    main(*sys.argv[1:])
