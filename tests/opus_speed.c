/* opus_speed FILE: how fast libopus is on raw mono float samples at 24 kHz, frame by frame of 20 ms on one thread,
 * at complexity 10. Prints a JSON line for each rate: microseconds a frame, the best of several runs. */
#include <opus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RATE 24000
#define FRAME 480
#define MOST_BYTES 1276
#define RUNS 5

typedef struct job {
    const float *pcm;
    size_t frames;
    unsigned char *packets; /* [frames][MOST_BYTES] */
    int *sizes;             /* [frames] */
} job;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Seconds, or negative. */
static double encode(job *j, int bits)
{
    int error;
    OpusEncoder *encoder = opus_encoder_create(RATE, 1, OPUS_APPLICATION_VOIP, &error);
    if (error)
        return -1;
    opus_encoder_ctl(encoder, OPUS_SET_BITRATE(bits));
    opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(10));
    double start = now();
    for (size_t i = 0; i < j->frames && !error; i++) {
        unsigned char *packet = j->packets + i * MOST_BYTES;
        j->sizes[i] = opus_encode_float(encoder, j->pcm + i * FRAME, FRAME, packet, MOST_BYTES);
        error = j->sizes[i] < 0;
    }
    double seconds = now() - start;
    opus_encoder_destroy(encoder);
    return error ? -1 : seconds;
}

static double decode(const job *j)
{
    int error;
    float out[FRAME];
    OpusDecoder *decoder = opus_decoder_create(RATE, 1, &error);
    if (error)
        return -1;
    double start = now();
    for (size_t i = 0; i < j->frames && !error; i++)
        error = opus_decode_float(decoder, j->packets + i * MOST_BYTES, j->sizes[i], out, FRAME, 0) != FRAME;
    double seconds = now() - start;
    opus_decoder_destroy(decoder);
    return error ? -1 : seconds;
}

static int measure(job *j, int bits)
{
    double best[2] = {1e9, 1e9};
    for (int run = 0; run < RUNS; run++) {
        double seconds[2] = {encode(j, bits), 0};
        seconds[1] = seconds[0] < 0 ? -1 : decode(j);
        for (int i = 0; i < 2; i++)
            best[i] = seconds[i] < best[i] ? seconds[i] : best[i];
    }
    if (best[0] < 0 || best[1] < 0)
        return 1;
    size_t bytes = 0;
    for (size_t i = 0; i < j->frames; i++)
        bytes += (size_t)j->sizes[i];
    double frames = (double)j->frames;
    printf("{\"kbps\": %g, \"coded_kbps\": %.2f, \"encode_us\": %.2f, \"decode_us\": %.2f}\n", bits / 1000.0,
           (double)bytes * 8 / (frames * 20), best[0] / frames * 1e6, best[1] / frames * 1e6);
    return 0;
}

/* The file's samples, to be freed; *count of them. */
static float *read_samples(const char *path, size_t *count)
{
    FILE *f = fopen(path, "rb");
    float *pcm = NULL;
    long bytes = -1;
    if (f && fseek(f, 0, SEEK_END) == 0)
        bytes = ftell(f);
    if (bytes > 0 && fseek(f, 0, SEEK_SET) == 0)
        pcm = malloc((size_t)bytes);
    *count = pcm ? fread(pcm, sizeof *pcm, (size_t)bytes / sizeof *pcm, f) : 0;
    if (f)
        fclose(f);
    return pcm;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    float *pcm = argc == 2 ? read_samples(argv[1], &count) : NULL;
    job j = {.pcm = pcm, .frames = count / FRAME};
    j.packets = malloc(j.frames * MOST_BYTES + 1);
    j.sizes = malloc(j.frames * sizeof(int) + 1);
    int failed = !pcm || !j.packets || !j.sizes || j.frames == 0;
    for (int bits = 6000; bits <= 12000 && !failed; bits += 6000)
        failed = measure(&j, bits);
    if (failed)
        fprintf(stderr, "usage: opus_speed FILE: raw mono float samples at 24 kHz, 20 ms or more\n");
    free(pcm);
    free(j.packets);
    free(j.sizes);
    return failed;
}
