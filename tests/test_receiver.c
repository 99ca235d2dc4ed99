/* The receiver in simulated calls. The tiny model's sound is that of random tokens. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "fixture.h"
#include "lac/decoder.h"
#include "netcall.h"
#include "weights.h"
#include "workspace.h"

TestSuite(receiver, .timeout = 3000);

#define SECOND (1000000 / NETCALL_STEP_US) /* steps */

static const lac_receiver_settings fixed = {60, 60, 10, 1};

static netcall open_call(const lac_model *m, const netsim_settings *network, const lac_packetizer_settings *packets,
                         const lac_receiver_settings *settings)
{
    static const netsim_settings perfect = {.seed = 1, .burst = 1};
    netcall call;
    cr_assert_eq(netcall_open(&call, m, network ? network : &perfect, packets, settings), 0);
    return call;
}

/* `steps` steps' sound. */
static void run(netcall *call, float *pcm, size_t steps)
{
    for (size_t i = 0; i < steps; i++)
        cr_assert_eq(netcall_step(call, pcm + i * NETCALL_STEP), 0);
}

static lac_receiver_statistics statistics_of(const netcall *call)
{
    lac_receiver_statistics s;
    lac_receiver_get_statistics(call->receiver, &s);
    return s;
}

/* The sound of the first `frames` frames. */
static float *decode(const lac_model *m, size_t frames)
{
    lac_decoder *d = NULL;
    lac_model_info info;
    float *pcm = test_alloc(frames * LAC_FRAME, sizeof(float));
    lac_model_get_info(m, &info);
    cr_assert_eq(lac_decoder_open(&d, m, NULL), 0);
    for (size_t t = 0; t < frames; t++) {
        uint16_t tokens[LAC_MAX_CODEBOOKS];
        uint8_t codebooks = (uint8_t)info.codebooks;
        netcall_tokens(&info, t, tokens);
        cr_assert_eq(lac_decoder_read(d, tokens, &codebooks, 1, pcm + t * LAC_FRAME), 0);
    }
    lac_decoder_close(&d);
    return pcm;
}

Test(receiver, without_loss_and_jitter_the_sound_is_the_decoders)
{
    lac_model *m = open_tiny();
    float *pcm = test_alloc(6 * SECOND * NETCALL_STEP, sizeof(float));
    for (uint32_t frames = 1; frames <= 3; frames++) {
        lac_packetizer_settings packets;
        lac_packetizer_default_settings(&packets);
        packets.frames = frames;
        netcall call = open_call(m, NULL, &packets, &fixed);
        run(&call, pcm, 6 * SECOND);
        lac_receiver_statistics s = statistics_of(&call);
        float *same = decode(m, (size_t)s.frames);
        /* sent when its last frame is complete, played 60 ms later */
        size_t silent = (60 / 20 + frames - 1) * LAC_FRAME;
        for (size_t i = 0; i < silent; i++)
            cr_assert_eq(pcm[i], 0, "%zu", i);
        cr_assert_eq(memcmp(pcm + silent, same, (6 * SECOND * NETCALL_STEP - silent) * sizeof *pcm), 0);
        cr_assert_eq(s.frames, s.packets * frames - s.buffered_ms / 20, "%u", s.buffered_ms);
        cr_assert_eq(s.lost + s.late + s.duplicates + s.reordered + s.malformed + s.recovered_frames +
                         s.concealed_frames + s.comfort_frames + s.stretched_samples + s.compressed_samples,
                     0);
        cr_assert_eq(s.jitter_us, 0);
        cr_assert_eq(s.delay_ms, 60);
        cr_assert_eq(s.target_delay_ms, 60);
        free(same);
        netcall_close(&call);
    }
    free(pcm);
    lac_model_close(&m);
}

/* ---- a call in a bad network, with every setting of it at work ---- */

static const netsim_settings bad_network = {.seed = 7, .loss = 80000, .burst = 3, .jitter_us = 60000,
                                            .drift_ppm = 200, .reorder = 50000, .reorder_us = 90000,
                                            .duplicate = 30000};

static lac_packetizer_settings with_redundancy(const lac_model *m)
{
    lac_packetizer_settings s;
    lac_model_info info;
    lac_model_get_info(m, &info);
    lac_packetizer_default_settings(&s);
    lac_packetizer_plan(&s, info.token_bits, info.codebooks, 2, 100);
    cr_assert_gt(s.redundancy, 0);
    return s;
}

Test(receiver, any_chunks_give_the_same_sound)
{
    lac_model *m = open_tiny();
    random_source random = random_start();
    lac_packetizer_settings packets = with_redundancy(m);
    size_t steps = 30 * SECOND;
    float *whole = test_alloc(steps * NETCALL_STEP, sizeof(float)), parts[NETCALL_STEP];
    netcall a = open_call(m, &bad_network, &packets, NULL), b = open_call(m, &bad_network, &packets, NULL);
    a.talk = b.talk = 100;
    run(&a, whole, steps);
    for (size_t i = 0; i < steps; i++) {
        cr_assert_eq(netcall_put(&b), 0);
        for (size_t at = 0, n; at < NETCALL_STEP; at += n) {
            n = random_below(&random, 1 + NETCALL_STEP - (uint32_t)at);
            cr_assert_eq(lac_receiver_get(b.receiver, parts + at, n), 0);
        }
        cr_assert_eq(memcmp(parts, whole + i * NETCALL_STEP, sizeof parts), 0, "step %zu", i);
    }
    netcall_close(&a);
    netcall_close(&b);
    free(whole);
    lac_model_close(&m);
}

Test(receiver, order_and_copies_do_not_change_the_sound)
{
    lac_model *m = open_tiny();
    static const lac_receiver_settings wide = {200, 200, 10, 1};
    const netsim_settings shuffled = {.seed = 3, .burst = 1, .reorder = 300000, .reorder_us = 190000,
                                      .duplicate = 300000};
    size_t steps = 20 * SECOND;
    float *straight = test_alloc(steps * NETCALL_STEP, sizeof(float));
    float *other = test_alloc(steps * NETCALL_STEP, sizeof(float));
    netcall a = open_call(m, NULL, NULL, &wide), b = open_call(m, &shuffled, NULL, &wide);
    a.polled = b.polled = true;
    b.network.settings.reorder = b.network.settings.duplicate = 0; /* the first packet sets the delay */
    run(&a, straight, steps);
    run(&b, other, 10);
    b.network.settings = shuffled;
    run(&b, other + 10 * NETCALL_STEP, steps - 10);
    lac_receiver_statistics s = statistics_of(&b);
    cr_assert_gt(s.reordered, 0);
    cr_assert_gt(s.duplicates, 0);
    cr_assert_eq(s.concealed_frames, 0);
    cr_assert_eq(memcmp(straight, other, steps * NETCALL_STEP * sizeof *other), 0);
    netcall_close(&a);
    netcall_close(&b);
    free(straight);
    free(other);
    lac_model_close(&m);
}

Test(receiver, timestamps_and_sequence_numbers_wrap)
{
    lac_model *m = open_tiny();
    size_t steps = 10 * SECOND;
    float *a_pcm = test_alloc(steps * NETCALL_STEP, sizeof(float));
    float *b_pcm = test_alloc(steps * NETCALL_STEP, sizeof(float));
    lac_packetizer_settings packets = with_redundancy(m);
    netcall a = open_call(m, &bad_network, &packets, NULL), b = open_call(m, &bad_network, &packets, NULL);
    b.timestamp = UINT32_MAX - 100000;
    b.sequence = 65400;
    run(&a, a_pcm, steps);
    run(&b, b_pcm, steps);
    lac_receiver_statistics s = statistics_of(&a), t = statistics_of(&b);
    cr_assert_eq(memcmp(a_pcm, b_pcm, steps * NETCALL_STEP * sizeof *b_pcm), 0);
    cr_assert_eq(memcmp(&s, &t, sizeof s), 0);
    netcall_close(&a);
    netcall_close(&b);
    free(a_pcm);
    free(b_pcm);
    lac_model_close(&m);
}

/* ---- delay ---- */

static void run_silently(netcall *call, size_t steps)
{
    float pcm[NETCALL_STEP];
    for (size_t i = 0; i < steps; i++)
        cr_assert_eq(netcall_step(call, pcm), 0);
}

Test(receiver, delay_follows_jitter_up_and_down)
{
    lac_model *m = open_tiny();
    netcall call = open_call(m, NULL, NULL, NULL);
    run_silently(&call, 60 * SECOND);
    lac_receiver_statistics s = statistics_of(&call);
    cr_assert_leq(s.target_delay_ms, 10, "%u", s.target_delay_ms);
    cr_assert_leq(s.delay_ms, 25, "%u", s.delay_ms);
    call.network.settings.jitter_us = 100000;
    run_silently(&call, 10 * SECOND);
    s = statistics_of(&call);
    cr_assert_geq(s.target_delay_ms, 80, "%u", s.target_delay_ms);
    cr_assert_geq(s.delay_ms, 75, "%u", s.delay_ms);
    uint64_t concealed = s.concealed_frames, frames = s.frames;
    run_silently(&call, 60 * SECOND);
    s = statistics_of(&call);
    cr_assert_leq(s.concealed_frames - concealed, (s.frames - frames) / 50, "%llu",
                  (unsigned long long)(s.concealed_frames - concealed));
    call.network.settings.jitter_us = 0;
    run_silently(&call, 90 * SECOND);
    s = statistics_of(&call);
    cr_assert_leq(s.delay_ms, 25, "%u", s.delay_ms);
    cr_assert_gt(s.compressed_samples, 0);
    netcall_close(&call);
    lac_model_close(&m);
}

Test(receiver, drift_is_followed)
{
    lac_model *m = open_tiny();
    for (int32_t drift = -1000; drift <= 1000; drift += drift == -100 ? 200 : 900) {
        const netsim_settings network = {.seed = 1, .burst = 1, .jitter_us = 5000, .drift_ppm = drift};
        netcall call = open_call(m, &network, NULL, NULL);
        run_silently(&call, 60 * SECOND);
        for (int minute = 1; minute < 10; minute++) {
            run_silently(&call, 60 * SECOND);
            lac_receiver_statistics s = statistics_of(&call);
            cr_assert_leq(s.delay_ms, drift < -500 ? 70 : 35, "%d ppm: %u ms", drift, s.delay_ms);
            cr_assert_leq(s.concealed_frames, s.frames / 300, "%d ppm: %llu", drift,
                          (unsigned long long)s.concealed_frames);
        }
        lac_receiver_statistics s = statistics_of(&call);
        cr_assert_gt(drift > 0 ? s.stretched_samples : s.compressed_samples, 0);
        netcall_close(&call);
    }
    lac_model_close(&m);
}

Test(receiver, a_fixed_delay_is_held)
{
    lac_model *m = open_tiny();
    const netsim_settings network = {.seed = 1, .burst = 1, .jitter_us = 20000, .drift_ppm = 300};
    netcall call = open_call(m, &network, NULL, &fixed);
    for (int i = 0; i < 120; i++) {
        run_silently(&call, SECOND);
        lac_receiver_statistics s = statistics_of(&call);
        cr_assert(s.delay_ms >= 55 && s.delay_ms <= 80, "%u", s.delay_ms);
        cr_assert_eq(s.concealed_frames, 0);
    }
    netcall_close(&call);
    lac_model_close(&m);
}

Test(receiver, waits_for_redundancy_if_told_to)
{
    lac_model *m = open_tiny();
    lac_packetizer_settings packets = with_redundancy(m);
    const netsim_settings lossy = {.seed = 5, .loss = 100000, .burst = 1};
    lac_receiver_settings settings;
    lac_receiver_default_settings(&settings);
    netcall waits = open_call(m, &lossy, &packets, &settings);
    settings.wait_redundancy = 0;
    netcall does_not = open_call(m, &lossy, &packets, &settings);
    run_silently(&waits, 120 * SECOND);
    run_silently(&does_not, 120 * SECOND);
    lac_receiver_statistics s = statistics_of(&waits), t = statistics_of(&does_not);
    cr_assert_geq(s.target_delay_ms, 20, "%u", s.target_delay_ms);
    cr_assert_leq(t.target_delay_ms, 10, "%u", t.target_delay_ms);
    cr_assert_gt(s.recovered_frames * 10, s.lost * 9, "%llu of %llu", (unsigned long long)s.recovered_frames,
                 (unsigned long long)s.lost);
    cr_assert_gt(t.concealed_frames, s.concealed_frames * 2);
    netcall_close(&waits);
    netcall_close(&does_not);
    lac_model_close(&m);
}

/* All packets are held up for a quarter of a second, once: what they bring is played later, not thrown away. */
Test(receiver, a_delay_that_grows_loses_nothing)
{
    lac_model *m = open_tiny();
    netcall call = open_call(m, NULL, NULL, NULL);
    run_silently(&call, 30 * SECOND);
    call.network.settings.delay_us = 250000;
    run_silently(&call, 10 * SECOND);
    lac_receiver_statistics s = statistics_of(&call);
    cr_assert_leq(s.late, 1, "%llu", (unsigned long long)s.late);
    cr_assert_geq(s.concealed_frames, 10);
    run_silently(&call, 60 * SECOND);
    s = statistics_of(&call);
    cr_assert_leq(s.delay_ms, 60, "%u", s.delay_ms);
    netcall_close(&call);
    lac_model_close(&m);
}

/* The same where the delay may not grow: the stream begins anew, long before the fastest packets are forgotten. */
Test(receiver, a_fixed_delay_moves_with_the_network)
{
    lac_model *m = open_tiny();
    netcall call = open_call(m, NULL, NULL, &fixed);
    run_silently(&call, 5 * SECOND);
    call.network.settings.delay_us = 150000;
    run_silently(&call, SECOND);
    uint64_t concealed = statistics_of(&call).concealed_frames;
    run_silently(&call, 10 * SECOND);
    lac_receiver_statistics s = statistics_of(&call);
    cr_assert_eq(s.concealed_frames, concealed, "%llu", (unsigned long long)(s.concealed_frames - concealed));
    cr_assert_eq(s.restarts, 1);
    netcall_close(&call);
    lac_model_close(&m);
}

/* ---- silence ---- */

Test(receiver, silence_of_the_sender_is_no_loss)
{
    lac_model *m = open_tiny();
    lac_packetizer_settings packets;
    lac_packetizer_default_settings(&packets);
    packets.dtx = 1;
    packets.comfort_frames = 200;
    const netsim_settings network = {.seed = 2, .burst = 1, .jitter_us = 15000, .drift_ppm = -50};
    netcall call = open_call(m, &network, &packets, NULL);
    call.talk = 120;
    run_silently(&call, 120 * SECOND);
    lac_receiver_statistics s = statistics_of(&call);
    cr_assert_eq(s.lost + s.malformed + s.restarts + s.reordered, 0);
    cr_assert_leq(s.concealed_frames, 10, "%llu", (unsigned long long)s.concealed_frames);
    cr_assert_leq(s.late, 10, "%llu", (unsigned long long)s.late);
    cr_assert(s.comfort_frames > s.frames * 4 / 10 && s.comfort_frames < s.frames * 6 / 10);
    cr_assert_leq(s.delay_ms, 60);
    netcall_close(&call);
    lac_model_close(&m);
}

static float largest_step(const float *pcm, size_t n)
{
    float most = 0;
    for (size_t i = 1; i < n; i++)
        most = fabsf(pcm[i] - pcm[i - 1]) > most ? fabsf(pcm[i] - pcm[i - 1]) : most;
    return most;
}

Test(receiver, an_outage_fades_out_and_in)
{
    lac_model *m = open_tiny();
    netcall call = open_call(m, NULL, NULL, &fixed);
    size_t steps = 8 * SECOND;
    float *pcm = test_alloc(steps * NETCALL_STEP, sizeof(float)), *source = decode(m, 400);
    run(&call, pcm, 2 * SECOND);
    call.network.settings.loss = 1000000;
    run(&call, pcm + 2 * SECOND * NETCALL_STEP, 4 * SECOND);
    call.network.settings.loss = 0;
    call.network.bad = false;
    run(&call, pcm + 6 * SECOND * NETCALL_STEP, 2 * SECOND);
    for (size_t i = 3 * SECOND * NETCALL_STEP; i < 6 * SECOND * NETCALL_STEP; i++)
        cr_assert_eq(pcm[i], 0, "%zu", i);
    cr_assert_gt(largest_step(pcm + 6 * SECOND * NETCALL_STEP, 2 * SECOND * NETCALL_STEP), 0);
    cr_assert_leq(largest_step(pcm, steps * NETCALL_STEP), largest_step(source, (size_t)400 * LAC_FRAME));
    cr_assert_eq(statistics_of(&call).restarts, 0);
    netcall_close(&call);
    free(pcm);
    free(source);
    lac_model_close(&m);
}

/* ---- counts ---- */

Test(receiver, statistics_add_up)
{
    lac_model *m = open_tiny();
    lac_packetizer_settings packets = with_redundancy(m);
    netcall call = open_call(m, &bad_network, &packets, NULL);
    run_silently(&call, 60 * SECOND);
    lac_receiver_statistics s = statistics_of(&call);
    uint64_t arrived = s.packets - s.duplicates;
    uint64_t under_way = call.network.sent - call.network.lost - arrived;
    cr_assert_leq(under_way, 8);
    cr_assert(s.lost + arrived <= call.network.sent && s.lost + arrived + 8 + under_way >= call.network.sent);
    uint64_t played = s.frames - s.concealed_frames - s.recovered_frames - s.comfort_frames;
    cr_assert_leq(played, arrived);
    cr_assert_leq(s.late, arrived - played + s.recovered_frames);
    cr_assert_geq(s.concealed_frames + s.recovered_frames + 8, s.lost);
    /* time: what was played, stretched and compressed is what was got, but for the silence before */
    int64_t got = (int64_t)(60 * SECOND * NETCALL_STEP);
    int64_t made = (int64_t)(s.frames * LAC_FRAME + s.stretched_samples) - (int64_t)s.compressed_samples;
    cr_assert(made >= got - 3 * LAC_FRAME && made <= got + 3 * LAC_FRAME, "%lld, %lld", (long long)made,
              (long long)got);
    netcall_close(&call);
    lac_model_close(&m);
}

/* ---- wrong and hostile ---- */

static int put_at(netcall *call, uint32_t timestamp, uint16_t sequence, const void *payload, size_t size)
{
    lac_rtp rtp = {timestamp, sequence, 0, payload, size};
    return lac_receiver_put(call->receiver, &rtp, call->now_us);
}

/* A payload of one frame. */
static size_t make_payload(const lac_model *m, uint64_t frame, uint8_t *payload)
{
    lac_packetizer *p = NULL;
    lac_packet packet;
    lac_model_info info;
    uint16_t tokens[LAC_MAX_CODEBOOKS];
    int ready;
    lac_model_get_info(m, &info);
    netcall_tokens(&info, frame, tokens);
    cr_assert_eq(lac_packetizer_open(&p, m, NULL), 0);
    cr_assert_eq(lac_packetizer_write(p, tokens, info.codebooks, 1, &packet, &ready), 0);
    memcpy(payload, packet.data, packet.size);
    lac_packetizer_close(&p);
    return packet.size;
}

Test(receiver, refused_packets_change_nothing)
{
    lac_model *m = open_tiny();
    netcall a = open_call(m, NULL, NULL, NULL), b = open_call(m, NULL, NULL, NULL);
    float a_pcm[NETCALL_STEP], b_pcm[NETCALL_STEP];
    uint8_t payload[LAC_PACKET_MAX_BYTES], wrong[LAC_PACKET_MAX_BYTES];
    size_t size = make_payload(m, 0, payload);
    uint64_t refused = 0;
    for (uint32_t i = 0; i < 4 * SECOND; i++) {
        run(&a, a_pcm, 1);
        run(&b, b_pcm, 1);
        cr_assert_eq(memcmp(a_pcm, b_pcm, sizeof a_pcm), 0, "step %u", i);
        uint32_t now = i / 2 * LAC_FRAME;
        uint16_t sequence = (uint16_t)(i + 1000);
        memcpy(wrong, payload, size);
        wrong[0] |= 0xc0;
        cr_assert_eq(put_at(&b, now, sequence, wrong, size), LAC_ERROR_VERSION);
        cr_assert_eq(put_at(&b, now, sequence, payload, size - 1), LAC_ERROR_TRUNCATED);
        cr_assert_eq(put_at(&b, now + 7, sequence, payload, size), LAC_ERROR_FORMAT);
        cr_assert_eq(put_at(&b, now + 2 * LAC_RATE + i % 7 * 100000, sequence, payload, size), LAC_ERROR_LIMIT);
        cr_assert_eq(put_at(&b, now - 3 * LAC_RATE, sequence, payload, size), LAC_ERROR_LIMIT);
        cr_assert_eq(put_at(&b, now + 0x80000000u, sequence, payload, size), LAC_ERROR_LIMIT);
        cr_assert_eq(put_at(&b, now, sequence, payload, 0), LAC_ERROR_TRUNCATED);
        refused += 7;
    }
    lac_receiver_statistics s = statistics_of(&a), t = statistics_of(&b);
    cr_assert_eq(t.malformed, refused);
    t.malformed = 0;
    cr_assert_eq(memcmp(&s, &t, sizeof s), 0);
    netcall_close(&a);
    netcall_close(&b);
    lac_model_close(&m);
}

Test(receiver, a_jump_in_timestamps_begins_anew)
{
    lac_model *m = open_tiny();
    for (int backwards = 0; backwards < 2; backwards++) {
        netcall call = open_call(m, NULL, NULL, NULL);
        run_silently(&call, 5 * SECOND);
        lac_receiver_statistics before = statistics_of(&call);
        call.timestamp += backwards ? 0u - 123456789u : 123456789u; /* off the first one's grid of frames, too */
        call.sequence += 20000;
        run_silently(&call, 5 * SECOND);
        lac_receiver_statistics s = statistics_of(&call);
        cr_assert_eq(s.restarts, 1);
        cr_assert_eq(s.malformed, 2);
        cr_assert_eq(s.lost, 0);
        cr_assert_leq(s.concealed_frames - before.concealed_frames, 8);
        cr_assert_geq(s.delay_ms, 10);
        netcall_close(&call);
    }
    lac_model_close(&m);
}

/* For three seconds nobody calls get, at the start and later. */
Test(receiver, sound_that_nobody_got_is_dropped)
{
    lac_model *m = open_tiny();
    netcall call = open_call(m, NULL, NULL, NULL);
    for (int when = 0; when < 2; when++) {
        for (int i = 0; i < 3 * SECOND; i++)
            cr_assert_eq(netcall_put(&call), 0);
        run_silently(&call, when ? 10 * SECOND : SECOND);
        lac_receiver_statistics s = statistics_of(&call);
        cr_assert_leq(s.delay_ms, when ? 150 : 60, "%u", s.delay_ms);
        run_silently(&call, 10 * SECOND);
    }
    netcall_close(&call);
    lac_model_close(&m);
}

Test(receiver, reset_is_as_open)
{
    lac_model *m = open_tiny();
    lac_packetizer_settings packets = with_redundancy(m);
    netcall a = open_call(m, &bad_network, &packets, NULL), b = open_call(m, &bad_network, &packets, NULL);
    float *first = test_alloc(SECOND * NETCALL_STEP, sizeof(float)), second[NETCALL_STEP];
    run(&a, first, SECOND);
    run_silently(&b, 77);
    lac_receiver_reset(b.receiver);
    lac_receiver *kept = b.receiver;
    b.receiver = NULL;
    netcall_close(&b);
    b = open_call(m, &bad_network, &packets, NULL);
    lac_receiver_close(&b.receiver);
    b.receiver = kept;
    for (size_t i = 0; i < SECOND; i++) {
        run(&b, second, 1);
        cr_assert_eq(memcmp(first + i * NETCALL_STEP, second, sizeof second), 0, "step %zu", i);
    }
    netcall_close(&a);
    netcall_close(&b);
    free(first);
    lac_model_close(&m);
}

Test(receiver, nothing_is_allocated_while_it_runs)
{
    lac_model *m = open_tiny();
    netcall call = open_call(m, &bad_network, NULL, NULL);
    size_t bytes = lac_receiver_bytes(call.receiver);
    lac_alloc_fail_at(1);
    run_silently(&call, 5 * SECOND);
    lac_receiver *other = NULL;
    cr_assert_eq(lac_receiver_open(&other, m, NULL), LAC_ERROR_MEMORY, "not the first since");
    lac_alloc_fail_at(0);
    cr_assert_eq(lac_receiver_bytes(call.receiver), bytes);
    cr_assert(bytes > 10000 && bytes < 300000, "%zu", bytes);
    netcall_close(&call);
    lac_model_close(&m);
}

Test(receiver, open_fails_cleanly_without_memory)
{
    lac_model *m = open_tiny();
    int status = LAC_ERROR_MEMORY;
    for (size_t n = 1; status == LAC_ERROR_MEMORY; n++) {
        lac_receiver *r = NULL;
        cr_assert_lt(n, 20);
        lac_alloc_fail_at(n);
        status = lac_receiver_open(&r, m, NULL);
        lac_alloc_fail_at(0);
        cr_assert_eq(status == 0, r != NULL);
        lac_receiver_close(&r);
    }
    cr_assert_eq(status, 0);
    lac_model_close(&m);
}

Test(receiver, wrong_use_is_refused)
{
    static const lac_receiver_settings wrong[] = {{0, 59, 10, 1},   {0, 2001, 10, 1}, {101, 100, 10, 1},
                                                  {0, 100, 501, 1}, {0, 100, 10, 2}};
    lac_model *m = open_tiny();
    lac_receiver *r = NULL;
    float pcm[10] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert_eq(lac_receiver_open(&r, m, &wrong[i]), LAC_ERROR_ARGUMENT, "%zu", i);
    cr_assert_null(r);
    cr_assert_eq(lac_receiver_open(&r, NULL, NULL), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_receiver_open(NULL, m, NULL), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_receiver_open(&r, m, &(lac_receiver_settings){2000, 2000, 0, 0}), 0);
    cr_assert_eq(lac_receiver_get(NULL, pcm, 10), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_receiver_get(r, NULL, 10), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_receiver_get(r, NULL, 0), 0);
    cr_assert_eq(lac_receiver_get(r, pcm, 10), 0);
    for (int i = 0; i < 10; i++)
        cr_assert_eq(pcm[i], 0);
    cr_assert_eq(lac_receiver_put(r, NULL, 0), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_receiver_put(NULL, &(lac_rtp){0}, 0), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_receiver_put(r, &(lac_rtp){.size = 1}, 0), LAC_ERROR_ARGUMENT);
    lac_receiver_close(&r);
    cr_assert_null(r);
    lac_receiver_close(&r);
    lac_receiver_close(NULL);
    lac_model_close(&m);
}
