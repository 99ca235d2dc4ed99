"""Validation: log mel distance (80 Slaney bands) of the averaged weights over the dev split, by number of codebooks."""
import glob
import os
import numpy as np
import soundfile as sf
import torch
from model import Codec, HOP, SR


def slaney_bank(n, bands, top):
    """Slaney-spaced triangles normalised to unit area, [bands, n / 2 + 1]."""
    def hz(m):
        return np.where(m < 15, m * 200 / 3, 1000 * np.exp((m - 15) * np.log(6.4) / 27))

    edge = 15 + 27 * np.log(top / 1000) / np.log(6.4)
    p = hz(np.linspace(0, edge, bands + 2))
    f = np.fft.rfftfreq(n, 1 / SR)[None]
    w = np.minimum((f - p[:-2, None]) / np.diff(p)[:-1, None], (p[2:, None] - f) / np.diff(p)[1:, None]).clip(0)
    return w * (2 / (p[2:] - p[:-2]))[:, None]


BANK = slaney_bank(1024, 80, 12000)


def log_mel(x):
    frames = np.lib.stride_tricks.sliding_window_view(x, 960)[::HOP] * np.hanning(960)
    return np.log(np.maximum(np.abs(np.fft.rfft(frames, 1024)) @ BANK.T, 1e-5))


@torch.no_grad()
def validate(cfg, weights, folder, device, stages=(1, 3, 6, 12), limit=24):
    """{'mel_<codebooks>': mean over clips, 'wide_<codebooks>': over clips that hold content above 8.5 kHz}."""
    codec = Codec(cfg['model']).to(device)
    codec.load_state_dict(weights)
    codec.eval()
    rows = {}
    for path in sorted(glob.glob(os.path.join(folder, '*.wav')))[::63 // limit]:
        x = sf.read(path, dtype='float32')[0]
        z = codec.encoder(torch.from_numpy(np.pad(x, (0, 960 - len(x) % 480))).to(device)[None])
        reference = log_mel(x)
        energy = np.abs(np.fft.rfft(x)) ** 2
        f = np.fft.rfftfreq(len(x), 1 / SR)
        wide = energy[(f > 8500) & (f < 11500)].sum() > 1e-6 * energy.sum()
        for q in stages:
            torch.manual_seed(0)
            y = codec.decoder(codec.quantiser(z, torch.full((1,), q, device=device))[0])[0][0, :len(x)].cpu().numpy()
            d = np.abs(log_mel(y) - reference).mean()
            rows.setdefault('mel_%d' % q, []).append(d)
            if wide:
                rows.setdefault('wide_%d' % q, []).append(d)
    return {k: round(float(np.mean(v)), 4) for k, v in rows.items()}
