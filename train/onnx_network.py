"""The codec's two networks as ONNX files: the encoder from features to latents, the decoder from latents to the rows
that its synthesis takes. Transforms, codebook search and synthesis stay outside: ONNX has no operators for them.

The modules of model.py run as they are, with their convolutions replaced by ones that take and give their history, so
that a file serves streams: inputs x, s0, s1, ..., outputs y, t0, t1, ..., shapes fixed. Dense convolutions are matrix
products; depthwise ones are operators of their own ('conv') or multiply-adds of shifted rows ('rows'): which of them
onnxruntime runs faster depends on the number of frames.
"""
import os
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from onnxruntime import quantization as Q
from model import CausalConv, Codec
from quantised import linear_layers


class States:
    """What one run of a network takes and gives, in the order in which its layers ask."""

    def __init__(self):
        self.shapes, self.taken, self.given = [], None, []

    def begin(self, tensors):
        self.taken, self.given = list(tensors), []

    def take(self, rows, width):
        if self.taken:
            return self.taken.pop(0)
        self.shapes.append((1, rows, width))
        return torch.zeros(1, rows, width)

    def extend(self, x, rows):
        """x with the `rows` rows before it; keeps its last."""
        x = torch.cat([self.take(rows, x.shape[2]), x], 1)
        self.given.append(x[:, x.shape[1] - rows:])
        return x


class StreamedBlock(nn.Module):
    def __init__(self, block, states, depthwise):
        super().__init__()
        self.states, self.depthwise = states, depthwise
        self.norm, self.up, self.down = block.norm, block.up, block.down
        self.weight = nn.Parameter(block.depthwise.weight[:, 0].T.contiguous())           # [kernel][width]
        self.bias = block.depthwise.bias

    def forward(self, x):
        k, t, c = len(self.weight), x.shape[1], x.shape[2]
        past = self.states.extend(x, k - 1)
        if self.depthwise == 'conv':
            past = past.transpose(1, 2)[:, :, None]                                       # [1][width][1][rows]
            y = F.conv2d(past, self.weight.T[:, None, None], self.bias, groups=c)[:, :, 0].transpose(1, 2)
        else:
            y = self.bias + sum(past[:, j:j + t] * self.weight[j] for j in range(k))
        return x + self.down(F.gelu(self.up(self.norm(y)), approximate='tanh'))


class StreamedConv(nn.Module):
    def __init__(self, weight, bias, pad, taps, stride, states):
        super().__init__()
        self.pad, self.taps, self.stride, self.states = pad, taps, stride, states
        self.linear = dense(weight, bias)

    def forward(self, x):
        rows = x.shape[1] // self.stride
        x = self.states.extend(x, self.pad)
        last = (rows - 1) * self.stride + 1
        return self.linear(torch.cat([x[:, j:j + last:self.stride] for j in range(self.taps)], -1))


def dense(weight, bias):
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight.data, layer.bias.data = torch.from_numpy(weight), torch.from_numpy(bias)
    return layer


class Network(nn.Module):
    """One side of the codec in float, with the weights of a model file."""

    def __init__(self, side, m, t, depthwise):
        super().__init__()
        codec, states = Codec(m).eval(), States()
        for name, layer in linear_layers(codec):
            owner, _, field = name.rpartition('.')
            field = {'input': 'inp', 'output': 'out'}.get(field, field)
            w = (t[name + '.weight'] * t[name + '.scale'][:, None]).astype(np.float32)
            b = t[name + '.bias'].astype(np.float32)
            if isinstance(layer, CausalConv):
                c = layer.conv
                new = StreamedConv(w, b, layer.pad, c.kernel_size[0], c.stride[0], states)
            else:
                new = dense(w, b)
            setattr(codec.get_submodule(owner), field, new)
        self.net, self.states = getattr(codec, side), states
        for kind in ('fine', 'coarse'):
            for n, block in enumerate(getattr(self.net, kind)):
                p = '%s.%s.%d.depthwise.' % (side, kind, n)
                block.depthwise.weight.data = torch.from_numpy(t[p + 'weight'].T[:, None].copy())
                block.depthwise.bias.data = torch.from_numpy(t[p + 'bias'] + 0)
                getattr(self.net, kind)[n] = StreamedBlock(block, states, depthwise)
        if side == 'encoder':
            self.net.features = lambda x: x
        self.run = self.net if side == 'encoder' else self.net.network

    def forward(self, x, *states):
        self.states.begin(states)
        return (self.run(x), *self.states.given)

    def state_shapes(self, x):
        self.states.shapes = []
        self(x)
        return list(self.states.shapes)


@torch.no_grad()
def export(path, network, x):
    """Writes the network for inputs like x [1, rows, width]; shapes of its states."""
    shapes = network.state_shapes(x)
    n = range(len(shapes))
    torch.onnx.export(network, (x, *[torch.zeros(s) for s in shapes]), path, dynamo=False, opset_version=20,
                      input_names=['x'] + ['s%d' % i for i in n], output_names=['y'] + ['t%d' % i for i in n])
    return shapes


class Calibration(Q.CalibrationDataReader):
    def __init__(self, rows):
        self.rows = iter(rows)

    def get_next(self):
        return next(self.rows, None)


def quantise(path, kind, rows):
    """The file's matrix products in int8, weights by output channel: kind 'dynamic' (activations scaled run by run) or
    'static' (ranges from rows, inputs by name). -> path of the new file."""
    ready, out = path.replace('.onnx', '.ready.onnx'), path.replace('.onnx', '.%s.onnx' % kind)
    if not os.path.exists(ready):
        Q.quant_pre_process(path, ready)
    if kind == 'dynamic':
        Q.quantize_dynamic(ready, out, per_channel=True, weight_type=Q.QuantType.QInt8)
    else:
        Q.quantize_static(ready, out, Calibration(rows), quant_format=Q.QuantFormat.QDQ, per_channel=True,
                          op_types_to_quantize=['MatMul', 'Gemm'], activation_type=Q.QuantType.QUInt8,
                          weight_type=Q.QuantType.QInt8)
    return out
