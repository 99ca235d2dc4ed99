/* The range coder: round trips, the same state on both sides, cost, full buffers, corrupt streams. */
#include <math.h>
#include <string.h>

#include "bytes.h"
#include "fixture.h"
#include "rangecoder.h"

#define SYMBOLS 400
#define BYTES 4096

/* One thing coded: a table's symbol (bits > 0), a bit of chance cum, or `freq` uniform bits. */
enum kind { SYMBOL, BIT, UNIFORM };
typedef struct operation {
    enum kind kind;
    uint32_t cum, freq, bits, value;
} operation;

/* A part of a total of 2^bits: any, the narrowest or the widest, at either end or between. */
static operation random_symbol(random_source *r)
{
    operation o = {.kind = SYMBOL, .bits = 1 + random_below(r, LAC_RANGE_MAX_BITS)};
    uint32_t total = UINT32_C(1) << o.bits, shape = random_below(r, 4);
    o.freq = shape == 0 ? 1 : shape == 1 ? total - random_below(r, 2) : 1 + random_below(r, total);
    uint32_t room = total - o.freq;
    o.cum = shape == 2 ? room : random_below(r, room + 1);
    return o;
}

static operation random_operation(random_source *r)
{
    operation o = random_symbol(r);
    uint32_t which = random_below(r, 4);
    if (which == 0) {
        static const uint32_t extreme[] = {1, 2, 32768, 65534, 65535};
        o = (operation){.kind = BIT, .value = random_below(r, 2)};
        o.cum = random_below(r, 2) ? extreme[random_below(r, 5)] : 1 + random_below(r, 65535);
    } else if (which == 1) {
        o = (operation){.kind = UNIFORM, .freq = random_below(r, 33)};
        o.value = (uint32_t)((uint64_t)lac_hash32(r->state++) >> (32 - o.freq));
    }
    return o;
}

static void encode(lac_range_encoder *e, const operation *o)
{
    if (o->kind == SYMBOL)
        lac_range_encode(e, o->cum, o->freq, o->bits);
    else if (o->kind == BIT)
        lac_range_encode_bit(e, o->value, o->cum);
    else
        lac_range_encode_uniform(e, o->value, o->freq);
}

/* Whether it was this operation's symbol. */
static bool decode(lac_range_decoder *d, const operation *o)
{
    if (o->kind == BIT)
        return lac_range_decode_bit(d, o->cum) == o->value;
    if (o->kind == UNIFORM)
        return lac_range_decode_uniform(d, o->freq) == o->value;
    uint32_t at = lac_range_decode(d, o->bits);
    cr_assert_lt(at, UINT32_C(1) << o->bits);
    lac_range_decode_take(d, o->cum, o->freq, o->bits);
    return at >= o->cum && at - o->cum < o->freq;
}

static double ideal_bits(const operation *o)
{
    if (o->kind == SYMBOL)
        return o->bits - log2(o->freq);
    if (o->kind == UNIFORM)
        return o->freq;
    return 16 - log2(o->value ? o->cum : 65536 - o->cum);
}

Test(rangecoder, both_sides_agree_after_every_symbol)
{
    random_source r = random_start();
    static operation o[SYMBOLS];
    static uint32_t range[SYMBOLS];
    static uint64_t cost[SYMBOLS];
    static uint8_t bytes[BYTES];
    for (int round = 0; round < rounds(200); round++) {
        lac_range_encoder e;
        lac_range_decoder d;
        size_t size, count = random_below(&r, SYMBOLS);
        double ideal = 0;
        lac_range_encoder_init(&e, bytes, BYTES);
        for (size_t i = 0; i < count; i++) {
            o[i] = random_operation(&r);
            encode(&e, &o[i]);
            ideal += ideal_bits(&o[i]);
            range[i] = e.range;
            cost[i] = lac_range_encoder_cost(&e);
        }
        cr_assert(lac_range_encoder_end(&e, &size));
        cr_assert_leq((double)size * 8, ideal * 1.00001 + 16, "%zu bytes for %f bits", size, ideal);
        lac_range_decoder_init(&d, bytes, size);
        for (size_t i = 0; i < count; i++) {
            cr_assert(decode(&d, &o[i]), "symbol %zu of %zu", i, count);
            cr_assert_eq(d.range, range[i]);
            cr_assert_eq(lac_range_decoder_cost(&d), cost[i]);
        }
        cr_assert_eq(lac_range_decoder_size(&d), size);
        cr_assert(count == 0 || fabs((double)cost[count - 1] / LAC_RANGE_COST_ONE - ideal) < 0.01 + ideal * 1e-5);
    }
}

/* A long run of one table costs what its entropy says: the narrowest parts of a total too, and bits nearly
 * certain. */
Test(rangecoder, cost_within_a_thousandth)
{
    random_source r = random_start();
    size_t capacity = 200000, size;
    uint8_t *bytes = test_alloc(capacity, 1);
    for (uint32_t one = 1; one < 65536; one = one * 3 + 7) {
        lac_range_encoder e;
        double ideal = 0;
        lac_range_encoder_init(&e, bytes, capacity);
        for (int i = 0; i < 100000; i++) {
            operation o = {.kind = BIT, .cum = one, .value = random_below(&r, 65536) < one};
            encode(&e, &o);
            ideal += ideal_bits(&o);
        }
        cr_assert(lac_range_encoder_end(&e, &size));
        cr_assert_leq((double)size * 8, ideal * 1.001 + 16, "chance %u: %zu bytes for %f bits", one, size, ideal);
    }
    free(bytes);
}

Test(rangecoder, cost_of_a_symbol)
{
    for (uint32_t bits = 0; bits <= 16; bits++)
        for (uint32_t freq = 1; freq <= UINT32_C(1) << bits; freq++) {
            double difference = (double)lac_range_cost(freq, bits) / LAC_RANGE_COST_ONE - (bits - log2(freq));
            cr_assert(difference > -1e-6 && difference < 1.001 / LAC_RANGE_COST_ONE, "%u of 2^%u", freq, bits);
        }
}

/* Symbol 0, 1 or 2 of a table whose bounds are not at bytes. */
static operation third(uint32_t symbol, uint32_t bits)
{
    uint32_t total = UINT32_C(1) << bits, wide = (total - 2) / 3 + 1;
    operation o = {.kind = SYMBOL, .bits = bits, .cum = symbol * wide, .freq = wide};
    o.freq = symbol == 2 ? total - o.cum : wide;
    return o;
}

/* Bytes that keep the interval astride a carry: all the ff that have been written may yet become 0. */
Test(rangecoder, carries_run_back_as_far_as_they_must)
{
    static uint8_t bytes[600], again[600];
    bool carried = false;
    for (uint32_t last = 0; last < 3; last++)
        for (uint32_t bits = 2; bits <= 16; bits++) {
            lac_range_decoder d;
            lac_range_encoder e;
            size_t size;
            operation o[250];
            memset(bytes, 0xff, sizeof bytes);
            bytes[0] = 0x7f;
            lac_range_decoder_init(&d, bytes, sizeof bytes);
            for (int i = 0; i < 250; i++) {
                uint32_t at = lac_range_decode(&d, bits);
                o[i] = third(0, bits);
                for (uint32_t s = 0; s < 3 && (at < o[i].cum || at - o[i].cum >= o[i].freq); s++)
                    o[i] = third(s, bits);
                if (i == 249)
                    o[i] = third(last, bits);
                lac_range_decode_take(&d, o[i].cum, o[i].freq, bits);
            }
            lac_range_encoder_init(&e, again, sizeof again);
            for (int i = 0; i < 250; i++)
                encode(&e, &o[i]);
            cr_assert(lac_range_encoder_end(&e, &size));
            carried = carried || (again[0] == 0x80 && again[20] == 0);
            lac_range_decoder_init(&d, again, size);
            for (int i = 0; i < 250; i++)
                cr_assert(decode(&d, &o[i]), "symbol %d", i);
        }
    cr_assert(carried);
}

Test(rangecoder, a_full_buffer_is_reported)
{
    random_source r = random_start();
    static operation o[SYMBOLS];
    static uint8_t bytes[BYTES], whole[BYTES];
    lac_range_encoder e;
    size_t need, size;
    lac_range_encoder_init(&e, whole, BYTES);
    for (size_t i = 0; i < SYMBOLS; i++) {
        o[i] = random_operation(&r);
        encode(&e, &o[i]);
    }
    cr_assert(lac_range_encoder_end(&e, &need));
    for (size_t capacity = 0; capacity <= need + 1; capacity++) {
        memset(bytes, 0xa5, sizeof bytes);
        lac_range_encoder_init(&e, bytes, capacity);
        for (size_t i = 0; i < SYMBOLS; i++)
            encode(&e, &o[i]);
        cr_assert_eq(lac_range_encoder_end(&e, &size), capacity >= need);
        cr_assert_eq(size, need);
        for (size_t i = capacity; i < sizeof bytes; i++)
            cr_assert_eq(bytes[i], 0xa5, "capacity %zu, byte %zu", capacity, i);
        cr_assert(capacity < need || memcmp(bytes, whole, need) == 0);
    }
}

/* Whatever the bytes are, symbols are in their tables, the state keeps its invariants, and no more bytes are taken
 * than the symbols can need. */
Test(rangecoder, any_bytes_decode)
{
    random_source r = random_start();
    for (int round = 0; round < rounds(300); round++) {
        size_t size = random_below(&r, 100);
        uint8_t *bytes = test_alloc(size, 1);
        uint32_t fill = random_below(&r, 3);
        for (size_t i = 0; i < size; i++)
            bytes[i] = fill == 0 ? 0xff : (uint8_t)lac_hash32(r.state++);
        lac_range_decoder d;
        lac_range_decoder_init(&d, bytes, size);
        for (int i = 0; i < 200; i++) {
            size_t before = d.position;
            operation o = random_operation(&r);
            if (o.kind == SYMBOL) {
                o.cum = lac_range_decode(&d, o.bits);
                cr_assert_lt(o.cum, UINT32_C(1) << o.bits);
                lac_range_decode_take(&d, o.cum, 1, o.bits);
            } else if (o.kind == UNIFORM) {
                cr_assert_eq((uint64_t)lac_range_decode_uniform(&d, o.freq) >> o.freq, 0);
            } else {
                (void)lac_range_decode_bit(&d, o.cum);
            }
            cr_assert(d.range >= UINT32_C(1) << 24 && d.code < d.range);
            cr_assert_leq(d.position - before, 4);
        }
        cr_assert_gt(lac_range_decoder_size(&d), size);
        free(bytes);
    }
}

/* A stream that lost its end says so. */
Test(rangecoder, a_cut_stream_is_too_short_for_its_symbols)
{
    uint8_t bytes[64];
    lac_range_encoder e;
    lac_range_decoder d;
    size_t size;
    lac_range_encoder_init(&e, bytes, sizeof bytes);
    for (uint32_t i = 0; i < 20; i++)
        lac_range_encode_uniform(&e, i * 3, 10);
    cr_assert(lac_range_encoder_end(&e, &size));
    lac_range_decoder_init(&d, bytes, size - 1);
    for (uint32_t i = 0; i < 20; i++)
        cr_assert_lt(lac_range_decode_uniform(&d, 10), 1024);
    cr_assert_eq(lac_range_decoder_size(&d), size);
}

/* The bytes of a stream are part of the file format. */
Test(rangecoder, bits_never_change)
{
    random_source r = {77};
    static uint8_t bytes[BYTES];
    lac_range_encoder e;
    size_t size;
    lac_range_encoder_init(&e, bytes, BYTES);
    for (int i = 0; i < SYMBOLS; i++) {
        operation o = random_operation(&r);
        encode(&e, &o);
    }
    cr_assert(lac_range_encoder_end(&e, &size));
    uint32_t crc = lac_crc32c(0, bytes, size);
    cr_assert_eq(crc, UINT32_C(0x451cd9fe), "%08x, %zu bytes", crc, size);
}
