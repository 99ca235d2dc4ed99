/* Payloads: their bits, what cutting leaves, what a sender makes and a receiver gets back. Tokens are random: no
 * sound is coded here. */
#include <criterion/criterion.h>
#include <string.h>

#include "fixture.h"
#include "packetbits.h"
#include "weights.h"
#include "workspace.h"

#define STREAM 200 /* frames of a stream */

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
    cr_assert_eq(got->coding, 0);
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

/* ---- streams ---- */

typedef struct stream {
    lac_model *model;
    uint32_t q, k;
    uint16_t *tokens;           /* [STREAM][Q] */
    uint8_t codebooks[STREAM];
    uint8_t active[STREAM];
} stream;

static stream make_stream(random_source *r)
{
    stream s = {.model = open_tiny()};
    s.q = s.model->info.codebooks;
    s.k = s.model->info.codewords;
    s.tokens = test_alloc((size_t)STREAM * s.q, sizeof *s.tokens);
    for (size_t i = 0; i < (size_t)STREAM * s.q; i++)
        s.tokens[i] = (uint16_t)random_below(r, s.k);
    for (size_t i = 0; i < STREAM; i++) {
        s.codebooks[i] = (uint8_t)s.q;
        s.active[i] = 1;
    }
    return s;
}

static void end_stream(stream *s)
{
    free(s->tokens);
    lac_model_close(&s->model);
}

/* All packets of a stream; returns how many. */
static size_t packetize(const stream *s, const lac_packetizer_settings *settings, lac_packet *packets)
{
    lac_packetizer *p = NULL;
    size_t n = 0;
    int ready;
    cr_assert_eq(lac_packetizer_open(&p, s->model, settings), 0);
    for (size_t i = 0; i < STREAM; i++) {
        const uint16_t *row = s->tokens + i * s->q;
        cr_assert_eq(lac_packetizer_write(p, row, s->codebooks[i], s->active[i], &packets[n], &ready), 0);
        n += (size_t)ready;
    }
    cr_assert_eq(lac_packetizer_flush(p, &packets[n], &ready), 0);
    n += (size_t)ready;
    lac_packetizer_close(&p);
    return n;
}

static void check_frame(const stream *s, uint64_t frame, const uint16_t *tokens, uint32_t codebooks)
{
    for (uint32_t i = 0; i < s->q; i++)
        cr_assert_eq(tokens[i], i < codebooks ? s->tokens[frame * s->q + i] : 0, "frame %u, codebook %u",
                     (unsigned)frame, i);
}

Test(packet, streams_come_back_at_every_packet_size)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    static lac_packet packets[STREAM + 1];
    for (uint32_t frames = 1; frames <= LAC_PACKET_MAX_FRAMES; frames++)
        for (uint32_t layer = 1; layer <= LAC_PACKET_MAX_LAYER; layer++) {
            lac_packetizer_settings settings;
            lac_depacketizer *d = NULL;
            uint16_t tokens[LAC_MAX_CODEBOOKS];
            uint8_t codebooks;
            uint32_t fresh;
            lac_packetizer_default_settings(&settings);
            settings.frames = frames;
            settings.layer = layer;
            cr_assert_eq(lac_depacketizer_open(&d, s.model), 0);
            size_t n = packetize(&s, &settings, packets);
            cr_assert_eq(n, (STREAM + frames - 1) / frames);
            for (size_t i = 0; i < n; i++) {
                cr_assert_eq(packets[i].frame, i * frames);
                const lac_packet *p = &packets[i];
                cr_assert_eq(lac_depacketizer_put(d, p->frame, p->data, p->size, &fresh), 0);
                cr_assert_eq(fresh, p->frames);
                for (uint32_t k = 0; k < packets[i].frames; k++) {
                    cr_assert_eq(lac_depacketizer_take(d, tokens, &codebooks), LAC_FRAME_RECEIVED);
                    cr_assert_eq(codebooks, s.q);
                    check_frame(&s, packets[i].frame + k, tokens, codebooks);
                }
            }
            cr_assert_eq(lac_depacketizer_next(d), STREAM);
            cr_assert_eq(lac_depacketizer_take(d, tokens, &codebooks), LAC_FRAME_LOST);
            lac_depacketizer_close(&d);
        }
    end_stream(&s);
}

/* Every second packet is lost: the next one has what the settings say, and no more. */
Test(packet, redundancy_recovers_what_is_lost)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    static lac_packet packets[STREAM + 1];
    lac_packetizer_settings settings = {.frames = 2, .layer = 1, .redundancy = 1, .block = {{2, 2, 3}},
                                        .comfort_frames = 20};
    lac_depacketizer *d = NULL;
    size_t n = packetize(&s, &settings, packets);
    cr_assert_eq(lac_depacketizer_open(&d, s.model), 0);
    for (size_t i = 1; i < n; i += 2) {
        cr_assert_eq(lac_depacketizer_put(d, packets[i].frame, packets[i].data, packets[i].size, NULL), 0);
        for (uint32_t k = 0; k < 4; k++) {
            uint16_t tokens[LAC_MAX_CODEBOOKS];
            uint8_t codebooks;
            uint64_t frame = lac_depacketizer_next(d);
            enum lac_frame_source source = lac_depacketizer_take(d, tokens, &codebooks);
            cr_assert_eq(source, k < 2 ? LAC_FRAME_RECOVERED : LAC_FRAME_RECEIVED);
            cr_assert_eq(codebooks, k < 2 ? 3 : s.q);
            check_frame(&s, frame, tokens, codebooks);
        }
    }
    lac_depacketizer_close(&d);
    end_stream(&s);
}
