/* Fuzz target of the .lac reader. Of the first byte, bit 0 lets the input seek, bit 1 puts the checksums of header and
 * pages right, so that what lies behind them is reached, bit 2 decodes. tiny_prior.lacm is that of LAC_VECTORS or
 * ./vectors. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "fuzzmodel.h"
#include "memfile.h"
#include "page.h"

#define MOST_SAMPLES 40000 /* decoded of one input */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Header and pages as they follow each other, the model's id included. */
static void repair(uint8_t *p, size_t size)
{
    lac_header h;
    lac_model_info info;
    lac_page page;
    lac_model_get_info(tiny_prior(), &info);
    if (size < LAC_HEADER_MIN)
        return;
    memcpy(p, "LAC\x01", 4);
    memcpy(p + 4, info.id, LAC_STREAM_ID_SIZE);
    p[15] = (uint8_t)((p[15] & 0x87) | (info.token_bits - 1) << 3);
    if (lac_header_parse(&h, p, size) == LAC_ERROR_TRUNCATED)
        return;
    lac_store32(p + h.size - 4, lac_crc32c(0, p, h.size - 4));
    if (lac_header_parse(&h, p, size) != LAC_OK)
        return;
    size_t at = h.size;
    for (; lac_page_parse(&page, &h.format, p + at, size - at) == 0 && page.size <= size - at; at += page.size)
        lac_store32(p + at + page.size - 4, lac_crc32c(0, p + at, page.size - 4));
    size_t end = lac_end_size(p + at, size - at);
    if (end > 0 && end <= size - at)
        lac_store32(p + at + end - 4, lac_crc32c(0, p + at, end - 4));
}

static void read_some(lac_reader *r, uint64_t seek_to)
{
    static float pcm[LAC_MAX_CHANNELS * 4096];
    lac_stream_info info;
    size_t got = 1, total = 0;
    if (lac_reader_start(r, tiny_prior(), 1) != 0)
        return;
    while (total < MOST_SAMPLES / 2 && lac_reader_read(r, pcm, 4096, &got) == 0 && got > 0)
        total += got;
    if (lac_reader_seek(r, seek_to) == 0)
        while (total < MOST_SAMPLES && lac_reader_read(r, pcm, 4096, &got) == 0 && got > 0)
            total += got;
    lac_reader_get_info(r, &info);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    memfile f = {.data = malloc(size), .size = size - 1, .capacity = size};
    if (!f.data)
        return 0;
    memcpy(f.data, data + 1, size - 1);
    if (data[0] & 2)
        repair(f.data, f.size);
    lac_stream_info info;
    (void)memfile_verify(&f, data[0] & 1, &info);
    lac_io io = memfile_io(&f, data[0] & 1);
    lac_reader *r = NULL;
    lac_tag tag;
    if (lac_reader_open(&r, &io) == 0) {
        for (size_t i = 0; lac_reader_tag(r, i, &tag) == 0; i++)
            (void)(strlen(tag.name) + strlen(tag.value));
        if (data[0] & 4)
            read_some(r, size * 977 % 200000);
    }
    lac_reader_close(&r);
    memfile_free(&f);
    return 0;
}
