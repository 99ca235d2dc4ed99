/* Regenerates the .lac vectors: make_streams FOLDER [CORPUS], FOLDER having tiny.lacm, tiny_prior.lacm and
 * tiny-fsq.lacm. Writes FOLDER/streams/ and FOLDER/MANIFEST, and seeds of the fuzz target to CORPUS. The sound comes
 * from integer arithmetic, so the same bytes
 * come out on every machine. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "memfile.h"
#include "pagecoding.h"
#include "rng.h"
#include "workspace.h"

#define PAGE_SAMPLES ((size_t)LAC_PAGE_FRAMES * 480)

static const char *folder, *corpus;
static FILE *manifest;
static lac_model *model;
static const char *model_name;
static uint32_t coding = LAC_CODING_PLAIN; /* of what is written */
static lac_model_info about;

static void die(const char *what, const char *name)
{
    fprintf(stderr, "make_streams: %s: %s\n", name, what);
    exit(1);
}

static void open_model(const char *name)
{
    char path[4096];
    model_name = name;
    snprintf(path, sizeof path, "%s/%s.lacm", folder, name);
    lac_model_close(&model);
    int status = lac_model_open_file(&model, path);
    if (status != 0)
        die(lac_status_string(status), path);
    lac_model_get_info(model, &about);
}

/* ---- sound ---- */

enum sound { SILENCE, TONES, NOISE, SQUARE, PHRASE };

static float sample(enum sound kind, size_t i, uint32_t channel)
{
    uint32_t phase = (uint32_t)i * (31000000u + 7000000u * channel);
    int32_t saw = (int32_t)(phase >> 16) - 32768, noise = (int32_t)(lac_hash32(i + ((uint64_t)channel << 40)) >> 16);
    switch (kind) {
    case TONES: return (float)(abs(saw) - 16384) / 65536.0f;
    case NOISE: return (float)(noise - 32768) / 131072.0f;
    case SQUARE: return saw < 0 ? -1.0f : 1.0f;
    case PHRASE: return (i / 5000 + channel) % 3 == 2 ? 0 : (float)(saw + (noise - 32768) / 8) / 98304.0f;
    default: return 0;
    }
}

typedef struct recipe {
    enum sound sound;
    uint64_t samples;       /* at the original rate */
    uint32_t rate, channels, codebooks;
    uint32_t rate_step;     /* change the codebooks after every so many samples, 0: never */
    const lac_tag *tags;
    size_t tag_count;
    uint32_t bitrate;       /* 0: `codebooks` in every frame */
} recipe;

static memfile write_stream(const recipe *r)
{
    memfile f = {0};
    lac_io io = memfile_io(&f, false);
    lac_writer *w = NULL;
    lac_writer_settings s = {r->rate, r->channels, r->codebooks, 1, r->tags, r->tag_count, 1, coding, r->bitrate};
    size_t frames = (size_t)lac_scale_ceil(r->samples, about.sample_rate, r->rate);
    int status = lac_writer_open(&w, model, &io, &s);
    for (size_t i = 0; i < frames && status == 0; i++) {
        float frame[LAC_MAX_CHANNELS];
        for (uint32_t c = 0; c < r->channels; c++)
            frame[c] = sample(r->sound, i, c);
        if (r->rate_step > 0 && i % r->rate_step == 0)
            status = lac_writer_set_codebooks(w, 1 + lac_hash32(i) % about.codebooks);
        if (status == 0)
            status = lac_writer_write(w, frame, 1);
    }
    if (status == 0)
        status = lac_writer_finish(w, r->samples);
    lac_writer_close(&w);
    if (status != 0)
        die(lac_status_string(status), "writing");
    return f;
}

/* ---- output ---- */

static void save(const char *directory, const char *name, const uint8_t *prefix, const memfile *f)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    if (!file || (prefix && fwrite(prefix, 1, 1, file) != 1) ||
        (f->size > 0 && fwrite(f->data, 1, f->size, file) != f->size) || fclose(file) != 0)
        die("can't write", path);
}

/* SHA-256 of the samples as little-endian float32, channels interleaved, in hexadecimal. */
static void hash_pcm(char hex[65], const decoded *d)
{
    lac_sha256 s;
    uint8_t digest[32], four[4];
    lac_sha256_init(&s);
    for (size_t i = 0; i < d->frames * d->info.channels; i++) {
        uint32_t bits;
        memcpy(&bits, &d->pcm[i], 4);
        lac_store32(four, bits);
        lac_sha256_update(&s, four, 4);
    }
    lac_sha256_final(&s, digest);
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

/* Store the file under `name` with what reading it gives, and check that this is what was expected. */
static void emit(const char *name, memfile *f, int expected)
{
    char path[256], hex[65] = "-";
    lac_stream_info info;
    decoded d = memfile_decode(f, model, true, 4096, SIZE_MAX / 4);
    int status = d.status != 0 ? d.status : memfile_verify(f, true, &info);
    if (d.status == 0)
        hash_pcm(hex, &d);
    if (status != expected)
        die(lac_status_string(status), name);
    snprintf(path, sizeof path, "streams/%s", name);
    save(folder, path, NULL, f);
    fprintf(manifest, "%s %s %s.lacm %d %s\n", d.status == 0 ? "decode" : "refuse", path, model_name, status, hex);
    if (corpus && f->size < 1500) {
        save(corpus, name, (const uint8_t *)"\5", f);
        snprintf(path, sizeof path, "%s-pipe-repaired", name);
        save(corpus, path, (const uint8_t *)"\6", f);
    }
    free(d.pcm);
}

static void emit_recipe(const char *name, const recipe *r)
{
    memfile f = write_stream(r);
    emit(name, &f, LAC_OK);
    memfile_free(&f);
}

/* ---- valid files ---- */

static void make_valid(void)
{
    static const lac_tag tags[] = {{"TITLE", "Z\xc3\xbcrich"}, {"EMPTY", ""}};
    static const struct { const char *name; recipe r; } files[] = {
        {"empty-audio.lac", {SILENCE, 0, 24000, 1, 4, 0, NULL, 0, 0}},
        {"one-sample.lac", {SQUARE, 1, 24000, 1, 4, 0, NULL, 0, 0}},
        {"one-sample-768k.lac", {SQUARE, 1, 768000, 1, 4, 0, NULL, 0, 0}},
        {"silence.lac", {SILENCE, 40000, 24000, 1, 2, 0, NULL, 0, 0}},
        {"tones.lac", {TONES, 80000, 24000, 1, 4, 0, NULL, 0, 0}},
        {"phrase.lac", {PHRASE, 100000, 24000, 1, 4, 0, NULL, 0, 0}},
        {"phrase-1-codebook.lac", {PHRASE, 100000, 24000, 1, 1, 0, NULL, 0, 0}},
        {"square.lac", {SQUARE, 30000, 24000, 1, 4, 0, NULL, 0, 0}},
        {"stereo-44100.lac", {PHRASE, 70001, 44100, 2, 3, 0, NULL, 0, 0}},
        {"noise-8-channels.lac", {NOISE, 12000, 48000, 8, 2, 0, NULL, 0, 0}},
        {"rate-changes.lac", {PHRASE, 90000, 24000, 1, 4, 480, NULL, 0, 0}},
        {"rate-changes-stereo.lac", {PHRASE, 60000, 24000, 2, 4, 1500, NULL, 0, 0}},
        {"average-1000.lac", {PHRASE, 100000, 24000, 1, 0, 0, NULL, 0, 1000}},
        {"average-600-stereo.lac", {PHRASE, 80000, 32000, 2, 3, 0, NULL, 0, 600}},
        {"tags.lac", {TONES, 1000, 24000, 1, 4, 0, tags, 2, 0}},
        {"full-last-page.lac", {TONES, 2 * PAGE_SAMPLES - 240, 24000, 1, 2, 0, NULL, 0, 0}},
        {"last-page-of-1-frame.lac", {TONES, PAGE_SAMPLES - 239, 24000, 1, 2, 0, NULL, 0, 0}},
        {"page-numbers-of-2-bytes.lac", {SILENCE, 130 * PAGE_SAMPLES, 24000, 1, 1, 0, NULL, 0, 0}},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        emit_recipe(files[i].name, &files[i].r);
}

/* ---- files no writer here writes ---- */

/* Tokens are below `limit`. */
static void append_tokens(memfile *f, const lac_stream_format *format, lac_page *p, uint32_t limit)
{
    static uint16_t tokens[LAC_PAGE_FRAMES * LAC_MAX_CODEBOOKS];
    static uint8_t out[LAC_PAGE_MAX];
    const uint16_t *rows[LAC_MAX_CHANNELS];
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++)
        tokens[i] = (uint16_t)(lac_hash32(i + 999) % limit);
    for (size_t c = 0; c < LAC_MAX_CHANNELS; c++)
        rows[c] = tokens;
    lac_page_build(out, format, p, rows, LAC_MAX_CODEBOOKS);
    memfile_write(f, out, p->size);
}

static void append_page(memfile *f, const lac_stream_format *format, lac_page *p)
{
    append_tokens(f, format, p, about.codewords);
}

static void append_end(memfile *f, const lac_stream_format *format, uint64_t samples, uint64_t frames)
{
    static uint8_t out[LAC_PAGE_MAX];
    lac_end end = {.format = *format, .header_size = LAC_HEADER_MIN, .samples = samples, .frames = frames,
                   .position = f->size};
    lac_end_build(out, &end, NULL);
    memfile_write(f, out, end.size);
}

static memfile start_file(lac_stream_format *format, uint32_t channels)
{
    memfile f = {0};
    uint8_t header[LAC_HEADER_MIN];
    *format = (lac_stream_format){{0}, 24000, channels, about.token_bits, false};
    memcpy(format->model_id, about.id, LAC_STREAM_ID_SIZE);
    memfile_write(&f, header, lac_header_build(header, format, NULL, 0));
    return f;
}

static void make_unusual(void)
{
    lac_stream_format format;
    memfile f = start_file(&format, 1);
    lac_page p = {.number = 0, .frames = LAC_PAGE_FRAMES, .phase = {0xffff}};
    for (int i = 0; i < LAC_PAGE_FRAMES; i++)
        p.codebooks[i] = (uint8_t)(i % 5 == 3 ? 0 : 1 + i % 4);
    append_page(&f, &format, &p); /* lost frames among others, a phase no writer would give; no runs in the end page */
    memset(p.codebooks, 0, sizeof p.codebooks);
    p.number = 1;
    append_page(&f, &format, &p); /* nothing but lost frames */
    memset(p.codebooks, (int)about.codebooks, sizeof p.codebooks);
    p.number = 2;
    p.frames = 3;
    append_page(&f, &format, &p);
    append_end(&f, &format, 131 * 480 - 300, 131);
    emit("lost-frames.lac", &f, LAC_OK);
    memfile_free(&f);

    f = start_file(&format, 1);
    p = (lac_page){.number = 0, .frames = LAC_PAGE_FRAMES};
    for (int i = 0; i < LAC_PAGE_FRAMES; i++)
        p.codebooks[i] = (uint8_t)(i % 2 ? 3 : 1); /* moves would be no shorter than a byte each */
    append_page(&f, &format, &p);
    append_end(&f, &format, LAC_PAGE_FRAMES * 480 - 300, LAC_PAGE_FRAMES);
    emit("list-of-codebooks.lac", &f, LAC_OK);
    memfile_free(&f);

    f = start_file(&format, 1);
    p = (lac_page){.number = 0, .frames = 2, .codebooks = {5, 5}};
    append_page(&f, &format, &p);
    append_end(&f, &format, 700, 2);
    emit("too-many-codebooks.lac", &f, LAC_OK); /* sound to the eye, damage to a decoder */
    memfile_free(&f);

    f = start_file(&format, 1);
    p = (lac_page){.number = 70, .frames = 1, .codebooks = {1}};
    append_page(&f, &format, &p);
    p.number = 40;
    append_page(&f, &format, &p); /* page 70 can't be so early in the file; page 40 can */
    emit("implausible-number.lac", &f, LAC_ERROR_CHECKSUM);
    memfile_free(&f);
}

/* The other quantiser: 60 codewords, so that 6 bits can hold what is no token. */
static void make_fsq(void)
{
    lac_stream_format format;
    open_model("tiny-fsq");
    emit_recipe("fsq-phrase.lac", &(recipe){PHRASE, 100000, 24000, 1, 4, 0, NULL, 0, 0});
    emit_recipe("fsq-rate-changes-stereo.lac", &(recipe){PHRASE, 60000, 24000, 2, 4, 1500, NULL, 0, 0});
    memfile f = start_file(&format, 1);
    lac_page p = {.number = 0, .frames = LAC_PAGE_FRAMES};
    for (int i = 0; i < LAC_PAGE_FRAMES; i++)
        p.codebooks[i] = (uint8_t)(i % 7 == 4 ? 0 : 1 + i % 4);
    append_page(&f, &format, &p);
    append_end(&f, &format, LAC_PAGE_FRAMES * 480 - 300, LAC_PAGE_FRAMES);
    emit("fsq-random-tokens.lac", &f, LAC_OK);
    memfile_free(&f);

    f = start_file(&format, 1);
    append_tokens(&f, &format, &p, 64);
    append_end(&f, &format, LAC_PAGE_FRAMES * 480 - 300, LAC_PAGE_FRAMES);
    emit("fsq-no-tokens.lac", &f, LAC_OK); /* sound to the eye, damage to a decoder */
    memfile_free(&f);
}

static void make_future(void)
{
    static const uint8_t coded[] = {0xac, 0x1d, 0xc1, 0, 2, 7, 3, 0, 0, 'x', 'y', 'z'};
    uint8_t crc[4];
    lac_stream_format format;
    memfile f = start_file(&format, 1);
    memfile_write(&f, coded, sizeof coded);
    lac_store32(crc, lac_crc32c(0, coded, sizeof coded));
    memfile_write(&f, crc, 4);
    append_end(&f, &format, 700, 2);
    emit("future-coding.lac", &f, LAC_ERROR_VERSION);
    memfile_free(&f);
}

/* ---- damaged files, made from a sound one ---- */

static memfile cut(const memfile *f, size_t from, size_t to)
{
    memfile g = {0};
    memfile_write(&g, f->data, from);
    memfile_write(&g, f->data + to, f->size - to);
    return g;
}

static void emit_flipped(const char *name, const memfile *f, size_t at, uint8_t mask, int expected)
{
    memfile g = cut(f, 0, 0);
    g.data[at] ^= mask;
    emit(name, &g, expected);
    memfile_free(&g);
}

static void emit_cut(const char *name, const memfile *f, size_t from, size_t to, int expected)
{
    memfile g = cut(f, from, to);
    emit(name, &g, expected);
    memfile_free(&g);
}

static void make_damaged(void)
{
    static const recipe base = {PHRASE, 140000, 24000, 1, 2, 0, NULL, 0, 0};
    memfile f = write_stream(&base);
    size_t start[8] = {LAC_HEADER_MIN};
    lac_header h;
    lac_page p;
    lac_header_parse(&h, f.data, f.size);
    for (size_t i = 0; lac_page_parse(&p, &h.format, f.data + start[i], f.size - start[i]) == 0; i++)
        start[i + 1] = start[i] + p.size; /* 5 pages, start[5] is the end page */
    emit("five-pages.lac", &f, LAC_OK);
    emit_flipped("flip-payload.lac", &f, start[2] + 30, 4, LAC_ERROR_CHECKSUM);
    emit_flipped("flip-sync.lac", &f, start[1], 1, LAC_ERROR_CHECKSUM);
    emit_flipped("flip-length.lac", &f, start[3] + 2, 2, LAC_ERROR_CHECKSUM);
    emit_flipped("flip-phase.lac", &f, start[3] + 4, 128, LAC_ERROR_CHECKSUM);
    emit_flipped("flip-first-page.lac", &f, start[0] + 50, 1, LAC_ERROR_CHECKSUM);
    emit_flipped("flip-last-page.lac", &f, start[5] - 1, 1, LAC_ERROR_CHECKSUM);
    emit_flipped("flip-end-page.lac", &f, start[5] + 20, 1, LAC_ERROR_TRUNCATED);
    emit_flipped("flip-magic.lac", &f, 0, 1, LAC_ERROR_CHECKSUM);
    emit_flipped("flip-version.lac", &f, 3, 64, LAC_ERROR_CHECKSUM);
    emit_flipped("flip-rate.lac", &f, 13, 1, LAC_ERROR_CHECKSUM);
    emit_cut("cut-in-page.lac", &f, start[3] + 40, f.size, LAC_ERROR_TRUNCATED);
    emit_cut("cut-between-pages.lac", &f, start[3], f.size, LAC_ERROR_TRUNCATED);
    emit_cut("cut-in-end-page.lac", &f, f.size - 1, f.size, LAC_ERROR_TRUNCATED);
    emit_cut("cut-after-header.lac", &f, start[0], f.size, LAC_ERROR_TRUNCATED);
    emit_cut("cut-in-header.lac", &f, 12, f.size, LAC_ERROR_TRUNCATED);
    emit_cut("page-removed.lac", &f, start[1], start[2], LAC_ERROR_CHECKSUM);
    emit_cut("bytes-removed.lac", &f, start[2] + 10, start[2] + 20, LAC_ERROR_CHECKSUM);
    emit_cut("header-removed.lac", &f, 0, start[0], LAC_ERROR_CHECKSUM);
    memfile g = cut(&f, start[3], start[1]); /* pages 0 1 2 1 2 3 4 */
    emit("pages-repeated.lac", &g, LAC_ERROR_CHECKSUM);
    memfile_free(&g);
    g = cut(&f, f.size, f.size);
    memfile_write(&g, "\0\0\0", 3);
    emit("bytes-appended.lac", &g, LAC_ERROR_CHECKSUM);
    g.size = f.size;
    g.data[8] ^= 1;
    g.data[f.size - 1] ^= 1;
    emit("header-and-end-damaged.lac", &g, LAC_ERROR_CHECKSUM);
    memfile_free(&g);
    memfile_free(&f);
}

static void make_refused(void)
{
    memfile f = {0};
    emit("empty-file.lac", &f, LAC_ERROR_TRUNCATED);
    memfile_write(&f, "This is not a .lac file, but text.\n", 35);
    emit("text.lac", &f, LAC_ERROR_FORMAT);
    memfile_free(&f);
    memfile_write(&f, "LAC\x02 and what a version to come will put here", 46);
    emit("newer-version.lac", &f, LAC_ERROR_VERSION);
    memfile_free(&f);
    lac_stream_format format;
    f = start_file(&format, 1);
    format.model_id[7] ^= 1;
    lac_header_build(f.data, &format, NULL, 0);
    append_end(&f, &format, 0, 0);
    emit("other-model.lac", &f, LAC_ERROR_MODEL_MISMATCH);
    memfile_free(&f);
}

/* ---- coded pages ---- */

static void make_adaptive(void)
{
    static const struct { const char *name; recipe r; } files[] = {
        {"adaptive.lac", {PHRASE, 100000, 24000, 1, 4, 0, NULL, 0, 0}},
        {"adaptive-1-codebook.lac", {PHRASE, 70000, 24000, 1, 1, 0, NULL, 0, 0}},
        {"adaptive-stereo-44100.lac", {PHRASE, 70001, 44100, 2, 3, 0, NULL, 0, 0}},
        {"adaptive-8-channels-of-silence.lac", {SILENCE, 80000, 48000, 8, 4, 0, NULL, 0, 0}}, /* saves > 255 bytes */
        {"adaptive-40-pages.lac", {PHRASE, 40 * PAGE_SAMPLES, 24000, 1, 2, 0, NULL, 0, 0}},
        {"adaptive-average-500.lac", {PHRASE, 19 * PAGE_SAMPLES, 24000, 1, 0, 0, NULL, 0, 500}}, /* two windows */
        {"adaptive-average-8-channels.lac", {NOISE, 40000, 24000, 8, 0, 0, NULL, 0, 800}},
        {"adaptive-rate-changes.lac", {PHRASE, 90000, 24000, 1, 4, 480, NULL, 0, 0}},
        {"adaptive-rate-changes-stereo.lac", {PHRASE, 60000, 24000, 2, 4, 1500, NULL, 0, 0}},
    };
    coding = LAC_CODING_ADAPTIVE;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        emit_recipe(files[i].name, &files[i].r);
    open_model("tiny-fsq");
    emit_recipe("fsq-adaptive.lac", &(recipe){PHRASE, 100000, 24000, 1, 4, 0, NULL, 0, 0});
    emit_recipe("fsq-average-700.lac", &(recipe){PHRASE, 100000, 24000, 1, 0, 0, NULL, 0, 700});
    open_model("tiny");
    coding = LAC_CODING_PLAIN;
}

/* A page in p->coding, or, if the model has not that one, of it by name only. Its tokens are likely ones: those that
 * noise decodes to, each seed another. `extra` bytes follow them in the payload. */
static void append_coded(memfile *f, const lac_stream_format *format, lac_page *p, uint32_t seed, size_t extra)
{
    static uint16_t tokens[LAC_MAX_CHANNELS][LAC_PAGE_FRAMES * LAC_MAX_CODEBOOKS];
    static uint8_t out[LAC_PAGE_MAX];
    static lac_pagecoding coder;
    uint16_t *rows[LAC_MAX_CHANNELS];
    const uint16_t *same[LAC_MAX_CHANNELS];
    uint32_t wanted = p->coding;
    lac_workspace memory = lac_workspace_measure();
    lac_pagecoding_init(&coder, &memory, model, format->channels, true);
    if (lac_workspace_open(&memory, memory.used) != 0)
        die("out of memory", "coding");
    lac_pagecoding_init(&coder, &memory, model, format->channels, true);
    for (size_t c = 0; c < LAC_MAX_CHANNELS; c++)
        same[c] = rows[c] = tokens[c];
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)lac_hash32(((uint64_t)seed << 32) + i);
    if (p->coding >= LAC_PAGE_PRIOR)
        p->coding = coder.prior_coding ? coder.prior_coding : LAC_PAGE_ADAPTIVE;
    p->head_size = 0;
    p->payload_size = sizeof out;
    (void)lac_pagecoding_decode(&coder, rows, format, p, out);
    size_t size = lac_pagecoding_encode(&coder, p, same, out + LAC_PAGE_HEAD_MAX, LAC_PAGE_MAX_PAYLOAD);
    p->coding = wanted;
    lac_page_build_coded(out, format, p, size + extra);
    memfile_write(f, out, p->size);
    lac_workspace_close(&memory);
}

/* Three pages of `channels`, the middle one's payload longer than its tokens by `extra` bytes; frames of all kinds. */
static memfile coded_file(uint32_t channels, uint32_t page_coding, size_t extra)
{
    lac_stream_format format;
    memfile f = start_file(&format, channels);
    lac_page p = {.frames = LAC_PAGE_FRAMES, .coding = page_coding, .phase = {1, 2, 3}};
    memset(p.codebooks, 3, sizeof p.codebooks);
    append_coded(&f, &format, &p, 1, 0);
    for (int i = 0; i < LAC_PAGE_FRAMES; i++)
        p.codebooks[i] = (uint8_t)(i % 7 == 5 ? 0 : 1 + i % 4);
    p.number = 1;
    append_coded(&f, &format, &p, 2, extra);
    p.number = 2;
    p.frames = 40;
    append_coded(&f, &format, &p, 3, 0);
    append_end(&f, &format, 168 * 480 - 300, 168);
    return f;
}

static void emit_coded(const char *name, uint32_t channels, uint32_t page_coding, size_t extra, int expected)
{
    memfile f = coded_file(channels, page_coding, extra);
    emit(name, &f, expected);
    memfile_free(&f);
}

/* What the reader's checksum can't tell: a page whose tokens end before its payload, or go on behind it. */
static void make_wrong_ends(void)
{
    lac_stream_format format;
    emit_coded("adaptive-lost-frames.lac", 1, LAC_PAGE_ADAPTIVE, 0, LAC_OK);
    emit_coded("adaptive-byte-too-many.lac", 1, LAC_PAGE_ADAPTIVE, 1, LAC_OK);
    memfile f = start_file(&format, 1);
    lac_page p = {.frames = 50, .coding = LAC_PAGE_ADAPTIVE};
    memset(p.codebooks, (int)about.codebooks, sizeof p.codebooks);
    static uint8_t out[LAC_PAGE_MAX];
    for (size_t i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)lac_hash32(i + 77);
    lac_page_build_coded(out, &format, &p, 20);
    memfile_write(&f, out, p.size);
    append_end(&f, &format, 50 * 480 - 300, 50);
    emit("adaptive-bytes-too-few.lac", &f, LAC_OK);
    memfile_free(&f);
    f = start_file(&format, 1);
    p.codebooks[20] = (uint8_t)(about.codebooks + 1);
    lac_page_build_coded(out, &format, &p, 20);
    memfile_write(&f, out, p.size);
    append_end(&f, &format, 50 * 480 - 300, 50);
    emit("adaptive-too-many-codebooks.lac", &f, LAC_OK);
    memfile_free(&f);
}

static void make_prior(void)
{
    open_model("tiny_prior");
    uint32_t own = lac_pagecoding_prior(model), other = own == LAC_PAGE_PRIOR ? own + 1 : own - 1;
    emit_coded("prior.lac", 1, own, 0, LAC_OK);
    emit_coded("prior-stereo.lac", 2, own, 0, LAC_OK);
    emit_coded("prior-8-channels.lac", 8, own, 0, LAC_OK);
    emit_coded("prior-byte-too-many.lac", 1, own, 1, LAC_OK);
    emit_coded("prior-adaptive-all-the-same.lac", 1, LAC_PAGE_ADAPTIVE, 0, LAC_OK);
    memfile f = coded_file(1, own, 0);
    emit_flipped("prior-flip-payload.lac", &f, 60, 4, LAC_ERROR_CHECKSUM);
    memfile_free(&f);
    emit_coded("other-prior.lac", 1, other, 0, LAC_ERROR_MODEL_MISMATCH);
    open_model("tiny");
    emit_coded("no-prior.lac", 1, own, 0, LAC_ERROR_MODEL_MISMATCH);
}

int main(int argc, char **argv)
{
    char path[4096];
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: make_streams FOLDER [CORPUS]\n");
        return 2;
    }
    folder = argv[1];
    corpus = argc > 2 ? argv[2] : NULL;
    open_model("tiny");
    snprintf(path, sizeof path, "%s/MANIFEST", folder);
    manifest = fopen(path, "w");
    if (!manifest)
        die("can't write", path);
    fputs("# Conformance vectors. Written by make_streams.c: build it, then `make_streams vectors`.\n"
          "# kind path model status sha256, separated by one space; paths are relative to this file.\n"
          "#   decode  opening, attaching the model and reading give 0; sha256 is that of all samples delivered, as\n"
          "#           little-endian float32, channels interleaved, at the model's rate; a fresh lac_reader_verify\n"
          "#           gives `status`. The input can seek.\n"
          "#   refuse  `status` is the first that lac_reader_open, lac_reader_start or lac_reader_read gives but 0.\n"
          "# Statuses are those of include/lac/status.h.\n", manifest);
    make_valid();
    make_unusual();
    make_future();
    make_damaged();
    make_refused();
    make_fsq();
    open_model("tiny");
    make_adaptive();
    make_wrong_ends();
    make_prior();
    lac_model_close(&model);
    return fclose(manifest) == 0 ? 0 : 1;
}
