/* Conformance runner without dependencies, for builds where Criterion can't run. Prints TAP.
 *
 *   conformance VECTORS        checks the files that VECTORS/MANIFEST names, by hash and status
 *   conformance --hash MODEL   codes 60 s of generated speech at 3 kbit/s, once in blocks of 64 frames on one thread
 *                              and once in odd pieces on three, and prints the SHA-256 of tokens and PCM, which is the
 *                              same for both and on every build. MODEL is a name or path as for lac_model_open. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "lac/lac.h"
#include "synthspeech.h"

#define LINE 512
#define SPEECH ((size_t)60 * 24000)
#define CODEBOOKS 6
#define CHUNK 4096 /* sample frames */
#define HASH_TEXT 65

static void hash_floats(lac_sha256 *sha, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t bytes[4];
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        lac_store32(bytes, bits);
        lac_sha256_update(sha, bytes, sizeof bytes);
    }
}

static void hash_text(lac_sha256 *sha, char *text)
{
    uint8_t digest[32];
    lac_sha256_final(sha, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

/* ---- vectors ---- */

static int64_t file_read(void *user, void *data, size_t size)
{
    size_t got = fread(data, 1, size, user);
    return ferror(user) ? -1 : (int64_t)got;
}

static int file_seek(void *user, uint64_t position)
{
    return fseek(user, (long)position, SEEK_SET);
}

static int64_t file_size(void *user)
{
    long at = ftell(user);
    int64_t size = fseek(user, 0, SEEK_END) ? -1 : ftell(user);
    return fseek(user, at, SEEK_SET) ? -1 : size;
}

/* Everything a reader gives: the first status but 0, and the hash of the samples. */
static int decode(const lac_io *io, const lac_model *model, char *hash)
{
    static float pcm[CHUNK * LAC_MAX_CHANNELS];
    lac_reader *reader = NULL;
    lac_stream_info info;
    lac_sha256 sha;
    size_t frames = 1;
    lac_sha256_init(&sha);
    int status = lac_reader_open(&reader, io);
    if (!status)
        status = lac_reader_start(reader, model, 1);
    while (!status && frames > 0) {
        status = lac_reader_read(reader, pcm, CHUNK, &frames);
        lac_reader_get_info(reader, &info);
        if (!status)
            hash_floats(&sha, pcm, frames * info.channels);
    }
    lac_reader_close(&reader);
    hash_text(&sha, hash);
    return status;
}

static int verify(const lac_io *io)
{
    lac_reader *reader = NULL;
    int status = lac_reader_open(&reader, io);
    if (!status)
        status = lac_reader_verify(reader);
    lac_reader_close(&reader);
    return status;
}

/* Whether one line of the manifest holds; says why not. */
static int check(const char *folder, const char *kind, const char *path, const char *model_path, int status,
                 const char *hash)
{
    char name[2 * LINE], got_hash[HASH_TEXT];
    lac_model *model = NULL;
    snprintf(name, sizeof name, "%s/%s", folder, model_path);
    int opened = lac_model_open_file(&model, name);
    snprintf(name, sizeof name, "%s/%s", folder, path);
    FILE *file = fopen(name, "rb");
    int ok = 0;
    if (opened || !file) {
        printf("# can't open %s\n", opened ? model_path : path);
    } else {
        lac_io io = {.user = file, .read = file_read, .seek = file_seek, .size = file_size};
        int got = decode(&io, model, got_hash);
        if (!strcmp(kind, "refuse")) {
            ok = got == status;
        } else if (got == 0 && !strcmp(got_hash, hash)) {
            rewind(file);
            got = verify(&io);
            ok = got == status;
        }
        if (!ok)
            printf("# expected %d %s, got %d %s\n", status, hash, got, got_hash);
    }
    if (file)
        fclose(file);
    lac_model_close(&model);
    return ok;
}

static int check_vectors(const char *folder)
{
    char line[LINE], kind[LINE], path[LINE], model[LINE], hash[LINE];
    int status, number = 0, failed = 0;
    snprintf(line, sizeof line, "%s/MANIFEST", folder);
    FILE *manifest = fopen(line, "r");
    if (!manifest) {
        printf("Bail out! can't open %s\n", line);
        return 1;
    }
    while (fgets(line, sizeof line, manifest)) {
        if (line[0] == '#' || line[0] == '\n')
            continue;
        int fields = sscanf(line, "%511s %511s %511s %d %511s", kind, path, model, &status, hash);
        int ok = fields == 5 && check(folder, kind, path, model, status, hash);
        printf("%s %d - %s\n", ok ? "ok" : "not ok", ++number, fields >= 2 ? path : "unreadable line");
        failed += !ok;
    }
    fclose(manifest);
    printf("1..%d\n", number);
    return failed > 0 || number == 0;
}

/* ---- the hash of a build ---- */

typedef struct build {
    float *in, *out;
    uint16_t *tokens;
    uint8_t *codebooks;
    size_t q, capacity; /* tokens a row; rows */
} build;

/* Encode and decode with at most `piece` samples or frames a call; 0 or a status. */
static int code(build *b, const lac_model *model, size_t piece, uint32_t block, uint32_t threads, char *hash)
{
    lac_encoder *encoder = NULL;
    lac_decoder *decoder = NULL;
    lac_sha256 sha;
    size_t frames = 0, got = 0;
    int status = lac_encoder_open(&encoder, model, &(lac_encoder_settings){CODEBOOKS, block, threads, 0, 1});
    for (size_t at = 0, n; !status && at < SPEECH; at += n) {
        n = SPEECH - at < piece ? SPEECH - at : piece;
        status = lac_encoder_write(encoder, b->in + at, n, b->tokens + frames * b->q, b->capacity - frames, &got);
        frames += got;
    }
    if (!status)
        status = lac_encoder_flush(encoder, b->tokens + frames * b->q, b->capacity - frames, &got);
    frames += got;
    if (!status)
        status = lac_decoder_open(&decoder, model, &(lac_decoder_settings){block, threads, 0});
    for (size_t at = 0, n; !status && at < frames; at += n) {
        n = frames - at < piece ? frames - at : piece;
        status = lac_decoder_read(decoder, b->tokens + at * b->q, b->codebooks + at, n, b->out + at * 480);
    }
    lac_encoder_close(&encoder);
    lac_decoder_close(&decoder);
    lac_sha256_init(&sha);
    for (size_t i = 0; i < frames * b->q; i++)
        lac_sha256_update(&sha, (uint8_t[]){(uint8_t)b->tokens[i], (uint8_t)(b->tokens[i] >> 8)}, 2);
    hash_floats(&sha, b->out, frames * 480);
    hash_text(&sha, hash);
    return status;
}

static int print_hash(const char *name)
{
    char one[HASH_TEXT], two[HASH_TEXT];
    lac_model *model = NULL;
    int status = lac_model_open(&model, name);
    if (status) {
        fprintf(stderr, "conformance: %s: %s\n", name, lac_status_string(status));
        return 1;
    }
    lac_model_info info;
    lac_model_get_info(model, &info);
    build b = {.q = info.codebooks, .capacity = SPEECH / info.frame_samples + 2};
    b.in = malloc(SPEECH * sizeof(float));
    b.out = malloc(b.capacity * info.frame_samples * sizeof(float));
    b.tokens = malloc(b.capacity * b.q * sizeof(uint16_t));
    b.codebooks = malloc(b.capacity);
    status = LAC_ERROR_MEMORY;
    if (b.in && b.out && b.tokens && b.codebooks) {
        synthspeech_fill(b.in, SPEECH, 1);
        memset(b.codebooks, CODEBOOKS, b.capacity);
        status = code(&b, model, SPEECH, 64, 1, one);
        if (!status)
            status = code(&b, model, 1237, 7, 3, two);
    }
    free(b.in);
    free(b.out);
    free(b.tokens);
    free(b.codebooks);
    lac_model_close(&model);
    if (status)
        fprintf(stderr, "conformance: %s\n", lac_status_string(status));
    else if (strcmp(one, two))
        fprintf(stderr, "conformance: pieces and threads change the result: %s, %s\n", one, two);
    else
        printf("%s\n", one);
    return status || strcmp(one, two);
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--hash"))
        return print_hash(argv[2]);
    if (argc == 2)
        return check_vectors(argv[1]);
    fprintf(stderr, "usage: conformance VECTORS | --hash MODEL\n");
    return 2;
}
