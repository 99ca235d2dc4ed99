/* Payloads coded by a prior: parts one by one, what a sender makes of them, cuts, damage, no prior. */
#include "likelytokens.h"
#include "packetcoding.h"
#include "packetstream.h"

static lac_packet packets[STREAM + 1];

/* Of a model with a prior, tokens that it thinks likely in packets like these. */
static stream make_likely(const lac_packetizer_settings *settings)
{
    stream s = {.model = open_vector("tiny_prior.lacm")};
    s.q = s.model->info.codebooks;
    s.k = s.model->info.codewords;
    s.tokens = test_alloc((size_t)STREAM * s.q, sizeof *s.tokens);
    likely_tokens(s.model, s.tokens, STREAM, settings->frames, settings->layer);
    memset(s.codebooks, (int)s.q, STREAM);
    memset(s.active, 1, STREAM);
    return s;
}

static lac_packetizer_settings coded_settings(uint32_t frames, uint32_t layer)
{
    lac_packetizer_settings settings = settings_of(frames, layer);
    settings.coded = 1;
    return settings;
}

/* ---- a part ---- */

static void random_rows(random_source *r, const lac_model *m, uint16_t *rows)
{
    for (size_t i = 0; i < LAC_PACKET_PART_TOKENS; i++)
        rows[i] = (uint16_t)random_below(r, m->info.codewords);
}

/* A decoder that has the codebooks below, and nothing of those above, gets the tokens of a part. */
Test(packetcoding, parts_need_only_lower_codebooks)
{
    random_source r = random_start();
    lac_model *m = open_vector("tiny_prior.lacm");
    uint32_t Q = m->info.codebooks;
    for (int round = 0; round < rounds(300); round++) {
        uint16_t rows[LAC_PACKET_PART_TOKENS], got[LAC_PACKET_PART_TOKENS];
        uint8_t bytes[LAC_PACKET_MAX_BYTES];
        uint32_t coding = random_below(&r, LAC_PACKET_CODINGS), first = random_below(&r, Q);
        uint32_t frames = 1 + random_below(&r, LAC_PACKET_MAX_FRAMES);
        lac_packet_part part = {0, frames, first, 1 + random_below(&r, Q - first)};
        random_rows(&r, m, rows);
        random_rows(&r, m, got);
        for (uint32_t i = 0; i < part.frames; i++)
            memcpy(got + i * Q, rows + i * Q, first * sizeof *rows);
        size_t size = lac_packetcoding_write(m, coding, &part, rows, bytes, sizeof bytes);
        cr_assert_gt(size, 0);
        cr_assert_eq(lac_packetcoding_write(m, coding, &part, rows, bytes, size - 1), 0);
        cr_assert_eq(lac_packetcoding_write(m, coding, &part, rows, bytes, size), size);
        uint8_t *copy = test_alloc(size, 1);
        memcpy(copy, bytes, size);
        cr_assert(lac_packetcoding_read(m, coding, &part, got, copy, size));
        free(copy);
        for (uint32_t i = 0; i < part.frames; i++)
            cr_assert_arr_eq(got + i * Q, rows + i * Q, (first + part.count) * sizeof *rows);
    }
    lac_model_close(&m);
}

/* ---- payloads ---- */

/* Each cut of a coded payload, and no other length but the last part's, parses; lower codebooks come out. */
static void check_cuts(const stream *s, const lac_packet *p)
{
    uint32_t bits = s->model->info.token_bits;
    size_t last = 0, kept;
    for (size_t limit = 0; limit <= p->size; limit++) {
        lac_packet cut = *p;
        lac_packet_info info;
        if (lac_packet_cut(p->data, p->size, bits, limit, &kept) != 0 || kept == last)
            continue;
        cr_assert_eq(kept, limit, "the first length at which the part fits");
        last = cut.size = (uint32_t)kept;
        cr_assert_eq(lac_packet_parse(cut.data, kept, bits, &info), 0);
        cr_assert_eq(info.coding, LAC_PACKET_PRIOR);
        lac_depacketizer *d = open_depacketizer(s);
        lac_depacketizer_seek(d, p->frame - (info.redundancy > 0 ? info.block[0].age : 0));
        put(d, &cut);
        for (uint32_t i = 0; info.redundancy > 0 && i < info.block[0].frames; i++)
            take(d, s, LAC_FRAME_RECOVERED, info.block[0].codebooks);
        for (uint32_t i = 0; i < info.frames; i++)
            take(d, s, LAC_FRAME_RECEIVED, info.kept);
        lac_depacketizer_close(&d);
    }
    cr_assert_eq(last, p->size);
}

/* Beside packets in plain bits: none is longer, all give the same. */
static size_t check_stream(const stream *s, lac_packetizer_settings settings)
{
    static lac_packet plain[STREAM + 1];
    size_t n = packetize(s, &settings, packets), coded = 0;
    settings.coded = 0;
    cr_assert_eq(packetize(s, &settings, plain), n);
    for (size_t i = 0; i < n; i++) {
        bool is_coded = packets[i].data[0] >> 6;
        if (is_coded) {
            cr_assert_lt(packets[i].size, plain[i].size);
            check_cuts(s, &packets[i]);
        } else {
            cr_assert_eq(packets[i].size, plain[i].size);
            cr_assert_arr_eq(packets[i].data, plain[i].data, plain[i].size);
        }
        coded += is_coded;
    }
    return coded;
}

Test(packetcoding, coded_packets_are_smaller_and_give_the_same)
{
    for (uint32_t frames = 1; frames <= LAC_PACKET_MAX_FRAMES; frames++)
        for (uint32_t layer = 1; layer <= 5; layer++) {
            lac_packetizer_settings settings = coded_settings(frames, layer);
            stream s = make_likely(&settings);
            size_t coded = check_stream(&s, settings);
            cr_assert(frames < 3 || layer < 2 || coded > 0, "%u frames, layers of %u", frames, layer);
            settings.redundancy = 1;
            settings.block[0] = (lac_packet_block){(uint8_t)frames, (uint8_t)frames, 2};
            check_stream(&s, settings);
            end_stream(&s);
        }
}

Test(packetcoding, what_would_grow_stays_plain)
{
    lac_packetizer_settings settings = coded_settings(5, 2);
    stream s = make_likely(&settings);
    random_source r = random_start();
    for (size_t i = 0; i < (size_t)STREAM * s.q; i++)
        s.tokens[i] = (uint16_t)random_below(&r, s.k);
    cr_assert_eq(check_stream(&s, settings), 0);
    end_stream(&s);
}

Test(packetcoding, comfort_noise_stays_plain)
{
    lac_packetizer_settings settings = coded_settings(1, 8);
    stream s = make_likely(&settings);
    settings.dtx = 1;
    memset(s.active, 0, sizeof s.active);
    size_t n = packetize(&s, &settings, packets);
    cr_assert_gt(n, 0);
    for (size_t i = 0; i < n; i++)
        cr_assert(packets[i].comfort && packets[i].data[0] >> 6 == LAC_PACKET_PLAIN);
    end_stream(&s);
}

Test(packetcoding, models_without_a_prior_neither_code_nor_decode)
{
    lac_packetizer_settings settings = coded_settings(10, 8);
    stream s = make_likely(&settings), other = s;
    lac_packet_info info;
    packetize(&s, &settings, packets);
    cr_assert_eq(lac_packet_parse(packets[0].data, packets[0].size, s.model->info.token_bits, &info), 0);
    cr_assert_eq(info.coding, LAC_PACKET_PRIOR);
    other.model = open_tiny();
    lac_depacketizer *d = open_depacketizer(&other);
    cr_assert_eq(lac_depacketizer_put(d, 0, packets[0].data, packets[0].size, NULL), LAC_ERROR_VERSION);
    take(d, &other, LAC_FRAME_LOST, 0);
    lac_depacketizer_close(&d);
    packetize(&other, &settings, packets);
    cr_assert_eq(packets[0].data[0] >> 6, LAC_PACKET_PLAIN);
    lac_model_close(&other.model);
    end_stream(&s);
}

/* ---- damage ---- */

Test(packetcoding, a_part_of_another_size_is_refused)
{
    lac_packetizer_settings settings = coded_settings(10, 8);
    stream s = make_likely(&settings);
    packetize(&s, &settings, packets);
    lac_depacketizer *d = open_depacketizer(&s);
    lac_packet *p = &packets[0];
    cr_assert_eq(p->data[0] >> 6, LAC_PACKET_PRIOR);
    p->data[p->size] = 0;
    cr_assert_eq(lac_depacketizer_put(d, 0, p->data, p->size + 1, NULL), LAC_ERROR_MODEL_MISMATCH);
    take(d, &s, LAC_FRAME_LOST, 0);
    cr_assert_eq(lac_depacketizer_put(d, 0, p->data, 2, NULL), LAC_ERROR_TRUNCATED);
    lac_depacketizer_close(&d);
    end_stream(&s);
}

Test(packetcoding, any_bytes_are_refused_or_give_tokens)
{
    random_source r = random_start();
    lac_packetizer_settings settings = coded_settings(1, 1);
    stream s = make_likely(&settings);
    lac_depacketizer *d = open_depacketizer(&s);
    int taken = 0;
    for (int i = 0; i < rounds(20000); i++) {
        uint8_t bytes[24], codebooks;
        uint16_t tokens[LAC_MAX_CODEBOOKS];
        size_t size = 2 + random_below(&r, sizeof bytes - 1);
        for (size_t k = 0; k < size; k++)
            bytes[k] = (uint8_t)(k > 1 && random_below(&r, 3) == 0 ? random_below(&r, 8) : random_below(&r, 256));
        bytes[0] = 0x40 | (bytes[0] & 0x0f);
        bytes[1] &= 0xe3;
        taken += lac_depacketizer_put(d, lac_depacketizer_next(d), bytes, size, NULL) == 0;
        lac_depacketizer_take(d, tokens, &codebooks);
        for (uint32_t q = 0; q < codebooks; q++)
            cr_assert_lt(tokens[q], s.k);
    }
    cr_assert_gt(taken, 0);
    lac_depacketizer_close(&d);
    end_stream(&s);
}
