/* The prior: against a slow definition and Python's numbers, decoder in step with encoder whatever the weights,
 * kernels and bytes; its extension of a model file. */
#include <math.h>
#include <string.h>

#include "bytes.h"
#include "cpu.h"
#include "fixture.h"
#include "prior.h"

#define FRAMES 12
#define STAGES 5
#define BYTES 4096

static uint32_t below(random_source *r, uint32_t n)
{
    return random_below(r, n);
}

static int32_t between(random_source *r, int32_t least, int32_t most)
{
    return least + (int32_t)below(r, (uint32_t)(most - least) + 1);
}

/* ---- priors of random numbers ---- */

enum kind { USUAL, EXTREME, ZEROS, KINDS };

typedef struct fixture {
    lac_workspace memory;
    lac_quantiser quantiser;
    lac_prior prior;
    enum kind kind;
} fixture;

static lac_linear random_matrix(fixture *f, random_source *r, uint32_t in, uint32_t out)
{
    int8_t *weight = lac_workspace_take(&f->memory, (size_t)in * out, 1);
    cr_assert_not_null(weight);
    for (size_t i = 0; f->kind != ZEROS && i < (size_t)in * out; i++)
        weight[i] = (int8_t)(f->kind == EXTREME ? (below(r, 8) ? 127 : -127) : between(r, -127, 127));
    return (lac_linear){.in = in, .out = out, .weight = weight};
}

static const int32_t *random_numbers(fixture *f, random_source *r, size_t count, int32_t least, int32_t most)
{
    int32_t *numbers = lac_workspace_take(&f->memory, count, sizeof *numbers);
    cr_assert_not_null(numbers);
    for (size_t i = 0; f->kind != ZEROS && i < count; i++)
        numbers[i] = f->kind == USUAL ? between(r, least, most) : below(r, 2) ? most : least;
    return numbers;
}

static const int32_t *random_multipliers(fixture *f, random_source *r, size_t count)
{
    return random_numbers(f, r, count, 0, f->kind == EXTREME ? INT32_MAX : 1 << 20);
}

static const int32_t *random_biases(fixture *f, random_source *r, size_t count)
{
    int32_t most = f->kind == EXTREME ? 1 << 20 : 300;
    return random_numbers(f, r, count, -most, most);
}

static lac_prior_pair random_pair(fixture *f, random_source *r, uint32_t first, uint32_t second, uint32_t out,
                                  uint32_t biases)
{
    lac_prior_pair l = {random_matrix(f, r, first, out), random_matrix(f, r, second, out), NULL, NULL};
    l.multiplier = random_multipliers(f, r, 2 * out);
    l.bias = random_biases(f, r, biases * out);
    return l;
}

static lac_prior_logits random_logits(fixture *f, random_source *r, uint32_t in, uint32_t out)
{
    lac_prior_logits l = {random_matrix(f, r, in, out), NULL, NULL};
    l.multiplier = random_multipliers(f, r, out);
    l.bias = random_biases(f, r, out);
    return l;
}

static const uint16_t *random_leaves(fixture *f, random_source *r, uint32_t codewords)
{
    uint16_t *leaf = lac_workspace_take(&f->memory, codewords, sizeof *leaf);
    for (uint32_t i = 0; i < codewords; i++) {
        uint32_t j = below(r, i + 1);
        leaf[i] = leaf[j];
        leaf[j] = (uint16_t)i;
    }
    return leaf;
}

static void random_quantiser(fixture *f, random_source *r, const lac_prior_sizes *z)
{
    size_t count = (size_t)z->stages * z->codewords * z->latent;
    int16_t *codes = lac_workspace_take(&f->memory, count, sizeof *codes);
    cr_assert_not_null(codes);
    for (size_t i = 0; i < count; i++)
        codes[i] = (int16_t)(f->kind == EXTREME ? (below(r, 2) ? 4095 : -4095) : between(r, -1500, 1500));
    f->quantiser = (lac_quantiser){.kind = LAC_QUANTISER_RVQ, .stages = z->stages, .codewords = z->codewords,
                                   .dimension = z->latent};
    f->quantiser.rvq = (lac_rvq){.stages = z->stages, .codewords = z->codewords, .dimension = z->latent};
    f->quantiser.rvq.codes = codes;
}

static lac_kernels kernels_of(uint32_t flags)
{
    lac_kernels kernels;
    lac_kernels_choose(&kernels, lac_cpu_detect() & flags);
    return kernels;
}

static fixture fixture_open(random_source *r, enum kind kind, const lac_prior_sizes *z, uint32_t flags)
{
    fixture f = {.kind = kind};
    lac_prior_weights w = {.sizes = *z};
    lac_kernels kernels = kernels_of(flags);
    cr_assert_eq(lac_workspace_open(&f.memory, (size_t)8 << 20), 0);
    w.cell = random_pair(&f, r, z->latent, z->state, 2 * z->state, z->stages);
    for (uint32_t i = 0; i < z->stages; i++) {
        w.stage[i].leaf_of = random_leaves(&f, r, z->codewords);
        w.stage[i].hidden = random_pair(&f, r, z->state, z->latent, z->width, 1);
        w.stage[i].classes = random_logits(&f, r, z->width, z->classes);
        w.stage[i].members = random_logits(&f, r, z->width, z->codewords);
    }
    random_quantiser(&f, r, z);
    lac_prior_init(&f.prior, &f.memory, &w, &kernels);
    cr_assert_not(f.memory.failed);
    return f;
}

static lac_prior_sizes random_sizes(random_source *r)
{
    static const uint32_t codewords[] = {2, 3, 5, 64, 100, 1000, 1024};
    lac_prior_sizes z = {1 + below(r, 64), 1 + below(r, STAGES), codewords[below(r, 7)], 1 + below(r, 70),
                         1 + below(r, 70), 0, 0};
    uint32_t least = (z.codewords + LAC_PRIOR_MAX_SYMBOLS - 1) / LAC_PRIOR_MAX_SYMBOLS;
    z.members = least + below(r, LAC_PRIOR_MAX_SYMBOLS + 1 - least);
    z.classes = (z.codewords + z.members - 1) / z.members;
    return z;
}

/* ---- what doc/entropy.md says, slowly ---- */

typedef struct slow {
    const lac_prior_weights *w;
    const lac_quantiser *quantiser;
    int32_t state[LAC_PRIOR_MAX_WIDTH], latent[64], sum[64];
} slow;

static int64_t product(const lac_linear *l, uint32_t row, const int32_t *x, int32_t multiplier)
{
    int64_t sum = 0;
    for (uint32_t k = 0; k < l->in; k++)
        sum += (int64_t)l->weight[(size_t)row * l->in + k] * x[k];
    return sum * multiplier;
}

static int32_t scaled(int64_t sum, int32_t bias, int32_t limit)
{
    int64_t one = INT64_C(1) << 32, v = (sum >= 0 ? sum / one : -((-sum + one - 1) / one)) + bias;
    return (int32_t)(v < -limit ? -limit : v >= limit ? limit - 1 : v);
}

static int32_t pair_at(const lac_prior_pair *l, uint32_t row, const int32_t *a, const int32_t *b, int32_t bias)
{
    int64_t first = product(&l->first, row, a, l->multiplier[row]);
    return scaled(first + product(&l->second, row, b, l->multiplier[l->first.out + row]), bias, 2048);
}

static int32_t slow_sigmoid(int32_t x)
{
    return (int32_t)floor(4096 / (1 + exp(-x / 256.0)) + 0.5);
}

static int32_t slow_tanh(int32_t x)
{
    int32_t v = (int32_t)floor(4096 * tanh(abs(x) / 256.0) + 0.5);
    v = v > 4095 ? 4095 : v;
    return x < 0 ? -v : v;
}

static void slow_frame(slow *s, uint32_t codebooks)
{
    const lac_prior_pair *l = &s->w->cell;
    uint32_t H = s->w->sizes.state;
    int32_t next[LAC_PRIOR_MAX_WIDTH];
    memset(s->sum, 0, sizeof s->sum);
    for (uint32_t i = 0; codebooks > 0 && i < H; i++) {
        const int32_t *bias = l->bias + (codebooks - 1) * 2 * H;
        int32_t f = slow_sigmoid(pair_at(l, i, s->latent, s->state, bias[i]));
        int32_t n = slow_tanh(pair_at(l, H + i, s->latent, s->state, bias[H + i]));
        next[i] = s->state[i] + (int32_t)floor((f * (n - s->state[i]) + 2048) / 4096.0);
        cr_assert(abs(next[i]) <= 4095);
    }
    if (codebooks > 0)
        memcpy(s->state, next, H * sizeof *next);
}

static void slow_clamp(const slow *s, int32_t *z)
{
    for (uint32_t i = 0; i < s->w->sizes.latent; i++)
        z[i] = s->sum[i] > 4095 ? 4095 : s->sum[i] < -4095 ? -4095 : s->sum[i];
}

/* Of outputs first .. first + n - 1. */
static void slow_frequencies(const lac_prior_logits *l, const int32_t *hidden, uint32_t first, uint32_t n,
                             uint32_t *frequencies)
{
    int32_t logits[LAC_PRIOR_MAX_SYMBOLS], most = INT32_MIN;
    uint64_t weights[LAC_PRIOR_MAX_SYMBOLS], sum = 0;
    uint32_t left = 32768, best = 0;
    for (uint32_t i = 0; i < n; i++) {
        int64_t p = product(&l->product, first + i, hidden, l->multiplier[first + i]);
        logits[i] = scaled(p, l->bias[first + i], 32768);
        best = logits[i] > most ? i : best;
        most = logits[best];
    }
    for (uint32_t i = 0; i < n; i++)
        sum += weights[i] = (uint64_t)floor(65535 * exp(-fmin(most - logits[i], 4095) / 256) + 0.5);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t share = ((uint64_t)(32768 - n) << 32) / sum;
        frequencies[i] = 1 + (uint32_t)(weights[i] * share >> 32);
        left -= frequencies[i];
    }
    frequencies[best] += left;
}

static void encode_symbol(lac_range_encoder *e, const uint32_t *frequencies, uint32_t symbol)
{
    uint32_t cum = 0;
    for (uint32_t i = 0; i < symbol; i++)
        cum += frequencies[i];
    lac_range_encode(e, cum, frequencies[symbol], 15);
}

static void slow_encode(slow *s, lac_range_encoder *e, uint32_t stage, uint32_t token)
{
    const lac_prior_stage *w = &s->w->stage[stage];
    const lac_prior_sizes *z = &s->w->sizes;
    uint32_t frequencies[LAC_PRIOR_MAX_SYMBOLS], leaf = w->leaf_of[token], class = leaf / z->members;
    uint32_t first = class * z->members, left = z->codewords - first;
    int32_t partial[64], hidden[LAC_PRIOR_MAX_WIDTH];
    slow_clamp(s, partial);
    for (uint32_t i = 0; i < z->width; i++)
        hidden[i] = slow_tanh(pair_at(&w->hidden, i, s->state, partial, w->hidden.bias[i]));
    slow_frequencies(&w->classes, hidden, 0, z->classes, frequencies);
    encode_symbol(e, frequencies, class);
    slow_frequencies(&w->members, hidden, first, left < z->members ? left : z->members, frequencies);
    encode_symbol(e, frequencies, leaf - first);
    lac_quantiser_add(s->quantiser, stage, token, s->sum);
}

/* ---- both ways ---- */

typedef struct stream {
    uint32_t codebooks[FRAMES];
    uint16_t tokens[FRAMES][STAGES];
    uint8_t bytes[BYTES];
    size_t size;
    uint32_t range;
} stream;

static void stream_random(stream *t, random_source *r, const lac_prior_sizes *z)
{
    for (uint32_t i = 0; i < FRAMES; i++) {
        t->codebooks[i] = below(r, 3) ? z->stages : below(r, z->stages + 1);
        for (uint32_t s = 0; s < STAGES; s++)
            t->tokens[i][s] = (uint16_t)below(r, z->codewords);
    }
}

/* Beside the slow definition: the same interval after each token. */
static void encode(const fixture *f, stream *t)
{
    static uint8_t others[BYTES];
    lac_prior_state state;
    lac_range_encoder e, expected;
    slow s = {.w = &f->prior.weights, .quantiser = &f->quantiser};
    lac_prior_state_init(&state, &f->prior, &f->quantiser);
    lac_range_encoder_init(&e, t->bytes, BYTES);
    lac_range_encoder_init(&expected, others, BYTES);
    for (uint32_t i = 0; i < FRAMES; i++) {
        lac_prior_frame(&state, t->codebooks[i]);
        slow_frame(&s, t->codebooks[i]);
        for (uint32_t q = 0; q < t->codebooks[i]; q++) {
            lac_prior_encode(&state, &e, q, t->tokens[i][q]);
            slow_encode(&s, &expected, q, t->tokens[i][q]);
            cr_assert(e.low == expected.low && e.range == expected.range, "frame %u, stage %u", i, q);
        }
        lac_prior_done(&state);
        slow_clamp(&s, s.latent);
    }
    t->range = e.range;
    cr_assert(lac_range_encoder_end(&e, &t->size));
}

static void decode(const fixture *f, const stream *t)
{
    lac_prior_state state;
    lac_range_decoder d;
    lac_prior_state_init(&state, &f->prior, &f->quantiser);
    for (int again = 0; again < 2; again++) {
        lac_range_decoder_init(&d, t->bytes, t->size);
        for (uint32_t i = 0; i < FRAMES; i++) {
            lac_prior_frame(&state, t->codebooks[i]);
            for (uint32_t q = 0; q < t->codebooks[i]; q++)
                cr_assert_eq(lac_prior_decode(&state, &d, q), t->tokens[i][q], "frame %u, stage %u", i, q);
            lac_prior_done(&state);
        }
        cr_assert_eq(d.range, t->range);
        cr_assert_eq(lac_range_decoder_size(&d), t->size);
        lac_prior_reset(&state);
    }
}

Test(prior, is_what_the_document_says_with_every_kernel)
{
    static const uint32_t sets[] = {0, LAC_CPU_AVX2 | LAC_CPU_NEON | LAC_CPU_SIMD128,
                                    LAC_CPU_AVX2 | LAC_CPU_AVX512, UINT32_MAX};
    random_source r = random_start();
    static stream t;
    for (int round = 0; round < rounds(6); round++)
        for (int kind = 0; kind < KINDS; kind++) {
            lac_prior_sizes z = random_sizes(&r);
            stream_random(&t, &r, &z);
            for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
                random_source same = {r.state};
                fixture f = fixture_open(&same, (enum kind)kind, &z, sets[i]);
                if (i == 0)
                    encode(&f, &t);
                decode(&f, &t);
                lac_workspace_close(&f.memory);
            }
            r.state++;
        }
}

Test(prior, any_bytes_decode_to_tokens)
{
    random_source r = random_start();
    for (int round = 0; round < rounds(10); round++) {
        lac_prior_sizes z = random_sizes(&r);
        fixture f = fixture_open(&r, (enum kind)(round % KINDS), &z, UINT32_MAX);
        uint8_t bytes[200];
        lac_prior_state state;
        lac_range_decoder d;
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = round % 3 == 0 ? 0xff : (uint8_t)below(&r, 256);
        lac_range_decoder_init(&d, bytes, sizeof bytes);
        lac_prior_state_init(&state, &f.prior, &f.quantiser);
        for (uint32_t i = 0; i < 100; i++) {
            lac_prior_frame(&state, z.stages);
            for (uint32_t q = 0; q < z.stages; q++)
                cr_assert_lt(lac_prior_decode(&state, &d, q), z.codewords);
            lac_prior_done(&state);
        }
        lac_workspace_close(&f.memory);
    }
}

Test(prior, every_symbol_has_its_frequency)
{
    random_source r = random_start();
    lac_prior_sizes z = {1, 1, 2, 1, 1, 1, 2};
    fixture f = fixture_open(&r, ZEROS, &z, 0);
    for (int round = 0; round < rounds(3000); round++) {
        int32_t logits[LAC_PRIOR_MAX_SYMBOLS], spread = 1 << below(&r, 16);
        uint16_t frequencies[LAC_PRIOR_MAX_SYMBOLS];
        uint32_t n = 1 + below(&r, LAC_PRIOR_MAX_SYMBOLS), sum = 0;
        for (uint32_t i = 0; i < n; i++)
            logits[i] = between(&r, -spread, spread - 1);
        lac_prior_frequencies(&f.prior, logits, n, frequencies);
        for (uint32_t i = 0; i < n; i++) {
            cr_assert_geq(frequencies[i], 1);
            sum += frequencies[i];
        }
        cr_assert_eq(sum, 32768);
    }
    lac_workspace_close(&f.memory);
}
