"""Float weights to the tensors of a model file, and a PyTorch codec that computes with those tensors as C does."""
import copy
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from integers import IntegerRFSQ, fixed, fsq_tensors
from lacm import ONE
from model import RFSQ, CausalConv, Codec


def int8_rows(w, search=True):
    """w [O][I] -> int8 weights and a scale a row: the scale of least squared error, clipping allowed."""
    w = w.astype(np.float64)
    top = np.abs(w).max(1) / 127
    best, error = top, None
    for c in np.linspace(1.0, 0.5, 51) if search else [1.0]:
        s = (top * c).astype(np.float32).astype(np.float64)
        q = np.clip(np.rint(w / np.maximum(s, 1e-30)[:, None]), -127, 127)
        e = ((q * s[:, None] - w) ** 2).sum(1)
        if error is None:
            best, error = s, e
        else:
            best, error = np.where(e < error, s, best), np.minimum(e, error)
    q = np.clip(np.rint(w / np.maximum(best, 1e-30)[:, None]), -127, 127).astype(np.int8)
    return q, best.astype(np.float32)


def array(t):
    return t.detach().cpu().numpy()


def linear_layers(codec):
    """[(name in the file, module)] of all matrix products; convolutions are CausalConv."""
    rows = []
    for side, net in (('encoder', codec.encoder), ('decoder', codec.decoder)):
        rows.append((side + '.input', net.inp))
        for kind in ('fine', 'coarse'):
            for n, b in enumerate(getattr(net, kind)):
                rows += [('%s.%s.%d.up' % (side, kind, n), b.up), ('%s.%s.%d.down' % (side, kind, n), b.down)]
        rows.append((side + '.output', net.out))
    return rows + [('encoder.downsample', codec.encoder.downsample), ('decoder.upsample', codec.decoder.upsample)]


def quantiser(q):
    return fsq_tensors(q) if isinstance(q, RFSQ) else {'codes': fixed(array(q.codes))}


def tensors(codec, search=True):
    """{name: array} for lacm.write. The blocks' residual scales are folded into their last layer."""
    out = {'encoder.window': array(codec.encoder.window), 'encoder.long_window': array(codec.encoder.long_window),
           'encoder.cosines': array(codec.encoder.cosines), 'decoder.window': array(codec.decoder.window),
           **quantiser(codec.quantiser)}
    fold = {}
    for side, net in (('encoder', codec.encoder), ('decoder', codec.decoder)):
        for kind in ('fine', 'coarse'):
            for n, b in enumerate(getattr(net, kind)):
                p = '%s.%s.%d' % (side, kind, n)
                out[p + '.depthwise.weight'] = array(b.depthwise.weight)[:, 0].T
                out[p + '.depthwise.bias'] = array(b.depthwise.bias)
                fold[p + '.down'] = array(b.scale)
    for name, layer in linear_layers(codec):
        conv = isinstance(layer, CausalConv)
        w = array(layer.conv.weight).transpose(0, 2, 1) if conv else array(layer.weight)
        bias = array(layer.conv.bias if conv else layer.bias)
        s = fold.get(name, np.ones(len(w), np.float32))
        q, scale = int8_rows(w.reshape(len(w), -1) * s[:, None], search)
        out.update({name + '.weight': q, name + '.scale': scale, name + '.bias': bias * s})
    return out


class IntegerLinear(nn.Module):
    """A matrix product as C computes it: activations of a row to 13 bits, exact integer sums.

    With exact=False activations stay float32: the same weights, faster.
    """

    def __init__(self, t, name, exact):
        super().__init__()
        self.exact = exact
        self.w = torch.from_numpy(t[name + '.weight'].astype(np.float64 if exact else np.float32))
        self.scale, self.bias = torch.from_numpy(t[name + '.scale'] + 0), torch.from_numpy(t[name + '.bias'] + 0)

    def forward(self, x):
        x = x.float()
        if not self.exact:
            return (x @ self.w.T) * self.scale + self.bias
        m = x.abs().amax(-1, keepdim=True)
        y = x * (4095 / m.clamp(min=1e-20))
        q = (torch.sign(y) * torch.floor(y.abs() + 0.5)).clamp(-4095, 4095) * (m >= 1e-20)
        return (q.double() @ self.w.T).float() * (m * (1 / 4095)) * self.scale + self.bias


class IntegerConv(nn.Module):
    """The same for CausalConv: taps of [B, T, I] side by side, oldest first."""

    def __init__(self, t, name, exact, pad, taps, stride):
        super().__init__()
        self.pad, self.taps, self.stride, self.linear = pad, taps, stride, IntegerLinear(t, name, exact)

    def forward(self, x):
        x = F.pad(x, (0, 0, self.pad, 0)).unfold(1, self.taps, self.stride)     # [B, T, I, taps]
        return self.linear(x.transpose(2, 3).flatten(2))


def load(m, t, exact=True):
    """config['model'] and the tensors of a file -> a codec in evaluation mode that computes with them."""
    codec = Codec(m)
    for name, layer in linear_layers(codec):
        parent, _, field = name.rpartition('.')
        if isinstance(layer, CausalConv):
            c = layer.conv
            new = IntegerConv(t, name, exact, layer.pad, c.kernel_size[0], c.stride[0])
        else:
            new = IntegerLinear(t, name, exact)
        owner = codec.get_submodule(parent)
        setattr(owner, {'input': 'inp', 'output': 'out'}.get(field, field), new)
    for side, net in (('encoder', codec.encoder), ('decoder', codec.decoder)):
        for kind in ('fine', 'coarse'):
            for n, b in enumerate(getattr(net, kind)):
                p = '%s.%s.%d.depthwise.' % (side, kind, n)
                b.scale.data.fill_(1)
                b.depthwise.weight.data = torch.from_numpy(t[p + 'weight'].T[:, None].copy())
                b.depthwise.bias.data = torch.from_numpy(t[p + 'bias'] + 0)
        net.window = torch.from_numpy(t[side + '.window'] + 0)
    codec.encoder.long_window = torch.from_numpy(t['encoder.long_window'] + 0)
    codec.encoder.cosines = torch.from_numpy(t['encoder.cosines'] + 0)
    if 'levels' in m:
        codec.fsq = IntegerRFSQ(m, t)
    else:
        codec.rvq.codes = torch.from_numpy(t['codes'].astype(np.float32) / ONE)
    return codec.eval()
