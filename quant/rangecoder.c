#include "rangecoder.h"

#define BOTTOM (UINT32_C(1) << 24)
#define COST_BITS 8

/* floor(log2(v) * LAC_RANGE_COST_ONE), v >= 1. Squaring doubles the logarithm: each time gives one more bit of
 * it. */
static uint32_t log2_fixed(uint32_t v)
{
    uint32_t result = 0;
    while (v >> result > 1)
        result++;
    uint32_t mantissa = v << (31 - result);
    for (int i = 0; i < COST_BITS; i++) {
        uint64_t square = (uint64_t)mantissa * mantissa;
        uint32_t bit = (uint32_t)(square >> 63);
        mantissa = (uint32_t)(square >> (31 + bit));
        result = 2 * result + bit;
    }
    return result;
}

uint32_t lac_range_cost(uint32_t freq, uint32_t bits)
{
    return (bits << COST_BITS) - log2_fixed(freq);
}

void lac_range_encoder_init(lac_range_encoder *e, uint8_t *bytes, size_t capacity)
{
    *e = (lac_range_encoder){.bytes = bytes, .capacity = capacity, .range = UINT32_MAX};
}

static void add_to_low(lac_range_encoder *e, uint32_t add)
{
    e->low += add;
    if (e->low >= add || e->size > e->capacity)
        return;
    /* The first byte never overflows: low + range <= 2^32 before it is written. */
    for (size_t i = e->size; i-- > 0 && ++e->bytes[i] == 0;)
        continue;
}

static void put_byte(lac_range_encoder *e)
{
    if (e->size < e->capacity)
        e->bytes[e->size] = (uint8_t)(e->low >> 24);
    e->size++;
    e->low <<= 8;
}

/* Where `part` of 2^bits begins in a range. */
static uint32_t share(uint32_t range, uint32_t part, uint32_t bits)
{
    return (uint32_t)((uint64_t)range * part >> bits);
}

void lac_range_encode(lac_range_encoder *e, uint32_t cum, uint32_t freq, uint32_t bits)
{
    uint32_t begin = share(e->range, cum, bits);
    add_to_low(e, begin);
    e->range = share(e->range, cum + freq, bits) - begin;
    for (; e->range < BOTTOM; e->range <<= 8)
        put_byte(e);
}

void lac_range_encode_bit(lac_range_encoder *e, uint32_t bit, uint32_t one)
{
    if (bit)
        lac_range_encode(e, 0, one, 16);
    else
        lac_range_encode(e, one, 65536 - one, 16);
}

void lac_range_encode_uniform(lac_range_encoder *e, uint32_t value, uint32_t count)
{
    if (count > 16) {
        lac_range_encode(e, value >> 16, 1, count - 16);
        value &= 0xffff;
        count = 16;
    }
    lac_range_encode(e, value, 1, count);
}

uint64_t lac_range_encoder_cost(const lac_range_encoder *e)
{
    return (((uint64_t)e->size * 8 + 32) << COST_BITS) - log2_fixed(e->range);
}

bool lac_range_encoder_end(lac_range_encoder *e, size_t *size)
{
    add_to_low(e, BOTTOM - 1);
    put_byte(e);
    *size = e->size;
    return e->size <= e->capacity;
}

static uint32_t next_byte(lac_range_decoder *d)
{
    size_t at = d->position++;
    return at < d->available ? d->bytes[at] : 0;
}

void lac_range_decoder_init(lac_range_decoder *d, const uint8_t *bytes, size_t available)
{
    *d = (lac_range_decoder){.bytes = bytes, .available = available, .range = UINT32_MAX};
    for (int i = 0; i < 4; i++)
        d->code = d->code << 8 | next_byte(d);
    if (d->code == UINT32_MAX)
        d->code--; /* no encoder writes that */
}

/* The last `part` that begins at code or before. */
uint32_t lac_range_decode(const lac_range_decoder *d, uint32_t bits)
{
    return (uint32_t)(((((uint64_t)d->code + 1) << bits) - 1) / d->range);
}

void lac_range_decode_take(lac_range_decoder *d, uint32_t cum, uint32_t freq, uint32_t bits)
{
    uint32_t begin = share(d->range, cum, bits);
    d->code -= begin;
    d->range = share(d->range, cum + freq, bits) - begin;
    for (; d->range < BOTTOM; d->range <<= 8)
        d->code = d->code << 8 | next_byte(d);
}

uint32_t lac_range_decode_bit(lac_range_decoder *d, uint32_t one)
{
    uint32_t bit = d->code < share(d->range, one, 16);
    lac_range_decode_take(d, bit ? 0 : one, bit ? one : 65536 - one, 16);
    return bit;
}

uint32_t lac_range_decode_uniform(lac_range_decoder *d, uint32_t count)
{
    uint32_t value = 0;
    for (uint32_t left = count; left > 0;) {
        uint32_t bits = left > 16 ? left - 16 : left, part = lac_range_decode(d, bits);
        lac_range_decode_take(d, part, 1, bits);
        value = value << bits | part;
        left -= bits;
    }
    return value;
}

uint64_t lac_range_decoder_cost(const lac_range_decoder *d)
{
    return ((uint64_t)d->position * 8 << COST_BITS) - log2_fixed(d->range);
}

size_t lac_range_decoder_size(const lac_range_decoder *d)
{
    return d->position - 3;
}
