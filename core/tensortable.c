#include "tensortable.h"

#include <string.h>

#include "bytes.h"
#include "modelopen.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "tensors are used where they lie in the file: little-endian hosts only"
#endif

static const size_t dtype_bytes[] = {[LAC_INT8] = 1, [LAC_INT16] = 2, [LAC_FLOAT32] = 4, [LAC_UINT8] = 1};

bool lac_all_zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= p[i];
    return any == 0;
}

bool lac_crc_matches(const uint8_t *data, size_t size, size_t at)
{
    static const uint8_t zero[4];
    uint32_t crc = lac_crc32c(0, data, at);
    crc = lac_crc32c(crc, zero, 4);
    return lac_crc32c(crc, data + at + 4, size - at - 4) == lac_load32(data + at);
}

int lac_model_check_header(const uint8_t *data, size_t size, const char magic[4], uint32_t version, size_t *core)
{
    if (size < 8)
        return size < 4 || memcmp(data, magic, 4) == 0 ? LAC_ERROR_TRUNCATED : LAC_ERROR_FORMAT;
    if (memcmp(data, magic, 4) != 0 || lac_load32(data + 4) == 0)
        return LAC_ERROR_FORMAT;
    if (lac_load32(data + 4) > version)
        return LAC_ERROR_VERSION;
    if (size < LAC_MODEL_TABLE_AT)
        return LAC_ERROR_TRUNCATED;
    uint64_t bytes = lac_load64(data + 8);
    if (bytes > LAC_MODEL_MAX_BYTES || size > LAC_MODEL_MAX_BYTES)
        return LAC_ERROR_LIMIT;
    if (bytes > size)
        return LAC_ERROR_TRUNCATED;
    if (bytes < LAC_MODEL_TABLE_AT || bytes % LAC_MODEL_ALIGN != 0)
        return LAC_ERROR_FORMAT;
    if (!lac_crc_matches(data, (size_t)bytes, 16))
        return LAC_ERROR_CHECKSUM;
    *core = (size_t)bytes;
    return LAC_OK;
}

void lac_model_take_id(uint8_t id[LAC_MODEL_ID_SIZE], const uint8_t *data, size_t size)
{
    uint8_t digest[32];
    lac_sha256 sha;
    lac_sha256_init(&sha);
    lac_sha256_update(&sha, data, size);
    lac_sha256_final(&sha, digest);
    memcpy(id, digest, LAC_MODEL_ID_SIZE);
}

int lac_model_read_name(char name[LAC_MODEL_NAME_SIZE], const uint8_t *p)
{
    size_t n = 0;
    while (n < LAC_MODEL_NAME_SIZE - 1 && p[n] > 0x20 && p[n] < 0x7f && p[n] != '/')
        n++;
    if (n == 0 || !lac_all_zero(p + n, LAC_MODEL_NAME_SIZE - n))
        return LAC_ERROR_FORMAT;
    memcpy(name, p, LAC_MODEL_NAME_SIZE);
    return LAC_OK;
}

/* ---- tensors ---- */

static bool valid_int8(const uint8_t *p, size_t n)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++)
        bad |= p[i] == 0x80;
    return bad == 0;
}

static bool valid_int16(const uint8_t *p, size_t n)
{
    uint32_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t shifted = ((uint32_t)lac_load16(p + 2 * i) + 4095u) & 0xffffu;
        bad |= shifted > 8190u;
    }
    return bad == 0;
}

static bool valid_float32(const uint8_t *p, size_t n)
{
    const float most = LAC_MODEL_MAX_FLOAT;
    uint32_t limit, bad = 0;
    memcpy(&limit, &most, 4);
    for (size_t i = 0; i < n; i++)
        bad |= (lac_load32(p + 4 * i) & 0x7fffffffu) > limit;
    return bad == 0;
}

static bool valid_values(enum lac_dtype dtype, const uint8_t *p, size_t n)
{
    switch (dtype) {
    case LAC_INT8: return valid_int8(p, n);
    case LAC_INT16: return valid_int16(p, n);
    case LAC_FLOAT32: return valid_float32(p, n);
    default: return true;
    }
}

static bool entry_matches(const uint8_t *p, const char *name, enum lac_dtype dtype,
                          const uint32_t shape[LAC_MODEL_MAX_RANK])
{
    size_t length = strlen(name);
    if (memcmp(p, name, length) != 0 || !lac_all_zero(p + length, LAC_MODEL_ENTRY_NAME - length))
        return false;
    if (lac_load32(p + 40) != (uint32_t)dtype)
        return false;
    uint32_t rank = 0;
    for (; rank < LAC_MODEL_MAX_RANK && shape[rank] != 0; rank++)
        if (lac_load32(p + 48 + 4 * rank) != shape[rank])
            return false;
    return lac_load32(p + 44) == rank && lac_all_zero(p + 48 + 4 * rank, 4 * (LAC_MODEL_MAX_RANK - rank));
}

lac_tensor_table lac_tensor_table_begin(const uint8_t *data, size_t core)
{
    lac_tensor_table t = {.data = data, .core = core, .count = lac_load32(data + LAC_MODEL_COUNT_AT)};
    t.end = LAC_MODEL_TABLE_AT + (size_t)t.count * LAC_MODEL_ENTRY_BYTES;
    if (t.count > (core - LAC_MODEL_TABLE_AT) / LAC_MODEL_ENTRY_BYTES)
        t.status = LAC_ERROR_FORMAT;
    return t;
}

int lac_tensor_table_end(const lac_tensor_table *t)
{
    if (t->status != LAC_OK)
        return t->status;
    bool whole = t->next == t->count && lac_model_align(t->end) == t->core;
    return whole && lac_all_zero(t->data + t->end, t->core - t->end) ? LAC_OK : LAC_ERROR_FORMAT;
}

const void *lac_tensor_take(lac_tensor_table *t, const char *name, enum lac_dtype dtype,
                            const uint32_t shape[LAC_MODEL_MAX_RANK])
{
    if (t->status != LAC_OK)
        return NULL;
    t->status = LAC_ERROR_FORMAT;
    if (t->next == t->count)
        return NULL;
    const uint8_t *p = t->data + LAC_MODEL_TABLE_AT + (size_t)t->next++ * LAC_MODEL_ENTRY_BYTES;
    if (!entry_matches(p, name, dtype, shape))
        return NULL;
    size_t count = 1, bytes, end, at = lac_model_align(t->end);
    for (int i = 0; i < LAC_MODEL_MAX_RANK && shape[i] != 0; i++)
        if (!lac_size_mul(count, shape[i], &count))
            return NULL;
    if (!lac_size_mul(count, dtype_bytes[dtype], &bytes) || !lac_size_add(at, bytes, &end) || end > t->core)
        return NULL;
    if (lac_load64(p + LAC_MODEL_ENTRY_OFFSET) != at || lac_load64(p + LAC_MODEL_ENTRY_SIZE) != bytes)
        return NULL;
    if (!lac_all_zero(t->data + t->end, at - t->end) || !valid_values(dtype, t->data + at, count))
        return NULL;
    t->end = end;
    t->status = LAC_OK;
    return t->data + at;
}

/* name[LAC_MODEL_ENTRY_NAME] = prefix "." suffix, cut where it would not fit (a cut name matches no tensor). */
static const char *join(char name[LAC_MODEL_ENTRY_NAME], const char *prefix, const char *suffix)
{
    const char *parts[] = {prefix, ".", suffix};
    size_t n = 0;
    for (size_t i = 0; i < 3; i++)
        for (const char *s = parts[i]; *s != 0 && n < LAC_MODEL_ENTRY_NAME - 1; s++)
            name[n++] = *s;
    name[n] = 0;
    return name;
}

void lac_tensor_take_linear(lac_tensor_table *t, const char *prefix, lac_linear *l, uint32_t in, uint32_t out)
{
    char name[LAC_MODEL_ENTRY_NAME];
    l->in = in;
    l->out = out;
    if (in > LAC_GEMM_MAX_K && t->status == LAC_OK)
        t->status = LAC_ERROR_LIMIT;
    l->weight = lac_tensor_take(t, join(name, prefix, "weight"), LAC_INT8, LAC_SHAPE(out, in));
    l->scale = lac_tensor_take(t, join(name, prefix, "scale"), LAC_FLOAT32, LAC_SHAPE(out));
    l->bias = lac_tensor_take(t, join(name, prefix, "bias"), LAC_FLOAT32, LAC_SHAPE(out));
}

static void take_block(lac_tensor_table *t, const char *prefix, lac_block *b, uint32_t width, uint32_t expand,
                       uint32_t kernel)
{
    char name[LAC_MODEL_ENTRY_NAME];
    b->width = width;
    b->hidden = width * expand;
    b->kernel = kernel;
    b->depthwise = lac_tensor_take(t, join(name, prefix, "depthwise.weight"), LAC_FLOAT32, LAC_SHAPE(kernel, width));
    b->depthwise_bias = lac_tensor_take(t, join(name, prefix, "depthwise.bias"), LAC_FLOAT32, LAC_SHAPE(width));
    lac_tensor_take_linear(t, join(name, prefix, "up"), &b->up, width, b->hidden);
    lac_tensor_take_linear(t, join(name, prefix, "down"), &b->down, b->hidden, width);
}

/* name = prefix "." index */
static const char *number(char name[LAC_MODEL_ENTRY_NAME], const char *prefix, uint32_t index)
{
    char digits[3] = {(char)('0' + index % 10), 0, 0};
    if (index >= 10) {
        digits[1] = digits[0];
        digits[0] = (char)('0' + index / 10);
    }
    return join(name, prefix, digits);
}

void lac_tensor_take_linears(lac_tensor_table *t, const char *prefix, lac_linear *l, uint32_t count, uint32_t in,
                             uint32_t out)
{
    char name[LAC_MODEL_ENTRY_NAME];
    for (uint32_t i = 0; i < count; i++)
        lac_tensor_take_linear(t, number(name, prefix, i), &l[i], in, out);
}

void lac_tensor_take_blocks(lac_tensor_table *t, const char *prefix, lac_block *blocks, uint32_t count,
                            uint32_t width, uint32_t expand, uint32_t kernel)
{
    char name[LAC_MODEL_ENTRY_NAME];
    for (uint32_t i = 0; i < count; i++)
        take_block(t, number(name, prefix, i), &blocks[i], width, expand, kernel);
}
