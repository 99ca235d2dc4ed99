#include "lac/packet.h"

#include <stdbool.h>

#include "packetbits.h"

#define MAX_TOKEN_BITS 16

void lac_packet_pack(uint8_t *out, const uint16_t *tokens, size_t n, uint32_t bits)
{
    uint32_t held = 0, count = 0;
    for (size_t i = 0; i < n; i++) {
        held = held << bits | tokens[i];
        for (count += bits; count >= 8; count -= 8)
            *out++ = (uint8_t)(held >> (count - 8));
    }
    if (count > 0)
        *out = (uint8_t)(held << (8 - count));
}

void lac_packet_unpack(uint16_t *tokens, size_t n, const uint8_t *in, uint32_t bits)
{
    uint32_t held = 0, count = 0;
    for (size_t i = 0; i < n; i++) {
        for (; count < bits; count += 8)
            held = held << 8 | *in++;
        count -= bits;
        tokens[i] = (uint16_t)(held >> count & ((1u << bits) - 1));
    }
}

/* ---- structure ---- */

size_t lac_packet_head_bytes(const lac_packet_info *sent)
{
    return 2 + 2 * (size_t)sent->redundancy;
}

uint32_t lac_packet_parts(const lac_packet_info *sent)
{
    return sent->redundancy + (sent->codebooks + sent->layer - 1u) / sent->layer;
}

lac_packet_part lac_packet_get_part(const lac_packet_info *sent, uint32_t i)
{
    if (i >= 1 && i <= sent->redundancy) {
        const lac_packet_block *b = &sent->block[i - 1];
        return (lac_packet_part){b->age, b->frames, 0, b->codebooks};
    }
    uint32_t first = (i > 0 ? i - sent->redundancy : 0) * sent->layer, rest = sent->codebooks - first;
    return (lac_packet_part){0, sent->frames, first, rest < sent->layer ? rest : sent->layer};
}

static uint32_t part_bits(const lac_packet_part *part, uint32_t token_bits)
{
    return part->frames * part->count * token_bits;
}

size_t lac_packet_part_bytes(const lac_packet_part *part, uint32_t token_bits)
{
    return (part_bits(part, token_bits) + 7) / 8;
}

size_t lac_packet_bytes(const lac_packet_info *sent, uint32_t token_bits)
{
    size_t bytes = lac_packet_head_bytes(sent);
    for (uint32_t i = 0; i < lac_packet_parts(sent); i++) {
        lac_packet_part part = lac_packet_get_part(sent, i);
        bytes += lac_packet_part_bytes(&part, token_bits);
    }
    return bytes;
}

size_t lac_packet_find_part(const lac_packet_info *sent, uint32_t token_bits, const uint8_t *payload, size_t size,
                            uint32_t i, size_t *at)
{
    lac_packet_part part = lac_packet_get_part(sent, i);
    if (sent->coding == LAC_PACKET_PLAIN)
        return lac_packet_part_bytes(&part, token_bits);
    if (*at == size || i + 1 == lac_packet_parts(sent))
        return size - *at;
    return payload[(*at)++];
}

/* How many parts fit `limit` bytes, and where in *end they end. */
static uint32_t fit(const lac_packet_info *sent, uint32_t token_bits, const uint8_t *payload, size_t size,
                    size_t limit, size_t *end)
{
    uint32_t all = lac_packet_parts(sent), i = 0;
    size_t at = *end = lac_packet_head_bytes(sent);
    for (; i < all; i++) {
        size_t bytes = lac_packet_find_part(sent, token_bits, payload, size, i, &at);
        if (bytes == 0 || at > limit || bytes > limit - at)
            break;
        *end = at += bytes;
    }
    return i;
}

/* ---- reading ---- */

static int read_blocks(const uint8_t *p, size_t size, lac_packet_info *sent)
{
    for (bool more = true; more; p += 2, size -= 2) {
        if (sent->redundancy == LAC_PACKET_MAX_REDUNDANCY)
            return LAC_ERROR_FORMAT;
        if (size < 2)
            return LAC_ERROR_TRUNCATED;
        lac_packet_block *b = &sent->block[sent->redundancy++];
        uint32_t entry = (uint32_t)p[0] << 8 | p[1];
        more = entry >> 15;
        b->age = entry >> 9 & 63;
        b->frames = (uint8_t)((entry >> 5 & 15) + 1);
        b->codebooks = (uint8_t)((entry & 31) + 1);
        if (b->frames > LAC_PACKET_MAX_FRAMES || b->frames > b->age)
            return LAC_ERROR_FORMAT;
    }
    return LAC_OK;
}

static int read_head(const uint8_t *p, size_t size, uint32_t codings, lac_packet_info *sent)
{
    if (size < 2)
        return LAC_ERROR_TRUNCATED;
    *sent = (lac_packet_info){.coding = p[0] >> 6, .frames = (uint8_t)((p[0] >> 2 & 15) + 1),
                              .comfort = p[0] >> 1 & 1, .layer = (uint8_t)((p[1] >> 5) + 1),
                              .codebooks = (uint8_t)((p[1] & 31) + 1)};
    if (sent->coding >= codings)
        return LAC_ERROR_VERSION;
    if (size > LAC_PACKET_MAX_BYTES || sent->frames > LAC_PACKET_MAX_FRAMES || (sent->comfort && sent->frames > 1))
        return LAC_ERROR_FORMAT;
    return p[0] & 1 ? read_blocks(p + 2, size - 2, sent) : LAC_OK;
}

static bool padding_zero(const uint8_t *payload, const lac_packet_info *sent, uint32_t token_bits, uint32_t parts)
{
    const uint8_t *end = payload + lac_packet_head_bytes(sent);
    for (uint32_t i = 0; sent->coding == LAC_PACKET_PLAIN && i < parts; i++) {
        lac_packet_part part = lac_packet_get_part(sent, i);
        end += lac_packet_part_bytes(&part, token_bits);
        if (end[-1] & ((1u << (-part_bits(&part, token_bits) & 7)) - 1))
            return false;
    }
    return true;
}

int lac_packet_read(const uint8_t *payload, size_t size, uint32_t token_bits, uint32_t codings,
                    lac_packet_info *sent, uint32_t *parts)
{
    size_t end;
    if (!payload || token_bits < 1 || token_bits > MAX_TOKEN_BITS)
        return LAC_ERROR_ARGUMENT;
    int status = read_head(payload, size, codings, sent);
    if (status)
        return status;
    *parts = fit(sent, token_bits, payload, size, size, &end);
    if (*parts == 0 || (end < size && *parts < lac_packet_parts(sent)))
        return LAC_ERROR_TRUNCATED;
    return end == size && padding_zero(payload, sent, token_bits, *parts) ? LAC_OK : LAC_ERROR_FORMAT;
}

void lac_packet_get_info(const lac_packet_info *sent, uint32_t parts, lac_packet_info *info)
{
    uint32_t layers = parts > sent->redundancy ? parts - sent->redundancy : 1, kept = layers * sent->layer;
    *info = *sent;
    info->kept = (uint8_t)(kept < sent->codebooks ? kept : sent->codebooks);
    if (parts <= sent->redundancy)
        info->redundancy = (uint8_t)(parts - 1);
}

int lac_packet_parse(const void *payload, size_t size, uint32_t token_bits, lac_packet_info *info)
{
    lac_packet_info sent;
    uint32_t parts;
    if (!info)
        return LAC_ERROR_ARGUMENT;
    int status = lac_packet_read(payload, size, token_bits, LAC_PACKET_CODINGS, &sent, &parts);
    if (status)
        return status;
    lac_packet_get_info(&sent, parts, info);
    return LAC_OK;
}

int lac_packet_cut(const void *payload, size_t size, uint32_t token_bits, size_t limit, size_t *kept)
{
    lac_packet_info sent;
    uint32_t parts;
    size_t end;
    if (!kept)
        return LAC_ERROR_ARGUMENT;
    int status = lac_packet_read(payload, size, token_bits, LAC_PACKET_CODINGS, &sent, &parts);
    if (status)
        return status;
    limit = limit < size ? limit : size;
    if (limit < lac_packet_head_bytes(&sent) || fit(&sent, token_bits, payload, size, limit, &end) == 0)
        return LAC_ERROR_SPACE;
    *kept = end;
    return LAC_OK;
}

/* ---- writing ---- */

void lac_packet_write_head(uint8_t *out, const lac_packet_info *sent)
{
    *out++ = (uint8_t)(sent->coding << 6 | (sent->frames - 1) << 2 | sent->comfort << 1 | (sent->redundancy > 0));
    *out++ = (uint8_t)((sent->layer - 1) << 5 | (sent->codebooks - 1));
    for (uint32_t i = 0; i < sent->redundancy; i++) {
        const lac_packet_block *b = &sent->block[i];
        uint32_t more = i + 1u < sent->redundancy;
        *out++ = (uint8_t)(more << 7 | (uint32_t)b->age << 1 | (b->frames - 1u) >> 3);
        *out++ = (uint8_t)((b->frames - 1u) << 5 | (b->codebooks - 1u));
    }
}
