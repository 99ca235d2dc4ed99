/* Material for cli.sh: makes WAV files and raw samples, flips bytes, compares.
 *
 *   clitool wav OUT KIND RATE CHANNELS SAMPLES [TITLE]   KIND: speech, silence, square, bad (float: NaN and infinity)
 *   clitool raw KIND RATE CHANNELS SAMPLES s16|f32       to standard output
 *   clitool flip FILE OFFSET                             changes one byte
 *   clitool reseal FILE OFFSET                           the same in the header of a .lac file without tags, whose
 *                                                        checksum is made right again
 *   clitool differ A B                                   largest difference of two s16 files; -1 if sizes differ
 *   clitool header FILE                                  "CHANNELS RATE BITS SAMPLES" of a 16-bit WAV file */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(FILE *f, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        putc((int)(value >> (8 * i) & 255), f);
}

static float sample(const char *kind, double rate, unsigned channel, unsigned long i)
{
    double t = (double)i / rate;
    double sum = 0;

    if (strcmp(kind, "silence") == 0)
        return 0;
    if (strcmp(kind, "square") == 0)
        return fmod(t * 441, 1.0) < 0.5 ? 1.0f : -1.0f;
    if (strcmp(kind, "bad") == 0 && i % 7 == 3)
        return i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : -INFINITY;
    for (int k = 1; k < 12; k++)
        sum += sin(6.2831853 * k * (110 + 30 * channel + 20 * sin(2 * t)) * t) / k;
    return (float)(0.25 * sum * (0.6 - 0.4 * cos(6.2831853 * 3 * t)));
}

static void put_samples(FILE *f, const char *kind, unsigned rate, unsigned channels, unsigned long samples, int is_float)
{
    for (unsigned long i = 0; i < samples; i++)
        for (unsigned c = 0; c < channels; c++) {
            float x = sample(kind, rate, c, i);
            uint32_t bits;

            memcpy(&bits, &x, 4);
            if (is_float)
                put(f, bits, 4);
            else
                put(f, (uint32_t)(int32_t)lrintf(fmaxf(-32768, fminf(32767, x * 32768))), 2);
        }
}

static void put_wav(FILE *f, const char *kind, unsigned rate, unsigned channels, unsigned long samples, const char *title)
{
    int is_float = strcmp(kind, "bad") == 0;
    unsigned frame = channels * (is_float ? 4 : 2);
    uint32_t data = (uint32_t)(samples * frame);
    uint32_t text = title ? (uint32_t)(strlen(title) + 2) & ~1u : 0;
    uint32_t list = title ? 20 + text : 0;

    fputs("RIFF", f);
    put(f, 36 + list + data, 4);
    fputs("WAVEfmt ", f);
    put(f, 16, 4);
    put(f, is_float ? 3 : 1, 2);
    put(f, channels, 2);
    put(f, rate, 4);
    put(f, rate * frame, 4);
    put(f, frame, 2);
    put(f, is_float ? 32 : 16, 2);
    if (title) {
        fputs("LIST", f);
        put(f, list - 8, 4);
        fputs("INFOINAM", f);
        put(f, text, 4);
        fputs(title, f);
        for (size_t i = strlen(title); i < text; i++)
            putc(0, f);
    }
    fputs("data", f);
    put(f, data, 4);
    put_samples(f, kind, rate, channels, samples, is_float);
}

static int flip(const char *path, long offset)
{
    FILE *f = fopen(path, "r+b");
    int c;

    if (!f || fseek(f, offset, SEEK_SET) || (c = getc(f)) == EOF || fseek(f, offset, SEEK_SET))
        return 1;
    putc(c ^ 0x5a, f);
    return fclose(f) != 0;
}

/* CRC-32C over a header of 16 bytes, as doc/bitstream.md has it. */
static int reseal(const char *path, long offset)
{
    unsigned char h[16];
    FILE *f = fopen(path, "r+b");
    uint32_t crc = UINT32_MAX;

    if (!f || offset < 0 || offset > 15 || fread(h, 1, 16, f) != 16 || fseek(f, 0, SEEK_SET))
        return 1;
    h[offset] ^= 0x5a;
    for (int i = 0; i < 16 * 8; i++) {
        if (i % 8 == 0)
            crc ^= h[i / 8];
        crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
    }
    fwrite(h, 1, 16, f);
    put(f, ~crc, 4);
    return fclose(f) != 0;
}

static int get16(FILE *f, int *value)
{
    int low = getc(f);
    int high = getc(f);

    *value = (int16_t)(uint16_t)(low | (high & 0xff) << 8);
    return high != EOF;
}

static int differ(const char *path_a, const char *path_b)
{
    FILE *a = fopen(path_a, "rb");
    FILE *b = fopen(path_b, "rb");
    int most = 0;

    if (!a || !b)
        return 1;
    for (;;) {
        int x, y;
        int more_a = get16(a, &x);
        int more_b = get16(b, &y);

        if (more_a != more_b)
            most = -1;
        if (!more_a || !more_b)
            break;
        if (abs(x - y) > most)
            most = abs(x - y);
    }
    printf("%d\n", most);
    fclose(a);
    fclose(b);
    return 0;
}

static uint32_t get(const unsigned char *p, int bytes)
{
    uint32_t value = 0;

    for (int i = 0; i < bytes; i++)
        value |= (uint32_t)p[i] << (8 * i);
    return value;
}

static int header(const char *path)
{
    unsigned char h[65536];
    FILE *f = fopen(path, "rb");
    size_t size = f ? fread(h, 1, sizeof h, f) : 0;
    unsigned channels = 0, rate = 0, bits = 0;

    if (f)
        fclose(f);
    if (size < 12 || memcmp(h, "RIFF", 4) || memcmp(h + 8, "WAVE", 4))
        return 1;
    for (size_t at = 12; at + 8 <= size; at += 8 + (get(h + at + 4, 4) + 1) / 2 * 2) {
        if (memcmp(h + at, "fmt ", 4) == 0 && at + 24 <= size) {
            channels = get(h + at + 10, 2);
            rate = get(h + at + 12, 4);
            bits = get(h + at + 22, 2);
        } else if (memcmp(h + at, "data", 4) == 0 && channels && bits) {
            printf("%u %u %u %lu\n", channels, rate, bits, (unsigned long)get(h + at + 4, 4) / (channels * bits / 8));
            return 0;
        }
    }
    return 1;
}

static int make(int argc, char **argv)
{
    int to_file = strcmp(argv[1], "wav") == 0;
    char **a = argv + (to_file ? 3 : 2);
    FILE *f = to_file ? fopen(argv[2], "wb") : stdout;
    unsigned rate = (unsigned)atoi(a[1]);
    unsigned channels = (unsigned)atoi(a[2]);
    unsigned long samples = strtoul(a[3], NULL, 10);

    if (!f)
        return 1;
    if (to_file)
        put_wav(f, a[0], rate, channels, samples, argc > 7 ? argv[7] : NULL);
    else
        put_samples(f, a[0], rate, channels, samples, strcmp(a[4], "f32") == 0);
    return fclose(f) != 0;
}

int main(int argc, char **argv)
{
    if (argc >= 7 && (strcmp(argv[1], "wav") == 0 || strcmp(argv[1], "raw") == 0))
        return make(argc, argv);
    if (argc == 4 && strcmp(argv[1], "flip") == 0)
        return flip(argv[2], atol(argv[3]));
    if (argc == 4 && strcmp(argv[1], "reseal") == 0)
        return reseal(argv[2], atol(argv[3]));
    if (argc == 4 && strcmp(argv[1], "differ") == 0)
        return differ(argv[2], argv[3]);
    if (argc == 3 && strcmp(argv[1], "header") == 0)
        return header(argv[2]);
    fprintf(stderr, "clitool: wrong usage\n");
    return 2;
}
