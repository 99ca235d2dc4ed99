"""libopus by ctypes: a clip through its encoder and decoder."""
import collections
import ctypes as C
import ctypes.util
import numpy as np

SR, FRAME, VOIP = 24000, 480, 2048
SET_BITRATE, SET_COMPLEXITY, GET_LOOKAHEAD = 4002, 4010, 4027
BANDWIDTH = {1101: 4000, 1102: 6000, 1103: 8000, 1104: 12000, 1105: 12000}


class Opus:
    def __init__(self):
        self.lib, error = C.CDLL(ctypes.util.find_library('opus')), C.c_int()
        self.lib.opus_encoder_create.restype = self.lib.opus_decoder_create.restype = C.c_void_p
        self.encoder = C.c_void_p(self.lib.opus_encoder_create(SR, 1, VOIP, C.byref(error)))
        self.decoder = C.c_void_p(self.lib.opus_decoder_create(SR, 1, C.byref(error)))

    def control(self, request, value):
        if self.lib.opus_encoder_ctl(self.encoder, C.c_int(request), value):
            raise RuntimeError('opus_encoder_ctl %d' % request)

    def through(self, x, bitrate):
        """x [N] of float32 -> the same coded and decoded, delay removed; the bandwidth of most packets in Hz."""
        self.control(4028, C.c_int(0))                                      # OPUS_RESET_STATE
        self.lib.opus_decoder_ctl(self.decoder, C.c_int(4028))
        self.control(SET_BITRATE, C.c_int(bitrate))
        self.control(SET_COMPLEXITY, C.c_int(5))
        delay = C.c_int()
        self.control(GET_LOOKAHEAD, C.byref(delay))
        frames = -(-(len(x) + delay.value) // FRAME)
        x = np.pad(x, (0, frames * FRAME - len(x))).astype(np.float32)
        y, packet, seen = np.zeros_like(x), (C.c_ubyte * 1500)(), collections.Counter()
        for t in range(frames):
            source, target = (C.c_void_p(v.ctypes.data + 4 * t * FRAME) for v in (x, y))
            n = self.lib.opus_encode_float(self.encoder, source, FRAME, packet, 1500)
            self.lib.opus_decode_float(self.decoder, packet, n, target, FRAME, 0)
            seen[self.lib.opus_packet_get_bandwidth(packet)] += 1
        return y[delay.value:], BANDWIDTH[seen.most_common(1)[0][0]]
