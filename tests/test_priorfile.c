/* The prior in a model file: vectors/tiny_prior.lacm opens to what vectors/tiny_prior.bin says, and nothing but a
 * whole and valid extension does. */
#include <string.h>

#include "bytes.h"
#include "fixture.h"
#include "priorfile.h"

#define ROOM (1 << 20)
#define BYTES 4096

typedef struct file {
    uint8_t *data; /* [ROOM] */
    size_t size, extension;
} file;

static file file_read(const char *name)
{
    char path[1024];
    file f = {.data = lac_alloc(ROOM)};
    FILE *from = fopen(vector_path(path, sizeof path, name), "rb");
    cr_assert(f.data != NULL && from != NULL, "%s", path);
    f.size = fread(f.data, 1, ROOM, from);
    cr_assert(f.size > 100 && f.size < ROOM);
    f.extension = (size_t)lac_load64(f.data + 8);
    fclose(from);
    return f;
}

static void fix_crc(file *f)
{
    uint8_t *p = f->data + f->extension;
    lac_store64(p + 16, f->size - f->extension);
    lac_store32(p + 12, 0);
    lac_store32(p + 12, lac_crc32c(0, p, f->size - f->extension));
}

static int try_open(file *f)
{
    lac_model *model = NULL;
    fix_crc(f);
    int status = lac_model_open_memory(&model, f->data, f->size);
    lac_model_close(&model);
    return status;
}

/* ---- vectors ---- */

/* An array of int16 by its name; arrays without a second or third dimension have 1 there. */
static const int16_t *array_of(const file *f, const char *name, uint32_t shape[3])
{
    const uint8_t *p = f->data + 16;
    for (uint32_t i = 0; i < lac_load32(f->data + 8); i++) {
        size_t count = 1;
        uint32_t rank = lac_load32(p + 44);
        cr_assert(lac_load32(p + 40) == 2 && rank >= 1 && rank <= 3);
        for (uint32_t d = 0; d < 3; d++) {
            shape[d] = d < rank ? lac_load32(p + 48 + 4 * d) : 1;
            count *= shape[d];
        }
        if (strncmp((const char *)p, name, 40) == 0)
            return (const int16_t *)(const void *)(p + 64);
        p += 64 + (2 * count + 3) / 4 * 4;
    }
    cr_assert_fail("no array %s", name);
    return NULL;
}

static void encode_symbol(lac_range_encoder *e, const int16_t *frequencies, uint32_t symbol)
{
    uint32_t cum = 0;
    for (uint32_t i = 0; i < symbol; i++)
        cum += (uint16_t)frequencies[i];
    lac_range_encode(e, cum, (uint16_t)frequencies[symbol], LAC_PRIOR_BITS);
}

Test(priorfile, gives_what_python_says)
{
    static uint8_t bytes[2][BYTES];
    file f = file_read("tiny_prior.lacm"), r = file_read("tiny_prior.bin");
    uint32_t shape[3], of_classes[3], of_members[3], Q;
    const int16_t *tokens = array_of(&r, "tokens", shape), *codebooks = array_of(&r, "codebooks", shape);
    const int16_t *states = array_of(&r, "state", shape);
    const int16_t *classes = array_of(&r, "class_frequencies", of_classes);
    const int16_t *members = array_of(&r, "member_frequencies", of_members);
    lac_model *model;
    lac_prior_state state;
    lac_range_encoder e, expected;
    cr_assert_eq(lac_model_open_memory(&model, f.data, f.size), 0);
    cr_assert_not_null(model->prior);
    lac_prior_state_init(&state, model->prior, &model->quantiser);
    lac_range_encoder_init(&e, bytes[0], BYTES);
    lac_range_encoder_init(&expected, bytes[1], BYTES);
    Q = of_classes[1];
    for (uint32_t t = 0; t < shape[0]; t++) {
        lac_prior_frame(&state, (uint32_t)codebooks[t]);
        cr_assert_arr_eq(state.memory.state, states + t * shape[1], 2 * shape[1], "frame %u", t);
        for (uint32_t s = 0; s < (uint32_t)codebooks[t]; s++) {
            uint32_t token = (uint32_t)tokens[t * Q + s], leaf = model->prior->weights.stage[s].leaf_of[token];
            encode_symbol(&expected, classes + (t * Q + s) * of_classes[2], leaf / of_members[2]);
            encode_symbol(&expected, members + (t * Q + s) * of_members[2], leaf % of_members[2]);
            lac_prior_encode(&state, &e, s, token);
            cr_assert(e.low == expected.low && e.range == expected.range, "frame %u, stage %u", t, s);
        }
        lac_prior_done(&state);
    }
    lac_model_close(&model);
    lac_free(f.data);
    lac_free(r.data);
}

/* ---- the extension ---- */

Test(priorfile, info_tells)
{
    file f = file_read("tiny_prior.lacm");
    lac_model *model, *tiny = open_tiny();
    lac_model_info with, without;
    uint8_t digest[32], none[LAC_MODEL_ID_SIZE] = {0};
    lac_sha256 sha;
    cr_assert_eq(lac_model_open_memory(&model, f.data, f.size), 0);
    lac_model_get_info(model, &with);
    lac_model_get_info(tiny, &without);
    lac_sha256_init(&sha);
    lac_sha256_update(&sha, f.data + f.extension, f.size - f.extension);
    lac_sha256_final(&sha, digest);
    cr_assert_arr_eq(with.prior_id, digest, LAC_MODEL_ID_SIZE);
    cr_assert_arr_eq(with.id, without.id, LAC_MODEL_ID_SIZE);
    /* D 16, K 64 in 8 classes of 8, 4 stages; H 37, E 21 */
    cr_assert_eq(with.prior_macs, 50 * (2 * 37 * (16 + 37) + 4 * 21 * (37 + 16 + 8 + 8)));
    cr_assert(without.prior_macs == 0 && memcmp(without.prior_id, none, sizeof none) == 0);
    cr_assert_null(tiny->prior);
    lac_model_close(&model);
    lac_model_close(&tiny);
    lac_free(f.data);
}

Test(priorfile, sizes_are_checked)
{
    static const struct {
        size_t at;
        uint32_t value;
        int status;
    } cases[] = {
        {32, 2, LAC_ERROR_VERSION}, {32, 0, LAC_ERROR_VERSION}, {36, 0, LAC_ERROR_LIMIT},
        {36, 513, LAC_ERROR_LIMIT}, {36, 36, LAC_ERROR_FORMAT}, {36, 512, LAC_ERROR_FORMAT},
        {40, 0, LAC_ERROR_LIMIT}, {40, 513, LAC_ERROR_LIMIT}, {40, 22, LAC_ERROR_FORMAT},
        {44, 0, LAC_ERROR_FORMAT}, {44, 7, LAC_ERROR_FORMAT}, {44, 129, LAC_ERROR_LIMIT},
        {48, 0, LAC_ERROR_LIMIT}, {48, 10, LAC_ERROR_FORMAT}, {48, 129, LAC_ERROR_LIMIT},
        {52, 31, LAC_ERROR_VERSION}, {56, 1, LAC_ERROR_FORMAT}, {60, 1, LAC_ERROR_FORMAT}};
    file f = file_read("tiny_prior.lacm");
    uint8_t *p = f.data + f.extension;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t saved = lac_load32(p + cases[i].at);
        lac_store32(p + cases[i].at, cases[i].value);
        cr_assert_eq(try_open(&f), cases[i].status, "%u at %zu", cases[i].value, cases[i].at);
        lac_store32(p + cases[i].at, saved);
    }
    cr_assert_eq(try_open(&f), 0);
    lac_free(f.data);
}

Test(priorfile, ends_where_it_must)
{
    file f = file_read("tiny_prior.lacm");
    size_t whole = f.size;
    for (f.size = f.extension + 64; f.size < whole; f.size += 64)
        cr_assert_eq(try_open(&f), LAC_ERROR_FORMAT, "%zu of %zu bytes", f.size, whole);
    f.size = whole + 64;
    memset(f.data + whole, 0, 64);
    cr_assert_eq(try_open(&f), LAC_ERROR_FORMAT, "too long");
    lac_free(f.data);
}

/* Puts `value` of `bytes` at p, which must be refused. */
static void refuse(file *f, const void *at, uint32_t value, size_t bytes)
{
    uint8_t *p = f->data + ((const uint8_t *)at - f->data), saved[4], put[4];
    lac_store32(put, value);
    memcpy(saved, p, bytes);
    memcpy(p, put, bytes);
    cr_assert_eq(try_open(f), LAC_ERROR_FORMAT, "%08x at %zu", value, (size_t)(p - f->data));
    memcpy(p, saved, bytes);
}

/* First and last, and what stands behind: padding. */
static void refuse_array(file *f, const void *array, size_t count, size_t bytes, uint32_t value)
{
    const uint8_t *p = array;
    refuse(f, p, value, bytes);
    refuse(f, p + (count - 1) * bytes, value, bytes);
    if (count * bytes % 64 != 0)
        refuse(f, p + count * bytes, 1, 1);
}

static void refuse_numbers(file *f, const int32_t *multipliers, size_t count, const int32_t *biases, size_t rows)
{
    refuse_array(f, multipliers, count, 4, UINT32_MAX);
    refuse_array(f, biases, rows, 4, (1 << 20) + 1);
    refuse_array(f, biases, rows, 4, -(uint32_t)(1 << 20) - 1);
}

static void refuse_matrix(file *f, const lac_linear *l)
{
    refuse_array(f, l->weight, (size_t)l->in * l->out, 1, 0x80);
}

static void refuse_pair(file *f, const lac_prior_pair *l, size_t biases)
{
    refuse_matrix(f, &l->first);
    refuse_matrix(f, &l->second);
    refuse_numbers(f, l->multiplier, 2 * (size_t)l->first.out, l->bias, biases * l->first.out);
}

static void refuse_logits(file *f, const lac_prior_logits *l)
{
    refuse_matrix(f, &l->product);
    refuse_numbers(f, l->multiplier, l->product.out, l->bias, l->product.out);
}

Test(priorfile, values_and_padding_are_checked)
{
    file f = file_read("tiny_prior.lacm");
    lac_model *model;
    cr_assert_eq(lac_model_open_memory(&model, f.data, f.size), 0);
    lac_prior_weights w = model->prior_weights;
    refuse_pair(&f, &w.cell, w.sizes.stages);
    for (uint32_t i = 0; i < w.sizes.stages; i++) {
        const lac_prior_stage *s = &w.stage[i];
        refuse(&f, s->leaf_of, 64, 2);
        refuse(&f, s->leaf_of, s->leaf_of[1], 2);
        refuse(&f, s->leaf_of + 63, s->leaf_of[0], 2);
        refuse_pair(&f, &s->hidden, 1);
        refuse_logits(&f, &s->classes);
        refuse_logits(&f, &s->members);
    }
    cr_assert_eq(try_open(&f), 0);
    lac_model_close(&model);
    lac_free(f.data);
}
