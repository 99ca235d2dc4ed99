/* Model files: what is accepted, what is refused, and that nothing in between crashes. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "kernels.h"
#include "lac/model.h"
#include "modelfile.h"
#include "rng.h"
#include "weights.h"
#include "workspace.h"

#define TABLE 384
#define ENTRY 80

static uint8_t *tiny; /* aligned, room for extensions after it */
static size_t tiny_size;
static char tiny_path[4096];

static void load_named(const char *name)
{
    const char *folder = getenv("LAC_VECTORS");
    cr_assert_not_null(folder, "LAC_VECTORS is not set");
    snprintf(tiny_path, sizeof tiny_path, "%s/%s", folder, name);
    FILE *f = fopen(tiny_path, "rb");
    cr_assert_not_null(f, "%s is missing", tiny_path);
    tiny = lac_alloc(1 << 20);
    tiny_size = fread(tiny, 1, 1 << 20, f);
    fclose(f);
    cr_assert_gt(tiny_size, 1000);
}

static void load(void)
{
    load_named("tiny.lacm");
}

static void load_fsq(void)
{
    load_named("tiny-fsq.lacm");
}

static void unload(void)
{
    lac_free(tiny);
}

TestSuite(model, .init = load, .fini = unload);
TestSuite(fsqmodel, .init = load_fsq, .fini = unload);

static uint64_t seed(void)
{
    const char *s = getenv("LAC_TEST_SEED");
    uint64_t value = s != NULL ? strtoull(s, NULL, 10) : 1;
    cr_log_info("LAC_TEST_SEED=%llu", (unsigned long long)value);
    return value * 1000003;
}

static size_t rounds(size_t usual)
{
    return getenv("LAC_TEST_LONG") != NULL ? usual * 10 : usual;
}

static void fix_crc(uint8_t *chunk, size_t size, size_t at)
{
    lac_store32(chunk + at, 0);
    lac_store32(chunk + at, lac_crc32c(0, chunk, size));
}

static int try_open(const void *data, size_t size)
{
    lac_model *model = NULL;
    int status = lac_model_open_memory(&model, data, size);
    cr_assert_eq(status == 0, model != NULL);
    lac_model_close(&model);
    cr_assert_null(model);
    return status;
}

/* Status of the tiny model with the 32-bit word at `at` replaced and the checksum right again. */
static int try_word(size_t at, uint32_t value)
{
    uint8_t saved[4], crc[4];
    memcpy(saved, tiny + at, 4);
    memcpy(crc, tiny + 16, 4);
    lac_store32(tiny + at, value);
    fix_crc(tiny, tiny_size, 16);
    int status = try_open(tiny, tiny_size);
    memcpy(tiny + at, saved, 4);
    memcpy(tiny + 16, crc, 4);
    return status;
}

/* Append an empty extension of 64 bytes; returns the new size. */
static size_t extend(size_t size, uint32_t id, uint32_t flags)
{
    uint8_t *p = tiny + size;
    memset(p, 0, 64);
    memcpy(p, "LACX", 4);
    lac_store32(p + 4, id);
    lac_store32(p + 8, flags);
    lac_store64(p + 16, 64);
    fix_crc(p, 64, 12);
    return size + 64;
}

static size_t entry_of(const char *name)
{
    for (size_t at = TABLE; at + ENTRY < tiny_size; at += ENTRY)
        if (strncmp((const char *)tiny + at, name, 40) == 0)
            return at;
    cr_assert_fail("no tensor %s", name);
    return 0;
}

static size_t data_of(const char *name)
{
    return (size_t)lac_load64(tiny + entry_of(name) + 64);
}

Test(model, opens_and_tells)
{
    lac_model *model;
    lac_model_info info;
    uint8_t digest[32];
    lac_sha256 sha;
    cr_assert_eq(lac_model_open_memory(&model, tiny, tiny_size), 0);
    lac_model_get_info(model, &info);
    lac_sha256_init(&sha);
    lac_sha256_update(&sha, tiny, tiny_size);
    lac_sha256_final(&sha, digest);
    cr_assert_str_eq(info.name, "tiny");
    cr_assert_arr_eq(info.id, digest, LAC_MODEL_ID_SIZE);
    cr_assert_eq(info.sample_rate, 24000);
    cr_assert_eq(info.frame_samples, 480);
    cr_assert_eq(info.delay_samples, 720);
    cr_assert_eq(info.decoder_delay_samples, 240);
    cr_assert_eq(info.receptive_frames, 2 + 6 + 5 + LAC_CONCEAL_FRAMES);
    cr_assert_eq(info.latent_size, 16);
    cr_assert_eq(info.codebooks, 4);
    cr_assert_eq(info.codewords, 64);
    cr_assert_eq(info.token_bits, 6);
    cr_assert_eq(info.file_bytes, tiny_size);
    /* by hand, from the shapes in train/make_tiny.py */
    uint64_t encoder = 100 * (793 * 24 + 7 * 24 + 2 * 24 * 72) + 50 * (96 * 40 + 7 * 40 + 2 * 40 * 120 + 40 * 16);
    uint64_t decoder = 50 * (48 * 40 + 7 * 40 + 2 * 40 * 120 + 40 * 56) + 100 * (7 * 28 + 2 * 28 * 56 + 28 * 1278);
    cr_assert_eq(info.encoder_macs, encoder);
    cr_assert_eq(info.decoder_macs, decoder);
    cr_assert_eq(info.search_macs, 50 * 4 * 64 * 16);
    cr_assert_eq(info.quantiser, LAC_MODEL_RVQ);
    cr_assert_eq(info.levels[0], 0);
    cr_assert(strlen(lac_model_kernels(model)) > 0);
    lac_model_close(&model);
    cr_assert_null(model);
    lac_model_close(&model);
    lac_model_close(NULL);
}

/* LAC_CPU_MASK is read when a model is opened. */
Test(model, masked_instructions_are_not_used)
{
    lac_model *any, *definitions;
    cr_assert_eq(lac_model_open_memory(&any, tiny, tiny_size), LAC_OK);
    setenv("LAC_CPU_MASK", "0", 1);
    cr_assert_eq(lac_model_open_memory(&definitions, tiny, tiny_size), LAC_OK);
    const char *names = lac_model_kernels(definitions);
    for (int i = 0; i < LAC_OPERATION_COUNT; i++) {
        size_t n = strcspn(names, ",");
        cr_assert(n > 2 && n < 40 && memcmp(names + n - 2, "_c", 2) == 0, "%s", names);
        cr_assert_eq(names[n] == 0, i == LAC_OPERATION_COUNT - 1);
        names += n + (names[n] == ',');
    }
    cr_assert(strlen(lac_model_kernels(any)) > LAC_OPERATION_COUNT);
    cr_assert_null(definitions->encoder.input.packed, "the definition reads the weights where the file has them");
    lac_model_close(&any);
    lac_model_close(&definitions);
}

Test(model, weights_are_where_the_network_looks)
{
    lac_model *m;
    cr_assert_eq(lac_model_open_memory(&m, tiny, tiny_size), 0);
    cr_assert_eq(m->encoder.input.in, 3 * LAC_BINS + 52 + 18);
    cr_assert_eq(m->encoder.input.out, 24);
    cr_assert_eq(m->encoder.fine[0].hidden, 72);
    cr_assert_eq(m->decoder.fine[0].up.out, 56);
    cr_assert_eq(m->decoder.upsample.out, 56);
    cr_assert_eq(m->decoder.output.out, 5 * LAC_BINS + 53 + 20);
    cr_assert_eq((const uint8_t *)m->quantiser.rvq.codes, tiny + data_of("codes"));
    cr_assert_eq((const uint8_t *)m->decoder.coarse[0].down.weight, tiny + data_of("decoder.coarse.0.down.weight"));
    cr_assert_lt(fabsf(m->encoder.window[0] - 0.00327249f), 1e-6f);
    int64_t norm = 0;
    for (size_t i = 0; i < 16; i++)
        norm += (int64_t)m->quantiser.rvq.codes[16 * 70 + i] * m->quantiser.rvq.codes[16 * 70 + i];
    cr_assert_eq(m->quantiser.rvq.half_norm[70], norm >> 1);
    cr_assert_eq(m->owned, NULL);
    lac_model_close(&m);
}

Test(model, unaligned_memory)
{
    uint8_t *copy = malloc(tiny_size + 64);
    for (size_t shift = 1; shift < 64; shift += 9) {
        memcpy(copy + shift, tiny, tiny_size);
        cr_assert_eq(try_open(copy + shift, tiny_size), 0);
    }
    free(copy);
}

Test(model, arguments)
{
    lac_model *model = NULL;
    cr_assert_eq(lac_model_open_memory(NULL, tiny, tiny_size), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_model_open_memory(&model, NULL, 5), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_model_open_memory(&model, tiny, 0), LAC_ERROR_TRUNCATED);
    cr_assert_eq(lac_model_open(NULL, "tiny"), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_model_open_file(&model, NULL), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_model_open_file(&model, "/nowhere/x.lacm"), LAC_ERROR_NOT_FOUND);
    cr_assert_eq(lac_model_open_file(&model, "/"), LAC_ERROR_IO);
    cr_assert_eq(lac_model_open_file(&model, "/dev/null"), LAC_ERROR_IO);
    cr_assert_eq(lac_model_open(&model, "no-such-model"), LAC_ERROR_NOT_FOUND);
    cr_assert_null(model);
}

Test(model, opens_by_path_and_by_name)
{
    lac_model *model = NULL;
    cr_assert_eq(lac_model_open_file(&model, tiny_path), 0);
    lac_model_close(&model);
    cr_assert_eq(lac_model_open(&model, tiny_path), 0);
    lac_model_close(&model);
    char path[5000];
    snprintf(path, sizeof path, "/nowhere:::%s", getenv("LAC_VECTORS"));
    setenv("LAC_MODEL_PATH", path, 1);
    cr_assert_eq(lac_model_open(&model, "tiny"), 0);
    lac_model_close(&model);
    setenv("LAC_MODEL_PATH", "/nowhere", 1);
    cr_assert_eq(lac_model_open(&model, "tiny"), LAC_ERROR_NOT_FOUND);
}

Test(model, opens_by_id)
{
    lac_model *model = NULL;
    lac_model_info info, found;
    char path[5000];
    cr_assert_eq(lac_model_open_memory(&model, tiny, tiny_size), 0);
    lac_model_get_info(model, &info);
    lac_model_close(&model);
    snprintf(path, sizeof path, "/nowhere::%s/tiny.lacm:%s", getenv("LAC_VECTORS"), getenv("LAC_VECTORS"));
    setenv("LAC_MODEL_PATH", path, 1);
    for (size_t bytes = 4; bytes <= LAC_MODEL_ID_SIZE; bytes += 4) {
        cr_assert_eq(lac_model_open_id(&model, info.id, bytes), 0);
        lac_model_get_info(model, &found);
        cr_assert_arr_eq(found.id, info.id, sizeof info.id);
        lac_model_close(&model);
    }
    info.id[3] ^= 1;
    cr_assert_eq(lac_model_open_id(&model, info.id, 4), LAC_ERROR_NOT_FOUND);
    cr_assert_eq(lac_model_open_id(&model, info.id, 0), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_model_open_id(&model, info.id, LAC_MODEL_ID_SIZE + 1), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_model_open_id(&model, NULL, 4), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_model_open_id(NULL, info.id, 4), LAC_ERROR_ARGUMENT);
    if (lac_model_embedded_name(0) != NULL) {
        cr_assert_eq(lac_model_open(&model, NULL), 0);
        lac_model_get_info(model, &info);
        lac_model_close(&model);
        setenv("LAC_MODEL_PATH", "", 1);
        cr_assert_eq(lac_model_open_id(&model, info.id, sizeof info.id), 0);
        cr_assert_null(model->mapping, "the embedded one");
        lac_model_close(&model);
    }
}

Test(model, default_is_the_first_embedded)
{
    lac_model *model = NULL;
    const char *name = lac_model_embedded_name(0);
    int status = lac_model_open(&model, NULL);
    if (name != NULL) {
        lac_model_info info;
        cr_assert_eq(status, 0);
        lac_model_get_info(model, &info);
        cr_assert_str_eq(info.name, name);
        cr_assert_null(model->owned, "embedded data should be aligned");
        lac_model_close(&model);
        cr_assert_eq(lac_model_open(&model, name), 0);
        lac_model_close(&model);
        cr_assert_eq(lac_model_open(&model, ""), 0);
    }
    cr_assert_null(lac_model_embedded_name(1000));
    lac_model_close(&model);
}

Test(model, every_truncation_fails)
{
    /* each step reads the whole file, so most lengths in its middle are left to the long run */
    size_t step = getenv("LAC_TEST_LONG") != NULL ? 1 : 61;
    for (size_t size = 0; size < tiny_size; size += size < 6000 || size + 200 > tiny_size ? 1 : step)
        cr_assert_eq(try_open(tiny, size), LAC_ERROR_TRUNCATED, "%zu bytes", size);
    cr_assert_eq(try_open(tiny, tiny_size), 0);
}

Test(model, every_flip_is_noticed)
{
    uint64_t counter = seed();
    for (size_t n = rounds(2000); n > 0; n--) {
        size_t at = lac_hash32(counter++) % (n % 2 ? tiny_size : TABLE + 55 * ENTRY);
        uint8_t flip = (uint8_t)(1u << lac_hash32(counter++) % 8);
        tiny[at] ^= flip;
        cr_assert_lt(try_open(tiny, tiny_size), 0, "byte %zu", at);
        tiny[at] ^= flip;
    }
}

/* With the checksum right again, only validation is left between a hostile file and the network. */
static void mutate(void)
{
    uint64_t counter = seed() + 7;
    size_t refused = 0, total = rounds(2000);
    uint8_t *copy = lac_alloc(tiny_size);
    for (size_t n = 0; n < total; n++) {
        memcpy(copy, tiny, tiny_size);
        for (uint32_t k = lac_hash32(counter++) % 3 + 1; k > 0; k--) {
            size_t at = 20 + lac_hash32(counter++) % (TABLE + 55 * ENTRY - 24);
            if (lac_hash32(counter++) % 2)
                copy[at] = (uint8_t)lac_hash32(counter++);
            else
                lac_store32(copy + at / 4 * 4, lac_hash32(counter) >> lac_hash32(counter + 1) % 32);
            counter += 2;
        }
        fix_crc(copy, tiny_size, 16);
        refused += try_open(copy, tiny_size) != 0;
    }
    lac_free(copy);
    cr_assert_gt(refused, total * 9 / 10);
}

Test(model, mutations_with_right_checksum)
{
    mutate();
}

Test(fsqmodel, mutations_with_right_checksum)
{
    mutate();
}

Test(model, header)
{
    cr_assert_eq(try_word(0, 0x4e43414c), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(4, 0), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(4, 2), LAC_ERROR_VERSION);
    cr_assert_eq(try_word(8, (uint32_t)tiny_size + 64), LAC_ERROR_TRUNCATED);
    cr_assert_eq(try_word(8, (uint32_t)tiny_size - 1), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(8, 0), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(12, 1), LAC_ERROR_LIMIT);
    cr_assert_eq(try_word(20, 54), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(20, 56), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(20, UINT32_MAX), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(24, 1), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(60, 1u << 31), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(64, 0), LAC_ERROR_FORMAT, "empty name");
    cr_assert_eq(try_word(124, 0x61616161), LAC_ERROR_FORMAT, "name without its zero");
    cr_assert_eq(try_word(128, 48000), LAC_ERROR_VERSION);
    cr_assert_eq(try_word(140, 2), LAC_ERROR_FORMAT, "no levels");
    cr_assert_eq(try_word(140, 3), LAC_ERROR_VERSION);
    cr_assert_eq(try_open("hello, world", 12), LAC_ERROR_FORMAT);
}

Test(model, architecture_limits)
{
    for (size_t at = 144; at < 144 + 32; at += 4) {
        cr_assert_eq(try_word(at, 0), LAC_ERROR_LIMIT, "field at %zu", at);
        cr_assert_eq(try_word(at, UINT32_MAX), LAC_ERROR_LIMIT, "field at %zu", at);
        cr_assert_eq(try_word(at, lac_load32(tiny + at) + 1), LAC_ERROR_FORMAT, "field at %zu", at);
    }
    for (size_t at = 176; at < TABLE; at += 52) {
        cr_assert_eq(try_word(at, 0), LAC_ERROR_LIMIT);
        cr_assert_eq(try_word(at, 13), LAC_ERROR_LIMIT);
        cr_assert_eq(try_word(at, 2), LAC_ERROR_FORMAT);
        cr_assert_eq(try_word(at + 4, 0), LAC_ERROR_LIMIT);
        cr_assert_eq(try_word(at + 4, 1025), LAC_ERROR_LIMIT);
        cr_assert_eq(try_word(at + 8, 40), LAC_ERROR_FORMAT, "a width past the count");
    }
    /* 4 * 1024 = 4096 inputs fit one sum, hidden 8 * 1024 do not */
    cr_assert_neq(try_word(144 + 5 * 4, 8), 0);
}

Test(model, tensor_table)
{
    size_t e = entry_of("encoder.fine.0.up.weight");
    for (size_t at = e; at < e + ENTRY; at += 4) {
        cr_assert_eq(try_word(at, lac_load32(tiny + at) + 1), LAC_ERROR_FORMAT, "offset %zu", at - e);
        cr_assert_eq(try_word(at, lac_load32(tiny + at) + 64), LAC_ERROR_FORMAT, "offset %zu", at - e);
        cr_assert_eq(try_word(at, UINT32_MAX), LAC_ERROR_FORMAT, "offset %zu", at - e);
    }
}

Test(model, values)
{
    size_t weight = data_of("decoder.coarse.0.up.weight"), bias = data_of("encoder.output.bias");
    uint32_t w = lac_load32(tiny + weight) & 0xffffff00u;
    cr_assert_eq(try_word(weight, w | 0x80), LAC_ERROR_FORMAT, "-128");
    cr_assert_eq(try_word(weight, w | 0x81), 0, "-127");
    cr_assert_eq(try_word(bias, 0x7fc00000), LAC_ERROR_FORMAT, "NaN");
    cr_assert_eq(try_word(bias, 0xff800000), LAC_ERROR_FORMAT, "-infinity");
    cr_assert_eq(try_word(bias, 0x447a0000), 0, "1000");
    cr_assert_eq(try_word(bias, 0xc47a0001), LAC_ERROR_FORMAT, "below -1000");
    size_t codes = data_of("codes");
    uint32_t c = lac_load32(tiny + codes) & 0xffff0000u;
    cr_assert_eq(try_word(codes, c | 4095), 0);
    cr_assert_eq(try_word(codes, c | 4096), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(codes, c | (0x10000 - 4095)), 0);
    cr_assert_eq(try_word(codes, c | (0x10000 - 4096)), LAC_ERROR_FORMAT);
    size_t end = data_of("encoder.input.scale") + 4 * 24;
    cr_assert_neq(end % 64, 0);
    cr_assert_eq(try_word(end, 1), LAC_ERROR_FORMAT, "padding");
}

Test(model, extensions)
{
    uint8_t id[LAC_MODEL_ID_SIZE];
    lac_model *model;
    lac_model_info info;
    cr_assert_eq(lac_model_open_memory(&model, tiny, tiny_size), 0);
    lac_model_get_info(model, &info);
    memcpy(id, info.id, sizeof id);
    lac_model_close(&model);

    size_t size = extend(extend(tiny_size, 101, 0), 102, 0);
    cr_assert_eq(lac_model_open_memory(&model, tiny, size), 0);
    lac_model_get_info(model, &info);
    cr_assert_arr_eq(id, info.id, sizeof id, "the id is that of the core");
    cr_assert_eq(info.file_bytes, size);
    lac_model_close(&model);

    for (size_t n = tiny_size + 1; n < size; n++)
        if (n != tiny_size + 64)
            cr_assert_eq(try_open(tiny, n), LAC_ERROR_TRUNCATED, "%zu", n);
    for (size_t at = tiny_size; at < size; at++) {
        tiny[at] ^= 4;
        cr_assert_lt(try_open(tiny, size), 0, "byte %zu", at - tiny_size);
        tiny[at] ^= 4;
    }
    cr_assert_eq(try_open(tiny, extend(size, 102, 0)), LAC_ERROR_FORMAT, "twice the same");
    cr_assert_eq(try_open(tiny, extend(size, 103, 1)), LAC_ERROR_VERSION, "unknown and mandatory");
    cr_assert_eq(try_open(tiny, extend(size, 103, 2)), LAC_ERROR_FORMAT, "unknown flag");
    for (uint32_t n = 103; n <= 117; n++)
        size = extend(size, n, 0);
    cr_assert_eq(try_open(tiny, size), LAC_ERROR_LIMIT, "17 extensions");
    cr_assert_eq(try_open(tiny, size - 64), 0, "16 extensions");
    memset(tiny + tiny_size, 0, 64);
    cr_assert_eq(try_open(tiny, tiny_size + 1), LAC_ERROR_TRUNCATED);
    cr_assert_eq(try_open(tiny, tiny_size + 64), LAC_ERROR_FORMAT, "trailing zeros");
}

Test(model, predictor)
{
    size_t d = lac_load32(tiny + 148), used = 64 + 2 * 4 * d * (d + 1), bytes = (used + 63) / 64 * 64;
    uint8_t *p = tiny + tiny_size;
    extend(tiny_size, 1, 1);
    memset(p + 64, 0, bytes - 64);
    for (size_t i = 64; i < used; i++)
        p[i] = (uint8_t)(i * 37);
    lac_store64(p + 16, bytes);
    fix_crc(p, bytes, 12);
    cr_assert_eq(try_open(tiny, tiny_size + bytes), 0);
    for (size_t at = 32; at < bytes; at = at == 63 ? used : at + 1) {
        p[at] ^= 1;
        fix_crc(p, bytes, 12);
        cr_assert_eq(try_open(tiny, tiny_size + bytes), LAC_ERROR_FORMAT, "byte %zu", at);
        p[at] ^= 1;
    }
    extend(tiny_size, 1, 0);
    cr_assert_eq(try_open(tiny, tiny_size + 64), LAC_ERROR_FORMAT, "too short");
}

/* A metric of `one` on the diagonal behind the model; returns the new size. */
static size_t add_metric(int16_t one)
{
    size_t d = lac_load32(tiny + 148), bytes = (64 + 2 * d * d + 63) / 64 * 64;
    uint8_t *p = tiny + tiny_size;
    extend(tiny_size, 3, 0);
    memset(p + 64, 0, bytes - 64);
    for (size_t i = 0; i < d; i++)
        memcpy(p + 64 + 2 * i * (d + 1), &one, sizeof one);
    lac_store64(p + 16, bytes);
    fix_crc(p, bytes, 12);
    return tiny_size + bytes;
}

Test(model, metric)
{
    lac_model *plain, *measured;
    lac_model_info info;
    size_t size = add_metric(LAC_METRIC_ONE / 2);
    cr_assert_eq(lac_model_open_memory(&plain, tiny, tiny_size), 0);
    cr_assert_eq(lac_model_open_memory(&measured, tiny, size), 0);
    lac_model_get_info(plain, &info);
    uint64_t macs = info.search_macs, d = info.latent_size;
    cr_assert_eq(info.metric, 0);
    lac_model_get_info(measured, &info);
    cr_assert_eq(info.metric, 1);
    cr_assert_eq(info.search_macs, macs + 50 * d * d);
    const lac_quantiser *q = &measured->quantiser;
    cr_assert_eq((const uint8_t *)q->rvq.codes, tiny + data_of("codes"), "words stay");
    for (size_t i = 0; i < (size_t)q->stages * q->codewords * d; i++)
        cr_assert_eq(q->measured.codes[i], (q->rvq.codes[i] + 1) >> 1);
    lac_model_close(&plain);
    lac_model_close(&measured);
}

Test(model, bad_metric)
{
    size_t d = lac_load32(tiny + 148), used = 64 + 2 * d * d, size = add_metric(LAC_RVQ_MAX), bytes = size - tiny_size;
    uint8_t *p = tiny + tiny_size;
    cr_assert_eq(try_open(tiny, size), 0);
    for (size_t at = 32; at < bytes; at = at == 63 ? used : at + 1) {
        p[at] ^= 1;
        fix_crc(p, bytes, 12);
        cr_assert_eq(try_open(tiny, size), LAC_ERROR_FORMAT, "byte %zu", at);
        p[at] ^= 1;
    }
    cr_assert_eq(try_open(tiny, add_metric(LAC_RVQ_MAX + 1)), LAC_ERROR_FORMAT, "too large");
    cr_assert_eq(try_open(tiny, add_metric(-LAC_RVQ_MAX - 1)), LAC_ERROR_FORMAT, "too small");
    cr_assert_eq(try_open(tiny, extend(tiny_size, 3, 0)), LAC_ERROR_FORMAT, "too short");
}

Test(model, allocation_failures)
{
    uint8_t *copy = lac_alloc(tiny_size + 1), *unaligned = copy + 1;
    memcpy(unaligned, tiny, tiny_size);
    for (size_t n = 1; n <= 2; n++) {
        lac_alloc_fail_at(n);
        cr_assert_eq(try_open(unaligned, tiny_size), LAC_ERROR_MEMORY, "allocation %zu", n);
    }
    lac_alloc_fail_at(1);
    cr_assert_eq(try_open(tiny, tiny_size), LAC_ERROR_MEMORY);
    lac_alloc_fail_at(0);
    cr_assert_eq(try_open(unaligned, tiny_size), 0);
    lac_free(copy);
}

/* ---- scalar quantiser: levels 5, 4, 3 ---- */

Test(fsqmodel, takes_no_metric)
{
    cr_assert_eq(try_open(tiny, add_metric(LAC_METRIC_ONE)), LAC_ERROR_FORMAT);
}

Test(fsqmodel, opens_and_tells)
{
    lac_model *m;
    lac_model_info info;
    cr_assert_eq(lac_model_open_memory(&m, tiny, tiny_size), 0);
    lac_model_get_info(m, &info);
    cr_assert_str_eq(info.name, "tiny-fsq");
    cr_assert_eq(info.quantiser, LAC_MODEL_FSQ);
    cr_assert_arr_eq(info.levels, ((uint8_t[LAC_MODEL_MAX_DIMENSIONS]){5, 4, 3}), sizeof info.levels);
    cr_assert_eq(info.codewords, 60);
    cr_assert_eq(info.token_bits, 6);
    cr_assert_eq(info.search_macs, 50 * 4 * 2 * 3 * 16);
    const lac_rfsq *q = &m->quantiser.rfsq;
    cr_assert_eq((const uint8_t *)q->into, tiny + data_of("fsq.into"));
    cr_assert_eq((const uint8_t *)q->back, tiny + data_of("fsq.back"));
    cr_assert_eq((const uint8_t *)q->bias, tiny + data_of("fsq.bias"));
    for (size_t i = 0; i < 4 * 3 * 4; i++) {
        uint32_t bits = lac_load32(tiny + data_of("fsq.thresholds") + 4 * i);
        float value;
        memcpy(&value, &bits, sizeof value);
        cr_assert_eq(q->thresholds[i], (int32_t)(value * 1048576));
    }
    lac_model_close(&m);
}

Test(fsqmodel, header)
{
    const uint32_t levels = lac_load32(tiny + 24);
    cr_assert_eq(levels, 3u | 5u << 8 | 4u << 16 | 3u << 24);
    cr_assert_eq(try_word(24, levels - 1), LAC_ERROR_FORMAT, "two dimensions");
    cr_assert_eq(try_word(24, levels - 3), LAC_ERROR_FORMAT, "none");
    cr_assert_eq(try_word(24, levels + 10), LAC_ERROR_LIMIT, "13");
    cr_assert_eq(try_word(24, 3u | 6u << 8 | 5u << 16 | 2u << 24), LAC_ERROR_FORMAT, "other shapes");
    cr_assert_eq(try_word(24, 3u | 60u << 8 | 1u << 16 | 1u << 24), LAC_ERROR_FORMAT, "dimensions of one level");
    cr_assert_eq(try_word(24, 3u | 5u << 8 | 12u << 24), LAC_ERROR_FORMAT, "no level");
    cr_assert_eq(try_word(28, 1), LAC_ERROR_FORMAT, "a level past the count");
    cr_assert_eq(try_word(60, 1u << 31), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(140, 1), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(140, 3), LAC_ERROR_VERSION);
    cr_assert_eq(try_word(160, 59), LAC_ERROR_FORMAT, "codewords");
}

Test(fsqmodel, thresholds)
{
    const uint32_t minus_1000 = 0xc47a0000, thousand = 0x447a0000;
    size_t t = data_of("fsq.thresholds"), four = t + 16; /* of 5 levels, of 4: three of them and a zero */
    uint32_t first = lac_load32(tiny + t), second = lac_load32(tiny + t + 4);
    cr_assert_eq(try_word(t, minus_1000), 0);
    cr_assert_eq(try_word(t, minus_1000 + 1), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(t, second), 0, "equal ones");
    cr_assert_eq(try_word(t + 4, first + 1), LAC_ERROR_FORMAT, "descending: both are below zero");
    cr_assert_eq(try_word(t + 12, thousand), 0);
    cr_assert_eq(try_word(t + 12, 0x7fc00000), LAC_ERROR_FORMAT, "NaN");
    cr_assert_eq(lac_load32(tiny + four + 12), 0);
    cr_assert_eq(try_word(four + 12, thousand), LAC_ERROR_FORMAT, "behind the last");
    cr_assert_eq(try_word(four + 12, 1u << 31), LAC_ERROR_FORMAT, "minus zero");
    cr_assert_eq(try_word(data_of("fsq.bias"), 4096), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(data_of("fsq.into"), 4096), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(data_of("fsq.back"), 4096), LAC_ERROR_FORMAT);
}
