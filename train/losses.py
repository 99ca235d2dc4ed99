"""Losses: distances between spectra at five resolutions, phase, and the discriminators of the adversarial phase."""
import math
import torch
import torch.nn as nn
import torch.nn.functional as F
from model import HOP, SR, full_precision


def mel_bank(n, bands):
    """HTK-spaced triangles of unit sum, [n / 2 + 1, bands]."""
    def mel(f):
        return 2595 * math.log10(1 + f / 700)

    def hz(m):
        return 700 * (10 ** (m / 2595) - 1)

    p = torch.tensor([hz(mel(SR / 2) * i / (bands + 1)) for i in range(bands + 2)])
    f = torch.linspace(0, SR / 2, n // 2 + 1)[None]
    w = torch.minimum((f - p[:-2, None]) / (p[1:-1] - p[:-2])[:, None],
                      (p[2:, None] - f) / (p[2:] - p[1:-1])[:, None]).clamp(min=0)
    return (w / (w.sum(1, keepdim=True) + 1e-6)).T.contiguous()


class MelLoss(nn.Module):
    """Distances between spectra at five resolutions."""

    def __init__(self, sizes=((2048, 120), (1024, 80), (512, 60), (256, 32), (128, 16))):
        super().__init__()
        self.sizes = sizes
        for n, bands in sizes:
            self.register_buffer('window%d' % n, torch.hann_window(n))
            self.register_buffer('bank%d' % n, mel_bank(n, bands))

    def views(self, x):
        """[B, N] -> for each resolution log mel magnitudes, and roots of the magnitudes of all bins."""
        logs, roots = [], []
        for n, _ in self.sizes:
            X = torch.stft(x, n, n // 4, window=getattr(self, 'window%d' % n), return_complex=True, center=False)
            mag = (X.real ** 2 + X.imag ** 2 + 1e-9).sqrt() * (2 / n ** .5)
            logs.append(torch.log(mag.transpose(1, 2) @ getattr(self, 'bank%d' % n) + 1e-5))
            roots.append((mag + 1e-5).sqrt())
        return logs, roots

    def forward(self, y, reference):
        """y [B, N]; reference: views() of the original -> L1 between log mel magnitudes, and the squared difference of
        roots relative to the original's magnitudes. The first weighs every bin alike, the second the loud ones."""
        logs, roots = self.views(y)
        mel = torch.stack([(a - b).abs().mean() for a, b in zip(logs, reference[0])]).mean()
        peaks = torch.stack([((a - b) ** 2).sum((1, 2)).div((b ** 2).sum((1, 2)) + 1e-3).mean()
                             for a, b in zip(roots, reference[1])]).mean()
        return mel, peaks


class PhaseLoss(nn.Module):
    """1 - cosine of the angle between short-time spectra below 2.4 kHz, weighted by the root of the original's
    magnitude. Blind to levels: a waveform loss would shrink what can't be foreseen."""

    def __init__(self, n=640, top=2400):
        super().__init__()
        self.n = n
        t = torch.arange(n)[:, None] * torch.arange(1, top * n // SR)[None] * (2 * math.pi / n)
        w = torch.hann_window(n)[:, None] * (2 / n ** .5)
        self.register_buffer('basis', torch.cat([torch.cos(t) * w, torch.sin(t) * w], 1))

    def forward(self, y, x):
        X, Y = ((v.unfold(1, self.n, self.n // 4) @ self.basis).unflatten(-1, (2, -1)) for v in (x, y))
        size = (X ** 2).sum(-2).add(1e-9).sqrt()
        cosine = (X * Y).sum(-2) / (size * (Y ** 2).sum(-2).add(1e-6).sqrt())
        w = size.sqrt()
        return (w * (1 - cosine)).sum() / w.sum()


class RepetitionLoss(nn.Module):
    """How much more alike sound and itself some hops later are than in the original: noise that a network renders by
    one and the same waveform every frame buzzes, and no loss on magnitudes minds.

    Correlation of short-time spectra (magnitudes compressed) that are 1 to `most` hops of the codec apart, over patches
    of 8 bins and 12 frames; the mean square of what it is above the original's.
    """

    def __init__(self, n=512, most=4, bins=8, frames=12):
        super().__init__()
        self.n, self.most, self.bins, self.frames = n, most, bins, frames
        self.register_buffer('window', torch.hann_window(n))

    def patches(self, v):
        """[B, F, T] -> sums over patches that overlap by half in time."""
        return F.avg_pool2d(v[:, None, 1:1 + (v.shape[1] - 1) // self.bins * self.bins], (self.bins, self.frames),
                            (self.bins, self.frames // 2))

    def correlation(self, x):
        X = torch.stft(x, self.n, HOP, window=self.window, return_complex=True, center=False)
        X = X * (X.real ** 2 + X.imag ** 2 + 1e-10) ** -0.35
        power, rows = X.real ** 2 + X.imag ** 2, []
        for lag in range(1, self.most + 1):
            a, b = X[..., lag:], X[..., :-lag]
            sizes = self.patches(power[..., lag:]) * self.patches(power[..., :-lag])
            rows.append(self.patches(a.real * b.real + a.imag * b.imag) * torch.rsqrt(sizes + 1e-12))
        return rows

    def forward(self, y, x):
        with torch.no_grad():
            original = self.correlation(x)
        return torch.stack([F.relu(a - b).pow(2).mean() for a, b in zip(self.correlation(y), original)]).mean()


def direction_loss(v, u, share, scale=1.0):
    """Negative log likelihood of unit vectors u [.., H, 2] under von Mises beliefs v [.., H, 2], above that of v = 0,
    a hop that has a fundamental. share [.., H]: of the power there, weak harmonics count less. scale: of the
    loss, by crop."""
    weight = share / (share + 0.05)
    size = v.pow(2).sum(-1).add(1e-9).sqrt()
    loss = torch.log(torch.special.i0e(size)) + size - (v * u).sum(-1)
    return (loss * weight * scale).sum() / (weight[..., 0].sum() + 1)


class ResolutionDiscriminator(nn.Module):
    """Convolutions over a compressed complex STFT of size n (EnCodec, section 3.4, smaller)."""

    def __init__(self, n, channels=(8, 32, 64, 64)):
        super().__init__()
        self.n = n
        self.register_buffer('window', torch.hann_window(n))
        a, b, c, d = channels
        wn = nn.utils.parametrizations.weight_norm
        self.layers = nn.ModuleList([
            wn(nn.Conv2d(2, a, (3, 9), (1, 4), (1, 4))), wn(nn.Conv2d(a, b, (3, 9), (1, 4), (1, 4))),
            wn(nn.Conv2d(b, c, (3, 5), (1, 2), (1, 2))), wn(nn.Conv2d(c, d, (3, 3), 1, 1))])
        self.out = wn(nn.Conv2d(d, 1, (3, 3), padding=1))

    def forward(self, x):
        with full_precision(x):
            X = torch.stft(x.float(), self.n, self.n // 4, window=self.window, return_complex=True,
                           center=False) * (2 / self.n ** .5)
            g = (X.real ** 2 + X.imag ** 2 + 1e-7) ** -0.35
            h = torch.stack([X.real * g, X.imag * g], 1).transpose(2, 3)
        features = []
        for layer in self.layers:
            h = F.leaky_relu(layer(h), 0.1)
            features.append(h)
        return self.out(h), features


class Discriminator(nn.Module):
    def __init__(self, sizes=(2048, 1024, 512)):
        super().__init__()
        self.parts = nn.ModuleList([ResolutionDiscriminator(n) for n in sizes])

    def forward(self, x, which):
        """[B, N] -> a list of (scores, feature maps), of each part in `which`."""
        return [self.parts[i](x) for i in which]


def discriminator_loss(real, fake):
    """Least squares (LSGAN)."""
    return sum(((1 - r.float()) ** 2).mean() + (f.float() ** 2).mean() for (r, _), (f, _) in zip(real, fake))


def generator_losses(real, fake):
    """Least-squares adversarial loss, and L1 between feature maps relative to the real ones' size."""
    adversarial = sum(((1 - f.float()) ** 2).mean() for f, _ in fake)
    features = sum((p.float() - q.float()).abs().mean() / (p.float().abs().mean() + 1e-4)
                   for (_, P), (_, Q) in zip(real, fake) for p, q in zip(P, Q))
    return adversarial, features
