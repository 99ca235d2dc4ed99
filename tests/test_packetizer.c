/* From frames to packets: sizes, redundancy, silence, settings. And back, over a network that does all it can. */
#include <criterion/criterion.h>

#include "packetstream.h"
#include "workspace.h"

static lac_packet packets[STREAM + 1];

Test(packetizer, streams_come_back_at_every_size)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    for (uint32_t frames = 1; frames <= LAC_PACKET_MAX_FRAMES; frames++)
        for (uint32_t layer = 1; layer <= LAC_PACKET_MAX_LAYER; layer++) {
            lac_packetizer_settings settings = settings_of(frames, layer);
            lac_depacketizer *d = open_depacketizer(&s);
            size_t n = packetize(&s, &settings, packets);
            cr_assert_eq(n, (STREAM + frames - 1) / frames);
            for (size_t i = 0; i < n; i++) {
                cr_assert_eq(packets[i].frame, i * frames);
                cr_assert_eq(packets[i].marker, 0);
                cr_assert_eq(packets[i].comfort, 0);
                cr_assert_eq(put(d, &packets[i]), packets[i].frames);
                for (uint32_t k = 0; k < packets[i].frames; k++)
                    take(d, &s, LAC_FRAME_RECEIVED, s.q);
            }
            cr_assert_eq(lac_depacketizer_next(d), STREAM);
            take(d, &s, LAC_FRAME_LOST, 0);
            lac_depacketizer_close(&d);
        }
    end_stream(&s);
}

Test(packetizer, packets_have_the_fewest_codebooks_of_their_frames)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    lac_packetizer_settings settings = settings_of(2, 3);
    lac_packet_info info;
    for (size_t i = 0; i < STREAM; i++)
        s.codebooks[i] = (uint8_t)(1 + random_below(&r, s.q));
    size_t n = packetize(&s, &settings, packets);
    for (size_t i = 0; i < n; i++) {
        uint8_t a = s.codebooks[2 * i], b = s.codebooks[2 * i + 1];
        cr_assert_eq(lac_packet_parse(packets[i].data, packets[i].size, s.model->info.token_bits, &info), 0);
        cr_assert_eq(info.codebooks, a < b ? a : b);
    }
    end_stream(&s);
}

/* ---- redundancy ---- */

/* Bursts of three packets are lost: the next one has them, the coarser the older. */
Test(packetizer, redundancy_is_coarser_with_age)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    for (uint32_t frames = 1; frames <= 3; frames++) {
        lac_packetizer_settings settings = settings_of(frames, 1);
        lac_depacketizer *d = open_depacketizer(&s);
        settings.redundancy = 3;
        for (uint32_t i = 0; i < 3; i++)
            settings.block[i] = (lac_packet_block){(uint8_t)(frames * (i + 1)), (uint8_t)frames, (uint8_t)(3 - i)};
        size_t n = packetize(&s, &settings, packets);
        for (size_t i = 3; i < n && packets[i].frames == frames; i += 4) {
            cr_assert_eq(put(d, &packets[i]), 4 * frames);
            for (uint32_t k = 0; k < 3 * frames; k++)
                take(d, &s, LAC_FRAME_RECOVERED, 1 + k / frames);
            for (uint32_t k = 0; k < frames; k++)
                take(d, &s, LAC_FRAME_RECEIVED, s.q);
        }
        lac_depacketizer_close(&d);
    }
    end_stream(&s);
}

Test(packetizer, redundancy_has_what_there_is)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    lac_packetizer_settings settings = settings_of(1, 2);
    lac_packet_info info;
    settings.redundancy = 2;
    settings.block[0] = (lac_packet_block){5, 3, 32};
    settings.block[1] = (lac_packet_block){1, 1, 2};
    s.codebooks[4] = 1;
    cr_assert_eq(packetize(&s, &settings, packets), STREAM);
    for (size_t i = 0; i < 12; i++) {
        cr_assert_eq(lac_packet_parse(packets[i].data, packets[i].size, s.model->info.token_bits, &info), 0);
        cr_assert_eq(info.redundancy, i == 0 ? 0 : i < 3 ? 1 : 2, "packet %zu", i);
        if (i > 0)
            cr_assert_eq(info.block[info.redundancy - 1].codebooks, i == 5 ? 1 : 2);
        if (i >= 3) {
            cr_assert_eq(info.block[0].age, i < 5 ? i : 5);
            cr_assert_eq(info.block[0].frames, i < 5 ? i - 2 : 3);
            cr_assert_eq(info.block[0].codebooks, i >= 7 && i <= 9 ? 1 : s.q);
        }
    }
    end_stream(&s);
}

Test(packetizer, plans_fit_their_bytes)
{
    random_source r = random_start();
    for (int i = 0; i < rounds(2000); i++) {
        uint32_t bits = 1 + random_below(&r, 16), codebooks = random_below(&r, 40), before = random_below(&r, 6);
        uint32_t bytes = random_below(&r, 300);
        lac_packetizer_settings s = settings_of(1 + random_below(&r, LAC_PACKET_MAX_FRAMES), 2);
        size_t used = 0;
        lac_packetizer_plan(&s, bits, codebooks, before, bytes);
        cr_assert(s.redundancy <= before && s.redundancy <= LAC_PACKET_MAX_REDUNDANCY);
        if (codebooks > 0 && before > 0)
            cr_assert_eq(s.redundancy > 0, bytes >= 2 + (s.frames * bits + 7) / 8);
        for (uint32_t b = 0; b < s.redundancy; b++) {
            used += 2 + (s.frames * s.block[b].codebooks * bits + 7) / 8;
            cr_assert_eq(s.block[b].age, s.frames * (b + 1));
            cr_assert_eq(s.block[b].frames, s.frames);
            cr_assert(s.block[b].codebooks >= 1 && s.block[b].codebooks <= codebooks);
            cr_assert(b == 0 || s.block[b].codebooks <= s.block[b - 1].codebooks);
        }
        cr_assert_leq(used, bytes);
    }
    lac_packetizer_settings s = settings_of(1, 2);
    lac_packetizer_plan(&s, 10, 6, 3, 1000);
    cr_assert_eq(s.redundancy, 3);
    cr_assert(s.block[0].codebooks == 6 && s.block[1].codebooks == 4 && s.block[2].codebooks == 2);
}

/* ---- silence ---- */

static void silence(stream *s, size_t from, size_t to)
{
    memset(s->active + from, 0, to - from);
}

typedef struct expected {
    uint64_t frame;
    uint32_t frames;
    uint8_t marker, comfort;
} expected;

static void check_packets(const expected *want, size_t count, size_t n)
{
    cr_assert_geq(n, count);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(packets[i].frame, want[i].frame, "packet %zu", i);
        cr_assert_eq(packets[i].frames, want[i].frames, "packet %zu", i);
        cr_assert_eq(packets[i].marker, want[i].marker, "packet %zu", i);
        cr_assert_eq(packets[i].comfort, want[i].comfort, "packet %zu", i);
    }
}

Test(packetizer, silence_is_comfort_noise_at_once_and_now_and_then)
{
    static const expected one[] = {{0, 1, 0, 0}, {1, 1, 0, 0}, {2, 1, 0, 1}, {22, 1, 0, 1}, {42, 1, 0, 1},
                                   {60, 1, 1, 0}, {61, 1, 0, 0}, {62, 1, 0, 1}, {63, 1, 1, 0}, {64, 1, 0, 0}};
    static const expected three[] = {{0, 3, 0, 0}, {3, 1, 0, 1}, {23, 1, 0, 1}, {43, 1, 0, 1}, {60, 3, 1, 0},
                                     {63, 3, 0, 0}};
    random_source r = random_start();
    stream s = make_stream(&r);
    lac_packetizer_settings settings = settings_of(1, 2);
    settings.dtx = 1;
    silence(&s, 2, 60);
    silence(&s, 62, 63);
    check_packets(one, sizeof one / sizeof *one, packetize(&s, &settings, packets));
    settings.frames = 3;
    check_packets(three, sizeof three / sizeof *three, packetize(&s, &settings, packets));
    settings.dtx = 0;
    settings.frames = 1;
    cr_assert_eq(packetize(&s, &settings, packets), STREAM);
    end_stream(&s);
}

Test(packetizer, comfort_noise_is_held_until_sound_comes)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    lac_packetizer_settings settings = settings_of(2, 2);
    lac_depacketizer *d = open_depacketizer(&s);
    uint16_t tokens[LAC_MAX_CODEBOOKS], before[LAC_MAX_CODEBOOKS] = {0};
    uint8_t codebooks;
    settings.dtx = 1;
    silence(&s, 10, 90);
    size_t n = packetize(&s, &settings, packets);
    for (size_t i = 0; i < n; i++)
        put(d, &packets[i]);
    for (size_t i = 0; i < 10; i++)
        take(d, &s, LAC_FRAME_RECEIVED, s.q);
    for (size_t i = 10; i < 90; i++) {
        cr_assert_eq(lac_depacketizer_take(d, tokens, &codebooks), LAC_FRAME_COMFORT);
        cr_assert(codebooks > 0 && codebooks <= s.q);
        if (i % 20 != 10)
            cr_assert_arr_eq(tokens, before, s.q * sizeof *tokens);
        memcpy(before, tokens, sizeof tokens);
    }
    for (size_t i = 90; i < STREAM; i++)
        take(d, &s, LAC_FRAME_RECEIVED, s.q);
    lac_depacketizer_close(&d);
    end_stream(&s);
}

/* Comfort noise describes the mean of the frames that it stands for. */
Test(packetizer, comfort_noise_is_the_mean)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    const lac_model *m = s.model;
    const lac_quantiser *q = &m->quantiser;
    lac_packetizer_settings settings = settings_of(1, 8);
    lac_depacketizer *d = open_depacketizer(&s);
    int32_t sum[LAC_RVQ_MAX_D] = {0};
    int16_t z[LAC_RVQ_MAX_D], residual[LAC_RVQ_MAX_D];
    uint16_t want[LAC_MAX_CODEBOOKS], tokens[LAC_MAX_CODEBOOKS];
    uint8_t codebooks;
    settings.dtx = 1;
    settings.comfort_frames = 1;
    silence(&s, 0, STREAM);
    for (size_t i = 0; i < 16; i++) /* two kinds of frames in turn */
        memcpy(s.tokens + i * s.q, s.tokens + i % 2 * s.q, s.q * sizeof *s.tokens);
    packetize(&s, &settings, packets);
    for (size_t i = 0; i < 16; i++) {
        put(d, &packets[i]);
        cr_assert_eq(lac_depacketizer_take(d, tokens, &codebooks), LAC_FRAME_COMFORT);
        lac_quantiser_decode(q, s.tokens + i * s.q, s.q, z);
        for (size_t k = 0; k < q->dimension; k++) {
            sum[k] += z[k];
            z[k] = (int16_t)(sum[k] / (int32_t)(i + 1));
        }
        lac_quantiser_encode(q, 1, z, &(uint32_t){codebooks}, 1, want, residual);
        if (i == 0 || i == 15)
            cr_assert_arr_eq(tokens, want, s.q * sizeof *want, "frame %zu", i);
    }
    lac_depacketizer_close(&d);
    end_stream(&s);
}

/* The last frames of sound come again with comfort noise; noise does not. */
Test(packetizer, redundancy_of_sound_goes_with_comfort_noise)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    lac_packetizer_settings settings = settings_of(1, 2);
    lac_packet_info info;
    settings.dtx = 1;
    settings.redundancy = 2;
    settings.block[0] = (lac_packet_block){1, 1, 3};
    settings.block[1] = (lac_packet_block){4, 3, 2};
    silence(&s, 10, 30);
    silence(&s, 32, STREAM);
    size_t n = packetize(&s, &settings, packets);
    cr_assert_eq(n, 10 + 1 + 2 + 1 + (STREAM - 32 - 1) / 20);
    for (size_t i = 10; i <= 14; i++) { /* comfort noise of 10, sound of 30 and 31, comfort noise of 32 and 52 */
        static const uint8_t blocks[] = {2, 0, 1, 2, 0};
        cr_assert_eq(lac_packet_parse(packets[i].data, packets[i].size, s.model->info.token_bits, &info), 0);
        cr_assert_eq(info.redundancy, blocks[i - 10], "packet %zu: %u", i, info.redundancy);
    }
    cr_assert_eq(lac_packet_parse(packets[13].data, packets[13].size, s.model->info.token_bits, &info), 0);
    cr_assert(info.comfort && info.block[1].age == 2 && info.block[1].frames == 1);
    settings.comfort_frames = 1;
    packetize(&s, &settings, packets);
    cr_assert_eq(lac_packet_parse(packets[12].data, packets[12].size, s.model->info.token_bits, &info), 0);
    cr_assert(info.comfort && info.redundancy == 1, "frame 11 is noise, and so is 10 of 8 to 10");
    cr_assert(info.block[0].age == 4 && info.block[0].frames == 2);
    end_stream(&s);
}

/* ---- settings ---- */

Test(packetizer, settings_are_checked)
{
    static const struct {
        lac_packetizer_settings s;
        int status;
    } cases[] = {
        {{0, 2, 0, {{0}}, 0, 20, 0}, LAC_ERROR_ARGUMENT}, {{11, 2, 0, {{0}}, 0, 20, 0}, LAC_ERROR_ARGUMENT},
        {{1, 0, 0, {{0}}, 0, 20, 0}, LAC_ERROR_ARGUMENT}, {{1, 9, 0, {{0}}, 0, 20, 0}, LAC_ERROR_ARGUMENT},
        {{1, 2, 5, {{0}}, 0, 20, 0}, LAC_ERROR_ARGUMENT}, {{1, 2, 0, {{0}}, 2, 20, 0}, LAC_ERROR_ARGUMENT},
        {{1, 2, 0, {{0}}, 0, 0, 0}, LAC_ERROR_ARGUMENT}, {{1, 2, 0, {{0}}, 0, 501, 0}, LAC_ERROR_ARGUMENT},
        {{1, 2, 1, {{0, 0, 1}}, 0, 20, 0}, LAC_ERROR_ARGUMENT},
        {{1, 2, 1, {{1, 0, 1}}, 0, 20, 0}, LAC_ERROR_ARGUMENT},
        {{1, 2, 1, {{1, 2, 1}}, 0, 20, 0}, LAC_ERROR_ARGUMENT},
        {{1, 2, 1, {{64, 1, 1}}, 0, 20, 0}, LAC_ERROR_ARGUMENT},
        {{1, 2, 1, {{20, 11, 1}}, 0, 20, 0}, LAC_ERROR_ARGUMENT},
        {{1, 2, 1, {{1, 1, 0}}, 0, 20, 0}, LAC_ERROR_ARGUMENT},
        {{1, 2, 1, {{1, 1, 33}}, 0, 20, 0}, LAC_ERROR_ARGUMENT},
        {{1, 2, 0, {{0}}, 0, 20, 2}, LAC_ERROR_ARGUMENT},
        {{10, 8, 4, {{63, 10, 32}, {63, 10, 32}, {63, 10, 32}, {63, 10, 32}}, 1, 500, 0}, LAC_OK},
    };
    lac_model *m = open_tiny();
    lac_packetizer *p = NULL, *set = NULL;
    cr_assert_eq(lac_packetizer_open(&set, m, NULL), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_assert_eq(lac_packetizer_open(&p, m, &cases[i].s), cases[i].status, "case %zu", i);
        cr_assert_eq(p != NULL, cases[i].status == 0);
        cr_assert_eq(lac_packetizer_set(set, &cases[i].s), cases[i].status, "case %zu", i);
        lac_packetizer_close(&p);
    }
    cr_assert_eq(lac_packetizer_open(NULL, m, NULL), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_packetizer_open(&p, NULL, NULL), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_packetizer_set(NULL, &cases[16].s), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_packetizer_set(set, NULL), LAC_ERROR_ARGUMENT);
    lac_packetizer_close(&set);
    lac_packetizer_close(&set);
    lac_packetizer_close(NULL);
    lac_model_close(&m);
}

/* A model of more and wider tokens than the tiny one has: only the sizes count. */
Test(packetizer, payloads_that_could_be_too_large_are_refused)
{
    lac_model *m = open_tiny();
    lac_packetizer_settings s = settings_of(10, 8);
    lac_packetizer *p = NULL;
    m->info.token_bits = 16;
    m->info.codebooks = m->arch.codebooks = 32;
    s.redundancy = 1;
    s.block[0] = (lac_packet_block){10, 10, 27};
    cr_assert_eq(lac_packetizer_open(&p, m, &s), 0, "640 + 540 and the head");
    lac_packetizer_close(&p);
    s.block[0].codebooks = 28;
    cr_assert_eq(lac_packetizer_open(&p, m, &s), LAC_ERROR_LIMIT);
    s.frames = 1;
    cr_assert_eq(lac_packetizer_open(&p, m, &s), 0);
    lac_packetizer_close(&p);
    m->info.codebooks = m->arch.codebooks = 10; /* no block has more */
    s = (lac_packetizer_settings){10, 8, 4, {{10, 10, 32}, {20, 10, 32}, {30, 10, 32}, {40, 10, 32}}, 0, 20, 0};
    cr_assert_eq(lac_packetizer_open(&p, m, &s), 0);
    lac_packetizer_close(&p);
    lac_model_close(&m);
}

Test(packetizer, frames_that_wait_count_for_the_size)
{
    static const uint16_t tokens[32];
    lac_model *m = open_tiny();
    lac_packetizer_settings ten = settings_of(10, 8), rich = settings_of(1, 8);
    lac_packetizer *p = NULL;
    int ready;
    m->info.token_bits = 16;
    m->info.codebooks = m->arch.codebooks = 32;
    rich.redundancy = 1;
    rich.block[0] = (lac_packet_block){10, 10, 28};
    cr_assert_eq(lac_packetizer_open(&p, m, &ten), 0);
    for (int i = 0; i < 9; i++)
        cr_assert_eq(lac_packetizer_write(p, tokens, 32, 1, packets, &ready), 0);
    cr_assert_eq(lac_packetizer_set(p, &rich), LAC_ERROR_LIMIT);
    cr_assert_eq(lac_packetizer_flush(p, packets, &ready), 0);
    cr_assert_eq(ready, 1);
    cr_assert_eq(lac_packetizer_set(p, &rich), 0);
    lac_packetizer_close(&p);
    lac_model_close(&m);
}

Test(packetizer, frames_that_wait_go_with_the_next_under_new_settings)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    lac_packetizer_settings ten = settings_of(10, 2), one = settings_of(1, 1);
    lac_packetizer *p = NULL;
    int ready;
    cr_assert_eq(lac_packetizer_open(&p, s.model, &ten), 0);
    for (size_t i = 0; i < 9; i++) {
        cr_assert_eq(lac_packetizer_write(p, s.tokens, s.q, 1, packets, &ready), 0);
        cr_assert_eq(ready, 0);
    }
    cr_assert_eq(lac_packetizer_set(p, &one), 0);
    cr_assert_eq(lac_packetizer_write(p, s.tokens, s.q, 1, packets, &ready), 0);
    cr_assert(ready && packets->frames == 10 && packets->frame == 0);
    cr_assert_eq(lac_packetizer_write(p, s.tokens, s.q, 1, packets, &ready), 0);
    cr_assert(ready && packets->frames == 1 && packets->frame == 10);
    lac_packetizer_close(&p);
    end_stream(&s);
}

Test(packetizer, wrong_frames_are_refused_and_not_counted)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    lac_packetizer *p = NULL;
    int ready = 7;
    uint16_t tokens[LAC_MAX_CODEBOOKS] = {0};
    cr_assert_eq(lac_packetizer_open(&p, s.model, NULL), 0);
    tokens[2] = (uint16_t)s.k;
    cr_assert_eq(lac_packetizer_write(p, tokens, 3, 1, packets, &ready), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_packetizer_write(p, tokens, 0, 1, packets, &ready), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_packetizer_write(p, tokens, s.q + 1, 1, packets, &ready), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_packetizer_write(NULL, tokens, 2, 1, packets, &ready), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_packetizer_write(p, NULL, 2, 1, packets, &ready), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_packetizer_write(p, tokens, 2, 1, NULL, &ready), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_packetizer_write(p, tokens, 2, 1, packets, NULL), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_packetizer_flush(NULL, packets, &ready), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_packetizer_flush(p, NULL, &ready), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_packetizer_flush(p, packets, NULL), LAC_ERROR_ARGUMENT);
    cr_assert_eq(ready, 7);
    cr_assert_eq(lac_packetizer_write(p, tokens, 2, 1, packets, &ready), 0);
    cr_assert(ready == 1 && packets->frame == 0);
    cr_assert_eq(lac_packetizer_flush(p, packets, &ready), 0);
    cr_assert_eq(ready, 0);
    lac_packetizer_close(&p);
    end_stream(&s);
}

Test(packetizer, open_fails_cleanly_without_memory)
{
    lac_model *m = open_tiny();
    lac_packetizer *p = NULL;
    lac_depacketizer *d = NULL;
    lac_alloc_fail_at(1);
    cr_assert_eq(lac_packetizer_open(&p, m, NULL), LAC_ERROR_MEMORY);
    lac_alloc_fail_at(1);
    cr_assert_eq(lac_depacketizer_open(&d, m), LAC_ERROR_MEMORY);
    lac_alloc_fail_at(0);
    cr_assert(!p && !d);
    lac_model_close(&m);
}
