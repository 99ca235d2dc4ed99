#!/usr/bin/env python3
"""What coding by the prior saves of packets, and what it takes: packets.py LIBLAC.so MODEL.lacm AUDIO_DIR [--codebooks 6]

Packets of the dev split of AUDIO_DIR, plain and coded (doc/rtp-payload.md), of some numbers of frames and layers, with
and without a copy of the packet before at half the codebooks: mean bytes of a payload, how many of the packets are
coded, and the processor time that coding takes beside plain bits, of the sender and of the receiver, a packet: the
least of some rounds. Every payload is read again, and gives the same tokens.
"""
import argparse
import ctypes as C
import time
import numpy as np
import soundfile as sf
import lacm
from liblac import Library, pointer
from quality import dev_split


class Block(C.Structure):
    _fields_ = [(n, C.c_uint8) for n in ('age', 'frames', 'codebooks')]


class Settings(C.Structure):
    _fields_ = ([(n, C.c_uint32) for n in ('frames', 'layer', 'redundancy')] + [('block', Block * 4)] +
                [(n, C.c_uint32) for n in ('dtx', 'comfort_frames', 'coded')])


class Packet(C.Structure):
    _fields_ = [('frame', C.c_uint64), ('frames', C.c_uint32), ('size', C.c_uint32), ('marker', C.c_uint8),
                ('comfort', C.c_uint8), ('data', C.c_uint8 * 1200)]


def write(library, settings, tokens, codebooks):
    """tokens [T][Q] -> [(index of the first frame, payload)], and processor seconds."""
    packetizer, packet, ready, packets = C.c_void_p(), Packet(), C.c_int(), []
    library.call('lac_packetizer_open', C.byref(packetizer), library.model, C.byref(settings))
    call, out, done = library.lib.lac_packetizer_write, C.byref(packet), C.byref(ready)
    rows = [pointer(row) for row in tokens]
    start = time.process_time()
    for row in rows:
        if call(packetizer, row, codebooks, 1, out, done):
            raise RuntimeError('write')
        if ready.value:
            packets.append((packet.frame, bytes(packet.data[:packet.size])))
    seconds = time.process_time() - start
    library.lib.lac_packetizer_close(C.byref(packetizer))
    return packets, seconds


def read(library, packets, tokens, codebooks):
    """Processor seconds of taking all packets. They must give the tokens."""
    d, row, count = C.c_void_p(), np.zeros(tokens.shape[1], np.uint16), C.c_uint8()
    library.call('lac_depacketizer_open', C.byref(d), library.model)
    seconds, at = 0.0, 0
    for frame, payload in packets:
        start = time.process_time()
        status = library.lib.lac_depacketizer_put(d, C.c_uint64(frame), payload, C.c_size_t(len(payload)), None)
        seconds += time.process_time() - start
        while at <= frame:
            library.lib.lac_depacketizer_take(d, pointer(row), C.byref(count))
            if status or count.value != codebooks or (row[:codebooks] != tokens[at, :codebooks]).any():
                raise RuntimeError('read')
            at += 1
    library.lib.lac_depacketizer_close(C.byref(d))
    return seconds


def measure(library, clips, a, frames, layers, copies):
    """Plain, coded: bytes of all payloads, packets, those that are coded, seconds of sender and receiver."""
    layer = -(-a.codebooks // layers)
    block = (Block * 4)(Block(frames, frames, (a.codebooks + 1) // 2))
    totals = []
    for coded in (0, 1):
        settings = Settings(frames, layer, copies, block, 0, 20, coded)
        total, best = np.zeros(3), np.full(2, 1e9)
        for i in range(a.rounds):
            seconds = np.zeros(2)
            for tokens in clips:
                packets, took = write(library, settings, tokens, a.codebooks)
                seconds += took, read(library, packets, tokens, a.codebooks)
                if i == 0:
                    total += sum(len(p) for _, p in packets), len(packets), sum(p[0] >> 6 for _, p in packets)
            best = np.minimum(best, seconds)
        totals.append((*total, *best))
    return np.array(totals)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('liblac')
    p.add_argument('model')
    p.add_argument('audio')
    p.add_argument('--codebooks', type=int, default=6)
    p.add_argument('--frames', default='1,2,3,5,10')
    p.add_argument('--layers', default='1,2,3')
    p.add_argument('--beam', type=int, default=4)
    p.add_argument('--clips', type=int, help='only so many')
    p.add_argument('--rounds', type=int, default=3)
    a = p.parse_args()
    library, stages = Library(a.liblac, a.model), lacm.read(a.model)[1]['codebooks']
    encoder = library.encoder(a.codebooks, a.beam)
    clips = [library.tokens(encoder, sf.read(path, dtype='float32')[0], stages)
             for path in list(dev_split(a.audio)[0].values())[:a.clips]]
    library.close(encoder)
    print('| frames | layers | copies | plain, bytes | coded, bytes | saved | packets coded | sender, us | receiver, us |')
    print('|---' * 9 + '|')
    for frames in map(int, a.frames.split(',')):
        for layers in map(int, a.layers.split(',')):
            for copies in (0, 1):
                plain, coded = measure(library, clips, a, frames, layers, copies)
                n = coded[1]
                print('| %d | %d | %d | %.1f | %.1f | %.1f %% | %.0f %% | %.1f | %.1f |' % (
                    frames, layers, copies, plain[0] / n, coded[0] / n, 100 - 100 * coded[0] / plain[0],
                    100 * coded[2] / n, *(1e6 * (coded[3:] - plain[3:]) / n)), flush=True)


if __name__ == '__main__':
    main()
