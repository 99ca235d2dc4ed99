/* lossy MODEL PERCENT SEED: raw mono float samples at 24 kHz from standard input through the codec, single frames
 * lost, so many of 100, to standard output, aligned with the input. For train/concealment.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lac/lac.h"
#include "rng.h"

typedef struct samples {
    float *of;
    size_t count, room;
} samples;

static int read_all(samples *s)
{
    for (size_t n = 1; n > 0; s->count += n) {
        if (s->count == s->room) {
            s->room = 2 * s->room + 48000;
            float *more = realloc(s->of, s->room * sizeof *more);
            if (!more)
                return LAC_ERROR_MEMORY;
            s->of = more;
        }
        n = fread(s->of + s->count, sizeof *s->of, s->room - s->count, stdin);
    }
    return ferror(stdin) ? LAC_ERROR_IO : LAC_OK;
}

/* No two in a row. */
static void lose(uint8_t *codebooks, size_t frames, double percent, uint64_t seed)
{
    for (size_t t = 1; t < frames; t++)
        if (codebooks[t - 1] > 0 && lac_hash32(seed << 32 | t) < percent / 100 * 4294967296.0)
            codebooks[t] = 0;
}

static int through(const lac_model *model, const samples *in, double percent, uint64_t seed, float *out)
{
    lac_model_info info;
    lac_encoder *encoder = NULL;
    lac_decoder *decoder = NULL;
    size_t frames = 0, rest = 0;
    lac_model_get_info(model, &info);
    size_t most = in->count / info.frame_samples + 2;
    uint16_t *tokens = calloc(most, info.codebooks * sizeof *tokens);
    uint8_t *codebooks = malloc(most);
    int status = tokens && codebooks ? lac_encoder_open(&encoder, model, NULL) : LAC_ERROR_MEMORY;
    if (!status)
        status = lac_encoder_write(encoder, in->of, in->count, tokens, most, &frames);
    if (!status)
        status = lac_encoder_flush(encoder, tokens + frames * info.codebooks, most - frames, &rest);
    if (!status)
        status = lac_decoder_open(&decoder, model, NULL);
    if (!status) {
        memset(codebooks, (int)info.codebooks, most);
        lose(codebooks, frames + rest, percent, seed);
        status = lac_decoder_read(decoder, tokens, codebooks, frames + rest, out);
    }
    lac_encoder_close(&encoder);
    lac_decoder_close(&decoder);
    free(tokens);
    free(codebooks);
    return status;
}

static int run(char **arguments)
{
    lac_model *model = NULL;
    lac_model_info info;
    samples in = {0};
    float *out = NULL;
    int status = lac_model_open(&model, arguments[0]);
    if (!status)
        status = read_all(&in);
    if (!status) {
        lac_model_get_info(model, &info);
        out = calloc(in.count + 3 * info.frame_samples, sizeof *out);
        status = out ? through(model, &in, atof(arguments[1]), strtoull(arguments[2], NULL, 10), out)
                     : LAC_ERROR_MEMORY;
    }
    if (!status && fwrite(out + info.decoder_delay_samples, sizeof *out, in.count, stdout) != in.count)
        status = LAC_ERROR_IO;
    free(out);
    free(in.of);
    lac_model_close(&model);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: lossy MODEL PERCENT SEED <IN >OUT\n");
        return 2;
    }
    int status = run(argv + 1);
    if (status)
        fprintf(stderr, "lossy: %s\n", lac_status_string(status));
    return status ? 1 : 0;
}
