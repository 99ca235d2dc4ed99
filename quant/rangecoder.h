/* Range coder in integers (G. N. N. Martin, "Range encoding", 1979), with a carry that runs back into the bytes
 * already written, as in Daala's and AV1's coders. Opus's (celt/entcode.h, RFC 6716, section 4.1) is the model of
 * this contract.
 *
 * The state is the interval [low, low + range) of 32 bits. A symbol with the part [cum, cum + freq) of a total of
 * 2^bits, bits in 1 .. 16, takes what lies between floor(range * cum / 2^bits) and floor(range * (cum + freq) /
 * 2^bits) of it. Invariants between calls: 2^24 <= range < 2^32, and in a decoder code < range, whatever the bytes
 * are.
 *
 * An encoder and a decoder given the same calls have the same `range` after each, and at the end the decoder's size
 * is the encoder's: a reader compares it with the size of what it was given. Nothing here allocates. */
#ifndef LAC_QUANT_RANGECODER_H
#define LAC_QUANT_RANGECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAC_RANGE_MAX_BITS 16 /* most bits of a total */
#define LAC_RANGE_COST_ONE 256 /* a bit, in costs */

typedef struct lac_range_encoder {
    uint8_t *bytes; /* [capacity]; carries may still change what stands there */
    size_t capacity, size; /* size may pass capacity: so many were needed, and what is there is void */
    uint32_t low, range;
} lac_range_encoder;

typedef struct lac_range_decoder {
    const uint8_t *bytes; /* [available]; what follows counts as zeros */
    size_t available, position; /* position: bytes taken, 4 ahead of what is decided */
    uint32_t code, range;       /* code: what the bytes say, less the encoder's low */
} lac_range_decoder;

/* Start a stream in bytes [capacity], which the caller owns and keeps until the end. */
void lac_range_encoder_init(lac_range_encoder *e, uint8_t *bytes, size_t capacity);

/* One symbol: freq >= 1, cum + freq <= 2^bits. A full buffer is no error yet: nothing is written past it, and
 * lac_range_encoder_end tells. */
void lac_range_encode(lac_range_encoder *e, uint32_t cum, uint32_t freq, uint32_t bits);

/* A bit with probability one / 65536 of being 1; one in 1 .. 65535. */
void lac_range_encode_bit(lac_range_encoder *e, uint32_t bit, uint32_t one);

/* `count` bits of value, all values equally likely, count in 0 .. 32; value < 2^count. */
void lac_range_encode_uniform(lac_range_encoder *e, uint32_t value, uint32_t count);

/* What the symbols so far have cost, in 1 / LAC_RANGE_COST_ONE bits, within one: the stream would end at this,
 * rounded up to whole bytes. Of a decoder the same number. */
uint64_t lac_range_encoder_cost(const lac_range_encoder *e);
uint64_t lac_range_decoder_cost(const lac_range_decoder *d);

/* End the stream with the one byte that it takes to name a number in the interval. *size is how many bytes the
 * stream has; false if that is more than the capacity. Nothing can be encoded after. */
bool lac_range_encoder_end(lac_range_encoder *e, size_t *size);

/* Any bytes decode: a corrupt stream gives other symbols, each within its table, and takes no longer. */
void lac_range_decoder_init(lac_range_decoder *d, const uint8_t *bytes, size_t available);

/* Where the next symbol lies in its total: 0 .. 2^bits - 1. To be followed by lac_range_decode_take with the symbol
 * whose cum <= that < cum + freq, and the same bits. */
uint32_t lac_range_decode(const lac_range_decoder *d, uint32_t bits);
void lac_range_decode_take(lac_range_decoder *d, uint32_t cum, uint32_t freq, uint32_t bits);

/* The mirrors of lac_range_encode_bit and lac_range_encode_uniform. */
uint32_t lac_range_decode_bit(lac_range_decoder *d, uint32_t one);
uint32_t lac_range_decode_uniform(lac_range_decoder *d, uint32_t count);

/* Bytes of the stream, if it ends here: what lac_range_encoder_end gave. More than were available means that it is
 * cut off or corrupt, and the last symbols are made of zeros. */
size_t lac_range_decoder_size(const lac_range_decoder *d);

/* -log2(freq / 2^bits) in 1 / LAC_RANGE_COST_ONE bits, within one; freq in 1 .. 2^bits, bits <= 16. */
uint32_t lac_range_cost(uint32_t freq, uint32_t bits);

#endif
