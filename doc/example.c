/* A tone through the codec and back: the smallest complete use of liblac.
 *
 *     cc example.c $(pkg-config --cflags --libs lac) -lm && ./a.out */
#include <lac/lac.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    enum { SECONDS = 2, SAMPLES = SECONDS * 24000 };
    static float in[SAMPLES], out[SAMPLES + 2 * 480];
    static uint16_t tokens[SECONDS * 50 + 2][LAC_MAX_CODEBOOKS];
    static uint8_t codebooks[SECONDS * 50 + 2];
    for (int i = 0; i < SAMPLES; i++)
        in[i] = 0.3f * sinf(6.2831853f * 220 * (float)i / 24000);

    lac_model *model = NULL;
    lac_encoder *encoder = NULL;
    lac_decoder *decoder = NULL;
    lac_model_info info;
    size_t frames = 0, last = 0;
    int status = lac_model_open(&model, NULL); /* the built-in model */
    if (!status)
        status = lac_encoder_open(&encoder, model, NULL);
    if (!status)
        status = lac_decoder_open(&decoder, model, NULL);
    if (status) {
        fprintf(stderr, "lac: %s\n", lac_status_string(status));
        return 1;
    }
    lac_model_get_info(model, &info);
    lac_encoder_set_codebooks(encoder, 6); /* 3 kbit/s */

    /* Rows of tokens have as many columns as the model has codebooks. */
    uint16_t *rows = &tokens[0][0];
    size_t capacity = sizeof tokens / sizeof *rows / info.codebooks;
    lac_encoder_write(encoder, in, SAMPLES, rows, capacity, &frames);
    lac_encoder_flush(encoder, rows + frames * info.codebooks, capacity - frames, &last);
    frames += last;
    for (size_t i = 0; i < frames; i++)
        codebooks[i] = 6;
    lac_decoder_read(decoder, rows, codebooks, frames, out);
    printf("%zu frames of 60 bits; the sound starts at out[%u]\n", frames, (unsigned)info.decoder_delay_samples);

    lac_decoder_close(&decoder);
    lac_encoder_close(&encoder);
    lac_model_close(&model);
    return EXIT_SUCCESS;
}
