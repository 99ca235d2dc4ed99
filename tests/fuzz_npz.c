/* Fuzz target of the files of factors that lac compare and lac plot read: archives of arrays. What is read must be
 * written and read alike. The first byte 'z' stands before bytes that become all arrays of a sound archive in turn. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "factorset.h"
#include "npz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(lac_factor_set *s)
{
    lac_factor_set back;
    lac_token_bytes bytes = {0};
    char reason[LAC_TOKENS_REASON];

    if (s->count > 20000)
        return;
    if (lac_factor_npz_write(&bytes, s, reason) || lac_factor_npz_parse(&back, bytes.data, bytes.size, reason))
        abort();
    if (back.count != s->count || memcmp(&back.factors, &s->factors, sizeof back.factors) != 0 ||
        (s->count > 0 && memcmp(back.frames, s->frames, (size_t)s->count * sizeof *s->frames) != 0))
        abort();
    lac_factor_set_free(&back);
    lac_token_bytes_free(&bytes);
}

static void parse(const uint8_t *data, size_t size)
{
    lac_factor_set s;
    lac_token_bytes json = {0};
    char reason[LAC_TOKENS_REASON];

    if (lac_factor_npz_parse(&s, data, size, reason) == 0) {
        write_again(&s);
        lac_factor_json_write(&json, &s, "path");
    }
    lac_token_bytes_free(&json);
    lac_factor_set_free(&s);
}

static const char *const names[] = {
    "factor_model", "factor_model_id", "latent_id", "source",  "sample_rate", "duration_s", "content_rate_hz",
    "speech_s",     "confidence",      "f0_median_hz", "snr_db", "t60_s",       "bandwidth_hz", "codec",
    "style",        "speaker",         "environment", "channel", "content",     "phones",     "f0_hz",
    "voicing",      "energy_db"};
#define NAMES (sizeof names / sizeof *names)

/* An archive that is sound but for one array, so that the bytes reach what reads arrays. */
static void parse_member(const uint8_t *data, size_t size)
{
    lac_factor_frame frames[3] = {{.content = 1, .f0_hz = 100}};
    lac_factor_set sound = {.model = {.content_stride = 2, .name = "m"}, .frames = frames, .count = 3};
    lac_token_bytes whole = {0}, changed = {0};
    lac_npz_reader *reader = NULL;
    lac_npz_writer *writer = lac_npz_create();
    char reason[LAC_TOKENS_REASON];

    if (lac_factor_npz_write(&whole, &sound, reason) || lac_npz_open(&reader, whole.data, whole.size, reason))
        abort();
    for (size_t i = 0; i < NAMES; i++) {
        lac_token_bytes bytes = {0};
        lac_npy_array array;

        if (i == data[0] % NAMES)
            lac_token_bytes_add(&bytes, data + 1, size - 1);
        else if (lac_npz_read(reader, names[i], 100000, &bytes, &array, reason))
            abort();
        lac_npz_add(writer, names[i], &bytes);
    }
    if (lac_npz_finish(writer, &changed, reason))
        abort();
    parse(changed.data, changed.size);
    lac_npz_close(reader);
    lac_token_bytes_free(&whole);
    lac_token_bytes_free(&changed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 2 && data[0] == 'z')
        parse_member(data + 1, size - 1);
    else
        parse(data, size);
    return 0;
}
