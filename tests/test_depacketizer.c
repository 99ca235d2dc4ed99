/* From packets to frames, over a network that loses, repeats, delays and cuts. */
#include <criterion/criterion.h>

#include "packetstream.h"
#include "workspace.h"

static lac_packet packets[STREAM + 1];

Test(depacketizer, order_and_repetition_do_not_matter)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    lac_packetizer_settings settings = settings_of(3, 2);
    size_t n = packetize(&s, &settings, packets);
    lac_depacketizer *d = open_depacketizer(&s);
    for (size_t i = n; i-- > 0;) {
        cr_assert_eq(put(d, &packets[i]), packets[i].frames);
        cr_assert_eq(put(d, &packets[i]), 0);
        cr_assert_eq(lac_depacketizer_end(d), STREAM);
    }
    for (size_t i = 0; i < STREAM; i++)
        take(d, &s, LAC_FRAME_RECEIVED, s.q);
    cr_assert_eq(lac_depacketizer_end(d), STREAM);
    take(d, &s, LAC_FRAME_LOST, 0);
    cr_assert_eq(lac_depacketizer_end(d), STREAM + 1);
    lac_depacketizer_close(&d);
    end_stream(&s);
}

Test(depacketizer, late_frames_are_ignored)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    lac_packetizer_settings settings = settings_of(4, 2);
    packetize(&s, &settings, packets);
    lac_depacketizer *d = open_depacketizer(&s);
    for (size_t i = 0; i < 6; i++)
        take(d, &s, LAC_FRAME_LOST, 0);
    cr_assert_eq(put(d, &packets[0]), 0);
    cr_assert_eq(put(d, &packets[1]), 2, "of frames 4 to 7, 4 and 5 are late");
    cr_assert_eq(put(d, &packets[1]), 0);
    take(d, &s, LAC_FRAME_RECEIVED, s.q);
    take(d, &s, LAC_FRAME_RECEIVED, s.q);
    take(d, &s, LAC_FRAME_LOST, 0);
    lac_depacketizer_close(&d);
    end_stream(&s);
}

Test(depacketizer, the_best_copy_wins)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    lac_packetizer_settings settings = settings_of(1, 1);
    size_t kept;
    settings.redundancy = 2;
    settings.block[0] = (lac_packet_block){1, 1, 3};
    settings.block[1] = (lac_packet_block){2, 2, 2};
    packetize(&s, &settings, packets);
    lac_depacketizer *d = open_depacketizer(&s);
    cr_assert_eq(put(d, &packets[4]), 3, "frame 4, and copies of 2 and 3");
    cr_assert_eq(lac_depacketizer_peek(d, 1), LAC_FRAME_LOST);
    cr_assert_eq(lac_depacketizer_peek(d, 2), LAC_FRAME_RECOVERED);
    cr_assert_eq(put(d, &packets[3]), 3, "frame 3 itself, a better copy of 2, one of 1");
    cr_assert_eq(lac_depacketizer_peek(d, 3), LAC_FRAME_RECEIVED);
    lac_packet cut = packets[2]; /* one codebook is left: less than is held */
    cr_assert_eq(lac_packet_cut(cut.data, cut.size, s.model->info.token_bits, 12, &kept), 0);
    cut.size = (uint32_t)kept;
    put(d, &cut);
    cr_assert_eq(lac_depacketizer_peek(d, 2), LAC_FRAME_RECOVERED);
    take(d, &s, LAC_FRAME_LOST, 0);
    take(d, &s, LAC_FRAME_RECOVERED, 3); /* from the cut packet */
    take(d, &s, LAC_FRAME_RECOVERED, 3);
    take(d, &s, LAC_FRAME_RECEIVED, s.q);
    take(d, &s, LAC_FRAME_RECEIVED, s.q);
    take(d, &s, LAC_FRAME_LOST, 0);
    lac_depacketizer_close(&d);
    end_stream(&s);
}

/* Frames of Q codebooks with one codebook a layer, cut to every length. */
Test(depacketizer, cut_packets_give_the_lower_codebooks)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    for (uint32_t frames = 1; frames <= LAC_PACKET_MAX_FRAMES; frames += 3)
        for (uint32_t layer = 1; layer <= s.q; layer++) {
            lac_packetizer_settings settings = settings_of(frames, layer);
            packetize(&s, &settings, packets);
            for (size_t limit = 0; limit <= packets[1].size; limit++) {
                lac_packet cut = packets[1];
                lac_packet_info info;
                size_t kept;
                if (lac_packet_cut(cut.data, cut.size, s.model->info.token_bits, limit, &kept) != 0)
                    continue;
                cut.size = (uint32_t)kept;
                cr_assert_eq(lac_packet_parse(cut.data, cut.size, s.model->info.token_bits, &info), 0);
                lac_depacketizer *d = open_depacketizer(&s);
                lac_depacketizer_seek(d, frames);
                cr_assert_eq(put(d, &cut), frames);
                for (uint32_t i = 0; i < frames; i++)
                    take(d, &s, LAC_FRAME_RECEIVED, info.kept);
                lac_depacketizer_close(&d);
            }
        }
    end_stream(&s);
}

/* ---- comfort noise ---- */

/* Frame 10 is comfort noise; sound ends before it and begins at 40, all in packets of one frame. */
static stream make_pause(random_source *r, lac_packetizer_settings *settings)
{
    stream s = make_stream(r);
    *settings = settings_of(1, 2);
    settings->dtx = 1;
    settings->comfort_frames = 500;
    memset(s.active + 10, 0, 30);
    packetize(&s, settings, packets);
    cr_assert(packets[10].comfort && packets[10].frame == 10 && packets[11].frame == 40);
    return s;
}

/* n frames of any tokens. */
static void skip(lac_depacketizer *d, size_t n, enum lac_frame_source source)
{
    uint16_t tokens[LAC_MAX_CODEBOOKS];
    uint8_t codebooks;
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(lac_depacketizer_peek(d, lac_depacketizer_next(d)), source);
        cr_assert_eq(lac_depacketizer_take(d, tokens, &codebooks), source, "frame %u",
                     (unsigned)lac_depacketizer_next(d) - 1);
        cr_assert_eq(codebooks > 0, source != LAC_FRAME_LOST);
    }
}

Test(depacketizer, comfort_noise_lasts_until_sound)
{
    random_source r = random_start();
    lac_packetizer_settings settings;
    stream s = make_pause(&r, &settings);
    lac_depacketizer *d = open_depacketizer(&s);
    put(d, &packets[9]);
    put(d, &packets[10]);
    cr_assert_eq(lac_depacketizer_peek(d, 8), LAC_FRAME_LOST);
    cr_assert_eq(lac_depacketizer_peek(d, 9), LAC_FRAME_RECEIVED);
    cr_assert_eq(lac_depacketizer_peek(d, 10), LAC_FRAME_COMFORT);
    cr_assert_eq(lac_depacketizer_peek(d, 200), LAC_FRAME_COMFORT);
    cr_assert_eq(lac_depacketizer_peek(d, UINT64_MAX), LAC_FRAME_COMFORT);
    put(d, &packets[15]); /* of frame 44: the four before it are lost */
    cr_assert_eq(lac_depacketizer_peek(d, 43), LAC_FRAME_COMFORT);
    cr_assert_eq(lac_depacketizer_peek(d, 44), LAC_FRAME_RECEIVED);
    cr_assert_eq(lac_depacketizer_peek(d, 45), LAC_FRAME_LOST);
    skip(d, 9, LAC_FRAME_LOST);
    take(d, &s, LAC_FRAME_RECEIVED, s.q);
    skip(d, 34, LAC_FRAME_COMFORT);
    take(d, &s, LAC_FRAME_RECEIVED, s.q);
    skip(d, 1000, LAC_FRAME_LOST);
    lac_depacketizer_close(&d);
    end_stream(&s);
}

Test(depacketizer, late_comfort_noise_counts_unless_sound_came_since)
{
    random_source r = random_start();
    lac_packetizer_settings settings;
    stream s = make_pause(&r, &settings);
    for (uint32_t later = 0; later < 2; later++) {
        lac_depacketizer *d = open_depacketizer(&s);
        if (later)
            put(d, &packets[12]); /* of frame 41 */
        skip(d, later ? 41 : 45, LAC_FRAME_LOST);
        if (later)
            take(d, &s, LAC_FRAME_RECEIVED, s.q);
        cr_assert_eq(put(d, &packets[10]), 0);
        cr_assert_eq(put(d, &packets[9]), 0);
        skip(d, 3, later ? LAC_FRAME_LOST : LAC_FRAME_COMFORT);
        cr_assert_eq(put(d, &packets[10]), 0);
        skip(d, 3, later ? LAC_FRAME_LOST : LAC_FRAME_COMFORT);
        lac_depacketizer_seek(d, 100);
        cr_assert_eq(put(d, &packets[10]), 0);
        skip(d, 3, LAC_FRAME_LOST);
        lac_depacketizer_close(&d);
    }
    end_stream(&s);
}

Test(depacketizer, of_late_comfort_noise_the_newest_counts)
{
    random_source r = random_start();
    lac_packetizer_settings settings;
    stream s = make_pause(&r, &settings);
    settings.comfort_frames = 20;
    packetize(&s, &settings, packets); /* frames 10 and 30 */
    cr_assert(packets[11].comfort && packets[11].frame == 30);
    for (int newest_first = 0; newest_first < 2; newest_first++) {
        uint16_t tokens[3][LAC_MAX_CODEBOOKS];
        uint8_t codebooks;
        lac_depacketizer *d = open_depacketizer(&s);
        skip(d, 35, LAC_FRAME_LOST);
        for (int i = 0; i < 3; i++) {
            put(d, i == 2 || (i == 0) == newest_first ? &packets[11] : &packets[10]);
            cr_assert_eq(lac_depacketizer_take(d, tokens[i], &codebooks), LAC_FRAME_COMFORT);
        }
        cr_assert_eq(memcmp(tokens[0], tokens[1], s.q * sizeof **tokens) == 0, newest_first);
        cr_assert_arr_eq(tokens[1], tokens[2], s.q * sizeof **tokens);
        lac_depacketizer_close(&d);
    }
    lac_depacketizer *d = open_depacketizer(&s);
    lac_depacketizer_seek(d, 100);
    cr_assert_eq(put(d, &packets[10]), 0);
    skip(d, 3, LAC_FRAME_LOST);
    lac_depacketizer_close(&d);
    end_stream(&s);
}

/* A copy of the frame that was sent as comfort noise does not take its place. */
Test(depacketizer, comfort_noise_stays_in_front_of_copies)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    lac_packetizer_settings settings = settings_of(1, 2), copies = settings;
    static lac_packet plain[STREAM + 1];
    settings.dtx = 1;
    memset(s.active + 10, 0, 1);
    packetize(&s, &settings, packets);
    copies.redundancy = 1;
    copies.block[0] = (lac_packet_block){1, 1, (uint8_t)s.q};
    packetize(&s, &copies, plain);
    for (int first = 0; first < 2; first++) {
        lac_depacketizer *d = open_depacketizer(&s);
        lac_depacketizer_seek(d, 10);
        cr_assert_eq(put(d, first ? &plain[11] : &packets[10]), first ? 2 : 1);
        cr_assert_eq(put(d, first ? &packets[10] : &plain[11]), 1);
        skip(d, 1, LAC_FRAME_COMFORT);
        take(d, &s, LAC_FRAME_RECEIVED, s.q);
        lac_depacketizer_close(&d);
    }
    end_stream(&s);
}

/* ---- limits ---- */

Test(depacketizer, the_window_is_bounded)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    lac_packetizer_settings settings = settings_of(2, 2);
    packetize(&s, &settings, packets);
    lac_depacketizer *d = open_depacketizer(&s);
    const lac_packet *p = packets;
    uint32_t fresh = 9;
    static const uint64_t far[] = {LAC_DEPACKETIZER_FRAMES - 1, LAC_DEPACKETIZER_FRAMES, 1000000, UINT64_MAX - 1,
                                   UINT64_MAX};
    for (size_t i = 0; i < sizeof far / sizeof *far; i++)
        cr_assert_eq(lac_depacketizer_put(d, far[i], p->data, p->size, &fresh), LAC_ERROR_LIMIT);
    cr_assert_eq(fresh, 9);
    cr_assert_eq(lac_depacketizer_end(d), 0);
    cr_assert_eq(lac_depacketizer_put(d, LAC_DEPACKETIZER_FRAMES - 2, p->data, p->size, &fresh), 0);
    cr_assert_eq(fresh, 2);
    cr_assert_eq(lac_depacketizer_end(d), LAC_DEPACKETIZER_FRAMES);
    skip(d, LAC_DEPACKETIZER_FRAMES - 2, LAC_FRAME_LOST);
    skip(d, 2, LAC_FRAME_RECEIVED);
    lac_depacketizer_close(&d);
    end_stream(&s);
}

Test(depacketizer, indices_are_64_bits_wide)
{
    static const uint64_t bases[] = {0, (UINT64_C(1) << 32) - 100, (UINT64_C(1) << 63) - 100, UINT64_MAX - 1000};
    random_source r = random_start();
    stream s = make_stream(&r);
    lac_packetizer_settings settings = settings_of(2, 2);
    settings.redundancy = 1;
    settings.block[0] = (lac_packet_block){20, 10, 1};
    size_t n = packetize(&s, &settings, packets);
    for (size_t b = 0; b < sizeof bases / sizeof *bases; b++) {
        uint64_t base = bases[b] / STREAM * STREAM;
        lac_depacketizer *d = open_depacketizer(&s);
        lac_depacketizer_seek(d, base);
        cr_assert_eq(lac_depacketizer_next(d), base);
        for (size_t i = 0; i < n; i++) {
            lac_packet p = packets[i];
            p.frame += base;
            put(d, &p);
            cr_assert_eq(lac_depacketizer_end(d), p.frame + p.frames);
        }
        for (size_t i = 0; i < STREAM; i++)
            take(d, &s, LAC_FRAME_RECEIVED, s.q);
        lac_depacketizer_close(&d);
    }
    lac_depacketizer *d = open_depacketizer(&s); /* copies of frames before the first are nowhere */
    uint32_t fresh;
    cr_assert_eq(lac_depacketizer_put(d, 15, packets[50].data, packets[50].size, &fresh), 0);
    cr_assert_eq(fresh, 2 + 5 + 0);
    lac_depacketizer_close(&d);
    end_stream(&s);
}

Test(depacketizer, seek_forgets)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    lac_packetizer_settings settings = settings_of(1, 2);
    size_t n = packetize(&s, &settings, packets);
    lac_depacketizer *d = open_depacketizer(&s);
    for (size_t i = 0; i < n; i++)
        put(d, &packets[i]);
    lac_depacketizer_seek(d, 50);
    cr_assert_eq(lac_depacketizer_end(d), 50);
    skip(d, LAC_DEPACKETIZER_FRAMES, LAC_FRAME_LOST);
    lac_depacketizer_seek(d, 3);
    put(d, &packets[3]);
    take(d, &s, LAC_FRAME_RECEIVED, s.q);
    lac_depacketizer_close(&d);
    lac_depacketizer_close(&d);
    lac_depacketizer_close(NULL);
    end_stream(&s);
}

Test(depacketizer, what_the_model_lacks_is_refused_and_takes_nothing)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    lac_packetizer_settings settings = settings_of(1, 2);
    settings.redundancy = 1;
    settings.block[0] = (lac_packet_block){1, 1, 2};
    packetize(&s, &settings, packets);
    lac_depacketizer *d = open_depacketizer(&s);
    const lac_packet *p = &packets[5];
    lac_model_info *info = &s.model->info; /* as if the packet came from a model with more */
    lac_model_info real = *info;
    uint32_t top = 0;
    for (uint32_t i = 0; i < s.q; i++)
        top = s.tokens[5 * s.q + i] > top ? s.tokens[5 * s.q + i] : top;
    info->codewords = top;
    cr_assert_eq(lac_depacketizer_put(d, 5, p->data, p->size, NULL), LAC_ERROR_MODEL_MISMATCH);
    info->codewords = real.codewords;
    info->codebooks = real.codebooks - 1;
    cr_assert_eq(lac_depacketizer_put(d, 5, p->data, p->size, NULL), LAC_ERROR_MODEL_MISMATCH);
    *info = real;
    static const uint8_t cut[] = {0x00, 0x04, 0}, block[] = {0x01, 0x00, 0x02, 0x04, 0, 0, 0, 0, 0};
    cr_assert_eq(lac_depacketizer_put(d, 5, cut, sizeof cut, NULL), LAC_ERROR_MODEL_MISMATCH, "5 codebooks");
    cr_assert_eq(lac_depacketizer_put(d, 5, block, sizeof block, NULL), LAC_ERROR_MODEL_MISMATCH);
    cr_assert_eq(lac_depacketizer_put(d, 5, p->data, p->size - 1, NULL), LAC_ERROR_TRUNCATED);
    cr_assert_eq(lac_depacketizer_put(d, 5, p->data, 0, NULL), LAC_ERROR_TRUNCATED);
    cr_assert_eq(lac_depacketizer_put(d, 5, NULL, 5, NULL), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_depacketizer_put(NULL, 5, p->data, p->size, NULL), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_depacketizer_end(d), 0);
    cr_assert_eq(put(d, p), 2);
    cr_assert_eq(lac_depacketizer_open(NULL, s.model), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_depacketizer_open(&d, NULL), LAC_ERROR_ARGUMENT);
    lac_depacketizer_close(&d);
    end_stream(&s);
}

/* ---- any settings, any network ---- */

static lac_packetizer_settings random_settings(random_source *r)
{
    lac_packetizer_settings s = settings_of(1 + random_below(r, LAC_PACKET_MAX_FRAMES),
                                            1 + random_below(r, LAC_PACKET_MAX_LAYER));
    s.redundancy = random_below(r, LAC_PACKET_MAX_REDUNDANCY + 1);
    for (uint32_t i = 0; i < s.redundancy; i++) {
        uint32_t age = 1 + random_below(r, LAC_PACKET_MAX_AGE), most = age < 10 ? age : 10;
        s.block[i] = (lac_packet_block){(uint8_t)age, (uint8_t)(1 + random_below(r, most)),
                                        (uint8_t)(1 + random_below(r, LAC_MAX_CODEBOOKS))};
    }
    s.dtx = random_below(r, 2);
    s.comfort_frames = 1 + random_below(r, 30);
    return s;
}

/* What should be known of each frame. */
typedef struct knowledge {
    uint8_t own, copy, comfort; /* codebooks of the frame's packet, of the best copy, of comfort noise */
} knowledge;

static void learn(knowledge *k, const lac_packet *p, uint32_t token_bits)
{
    lac_packet_info info;
    cr_assert_eq(lac_packet_parse(p->data, p->size, token_bits, &info), 0);
    for (uint32_t i = 0; i < info.frames; i++) {
        uint8_t *own = info.comfort ? &k[p->frame].comfort : &k[p->frame + i].own;
        *own = info.kept > *own ? info.kept : *own;
    }
    for (uint32_t b = 0; b < info.redundancy; b++)
        for (uint32_t i = 0; i < info.block[b].frames; i++) {
            uint8_t *copy = &k[p->frame - info.block[b].age + i].copy;
            *copy = info.block[b].codebooks > *copy ? info.block[b].codebooks : *copy;
        }
}

/* Put all, some of them cut, in an order that is stirred. */
static void deliver(random_source *r, lac_depacketizer *d, const stream *s, size_t n, knowledge *k)
{
    uint32_t loss = random_below(r, 4), bits = s->model->info.token_bits;
    for (size_t i = 0; i < n; i++) {
        size_t at = i + random_below(r, (uint32_t)(n - i < 8 ? n - i : 8)), kept;
        lac_packet p = packets[at];
        packets[at] = packets[i];
        packets[i] = p;
        if (random_below(r, 6) < loss)
            continue;
        uint32_t limit = random_below(r, 2 * p.size);
        if (lac_packet_cut(p.data, p.size, bits, limit, &kept) == 0)
            p.size = (uint32_t)kept;
        learn(k, &p, bits);
        put(d, &p);
        if (random_below(r, 8) == 0)
            cr_assert_eq(put(d, &p), 0);
    }
}

/* Frame i, whose best copy has `best` codebooks. A copy of noise may be its description. */
static void check_frame(lac_depacketizer *d, const stream *s, const knowledge *k, size_t i, uint8_t best,
                        bool noise)
{
    uint16_t tokens[LAC_MAX_CODEBOOKS];
    uint8_t codebooks;
    enum lac_frame_source source = lac_depacketizer_take(d, tokens, &codebooks);
    cr_assert_eq(codebooks, best, "frame %zu", i);
    if (k[i].own != k[i].copy)
        cr_assert_eq(source, k[i].own > k[i].copy ? LAC_FRAME_RECEIVED : LAC_FRAME_RECOVERED, "frame %zu", i);
    if (!noise)
        cr_assert_arr_eq(tokens, s->tokens + i * s->q, best * sizeof *tokens, "frame %zu", i);
}

static void collect(lac_depacketizer *d, const stream *s, const knowledge *k, uint32_t dtx)
{
    bool quiet = false;
    for (size_t i = 0; i < STREAM; i++) {
        uint8_t best = k[i].own > k[i].copy ? k[i].own : k[i].copy;
        if (k[i].comfort > 0)
            skip(d, 1, LAC_FRAME_COMFORT);
        else if (best == 0)
            skip(d, 1, quiet ? LAC_FRAME_COMFORT : LAC_FRAME_LOST);
        else
            check_frame(d, s, k, i, best, dtx && !s->active[i]);
        quiet = k[i].comfort > 0 || (best == 0 && quiet);
    }
}

Test(depacketizer, whatever_arrives_is_used)
{
    random_source r = random_start();
    stream s = make_stream(&r);
    for (int round = 0; round < rounds(150); round++) {
        knowledge k[STREAM] = {{0}};
        lac_packetizer_settings settings = random_settings(&r);
        for (size_t i = 0, run = 0; i < STREAM; i++, run--) {
            run = run > 0 ? run : 1 + random_below(&r, 40);
            s.codebooks[i] = (uint8_t)(random_below(&r, 3) ? s.q : 1 + random_below(&r, s.q));
            s.active[i] = i > 0 && run > 1 ? s.active[i - 1] : (uint8_t)random_below(&r, 2);
        }
        size_t n = packetize(&s, &settings, packets);
        lac_depacketizer *d = open_depacketizer(&s);
        lac_alloc_fail_at(1); /* nothing allocates from here on */
        deliver(&r, d, &s, n, k);
        lac_alloc_fail_at(0);
        collect(d, &s, k, settings.dtx);
        lac_depacketizer_close(&d);
    }
    end_stream(&s);
}
