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

static const netsim_settings bad_network = {.seed = 7, .loss = 80000, .burst = 3, .jitter_us = 60000, .drift_ppm = 200,
                                            .reorder = 50000, .reorder_us = 90000, .duplicate = 30000};

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
