"""The factor networks in PyTorch: the definition that latent/ reproduces in C.

All read and write latent frames (50 a second, D = 64 numbers of unit variance: int16 latents / 512) and are causal; a
network that looks ahead is one whose output is taken `ahead` frames later. Shapes: B batch, T frames, W width.
"""
import os
import sys
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from model import Block, CausalConv, fsq_bound                              # noqa: E402

LATENT = 64
SPEAKER, ENVIRONMENT, CHANNEL = 192, 32, 32            # sizes of the vectors of an utterance
PITCHES, PITCH_MIN, PITCH_MAX = 120, 50.0, 600.0       # log-spaced classes of the style network; class 0 is unvoiced
CODECS = ('none', 'opus', 'mulaw', 'clipped')          # classes that the channel's head tells


def prosody(f0, energy):
    """Arrays [T] in Hz (0 unvoiced) and dB -> what the generator sees of them [T, 3]."""
    voiced = f0 > 0
    pitch = np.where(voiced, np.log2(np.clip(f0, PITCH_MIN, PITCH_MAX) / 150), 0)
    return np.stack([pitch, voiced, (np.clip(energy, -100, 0) + 60) / 20], 1).astype(np.float32)


class Trunk(nn.Module):
    """[B, T, I] -> [B, T, W]: causal convolution of three frames, blocks, norm."""

    def __init__(self, inputs, m):
        super().__init__()
        self.input = CausalConv(inputs, m['width'], 3)
        self.blocks = nn.ModuleList([Block(m['width'], m['expand'], m['kernel']) for _ in range(m['blocks'])])
        self.norm = nn.LayerNorm(m['width'], elementwise_affine=False)

    def forward(self, x):
        x = self.input(x)
        for b in self.blocks:
            x = b(x)
        return self.norm(x)


class Content(nn.Module):
    """Latents -> codes of a narrow FSQ (arXiv 2309.15505), one every `stride` (1 or 2) frames.

    Code s stands for frames s * stride .. s * stride + stride - 1; the network has by then seen `ahead` frames more,
    zeros behind the last. m['ahead'] is a multiple of stride.
    """

    def __init__(self, m):
        super().__init__()
        self.m = m
        self.trunk = Trunk(LATENT, m)
        self.join = CausalConv(m['width'], m['width'], m['stride'], m['stride'])
        self.late = nn.ModuleList([Block(m['width'], m['expand'], m['kernel']) for _ in range(m['late'])])
        self.norm = nn.LayerNorm(m['width'], elementwise_affine=False)
        self.output = nn.Linear(m['width'], len(m['levels']))
        self.register_buffer('levels', torch.tensor(m['levels'], dtype=torch.float32), persistent=False)

    def features(self, z):
        """[B, T, D] -> [B, T / stride, W], of zero mean and unit variance."""
        h = self.join(self.trunk(F.pad(z, (0, 0, 0, self.m['ahead']))))
        for b in self.late:
            h = b(h)
        return self.norm(h[:, self.m['ahead'] // self.m['stride']:])

    def bounded(self, z):
        """[B, T, D] -> [B, T / stride, d] whose nearest integers are the digits, -floor(L / 2) .. ceil(L / 2) - 1."""
        return fsq_bound(self.output(self.features(z)).float(), self.levels)

    def forward(self, z):
        """-> codes [B, T / stride, d], -1 .. 1, straight through the rounding."""
        b = self.bounded(z)
        return (b + (b.round() - b).detach()) / (self.levels // 2)


class Phones(nn.Module):
    """Codes [B, S, d] -> log odds [B, S, 1 + phones] for connectionist temporal classification; 0 is blank."""

    def __init__(self, m, dimensions, phones):
        super().__init__()
        self.trunk = Trunk(dimensions, m)
        self.output = nn.Linear(m['width'], 1 + phones)

    def forward(self, codes):
        return self.output(self.trunk(codes)).float()


class Pool(nn.Module):
    """[B, T, W], mask [B, T] -> weighted mean and deviation [B, 2W]; a frame's weight is a sigmoid of its own."""

    def __init__(self, w):
        super().__init__()
        self.weigh = nn.Linear(w, 1)

    def forward(self, h, mask):
        h = h.float()
        s = torch.sigmoid(self.weigh(h).float()) * mask[..., None]
        n = s.sum(1) + 1e-4
        mean = (s * h).sum(1) / n
        variance = (s * h * h).sum(1) / n - mean * mean
        return torch.cat([mean, variance.clamp(min=1e-4).sqrt()], -1)


class Speaker(nn.Module):
    """Latents, mask -> unit vector [B, SPEAKER]."""

    def __init__(self, m):
        super().__init__()
        self.trunk, self.pool = Trunk(LATENT, m), Pool(m['width'])
        self.output = nn.Linear(2 * m['width'], SPEAKER)

    def forward(self, z, mask):
        return F.normalize(self.output(self.pool(self.trunk(z), mask)).float(), dim=-1)


class Surroundings(nn.Module):
    """Latents, mask -> environment [B, ENVIRONMENT], channel [B, CHANNEL] and what is read off them:
    snr_db / 20, log2(t60_s / 0.4), bandwidth_hz / 6000, log odds of CODECS."""

    def __init__(self, m):
        super().__init__()
        self.trunk, self.pool = Trunk(LATENT, m), Pool(m['width'])
        self.environment = nn.Linear(2 * m['width'], ENVIRONMENT)
        self.channel = nn.Linear(2 * m['width'], CHANNEL)
        self.environment_hidden, self.environment_output = nn.Linear(ENVIRONMENT, 64), nn.Linear(64, 2)
        self.channel_hidden, self.channel_output = nn.Linear(CHANNEL, 64), nn.Linear(64, 1 + len(CODECS))

    def forward(self, z, mask):
        return self.read(self.pool(self.trunk(z), mask))

    def read(self, p):
        e, c = self.environment(p), self.channel(p)
        room = self.environment_output(F.gelu(self.environment_hidden(e), approximate='tanh'))
        line = self.channel_output(F.gelu(self.channel_hidden(c), approximate='tanh'))
        return e, c, {'snr': room[:, 0], 't60': room[:, 1], 'bandwidth': line[:, 0], 'codec': line[:, 1:]}


class Style(nn.Module):
    """Latents -> log odds of pitch classes [B, T, 1 + PITCHES], energy [B, T] in (dB full scale + 60) / 20.

    Row t is about the frame t - ahead (m['ahead'])."""

    def __init__(self, m):
        super().__init__()
        self.m = m
        self.trunk = Trunk(LATENT, m)
        self.output = nn.Linear(m['width'], 2 + PITCHES)

    def forward(self, z):
        o = self.output(self.trunk(z)).float()
        return o[..., :-1], o[..., -1]


class Generator(nn.Module):
    """One step from noise to latents (rectified flow, arXiv 2209.03003), or plain regression with m['steps'] = 0.

    frames [B, T, d + 3]: content codes (repeated to 50 a second), log2(f0 / 150) or 0 where unvoiced, 1 where voiced,
    (energy_db + 60) / 20. about [B, SPEAKER + ENVIRONMENT + CHANNEL]: the vectors, one after the other.
    Row t of the output is about frame t - ahead (m['ahead']): the caller gives frames shifted accordingly.
    """

    def __init__(self, m, dimensions):
        super().__init__()
        self.m = m
        w, n = m['width'], m['blocks']
        self.inputs = dimensions + 3 + (LATENT if m['steps'] else 0)
        self.about = nn.Linear(SPEAKER + ENVIRONMENT + CHANNEL + 1, m['condition'])
        self.modulate = nn.ModuleList([nn.Linear(m['condition'], 2 * w) for _ in range(n)])
        self.input = CausalConv(self.inputs, w, 3)
        self.blocks = nn.ModuleList([Block(w, m['expand'], m['kernel']) for _ in range(n)])
        self.norm = nn.LayerNorm(w, elementwise_affine=False)
        self.output = nn.Linear(w, LATENT)
        for l in self.modulate:
            nn.init.zeros_(l.weight)
            nn.init.zeros_(l.bias)

    def step(self, z, t, frames, about):
        """z [B, T, D] at times t [B], 0 noise .. 1 latents -> velocity [B, T, D]."""
        c = F.gelu(self.about(torch.cat([about, t[:, None]], -1)), approximate='tanh')
        x = self.input(torch.cat([frames, z], -1) if self.m['steps'] else frames)
        for b, l in zip(self.blocks, self.modulate):
            gain, shift = l(c)[:, None].chunk(2, -1)
            x = b(x, (1 + gain, shift))
        return self.output(self.norm(x)).float()

    def forward(self, frames, about, noise):
        """noise [B, T, D] -> latents [B, T, D], normed."""
        n = self.m['steps']
        z = noise if n else torch.zeros_like(noise)
        for i in range(max(n, 1)):
            z = z + self.step(z, torch.full((len(z),), i / max(n, 1), device=z.device), frames, about) / max(n, 1)
        return F.layer_norm(z, (LATENT,))
