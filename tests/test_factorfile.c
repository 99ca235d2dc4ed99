/* Files of factor models: what is accepted, what is refused, and that nothing in between crashes. */
#define _POSIX_C_SOURCE 200809L
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "factorfile.h"
#include "fixture.h"
#include "lac/latents.h"
#include "tensortable.h"

#define TENSORS 155
#define SAMPLING_TENSORS 170
#define CRC_AT 16
#define FIXED_AT 128
#define LEVELS_AT 176
#define SCALARS_AT 212
#define SHAPES_AT 248
#define ARCH_END 344

static uint8_t *tiny; /* aligned */
static size_t tiny_size, tensors = TENSORS;

static void load(void)
{
    char path[1024];
    FILE *f = fopen(vector_path(path, sizeof path, "tiny.lacf"), "rb");
    cr_assert_not_null(f, "%s is missing", path);
    tiny = lac_alloc(1 << 17);
    tiny_size = fread(tiny, 1, 1 << 17, f);
    fclose(f);
    cr_assert_gt(tiny_size, 1000);
}

static void unload(void)
{
    lac_free(tiny);
}

TestSuite(factorfile, .init = load, .fini = unload, .timeout = 300);

static void fix_crc(uint8_t *data, size_t size)
{
    lac_store32(data + CRC_AT, 0);
    lac_store32(data + CRC_AT, lac_crc32c(0, data, size));
}

static int try_open(const void *data, size_t size)
{
    lac_factor_model *model = NULL;
    int status = lac_factor_model_open_memory(&model, data, size);
    cr_assert_eq(status == 0, model != NULL);
    lac_factor_model_close(&model);
    cr_assert_null(model);
    return status;
}

/* Status of the tiny model with bytes at `at` replaced and the checksum right again. */
static int try_bytes(size_t at, const void *bytes, size_t count)
{
    uint8_t saved[64], crc[4];
    memcpy(saved, tiny + at, count);
    memcpy(crc, tiny + CRC_AT, 4);
    memcpy(tiny + at, bytes, count);
    fix_crc(tiny, tiny_size);
    int status = try_open(tiny, tiny_size);
    memcpy(tiny + at, saved, count);
    memcpy(tiny + CRC_AT, crc, 4);
    return status;
}

static int try_word(size_t at, uint32_t value)
{
    uint8_t bytes[4];
    lac_store32(bytes, value);
    return try_bytes(at, bytes, 4);
}

static int try_float(size_t at, float value)
{
    return try_bytes(at, &value, 4);
}

static size_t entry_of(const char *name)
{
    for (size_t at = LAC_MODEL_TABLE_AT; at < LAC_MODEL_TABLE_AT + tensors * LAC_MODEL_ENTRY_BYTES;
         at += LAC_MODEL_ENTRY_BYTES)
        if (strncmp((const char *)tiny + at, name, LAC_MODEL_ENTRY_NAME) == 0)
            return at;
    cr_assert_fail("no tensor %s", name);
    return 0;
}

static size_t data_of(const char *name)
{
    return (size_t)lac_load64(tiny + entry_of(name) + LAC_MODEL_ENTRY_OFFSET);
}

Test(factorfile, opens_and_tells)
{
    lac_factor_model *model;
    lac_factor_info info;
    lac_model *codec = open_vector("tiny.lacm");
    uint8_t id[LAC_MODEL_ID_SIZE];
    cr_assert_eq(lac_factor_model_open_memory(&model, tiny, tiny_size), 0);
    lac_factor_model_get_info(model, &info);
    cr_assert_str_eq(info.name, "tiny");
    lac_model_take_id(id, tiny, tiny_size);
    cr_assert_arr_eq(info.id, id, sizeof id);
    lac_model_latent_id(codec, id);
    cr_assert_arr_eq(info.latent_id, id, sizeof id);
    cr_assert_eq(info.latent_size, 16);
    cr_assert_eq(info.content_stride, 2);
    cr_assert_eq(info.content_tokens, 36);
    cr_assert_eq(info.content_dimensions, 3);
    cr_assert_arr_eq(info.content_levels, ((uint8_t[LAC_CONTENT_MAX_LEVELS]){4, 3, 3}), LAC_CONTENT_MAX_LEVELS);
    cr_assert_eq(info.phones, 5);
    cr_assert_eq(info.delay_frames, 5);
    cr_assert_eq(info.generator_steps, 2);
    cr_assert_eq(info.generator_delay_frames, 3);
    cr_assert_eq(info.voices, 0);
    cr_assert_eq(info.file_bytes, tiny_size);
    /* by hand, from the shapes in train/factors/make_tiny.py */
    uint64_t content = 50 * (48 * 12 + 3 * 12 + 2 * 12 * 24) + 25 * (24 * 12 + 2 * (3 * 12 + 2 * 12 * 24) + 12 * 3);
    uint64_t phones = 25 * (9 * 8 + 2 * 8 + 2 * 8 * 8 + 8 * 5);
    uint64_t speaker = 50 * (48 * 10 + 2 * (3 * 10 + 2 * 10 * 20) + 10);
    uint64_t surroundings = 50 * (48 * 8 + 8 + 2 * 8 * 24 + 8);
    uint64_t style = 50 * (48 * 9 + 5 * 9 + 2 * 9 * 18 + 9 * 122);
    cr_assert_eq(info.analyser_macs, content + phones + speaker + surroundings + style);
    cr_assert_eq(info.generator_macs, 100 * (66 * 12 + 2 * (3 * 12 + 2 * 12 * 24) + 12 * 16));
    cr_assert_str_eq(lac_factor_model_phone(model, 0), "");
    cr_assert_str_eq(lac_factor_model_phone(model, 1), "a");
    cr_assert_str_eq(lac_factor_model_phone(model, 4), "t\xca\x83");
    cr_assert_null(lac_factor_model_phone(model, 5));
    cr_assert_null(lac_factor_model_phone(model, UINT32_MAX));
    lac_factor_model_close(&model);
    lac_factor_model_close(&model);
    lac_factor_model_close(NULL);
    lac_model_close(&codec);
}

Test(factorfile, weights_are_where_the_networks_look)
{
    lac_factor_model *m;
    setenv("LAC_CPU_MASK", "0", 1);
    cr_assert_eq(lac_factor_model_open_memory(&m, tiny, tiny_size), 0);
    cr_assert_eq((const uint8_t *)m->content.trunk.input.weight, tiny + data_of("content.input.weight"));
    cr_assert_eq((const uint8_t *)m->content.late[1].down.bias, tiny + data_of("content.late.1.down.bias"));
    cr_assert_eq((const uint8_t *)m->surroundings.channel_output.scale,
                 tiny + data_of("surroundings.channel_output.scale"));
    cr_assert_eq((const uint8_t *)m->generator.modulate[1].weight, tiny + data_of("generator.modulate.1.weight"));
    cr_assert_eq((const uint8_t *)m->calibration.channel, tiny + data_of("calibration.channel"));
    cr_assert_eq(m->generator.modulate[1].out, 24);
    cr_assert_eq(m->speaker.output.in, 20);
    cr_assert_eq(m->arch.slots, 3);
    cr_assert_lt(fabsf(m->content.thresholds[3] + 0.549f), 0.01f, "of 3 levels");
    cr_assert_null(m->content.join.packed, "the definition reads the weights where the file has them");
    cr_assert_null(m->owned);
    lac_factor_model_close(&m);
}

/* Where kernels read packed weights, every matrix is packed. */
Test(factorfile, matrices_are_packed)
{
    lac_factor_model *m;
    cr_assert_eq(lac_factor_model_open_memory(&m, tiny, tiny_size), 0);
    const lac_linear *some[] = {&m->content.trunk.input,       &m->content.late[1].up, &m->phones.output,
                                &m->speaker.weigh,             &m->surroundings.channel_output,
                                &m->style.trunk.blocks[0].down, &m->generator.about,
                                &m->generator.modulate[1],     &m->generator.output};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        cr_assert_eq(some[i]->packed != NULL, m->kernels.packed != 0, "matrix %zu", i);
    lac_factor_model_close(&m);
}

Test(factorfile, unaligned_memory)
{
    uint8_t *copy = test_alloc(tiny_size + 64, 1);
    for (size_t shift = 1; shift < 64; shift += 9) {
        memcpy(copy + shift, tiny, tiny_size);
        cr_assert_eq(try_open(copy + shift, tiny_size), 0);
    }
    free(copy);
}

Test(factorfile, arguments)
{
    lac_factor_model *model = NULL;
    cr_assert_eq(lac_factor_model_open_memory(NULL, tiny, tiny_size), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_factor_model_open_memory(&model, NULL, 5), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_factor_model_open_memory(&model, tiny, 0), LAC_ERROR_TRUNCATED);
    cr_assert_eq(lac_factor_model_open(NULL, "tiny"), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_factor_model_open(&model, "/nowhere/x.lacf"), LAC_ERROR_NOT_FOUND);
    cr_assert_eq(lac_factor_model_open(&model, "no-such-model"), LAC_ERROR_NOT_FOUND);
    cr_assert_null(model);
}

Test(factorfile, opens_by_path_and_by_name)
{
    lac_factor_model *model = NULL;
    char path[1024];
    cr_assert_eq(lac_factor_model_open(&model, vector_path(path, sizeof path, "tiny.lacf")), 0);
    lac_factor_model_close(&model);
    setenv("LAC_MODEL_PATH", getenv("LAC_VECTORS"), 1);
    cr_assert_eq(lac_factor_model_open(&model, "tiny"), 0, "not the tiny.lacm beside it");
    lac_factor_model_close(&model);
    setenv("LAC_MODEL_PATH", "/nowhere", 1);
    cr_assert_eq(lac_factor_model_open(&model, "tiny"), LAC_ERROR_NOT_FOUND);
    cr_assert_eq(lac_factor_model_open(&model, vector_path(path, sizeof path, "tiny.lacm")), LAC_ERROR_FORMAT);
}

Test(factorfile, default_is_the_embedded)
{
    lac_factor_model *model = NULL, *named = NULL;
    setenv("LAC_MODEL_PATH", "/nowhere", 1);
    int status = lac_factor_model_open(&model, NULL);
    if (lac_embedded_factors[0].name == NULL) {
        cr_assert(status == LAC_ERROR_NOT_FOUND || model->mapping != NULL, "an installed one at most");
    } else {
        cr_assert_eq(status, 0);
        cr_assert_str_eq(model->info.name, lac_embedded_factors[0].name);
        cr_assert(model->mapping == NULL && model->owned == NULL, "embedded data should be aligned");
        cr_assert_eq(lac_factor_model_open(&named, lac_embedded_factors[0].name), 0);
        cr_assert_eq(named->data, model->data);
    }
    lac_factor_model_close(&named);
    lac_factor_model_close(&model);
}

Test(factorfile, every_truncation_fails)
{
    for (size_t size = 0; size < tiny_size; size++)
        cr_assert_eq(try_open(tiny, size), LAC_ERROR_TRUNCATED, "%zu bytes", size);
    for (size_t size = LAC_MODEL_TABLE_AT; size < tiny_size; size += LAC_MODEL_ALIGN) {
        uint8_t *copy = lac_alloc(size);
        memcpy(copy, tiny, size);
        lac_store64(copy + 8, size);
        fix_crc(copy, size);
        cr_assert_eq(try_open(copy, size), LAC_ERROR_FORMAT, "%zu bytes", size);
        lac_free(copy);
    }
    cr_assert_eq(try_open(tiny, tiny_size + 64), LAC_ERROR_FORMAT, "something behind");
}

Test(factorfile, every_flip_is_noticed)
{
    random_source r = random_start();
    for (size_t at = 0; at < tiny_size; at++) {
        uint8_t flip = (uint8_t)(1u << random_below(&r, 8));
        tiny[at] ^= flip;
        cr_assert_lt(try_open(tiny, tiny_size), 0, "byte %zu", at);
        tiny[at] ^= flip;
    }
}

/* Name, whose latents, look-aheads, steps. */
static bool may_be_any(size_t at)
{
    size_t scalar = (at - SCALARS_AT) / 4;
    bool name = at >= LAC_MODEL_NAME_AT && at <= LAC_MODEL_NAME_AT + 4, id = at >= 160 && at < LEVELS_AT;
    return name || id || scalar == 2 || scalar == 4 || scalar == 6 || scalar == 7;
}

/* With the checksum right again, only validation is left. */
Test(factorfile, every_byte_changed_with_right_checksum)
{
    random_source r = random_start();
    size_t values = LAC_MODEL_TABLE_AT + TENSORS * LAC_MODEL_ENTRY_BYTES, opened = 0;
    for (size_t at = 20; at < tiny_size; at += at < values ? 1 : 1 + random_below(&r, 20)) {
        uint8_t changed = (uint8_t)(tiny[at] ^ (1 + random_below(&r, 255)));
        int status = try_bytes(at, &changed, 1);
        cr_assert(status < 0 || at >= values || may_be_any(at), "byte %zu", at);
        opened += status == 0;
    }
    cr_assert_gt(opened, 100, "weights may be any");
}

Test(factorfile, header)
{
    cr_assert_eq(try_word(0, 0x4d43414c), LAC_ERROR_FORMAT, "LACM");
    cr_assert_eq(try_word(4, 0), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(4, LAC_FACTOR_VERSION + 1), LAC_ERROR_VERSION);
    cr_assert_eq(try_word(4, LAC_FACTOR_SAMPLING_VERSION), 0, "distributions may be left out");
    cr_assert_eq(try_word(8, (uint32_t)tiny_size + 64), LAC_ERROR_TRUNCATED);
    cr_assert_eq(try_word(8, (uint32_t)tiny_size - 1), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(12, 1), LAC_ERROR_LIMIT);
    cr_assert_eq(try_word(20, TENSORS - 1), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(20, TENSORS + 1), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(20, UINT32_MAX), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(24, 1), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(64, 0), LAC_ERROR_FORMAT, "empty name");
    for (size_t at = FIXED_AT; at < 160; at += 4)
        cr_assert_eq(try_word(at, lac_load32(tiny + at) + 1), LAC_ERROR_VERSION, "property at %zu", at);
    cr_assert_eq(try_word(160, 0), 0, "whose latents: any");
    cr_assert_eq(try_word(ARCH_END, 1), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(LAC_MODEL_TABLE_AT - 4, 1), LAC_ERROR_FORMAT);
}

Test(factorfile, architecture_limits)
{
    cr_assert_eq(try_word(LEVELS_AT, 0), LAC_ERROR_LIMIT);
    cr_assert_eq(try_word(LEVELS_AT, 9), LAC_ERROR_LIMIT);
    cr_assert_eq(try_word(LEVELS_AT, 2), LAC_ERROR_FORMAT, "a level past their number");
    cr_assert_eq(try_word(LEVELS_AT + 4, 1), LAC_ERROR_LIMIT);
    cr_assert_eq(try_word(LEVELS_AT + 4, 65), LAC_ERROR_LIMIT);
    cr_assert_eq(try_bytes(LEVELS_AT, (uint32_t[]){3, 64, 64, 17}, 16), LAC_ERROR_LIMIT, "65536 tokens at most");
    for (size_t at = SCALARS_AT; at < ARCH_END; at += 4) {
        cr_assert_eq(try_word(at, UINT32_MAX), LAC_ERROR_LIMIT, "field at %zu", at);
        if (at >= SHAPES_AT)
            cr_assert_eq(try_word(at, 0), LAC_ERROR_LIMIT, "field at %zu", at);
    }
    cr_assert_eq(try_word(SCALARS_AT + 8, 3), LAC_ERROR_FORMAT, "a look-ahead of no whole token");
    cr_assert_eq(try_word(SCALARS_AT + 8, 6), 0, "a longer one");
    cr_assert_eq(try_word(SCALARS_AT + 24, 0), LAC_ERROR_FORMAT, "without steps the generator reads no latents");
    cr_assert_eq(try_word(SCALARS_AT + 24, 3), 0, "more steps");
    for (size_t at = SHAPES_AT; at < ARCH_END; at += 4)
        cr_assert_eq(try_word(at, lac_load32(tiny + at) + 1), LAC_ERROR_FORMAT, "field at %zu", at);
    /* 8 * 1024 inputs do not fit one sum */
    cr_assert_lt(try_bytes(SHAPES_AT, (uint32_t[]){1024, 8}, 8), 0);
}

Test(factorfile, tensor_table)
{
    size_t e = entry_of("generator.modulate.1.weight");
    for (size_t at = e; at < e + LAC_MODEL_ENTRY_BYTES; at += 4) {
        cr_assert_eq(try_word(at, lac_load32(tiny + at) + 1), LAC_ERROR_FORMAT, "offset %zu", at - e);
        cr_assert_eq(try_word(at, lac_load32(tiny + at) + 64), LAC_ERROR_FORMAT, "offset %zu", at - e);
        cr_assert_eq(try_word(at, UINT32_MAX), LAC_ERROR_FORMAT, "offset %zu", at - e);
    }
}

Test(factorfile, values)
{
    size_t weight = data_of("speaker.output.weight"), bias = data_of("speaker.weigh.bias");
    cr_assert_eq(try_bytes(weight, "\x80", 1), LAC_ERROR_FORMAT, "-128");
    cr_assert_eq(try_bytes(weight, "\x81", 1), 0, "-127");
    cr_assert_eq(try_float(bias, NAN), LAC_ERROR_FORMAT);
    cr_assert_eq(try_float(bias, -INFINITY), LAC_ERROR_FORMAT);
    cr_assert_eq(try_float(bias, -1000), 0);
    cr_assert_eq(try_float(bias, 1000.0001f), LAC_ERROR_FORMAT);
    cr_assert_eq(try_word(bias + 4, 1), LAC_ERROR_FORMAT, "padding");
}

Test(factorfile, thresholds)
{
    size_t at = data_of("content.thresholds"); /* of 4, 3, 3 levels in rows of 3 */
    float first, second;
    memcpy(&first, tiny + at, 4);
    memcpy(&second, tiny + at + 4, 4);
    cr_assert_eq(try_float(at, second), 0, "equal ones");
    cr_assert_eq(try_float(at + 4, first - 0.001f), LAC_ERROR_FORMAT, "descending ones");
    cr_assert_eq(try_float(at + 5 * 4, 5), LAC_ERROR_FORMAT, "a third of three levels");
    cr_assert_eq(try_word(at + 8 * 4, 0x80000000), LAC_ERROR_FORMAT, "-0 is not zero bytes");
}

Test(factorfile, symbols)
{
    static const char *const good[] = {
        "\x7e", "\xc2\xa0", "\xc9\xaa", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf", "d\xcc\xa9", "fifteen bytes x"};
    static const char *const bad[] = {
        "", "\x1f", "\x7f", "\x80", "\xbf", "\xc2\x9f", "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "a\xc9", "a\xe2\x82",
        "\xf0\x90\x80", "a\nb", "sixteen bytes xy"};
    size_t at = data_of("phones.symbols") + LAC_PHONE_BYTES;
    char row[LAC_PHONE_BYTES + 1];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_assert_eq(try_bytes(at, strncpy(row, good[i], LAC_PHONE_BYTES), LAC_PHONE_BYTES), 0, "%zu", i);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int status = try_bytes(at, strncpy(row, bad[i], LAC_PHONE_BYTES), LAC_PHONE_BYTES);
        cr_assert_eq(status, LAC_ERROR_FORMAT, "%zu", i);
    }
    cr_assert_eq(try_bytes(at, "a\0b", 4), LAC_ERROR_FORMAT, "bytes behind the zero");
    cr_assert_eq(try_bytes(at - LAC_PHONE_BYTES, "a", 2), LAC_ERROR_FORMAT, "the blank");
}

Test(factorfile, calibrations)
{
    static const char *const names[] = {"calibration.style", "calibration.environment", "calibration.channel"};
    for (size_t i = 0; i < 3; i++) {
        size_t at = data_of(names[i]) + 4;
        cr_assert_eq(try_float(at, 0), LAC_ERROR_LIMIT, "%s", names[i]);
        cr_assert_eq(try_float(at, -1), LAC_ERROR_LIMIT, "%s", names[i]);
        cr_assert_eq(try_float(at, 1e-6f), 0, "%s", names[i]);
    }
    cr_assert_eq(try_float(data_of("calibration.speaker"), -1000), 0);
}

/* Those of tiny-voices.lacf are in place of the tiny model's from here on. */
static void load_voices(void)
{
    char path[1024];
    FILE *f = fopen(vector_path(path, sizeof path, "tiny-voices.lacf"), "rb");
    cr_assert_not_null(f, "%s is missing", path);
    tiny_size = fread(tiny, 1, 1 << 17, f);
    fclose(f);
    tensors = SAMPLING_TENSORS;
}

Test(factorfile, distributions)
{
    load_voices();
    cr_assert_eq(try_open(tiny, tiny_size), 0);
    cr_assert_eq(try_word(4, 1), LAC_ERROR_FORMAT, "version 1 has none");
    cr_assert_eq(try_bytes(ARCH_END, (uint32_t[6]){0}, 24), LAC_ERROR_FORMAT, "tensors that nothing names");
    cr_assert_eq(try_word(ARCH_END + 24, 1), LAC_ERROR_FORMAT);
    for (size_t at = ARCH_END; at < ARCH_END + 24; at += 4) {
        cr_assert_eq(try_word(at, 0), LAC_ERROR_LIMIT, "field at %zu", at);
        cr_assert_eq(try_word(at, 257), LAC_ERROR_LIMIT, "field at %zu", at);
        cr_assert_eq(try_word(at, lac_load32(tiny + at) + 1), LAC_ERROR_FORMAT, "field at %zu", at);
    }
    size_t bounds = data_of("sampling.voices.bounds");
    cr_assert_eq(try_float(bounds, 2), LAC_ERROR_FORMAT, "descending bounds");
    cr_assert_eq(try_float(bounds, 0), 0, "a component that is never drawn");
    cr_assert_eq(try_float(data_of("sampling.wide_line") + 4, NAN), LAC_ERROR_FORMAT);
    cr_assert_eq(try_float(data_of("sampling.moves"), 1001), LAC_ERROR_FORMAT);
}

Test(factorfile, allocation_failures)
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
