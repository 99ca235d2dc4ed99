/* Payloads: their bits, and what cutting leaves of them. */
#include <criterion/criterion.h>
#include <string.h>

#include "fixture.h"
#include "packetbits.h"

/* ---- bits ---- */

Test(packet, tokens_of_every_width_come_back)
{
    random_source r = random_start();
    for (uint32_t bits = 1; bits <= 16; bits++)
        for (size_t n = 0; n <= LAC_PACKET_PART_TOKENS; n += 1 + n / 7) {
            uint16_t tokens[LAC_PACKET_PART_TOKENS], back[LAC_PACKET_PART_TOKENS];
            size_t bytes = (n * bits + 7) / 8;
            uint8_t *out = test_alloc(bytes, 1); /* exactly: sanitizers see a write past the end */
            for (size_t i = 0; i < n; i++)
                tokens[i] = (uint16_t)random_below(&r, 1u << bits);
            lac_packet_pack(out, tokens, n, bits);
            lac_packet_unpack(back, n, out, bits);
            cr_assert_eq(memcmp(tokens, back, n * sizeof *tokens), 0, "%u bits, %zu tokens", bits, n);
            cr_assert_eq(bytes > 0 ? out[bytes - 1] & ((1u << (8 * bytes - n * bits)) - 1) : 0, 0);
            free(out);
        }
}

/* ---- whole payloads ---- */

static lac_packet_info random_info(random_source *r, uint32_t codebooks)
{
    lac_packet_info info = {.comfort = random_below(r, 5) == 0, .layer = (uint8_t)(1 + random_below(r, 8)),
                            .codebooks = (uint8_t)(1 + random_below(r, codebooks)),
                            .redundancy = (uint8_t)random_below(r, LAC_PACKET_MAX_REDUNDANCY + 1)};
    info.frames = info.comfort ? 1 : (uint8_t)(1 + random_below(r, LAC_PACKET_MAX_FRAMES));
    info.kept = info.codebooks;
    for (uint32_t i = 0; i < info.redundancy; i++) {
        lac_packet_block *b = &info.block[i];
        b->age = (uint8_t)(1 + random_below(r, LAC_PACKET_MAX_AGE));
        b->frames = (uint8_t)(1 + random_below(r, b->age < LAC_PACKET_MAX_FRAMES ? b->age : LAC_PACKET_MAX_FRAMES));
        b->codebooks = (uint8_t)(1 + random_below(r, codebooks));
    }
    return info;
}

/* A payload of random tokens. */
static size_t write_payload(random_source *r, uint8_t *out, const lac_packet_info *info, uint32_t token_bits)
{
    uint16_t tokens[LAC_PACKET_PART_TOKENS];
    size_t at = lac_packet_head_bytes(info);
    lac_packet_write_head(out, info);
    for (uint32_t i = 0; i < lac_packet_parts(info); i++) {
        lac_packet_part part = lac_packet_get_part(info, i);
        for (size_t k = 0; k < part.frames * part.count; k++)
            tokens[k] = (uint16_t)random_below(r, 1u << token_bits);
        lac_packet_pack(out + at, tokens, part.frames * part.count, token_bits);
        at += lac_packet_part_bytes(&part, token_bits);
    }
    return at;
}

/* What is left of `info` after a cut to `size` bytes; false if that is no payload. By the document. */
static bool expect_cut(lac_packet_info *info, uint32_t token_bits, size_t size)
{
    lac_packet_info sent = *info;
    size_t at = 2 + 2 * (size_t)sent.redundancy;
    uint32_t first = sent.codebooks < sent.layer ? sent.codebooks : sent.layer;
    at += (sent.frames * first * token_bits + 7) / 8;
    info->kept = (uint8_t)first;
    info->redundancy = 0;
    bool whole = at == size;
    for (uint32_t i = 0; i < sent.redundancy && at < size; i++) {
        at += (sent.block[i].frames * sent.block[i].codebooks * token_bits + 7u) / 8;
        info->redundancy++;
        whole = at == size;
    }
    while (info->kept < sent.codebooks && at < size) {
        uint32_t rest = sent.codebooks - info->kept, count = rest < sent.layer ? rest : sent.layer;
        at += (sent.frames * count * token_bits + 7) / 8;
        info->kept = (uint8_t)(info->kept + count);
        whole = at == size;
    }
    return whole;
}

static void check_info(const lac_packet_info *got, const lac_packet_info *want)
{
    cr_assert_eq(got->coding, want->coding);
    cr_assert_eq(got->comfort, want->comfort);
    cr_assert_eq(got->frames, want->frames);
    cr_assert_eq(got->codebooks, want->codebooks);
    cr_assert_eq(got->kept, want->kept);
    cr_assert_eq(got->layer, want->layer);
    cr_assert_eq(got->redundancy, want->redundancy);
    for (uint32_t i = 0; i < want->redundancy; i++) {
        cr_assert_eq(got->block[i].age, want->block[i].age);
        cr_assert_eq(got->block[i].frames, want->block[i].frames);
        cr_assert_eq(got->block[i].codebooks, want->block[i].codebooks);
    }
}

/* Every length of one payload: only ends of layers and blocks parse, and cut finds exactly those. */
static void check_lengths(const uint8_t *payload, size_t size, const lac_packet_info *info, uint32_t token_bits)
{
    size_t best = 0, kept;
    for (size_t n = 0; n <= size; n++) {
        lac_packet_info want = *info, got;
        uint8_t *copy = test_alloc(n, 1);
        memcpy(copy, payload, n);
        bool sound = expect_cut(&want, token_bits, n);
        int status = lac_packet_parse(copy, n, token_bits, &got);
        cr_assert_eq(status, sound ? 0 : LAC_ERROR_TRUNCATED, "%zu of %zu bytes: %d", n, size, status);
        if (sound) {
            check_info(&got, &want);
            best = n;
        }
        status = lac_packet_cut(payload, size, token_bits, n, &kept);
        cr_assert_eq(status, best ? 0 : LAC_ERROR_SPACE, "cut to %zu of %zu bytes: %d", n, size, status);
        if (best)
            cr_assert_eq(kept, best);
        free(copy);
    }
    cr_assert_eq(best, size);
}

Test(packet, only_ends_of_layers_and_blocks_parse)
{
    random_source r = random_start();
    for (int i = 0; i < rounds(300); i++) {
        static uint8_t payload[4096];
        uint32_t token_bits = 1 + random_below(&r, 16);
        lac_packet_info info = random_info(&r, 1 + random_below(&r, LAC_MAX_CODEBOOKS));
        if (lac_packet_bytes(&info, token_bits) > LAC_PACKET_MAX_BYTES)
            continue;
        size_t size = write_payload(&r, payload, &info, token_bits);
        cr_assert_eq(size, lac_packet_bytes(&info, token_bits));
        check_lengths(payload, size, &info, token_bits);
    }
}

/* By a prior: parts of random sizes, each after its size, but the last possible one. Its length is not known. */
Test(packet, coded_payloads_end_after_any_part)
{
    random_source r = random_start();
    for (int i = 0; i < rounds(300); i++) {
        static uint8_t payload[LAC_PACKET_MAX_BYTES];
        size_t ends[1 + LAC_PACKET_MAX_REDUNDANCY + LAC_MAX_CODEBOOKS], kept;
        lac_packet_info info = random_info(&r, 1 + random_below(&r, LAC_MAX_CODEBOOKS)), got;
        info.coding = 1;
        size_t at = lac_packet_head_bytes(&info);
        lac_packet_write_head(payload, &info);
        uint32_t all = lac_packet_parts(&info), token_bits = 1 + random_below(&r, 16);
        for (uint32_t k = 0; k < all; k++) {
            uint8_t bytes = (uint8_t)(1 + random_below(&r, 30));
            if (k + 1 < all)
                payload[at++] = bytes;
            for (uint8_t b = 0; b < bytes; b++)
                payload[at++] = (uint8_t)random_below(&r, 256);
            ends[k] = at;
        }
        for (uint32_t n = 0, parts = 0; n <= at; n++) {
            bool sound = parts < all && n == ends[parts];
            parts += sound;
            bool last = all > 1 ? parts >= all - 1 && n > ends[all - 2] : n > lac_packet_head_bytes(&info);
            int status = lac_packet_parse(payload, n, token_bits, &got);
            cr_assert_eq(status, sound || last ? 0 : LAC_ERROR_TRUNCATED, "%u of %zu bytes: %d", n, at, status);
            status = lac_packet_cut(payload, at, token_bits, n, &kept);
            cr_assert_eq(status, parts > 0 ? 0 : LAC_ERROR_SPACE);
            cr_assert(parts == 0 || kept == ends[parts - 1]);
            if (!sound)
                continue;
            lac_packet_info want;
            lac_packet_get_info(&info, parts, &want);
            check_info(&got, &want);
        }
    }
}

/* ---- malformed ones ---- */

Test(packet, malformed_payloads_are_refused)
{
    static const struct {
        const char *what;
        int status;
        uint32_t token_bits;
        size_t size;
        uint8_t bytes[12];
    } wrong[] = {
        {"empty", LAC_ERROR_TRUNCATED, 8, 0, {0}},
        {"half a head", LAC_ERROR_TRUNCATED, 8, 1, {0}},
        {"no layer", LAC_ERROR_TRUNCATED, 8, 2, {0}},
        {"coding 2", LAC_ERROR_VERSION, 8, 3, {0x80}},
        {"by a prior: no layer", LAC_ERROR_TRUNCATED, 8, 2, {0x40}},
        {"by a prior: a size and no layer", LAC_ERROR_TRUNCATED, 8, 3, {0x40, 0x01, 1}},
        {"by a prior: a size beyond the end", LAC_ERROR_TRUNCATED, 8, 4, {0x40, 0x01, 2, 0}},
        {"by a prior: size 0", LAC_ERROR_TRUNCATED, 8, 4, {0x40, 0x01, 0, 0}},
        {"by a prior: a block's size beyond the end", LAC_ERROR_TRUNCATED, 8, 8, {0x41, 0x01, 0x02, 0, 1, 0, 2, 0}},
        {"coding 3, 16 frames", LAC_ERROR_VERSION, 8, 2, {0xfc}},
        {"11 frames", LAC_ERROR_FORMAT, 1, 4, {0x28}},
        {"2 frames of comfort noise", LAC_ERROR_FORMAT, 8, 4, {0x06}},
        {"a byte too many", LAC_ERROR_FORMAT, 8, 4, {0}},
        {"a block's byte too many", LAC_ERROR_FORMAT, 8, 7, {0x01, 0, 0x02}},
        {"padding", LAC_ERROR_FORMAT, 7, 3, {0, 0, 0x01}},
        {"padding of a block", LAC_ERROR_FORMAT, 7, 6, {0x01, 0, 0x02, 0, 0, 0x01}},
        {"padding of layer 2", LAC_ERROR_FORMAT, 7, 4, {0, 0x01, 0, 0x01}},
        {"no entry", LAC_ERROR_TRUNCATED, 8, 2, {0x01, 0}},
        {"half an entry", LAC_ERROR_TRUNCATED, 8, 3, {0x01, 0, 0x02}},
        {"one entry of two", LAC_ERROR_TRUNCATED, 8, 4, {0x01, 0, 0x82}},
        {"age 0", LAC_ERROR_FORMAT, 8, 6, {0x01, 0, 0, 0, 0, 0}},
        {"more frames than age", LAC_ERROR_FORMAT, 8, 7, {0x01, 0, 0x02, 0x20, 0, 0, 0}},
        {"a block of 11 frames", LAC_ERROR_FORMAT, 1, 7, {0x01, 0, 0x1f, 0x40, 0, 0, 0}},
        {"5 blocks", LAC_ERROR_FORMAT, 1, 12, {0x01, 0, 0x82, 0, 0x82, 0, 0x82, 0, 0x82, 0, 0x02, 0}},
        {"no bits", LAC_ERROR_ARGUMENT, 0, 3, {0}},
        {"17 bits", LAC_ERROR_ARGUMENT, 17, 5, {0}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        lac_packet_info info;
        size_t kept;
        uint8_t *copy = test_alloc(wrong[i].size, 1);
        memcpy(copy, wrong[i].bytes, wrong[i].size);
        int status = lac_packet_parse(copy, wrong[i].size, wrong[i].token_bits, &info);
        cr_assert_eq(status, wrong[i].status, "%s: %d", wrong[i].what, status);
        status = lac_packet_cut(copy, wrong[i].size, wrong[i].token_bits, 1000, &kept);
        cr_assert_eq(status, wrong[i].status, "%s: %d", wrong[i].what, status);
        free(copy);
    }
}

Test(packet, payloads_have_a_largest_size)
{
    static uint8_t payload[4096];
    lac_packet_info info = {.frames = 10, .codebooks = 32, .layer = 8, .redundancy = 1, .block = {{10, 10, 1}}};
    lac_packet_info got;
    random_source r = random_start();
    for (uint32_t c = 1; c <= 32; c++) {
        info.block[0].codebooks = (uint8_t)c;
        size_t size = write_payload(&r, payload, &info, 16), kept;
        int want = size <= LAC_PACKET_MAX_BYTES ? LAC_OK : LAC_ERROR_FORMAT;
        cr_assert_eq(lac_packet_parse(payload, size, 16, &got), want);
        cr_assert_eq(lac_packet_cut(payload, size, 16, size, &kept), want);
    }
    cr_assert_gt(lac_packet_bytes(&info, 16), LAC_PACKET_MAX_BYTES);
}

Test(packet, null_pointers_are_refused)
{
    uint8_t payload[3] = {0};
    lac_packet_info info;
    size_t kept;
    cr_assert_eq(lac_packet_parse(NULL, 3, 8, &info), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_packet_parse(payload, 3, 8, NULL), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_packet_cut(NULL, 3, 8, 3, &kept), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_packet_cut(payload, 3, 8, 3, NULL), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_packet_parse(payload, 3, 8, &info), LAC_OK);
}

Test(packet, random_bytes_parse_to_what_is_in_range)
{
    random_source r = random_start();
    for (int i = 0; i < rounds(20000); i++) {
        uint8_t bytes[40];
        lac_packet_info info;
        size_t size = random_below(&r, sizeof bytes + 1), kept;
        uint32_t token_bits = 1 + random_below(&r, 16);
        for (size_t k = 0; k < size; k++)
            bytes[k] = (uint8_t)(random_below(&r, 3) ? 0 : random_below(&r, 256));
        if (lac_packet_parse(bytes, size, token_bits, &info) != 0)
            continue;
        cr_assert(info.frames >= 1 && info.frames <= LAC_PACKET_MAX_FRAMES);
        cr_assert(info.kept >= 1 && info.kept <= info.codebooks && info.codebooks <= LAC_MAX_CODEBOOKS);
        cr_assert(info.layer >= 1 && info.layer <= LAC_PACKET_MAX_LAYER);
        cr_assert(info.redundancy <= LAC_PACKET_MAX_REDUNDANCY);
        for (uint32_t b = 0; b < info.redundancy; b++)
            cr_assert(info.block[b].frames >= 1 && info.block[b].frames <= info.block[b].age);
        cr_assert_eq(lac_packet_cut(bytes, size, token_bits, size, &kept), 0);
        cr_assert_eq(kept, size);
    }
}
