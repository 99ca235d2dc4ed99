/* Sound as the bytes of a file: the same bytes each time, the same sound and tags back. */
#include <math.h>
#include <sndfile.h>
#include <string.h>

#include "clip.h"
#include "fixture.h"
#include "lac/encoder.h"
#include "memfile.h"

static const lac_tag tags[] = {{"TITLE", "p-000000017"}, {"COMMENT", "synthetic speech"}, {"X-OTHER", "x"}};

static float *sound(size_t samples)
{
    float *pcm = test_alloc(samples, sizeof *pcm);

    generate_sound(pcm, samples);
    return pcm;
}

static lac_clip clip_of(const float *pcm, size_t samples, uint32_t rate)
{
    lac_clip clip = {.pcm = pcm, .samples = samples, .rate = rate, .tags = tags, .tag_count = 3};

    return clip;
}

static void check_tag(SNDFILE *snd, int string, const char *value)
{
    const char *got = sf_get_string(snd, string);

    cr_assert(got && strcmp(got, value) == 0, "%s, not %s", got ? got : "nothing", value);
}

static memfile write_clip(const lac_clip *clip, enum lac_clip_format format)
{
    memfile file = {0};

    cr_assert_eq(lac_clip_write(clip, format, &file.data, &file.size), 0);
    return file;
}

static sf_count_t vio_size(void *user)
{
    return (sf_count_t)((memfile *)user)->size;
}

static sf_count_t vio_seek(sf_count_t offset, int whence, void *user)
{
    memfile *f = user;

    f->at = (size_t)(offset + (sf_count_t)(whence == SEEK_SET ? 0 : whence == SEEK_CUR ? f->at : f->size));
    return (sf_count_t)f->at;
}

static sf_count_t vio_read(void *data, sf_count_t size, void *user)
{
    return memfile_read(user, data, (size_t)size);
}

static sf_count_t vio_tell(void *user)
{
    return (sf_count_t)((memfile *)user)->at;
}

/* What libsndfile reads, with its tags as they were. */
static float *read_clip(memfile *file, size_t samples, uint32_t rate)
{
    SF_VIRTUAL_IO vio = {vio_size, vio_seek, vio_read, NULL, vio_tell};
    SF_INFO info = {0};
    SNDFILE *snd = sf_open_virtual(&vio, SFM_READ, &info, file);
    float *pcm = test_alloc(samples, sizeof *pcm);

    cr_assert_not_null(snd, "%s", sf_strerror(NULL));
    cr_assert_eq(info.frames, (sf_count_t)samples, "%lld samples", (long long)info.frames);
    cr_assert_eq(info.samplerate, (int)rate);
    cr_assert_eq(info.channels, 1);
    cr_assert_eq(sf_read_float(snd, pcm, (sf_count_t)samples), (sf_count_t)samples);
    check_tag(snd, SF_STR_TITLE, tags[0].value);
    check_tag(snd, SF_STR_COMMENT, tags[1].value);
    sf_close(snd);
    return pcm;
}

static void check_format(enum lac_clip_format format, size_t samples, uint32_t rate, float tolerance)
{
    float *pcm = sound(samples), *back;
    lac_clip clip = clip_of(pcm, samples, rate);
    memfile file = write_clip(&clip, format);
    double error = 0, power = 0;

    back = read_clip(&file, samples, rate);
    for (size_t i = 0; i < samples; i++) {
        error += (back[i] - pcm[i]) * (back[i] - pcm[i]);
        power += pcm[i] * pcm[i];
    }
    cr_assert_leq(error, tolerance * tolerance * power, "%s: %g of %g", lac_clip_format_name(format), error, power);
    memfile_free(&file);
    free(pcm);
    free(back);
}

Test(clip, comes_back)
{
    static const uint32_t rates[] = {8000, 16000, 24000, 44100, 48000};

    for (size_t i = 0; i < 5; i++) {
        check_format(LAC_CLIP_WAV, 5001, rates[i], 1e-3f);
        check_format(LAC_CLIP_FLAC, 5001, rates[i], 1e-3f);
        if (rates[i] != 44100)
            check_format(LAC_CLIP_OPUS, 25003, rates[i], 0.5f);
    }
    check_format(LAC_CLIP_WAV, 0, 24000, 0);
    check_format(LAC_CLIP_WAV, 1, 24000, 1);
    check_format(LAC_CLIP_FLAC, 1, 24000, 1);
}

/* libsndfile draws the serial numbers of Ogg streams at random. */
Test(clip, is_the_same_each_time)
{
    float *pcm = sound(30000);
    lac_clip clip = clip_of(pcm, 30000, 24000);
    memfile first[3], again;

    for (int f = LAC_CLIP_WAV; f <= LAC_CLIP_OPUS; f++)
        first[f] = write_clip(&clip, (enum lac_clip_format)f);
    for (int f = LAC_CLIP_WAV; f <= LAC_CLIP_OPUS; f++) {
        again = write_clip(&clip, (enum lac_clip_format)f);
        cr_assert_eq(first[f].size, again.size);
        cr_assert_eq(memcmp(first[f].data, again.data, again.size), 0, "%s",
                     lac_clip_format_name((enum lac_clip_format)f));
        memfile_free(&first[f]);
        memfile_free(&again);
    }
    free(pcm);
}

Test(clip, clips_and_rounds)
{
    const float odd[] = {2, -2, 1, -1, NAN, 0.5f / 32768, 1.5f / 32768, -0.75f / 32768};
    const float wanted[] = {32767, -32768, 32767, -32768, 0, 0, 2, -1};
    lac_clip clip = clip_of(odd, 8, 24000);
    memfile file = write_clip(&clip, LAC_CLIP_FLAC);
    float *back = read_clip(&file, 8, 24000);

    for (size_t i = 0; i < 8; i++)
        cr_assert_eq(back[i] * 32768, wanted[i], "%zu: %g", i, (double)back[i] * 32768);
    memfile_free(&file);
    free(back);
}

static uint16_t *encode(const lac_model *model, const float *pcm, size_t samples, size_t *frames)
{
    lac_model_info info;
    lac_encoder *encoder = NULL;
    lac_encoder_settings settings;
    size_t rest, capacity;
    uint16_t *tokens;

    lac_model_get_info(model, &info);
    capacity = samples / info.frame_samples + 64;
    tokens = test_alloc(capacity * info.codebooks, sizeof *tokens);
    lac_encoder_default_settings(&settings);
    cr_assert_eq(lac_encoder_open(&encoder, model, &settings), 0);
    cr_assert_eq(lac_encoder_write(encoder, pcm, samples, tokens, capacity, frames), 0);
    cr_assert_eq(lac_encoder_flush(encoder, tokens + *frames * info.codebooks, capacity - *frames, &rest), 0);
    *frames += rest;
    lac_encoder_close(&encoder);
    return tokens;
}

Test(clip, is_a_lac_file)
{
    lac_model *model = open_tiny();
    size_t samples = 30001, frames;
    float *pcm = sound(samples);
    uint16_t *tokens = encode(model, pcm, samples, &frames);
    lac_clip clip = clip_of(pcm, samples, 24000);
    memfile coded, given;
    decoded a, b;

    clip.model = model;
    coded = write_clip(&clip, LAC_CLIP_LAC);
    clip.tokens = tokens;
    given = write_clip(&clip, LAC_CLIP_LAC);
    cr_assert_eq(coded.size, given.size);
    cr_assert_eq(memcmp(coded.data, given.data, given.size), 0);
    a = memfile_decode(&coded, model, true, 1000, SIZE_MAX);
    cr_assert_eq(a.status, 0);
    cr_assert_eq(a.frames, samples);
    clip.samples = 60001; /* at 48 kHz: 30001 of the model's */
    clip.rate = 48000;
    memfile_free(&given);
    given = write_clip(&clip, LAC_CLIP_LAC);
    b = memfile_decode(&given, model, true, 1000, SIZE_MAX);
    cr_assert_eq(b.info.samples, 60001);
    cr_assert_eq(b.frames, samples);
    cr_assert_eq(memcmp(a.pcm, b.pcm, samples * sizeof(float)), 0);
    clip.tokens = NULL;
    cr_assert_eq(lac_clip_write(&clip, LAC_CLIP_LAC, &given.data, &given.size), LAC_ERROR_ARGUMENT);
    memfile_free(&coded);
    memfile_free(&given);
    free(a.pcm);
    free(b.pcm);
    free(pcm);
    free(tokens);
    lac_model_close(&model);
}

Test(clip, refuses)
{
    float pcm[100] = {0};
    lac_clip clip = clip_of(pcm, 100, 44100);
    enum lac_clip_format format;
    uint8_t *bytes = NULL;
    size_t size;

    cr_assert_eq(lac_clip_write(&clip, LAC_CLIP_OPUS, &bytes, &size), LAC_ERROR_ARGUMENT);
    clip.rate = 0;
    for (int f = LAC_CLIP_WAV; f <= LAC_CLIP_OPUS; f++)
        cr_assert_eq(lac_clip_write(&clip, (enum lac_clip_format)f, &bytes, &size), LAC_ERROR_ARGUMENT);
    for (int f = LAC_CLIP_WAV; f <= LAC_CLIP_LAC; f++) {
        cr_assert_eq(lac_clip_format_parse(lac_clip_format_name((enum lac_clip_format)f), &format), 0);
        cr_assert_eq(format, (enum lac_clip_format)f);
    }
    cr_assert_eq(lac_clip_format_parse("mp3", &format), -1);
}
