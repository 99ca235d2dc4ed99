/* Fuzz target of payloads: parse, cut, put, take. The first byte is token_bits - 1 of parsing and cutting. Then
 * come packets: a byte that says how many frames ahead of the next one to be taken (from 192 on, less 256:
 * behind), the size in two bytes, the payload. After each some frames are taken. tiny_prior.lacm is that of
 * LAC_VECTORS or ./vectors. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "fuzzmodel.h"
#include "lac/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* What is cut is sound, no longer than asked for, and stays as it is when cut again. */
static void check_cut(const uint8_t *payload, size_t size, uint32_t token_bits, size_t limit)
{
    lac_packet_info info;
    size_t kept, again;
    int parsed = lac_packet_parse(payload, size, token_bits, &info);
    int status = lac_packet_cut(payload, size, token_bits, limit, &kept);
    must(status == parsed || (parsed == LAC_OK && status == LAC_ERROR_SPACE && limit < size));
    if (status != LAC_OK)
        return;
    must(kept <= limit && kept <= size && (limit < size || kept == size));
    must(lac_packet_parse(payload, kept, token_bits, &info) == LAC_OK);
    must(info.kept >= 1 && info.kept <= info.codebooks && info.redundancy <= LAC_PACKET_MAX_REDUNDANCY);
    must(lac_packet_cut(payload, kept, token_bits, limit, &again) == LAC_OK && again == kept);
}

static void take(lac_depacketizer *d, const lac_model_info *model)
{
    uint16_t tokens[LAC_MAX_CODEBOOKS];
    uint8_t codebooks;
    uint64_t next = lac_depacketizer_next(d);
    enum lac_frame_source expected = lac_depacketizer_peek(d, next);
    must(lac_depacketizer_end(d) >= next && lac_depacketizer_end(d) - next <= LAC_DEPACKETIZER_FRAMES);
    must(lac_depacketizer_take(d, tokens, &codebooks) == expected);
    must(codebooks <= model->codebooks && (codebooks == 0) == (expected == LAC_FRAME_LOST));
    for (uint32_t i = 0; i < model->codebooks; i++)
        must(tokens[i] < model->codewords);
}

static void put(lac_depacketizer *d, const lac_model_info *model, uint8_t ahead, const uint8_t *payload,
                size_t size)
{
    lac_packet_info info;
    uint64_t next = lac_depacketizer_next(d), frame = ahead < 192 ? next + ahead : next + ahead - 256;
    uint32_t fresh = 0;
    int parsed = lac_packet_parse(payload, size, model->token_bits, &info);
    int status = lac_depacketizer_put(d, frame, payload, size, &fresh);
    must(parsed == LAC_OK ? status == LAC_OK || status == LAC_ERROR_LIMIT || status == LAC_ERROR_MODEL_MISMATCH
                          : status == parsed && fresh == 0);
    must(status == LAC_OK || fresh == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lac_depacketizer *d = NULL;
    lac_model_info model;
    if (size < 1 || lac_depacketizer_open(&d, tiny_prior()) != LAC_OK)
        return 0;
    lac_model_get_info(tiny_prior(), &model);
    uint32_t token_bits = 1 + data[0] % 16;
    for (size_t at = 1, n; at + 3 <= size; at += 3 + n) {
        n = lac_load16(data + at + 1);
        n = n < size - at - 3 ? n : size - at - 3;
        uint8_t *payload = malloc(n > 0 ? n : 1); /* exactly: sanitizers see a read past the end */
        if (!payload)
            break;
        memcpy(payload, data + at + 3, n);
        check_cut(payload, n, token_bits, n);
        check_cut(payload, n, token_bits, data[at] % (n + 1));
        put(d, &model, data[at], payload, n);
        for (uint32_t i = 0; i < data[at] % 5; i++)
            take(d, &model);
        free(payload);
    }
    for (uint32_t i = 0; i < 2 * LAC_DEPACKETIZER_FRAMES; i++)
        take(d, &model);
    lac_depacketizer_close(&d);
    return 0;
}
