"""The codec's network in PyTorch: the definition that codec/ reproduces in C.

24 kHz mono. Fine frames every HOP = 240 samples (100 Hz), latent frames every 480 (50 Hz), everything causal.
Shapes: B batch, N samples (a multiple of 480), T = N / 480 latent frames, D latent size, P pitch classes.
Fine frame j sees and synthesises samples [(j - 1) * HOP, (j + 1) * HOP).
Algorithmic delay: 480 samples of buffering + 240 of overlap = 30 ms.
"""
import math
import torch
import torch.nn as nn
import torch.nn.functional as F

SR, HOP, WIN, BINS = 24000, 240, 480, 241
LONG, PAD = 960, 1920                        # window and transform size of the periodicity curve
PERIODIC_LO, PERIODIC_HI = 4, 96             # its bins of 12.5 Hz: 50 to 1200 Hz
F0_MIN, F0_MAX = 60.0, 500.0                 # pitch classes are log-spaced between; class 0 is unvoiced
F0_SPAN = math.log(F0_MAX / F0_MIN)
EDGE = 11800.0                               # Hz: harmonics above are left out of the pulse train
HARMONICS = 10                               # harmonics of the pulse train whose phase the tokens carry
SHARP = 20.0                                 # how much more likely pitches count in the alignment of harmonics
STEADY = 4.0                                 # von Mises concentration of the phase that the last hop ended with


def sine_window():
    """Power-complementary analysis and synthesis window [WIN]."""
    return torch.sin(math.pi * (torch.arange(WIN) + 0.5) / WIN)


def full_precision(x):
    return torch.autocast(x.device.type, enabled=False)


class Block(nn.Module):
    """ConvNeXt unit on [B, T, C]: causal depthwise convolution, norm, two linear layers, scaled residual.

    The norm can be modulated: gain, shift [B, 1, C].
    """

    def __init__(self, c, expand, kernel):
        super().__init__()
        self.kernel = kernel
        self.depthwise = nn.Conv1d(c, c, kernel, groups=c)
        self.norm = nn.LayerNorm(c, elementwise_affine=False)
        self.up, self.down = nn.Linear(c, expand * c), nn.Linear(expand * c, c)
        self.scale = nn.Parameter(torch.full((c,), 0.2))

    def forward(self, x, modulation=None):
        y = self.norm(self.depthwise(F.pad(x.transpose(1, 2), (self.kernel - 1, 0))).transpose(1, 2))
        if modulation is not None:
            y = y * modulation[0] + modulation[1]
        return x + self.scale * self.down(F.gelu(self.up(y), approximate='tanh'))


class CausalConv(nn.Module):
    """Dense causal convolution on [B, T, I] -> [B, T / stride, O]."""

    def __init__(self, i, o, kernel, stride=1):
        super().__init__()
        self.pad, self.conv = kernel - stride, nn.Conv1d(i, o, kernel, stride)

    def forward(self, x):
        return self.conv(F.pad(x.transpose(1, 2), (self.pad, 0))).transpose(1, 2)


def input_size(m):
    return 3 * BINS + m['bands'] + 2 * (HARMONICS - 1)


class Encoder(nn.Module):
    """PCM [B, N] -> latents [B, T, D], each with zero mean and unit variance."""

    def __init__(self, m):
        super().__init__()
        fine, coarse, k = m['encoder']['fine'], m['encoder']['coarse'], m['kernel']
        p = m['bands']
        self.inp = nn.Linear(input_size(m), fine[0])
        self.fine = nn.ModuleList([Block(c, m['expand_encoder_fine'], k) for c in fine])
        self.downsample = CausalConv(fine[-1], coarse[0], 4, 2)
        self.coarse = nn.ModuleList([Block(c, m['expand_coarse'], k) for c in coarse])
        self.norm = nn.LayerNorm(coarse[-1], elementwise_affine=False)
        self.out = nn.Linear(coarse[-1], m['latent'])
        self.register_buffer('window', sine_window())
        self.register_buffer('long_window', torch.hann_window(LONG))
        lag = 1 / (F0_MIN * torch.exp(torch.arange(p) / (p - 1) * F0_SPAN))
        bins = torch.arange(PERIODIC_LO, PERIODIC_HI) * (SR / PAD)
        self.register_buffer('cosines', torch.cos(2 * math.pi * bins[:, None] * lag[None]))
        harmonics = torch.arange(1, HARMONICS + 1)[:, None] / lag[None] * (PAD / SR)
        self.register_buffer('harmonics', harmonics.round().long(), persistent=False)       # bins [HARMONICS, P]
        self.register_buffer('quarters', torch.tensor([1, 1j, -1, -1j]).repeat(PAD // 8 + 1)[:PAD // 2 + 1],
                             persistent=False)

    def alignment(self, X, periodicity):
        """Long spectrum [.., PAD / 2 + 1], periodicity [.., P] -> [.., 2 * (HARMONICS - 1)]: phase of the 2nd and
        further harmonics against the fundamental's, averaged over likely pitches, between -1 and 1."""
        C = (X * self.quarters)[..., self.harmonics]         # phases at the window's centre [.., HARMONICS, P]
        first, size = C[..., 0, :], C.abs()
        w = torch.exp(SHARP * (periodicity - periodicity.amax(-1, keepdim=True))) * size[..., 0, :]
        back, turn, rows = torch.conj(first) / (size[..., 0, :] + 1e-6), None, []
        for h in range(1, HARMONICS):
            turn = back * back if turn is None else turn * back
            r = (w * C[..., h, :] * turn).sum(-1) / ((w * size[..., h, :]).sum(-1) + 1e-6)
            rows += [r.real, r.imag]
        return torch.stack(rows, -1)

    def features(self, x):
        """[B, N] -> [B, 2T, input_size()]: compressed complex spectrum, log power, periodicity over P lags, alignment
        of harmonics."""
        X = torch.fft.rfft(F.pad(x, (WIN - HOP, 0)).unfold(1, WIN, HOP) * self.window) / 15.5
        p = X.real ** 2 + X.imag ** 2 + 1e-8
        log_p = torch.log(p)
        compress = torch.exp(-0.35 * log_p)
        long = F.pad(x, (LONG - HOP, 0)).unfold(1, LONG, HOP) * self.long_window
        L = torch.fft.rfft(long, PAD)
        mag = L[..., PERIODIC_LO:PERIODIC_HI].abs()
        periodicity = (mag @ self.cosines) / (mag.sum(-1, keepdim=True) + 1e-3)
        return torch.cat([X.real * compress, X.imag * compress, (log_p + 9) * 0.25, 3 * periodicity,
                          self.alignment(L, periodicity)], -1)

    def forward(self, x):
        with full_precision(x):
            f = self.features(x.float())
        h = self.inp(f)
        for block in self.fine:
            h = block(h)
        h = self.downsample(h)
        for block in self.coarse:
            h = block(h)
        z = self.out(self.norm(h)).float()
        return F.layer_norm(z, (z.shape[-1],))


def f0_to_class(f0, bands):
    """Hz (0 = unvoiced) -> class index, 0 = unvoiced."""
    k = (torch.log(f0.clamp(F0_MIN, F0_MAX) / F0_MIN) / F0_SPAN * (bands - 1)).round().long() + 1
    return torch.where(f0 > 0, k, torch.zeros_like(k))


def class_to_f0(logits, low=F0_MIN, span=F0_SPAN):
    """Pitch logits [.., P + 1] of classes from `low` Hz on -> Hz: average of the five around the peak, 0 where
    unvoiced."""
    q = logits[..., 1:]
    bands = q.shape[-1]
    voiced = torch.logsumexp(q, -1) > logits[..., 0]
    o = (q.argmax(-1, keepdim=True) + torch.arange(-2, 3, device=q.device)).clamp(0, bands - 1)
    b = (torch.softmax(q.gather(-1, o), -1) * o).sum(-1)
    return torch.where(voiced, low * torch.exp(b / (bands - 1) * span), torch.zeros_like(b))


def output_sizes(m):
    """Parts of a row of the decoder network's output, in the order of Decoder.parts()."""
    return [BINS] * 5 + [m['bands'] + 1, 2 * HARMONICS]


@torch.no_grad()
def pulse_phase(start, f0, v):
    """Hz at the start of each hop and at its end [B, 2T], phase vectors v [B, 2T, 2] -> phase in turns at the start of
    each hop, and the turns by which the hop must make up for its error.

    Two von Mises beliefs about the phase at the hop's start: that the last hop ended there, with concentration STEADY
    (0 at an onset), and v. Their sum points to the phase taken. The phase stands still while unvoiced.
    """
    advance = (start + (f0 - start) * ((HOP - 1) / (2 * HOP))) * (HOP / SR)
    v = torch.view_as_complex(v.detach().float().contiguous())
    voiced = f0 > 0
    onset = voiced & ~F.pad(voiced, (1, 0))[:, :-1]
    at = torch.zeros_like(f0[:, 0])
    starts, offs = [], []
    for j in range(f0.shape[1]):
        belief = torch.polar(STEADY * (~onset[:, j]).float(), 2 * math.pi * at) + v[:, j]
        off = torch.where(voiced[:, j], torch.angle(belief) / (2 * math.pi) - at, torch.zeros_like(at))
        off = off - off.round()
        starts.append(torch.where(onset[:, j], at + off, at))
        offs.append(torch.where(onset[:, j], torch.zeros_like(at), off))
        at = torch.where(voiced[:, j], at + off + advance[:, j], at)
        at = at - at.floor()
    return torch.stack(starts, 1), torch.stack(offs, 1)


def excitation(f0, v):
    """F0 [B, 2T] in Hz, phase vectors v [B, 2T, HARMONICS, 2] -> band-limited pulse train [B, 2T * HOP] of unit power,
    silent where unvoiced.

    The first vector is the phase of the fundamental at the hop's start; the others are what the harmonics are ahead of
    it. f0[j] and these are reached at the end of hop j. They move linearly within a hop and are held backwards at an
    onset; the number of harmonics is fixed within a hop.
    """
    previous = F.pad(f0, (1, 0))[:, :-1]
    start = torch.where(previous > 0, previous, f0)
    phase, off = pulse_phase(start, f0, v[..., 0, :])
    ramp = torch.arange(HOP, device=f0.device) / HOP
    f = start[..., None] + (f0 - start)[..., None] * ramp
    turns = phase[..., None] + torch.cumsum(f / SR, -1) + off[..., None] * (ramp + 1 / HOP)
    turns = turns - turns.floor()
    half = turns * math.pi
    k = torch.floor(EDGE / torch.maximum(start, f0).clamp(min=1))[..., None]
    s = torch.sin(half)
    near = s.abs() < 1e-4
    pulse = torch.where(near, k, torch.sin((2 * k + 1) * half) / (2 * torch.where(near, torch.ones_like(s), s)) - 0.5)
    with torch.no_grad():
        ahead = torch.atan2(v[..., 1:, 1], v[..., 1:, 0]) / (2 * math.pi)
        last = torch.where((previous > 0)[..., None], F.pad(ahead, (0, 0, 1, 0))[:, :-1], ahead)
        move = ahead - last
        move = move - move.round()
        for h in range(2, HARMONICS + 1):
            shift = last[..., h - 2, None] + move[..., h - 2, None] * (ramp + 1 / HOP)
            pulse = pulse + torch.cos(2 * math.pi * (h * turns + shift)) - torch.cos(2 * math.pi * h * turns)
    return (pulse * torch.sqrt(2 / k) * (f0 > 0)[..., None]).flatten(1)


def harmonic_phases(x, f0, window=720):
    """PCM [B, N] and pitch at each hop's start [B, 2T] (0 = not known) -> unit vectors [B, 2T, HARMONICS, 2]: phase of
    the fundamental there, and of the harmonics ahead of it; and each one's share of the power around it, 0 .. 1."""
    w = torch.hann_window(window, device=x.device)
    frames = F.pad(x, (window // 2, window // 2)).unfold(1, window, HOP)[:, :f0.shape[1]] * w
    power = (frames ** 2).sum(-1, keepdim=True) / (w ** 2).sum() + 1e-9
    angle = (2 * math.pi / SR) * f0[..., None] * (torch.arange(window, device=x.device) - window // 2)
    turn = torch.polar(torch.ones_like(angle), -angle)
    v, rows = frames * turn, []
    for _ in range(HARMONICS):
        rows.append(v.sum(-1))
        v = v * turn
    c = torch.stack(rows, -1)
    size = c.abs()
    u = c / (size + 1e-9)
    back = torch.conj(u[..., :1]) ** torch.arange(1, HARMONICS + 1, device=x.device)
    u = torch.cat([u[..., :1], u[..., 1:] * back[..., 1:]], -1)
    share = 2 * (size / w.sum()) ** 2 / power
    return torch.view_as_real(u), share.clamp(max=1) * (f0 > 0)[..., None]


class Decoder(nn.Module):
    """Latents [B, T, D] -> PCM [B, N].

    Per fine frame the network gives a gain spectrum for the pulse train, one for white noise, a free complex
    spectrum (magnitude and direction) for all the rest, pitch class logits, and vectors along the phases of the pulse
    train's lowest harmonics.
    """

    def __init__(self, m):
        super().__init__()
        coarse, fine, k = m['decoder']['coarse'], m['decoder']['fine'], m['kernel']
        self.inp = CausalConv(m['latent'], coarse[0], 3)
        self.coarse = nn.ModuleList([Block(c, m['expand_coarse'], k) for c in coarse])
        self.upsample, self.fine_width = nn.Linear(coarse[-1], 2 * fine[0]), fine[0]
        self.fine = nn.ModuleList([Block(c, m['expand_decoder_fine'], k) for c in fine])
        self.norm = nn.LayerNorm(fine[-1], elementwise_affine=False)
        self.sizes = output_sizes(m)
        self.out = nn.Linear(fine[-1], sum(self.sizes))
        self.register_buffer('window', sine_window())

    def network(self, z):
        """Latents -> rows of output_sizes() values, [B, 2T, sum]."""
        h = self.inp(z)
        for block in self.coarse:
            h = block(h)
        h = self.upsample(h).reshape(h.shape[0], 2 * h.shape[1], self.fine_width)
        for block in self.fine:
            h = block(h)
        return self.out(self.norm(h)).float()

    @torch.no_grad()
    def wake_noise(self, level):
        """Noise as loud as the free spectrum times exp(level), everywhere: one that was given up is so soft that no
        gradient brings it back."""
        first, n = self.sizes[0], self.sizes[1]
        for p, offset in ((self.out.weight, 0), (self.out.bias, level)):
            p[first:first + n] = p[first + n:first + 2 * n] + offset

    def spectrum(self, x):
        return torch.fft.rfft(F.pad(x, (HOP, 0)).unfold(1, WIN, HOP) * self.window)

    def parts(self, o):
        """Rows of the network -> dict of its parts."""
        p = dict(zip(('voice', 'breath', 'size', 're', 'im', 'logits', 'phase'), o.split(self.sizes, -1)))
        p['phase'] = p['phase'].unflatten(-1, (HARMONICS, 2))
        return p

    def synthesise(self, o, f0, noise):
        """Rows o of the network, pitch f0 [B, 2T] in Hz, noise [B, N] of unit variance -> PCM [B, N]."""
        p = self.parts(o)
        E, W = self.spectrum(excitation(f0, p['phase'])), self.spectrum(noise)
        r = torch.rsqrt(p['re'] ** 2 + p['im'] ** 2 + 1e-6) * 15.5 * torch.exp(p['size'].clamp(max=6) - 4)
        X = (E * torch.exp(p['voice'].clamp(max=5) - 3) + W * torch.exp(p['breath'].clamp(max=5) - 4)
             + torch.complex(p['re'] * r, p['im'] * r))
        f = torch.fft.irfft(X, n=WIN) * self.window
        y = F.pad(f[..., HOP:], (0, 0, 1, 0))[:, :-1] + f[..., :HOP]       # hop j: end of frame j-1, start of frame j
        return torch.cat([y[:, 1:].flatten(1), f[:, -1, HOP:]], 1)

    def forward(self, z, f0=None, noise=None):
        """f0: the tracked pitch; None takes the network's own. The last HOP samples lack the next frame's half.
        -> PCM, parts of the network's output."""
        o = self.network(z)
        p = self.parts(o)
        with full_precision(o):
            if f0 is None:
                f0 = class_to_f0(p['logits'].detach())
            if noise is None:
                noise = (torch.rand(z.shape[0], o.shape[1] * HOP, device=z.device) - 0.5) * 12 ** 0.5
            return self.synthesise(o, f0, noise), p


class RVQ(nn.Module):
    """Residual vector quantiser: Q stages of K codewords with moving-average updates (SoundStream, section III-C).

    Start with fit() on latents of a warm encoder. A training forward leaves its statistics in `stats`
    [Q, K, D + 1] (sums, count); the trainer adds those of all workers and calls update(). `metric` [D, D], if not
    None, comes before errors are measured.
    """

    def __init__(self, d, k, q, decay=0.99):
        super().__init__()
        self.q, self.k, self.decay, self.stats, self.metric = q, k, decay, None, None
        self.register_buffer('codes', torch.randn(q, k, d) * 0.1)
        self.register_buffer('total', torch.cat([self.codes, torch.ones(q, k, 1)], -1))

    @staticmethod
    def nearest(r, c):
        """r [M, D], c [K, D] -> index of the nearest codeword [M]."""
        return (r @ c.T - 0.5 * (c * c).sum(1)).argmax(1)

    @torch.no_grad()
    def fit(self, z, iterations=12):
        r = z.reshape(-1, z.shape[-1]).float().clone()
        for q in range(self.q):
            c = r[torch.randperm(len(r), device=r.device)[:self.k]].clone()
            for _ in range(iterations):
                i = self.nearest(r, c)
                n = torch.bincount(i, minlength=self.k).float()
                mean = torch.zeros_like(c).index_add_(0, i, r) / n.clamp(min=1)[:, None]
                c = torch.where(n[:, None] > 0, mean, r[torch.randint(len(r), (self.k,), device=r.device)])
            i = self.nearest(r, c)
            r -= c[i]
            n = torch.bincount(i, minlength=self.k).float().clamp(min=1) / 20
            self.codes[q], self.total[q] = c, torch.cat([c * n[:, None], n[:, None]], 1)

    @torch.no_grad()
    def update(self, stats, spare):
        """stats [Q, K, D + 1] summed over workers; spare [Q, M, D] residuals that dead codewords restart from."""
        self.total.mul_(self.decay).add_(stats, alpha=1 - self.decay)
        n = self.total[..., -1:]
        self.codes.copy_(self.total[..., :-1] / n.clamp(min=1e-3))
        for q, k in (n[..., 0] < 0.02).nonzero().tolist():
            p = spare[q, k % spare.shape[1]]
            self.codes[q, k], self.total[q, k, :-1], self.total[q, k, -1] = p, p * 0.1, 0.1

    def forward(self, z, stages):
        """z [B, T, D], stages [B] -> quantised z (straight through), commitment loss, indices [Q][B, T]."""
        b, t, d = z.shape
        z = z.float()
        r, out, commit, idx = z.detach(), torch.zeros_like(z), 0.0, []
        if self.training:
            self.stats = torch.zeros_like(self.total)
            self.spare = torch.zeros(self.q, b * t, d, device=z.device)
        for q in range(int(stages.max())):
            flat = r.reshape(-1, d)
            c = self.codes[q]
            i = self.nearest(flat, c) if self.metric is None else self.nearest(flat @ self.metric.T, c @ self.metric.T)
            use = (stages > q)[:, None, None]
            if self.training:
                m = use.expand(b, t, 1).reshape(-1)
                self.stats[q].index_add_(0, i[m], torch.cat([flat[m], torch.ones_like(flat[m][:, :1])], 1))
                self.spare[q] = flat[torch.randperm(b * t, device=z.device)]
            e = use * self.codes[q][i].reshape(b, t, d)
            out, r = out + e, r - e
            commit = commit + (((z - out) ** 2).mean(-1, keepdim=True) * use).sum() / use.sum() / t
            idx.append(i.reshape(b, t))
        return z + (out - z).detach(), commit / len(idx), idx


def fsq_bound(z, levels):
    """arXiv 2309.15505, section 3.1 and appendix A.1: z [.., d] -> values whose nearest integers are levels[d] many,
    -floor(L / 2) .. ceil(L / 2) - 1."""
    half = (levels - 1) * (1 + 1e-3) / 2
    offset = torch.where(levels % 2 == 0, 0.5, 0.0)
    return torch.tanh(z + torch.atanh(offset / half)) * half - offset


class RFSQ(nn.Module):
    """Residual finite scalar quantiser: each stage maps what is left linearly to d numbers, rounds them to a few levels
    each (FSQ), and maps those back. No codebook is stored.

    The maps learn by the gradient of each stage's squared error, through the rounding; `scale`, each stage's deviation
    when fitted, keeps them near 1.
    """

    def __init__(self, d, levels, q):
        super().__init__()
        self.q, n = q, len(levels)
        self.register_buffer('levels', torch.tensor(levels, dtype=torch.float32), persistent=False)
        self.register_buffer('scale', torch.ones(q))
        self.into, self.shift = nn.Parameter(torch.zeros(q, d, n)), nn.Parameter(torch.zeros(q, n))
        self.back, self.bias = nn.Parameter(torch.zeros(q, n, d)), nn.Parameter(torch.zeros(q, d))

    def digits(self, r, q):
        """Residuals r [.., D] -> stage q's levels [.., d], -floor(L / 2) .. ; gradient as if not rounded."""
        b = fsq_bound(r / self.scale[q] @ self.into[q] + self.shift[q], self.levels)
        return b + (b.round() - b).detach()

    def word(self, digits, q):
        return self.scale[q] * (digits / (self.levels // 2) @ self.back[q] + self.bias[q])

    def index(self, digits):
        """Digits -> tokens; the first digit counts least."""
        place = torch.cat([torch.ones_like(self.levels[:1]), self.levels.cumprod(0)[:-1]])
        return ((digits + self.levels // 2) * place).sum(-1).long()

    @torch.enable_grad()
    def fit(self, z, steps=120, batch=4096):
        """Stage by stage: from the directions of largest variance, by gradient of the squared error."""
        r, n = z.reshape(-1, z.shape[-1]).float().clone(), len(self.levels)
        for q in range(self.q):
            self.scale[q] = s = r.std()
            mean = (r / s).mean(0)
            variance, axes = torch.linalg.eigh((r / s - mean).T @ (r / s - mean) / len(r))
            deviation, axes = variance[-n:].flip(0).sqrt(), axes[:, -n:].flip(1)
            self.into.data[q], self.shift.data[q] = 0.8 * axes / deviation, -0.8 * mean @ axes / deviation
            self.back.data[q], self.bias.data[q] = (1.5 * axes * deviation).T, mean
            opt = torch.optim.Adam(self.parameters())
            for i in range(steps):
                opt.param_groups[0]['lr'] = 1e-2 * (1 - i / steps)
                x = r[torch.randint(len(r), (batch,), device=r.device)]
                opt.zero_grad()
                ((x - self.word(self.digits(x, q), q)) / s).pow(2).mean().backward()
                opt.step()
            with torch.no_grad():
                c = self.digits(r, q) / (self.levels // 2)
                x = torch.linalg.lstsq(torch.cat([c, torch.ones_like(c[:, :1])], 1), r / s).solution
                self.back.data[q], self.bias.data[q] = x[:-1], x[-1]
                r -= self.word(self.digits(r, q), q)
        self.zero_grad()

    def forward(self, z, stages):
        """As RVQ.forward. In training `error` is left: what the maps learn from."""
        z = z.float()
        out, commit, idx, self.error = torch.zeros_like(z), 0.0, [], 0.0
        for q in range(int(stages.max())):
            use = (stages > q)[:, None, None]
            r = (z - out).detach()
            c = self.digits(r, q)
            word = self.word(c, q)
            self.error = self.error + (use * ((r - word) / self.scale[q]) ** 2).mean()
            out = out + use * word.detach()
            commit = commit + (((z - out) ** 2).mean(-1, keepdim=True) * use).sum() / use.sum() / z.shape[1]
            idx.append(self.index(c.detach()))
        return z + (out - z).detach(), commit / len(idx), idx


class Codec(nn.Module):
    """config['model'] names the quantiser: with `levels` RFSQ, else RVQ of `codewords`."""

    def __init__(self, m):
        super().__init__()
        self.encoder, self.decoder = Encoder(m), Decoder(m)
        if 'levels' in m:
            self.fsq = RFSQ(m['latent'], m['levels'], m['codebooks'])
        else:
            self.rvq = RVQ(m['latent'], m['codewords'], m['codebooks'])

    @property
    def quantiser(self):
        return self.fsq if hasattr(self, 'fsq') else self.rvq
