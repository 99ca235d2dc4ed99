/* Regenerates the payload vectors: make_packets FOLDER [CORPUS], FOLDER having tiny.lacm and tiny_prior.lacm.
 * Writes FOLDER/packets/payloads.txt and coded.txt, and seeds of the fuzz target to CORPUS. Sound and tokens come
 * from integer arithmetic, so the same bytes come out on every machine. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "lac/lac.h"
#include "likelytokens.h"
#include "packetcoding.h"
#include "rng.h"

#define FRAMES 40

typedef struct payload {
    uint8_t data[LAC_PACKET_MAX_BYTES + 1];
    size_t size;
} payload;

static const char *corpus;
static FILE *out;
static lac_model *model;
static lac_model_info about;
static uint16_t tokens[FRAMES * LAC_MAX_CODEBOOKS]; /* [FRAMES][Q] */

static void die(const char *what, const char *name)
{
    fprintf(stderr, "make_packets: %s: %s\n", name, what);
    exit(1);
}

static void need(int status, const char *name)
{
    if (status != 0)
        die(lac_status_string(status), name);
}

/* Buzz, a pause, buzz. */
static void make_tokens(void)
{
    static float pcm[(FRAMES + 1) * 480];
    lac_encoder *encoder = NULL;
    size_t frames, samples = (size_t)FRAMES * about.frame_samples;
    for (size_t i = 0; i < samples; i++) {
        int32_t saw = (int32_t)((uint32_t)i * 31000000u >> 16) - 32768;
        int32_t noise = (int32_t)(lac_hash32(i) >> 16) - 32768;
        pcm[i] = (float)(i / 4800 % 4 == 2 ? noise / 64 : saw + noise / 8) / 98304.0f;
    }
    need(lac_encoder_open(&encoder, model, NULL), "encoder");
    need(lac_encoder_write(encoder, pcm, samples, tokens, FRAMES, &frames), "encoder");
    lac_encoder_close(&encoder);
}

/* ---- output ---- */

static void save_seed(const char *name, const uint8_t *data, size_t size)
{
    char path[4096];
    if (!corpus)
        return;
    snprintf(path, sizeof path, "%s/%s", corpus, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        die("can't write", path);
}

/* What tests/fuzz_packet.c takes for one packet. */
static size_t put_seed(uint8_t *seed, uint8_t ahead, const uint8_t *data, size_t size)
{
    seed[0] = ahead;
    lac_store16(seed + 1, (uint16_t)size);
    memcpy(seed + 3, data, size);
    return 3 + size;
}

/* Tokens of the parts that belong together: layers of the new frames, or one block. */
static void print_rows(const payload *p, const lac_packet_info *sent, uint32_t parts, uint32_t block)
{
    static uint16_t rows[LAC_PACKET_PART_TOKENS];
    lac_packet_part rows_of = {0};
    size_t at = lac_packet_head_bytes(sent);
    for (uint32_t i = 0; i < parts; i++) {
        lac_packet_part part = lac_packet_get_part(sent, i);
        size_t bytes = lac_packet_find_part(sent, about.token_bits, p->data, p->size, i, &at);
        if (block > 0 ? i == block : part.age == 0) {
            rows_of = (lac_packet_part){part.age, part.frames, 0, part.first + part.count};
            lac_packetcoding_read(model, sent->coding, &part, rows, p->data + at, bytes);
        }
        at += bytes;
    }
    for (uint32_t f = 0; f < rows_of.frames; f++) {
        fprintf(out, "tokens %d:", (int)f - (int)rows_of.age);
        for (uint32_t k = 0; k < rows_of.count; k++)
            fprintf(out, " %u", rows[f * about.codebooks + k]);
        fputc('\n', out);
    }
}

static void print_structure(const payload *p)
{
    lac_packet_info info, sent;
    uint32_t parts;
    need(lac_packet_parse(p->data, p->size, about.token_bits, &info), "parsing");
    need(lac_packet_read(p->data, p->size, about.token_bits, LAC_PACKET_CODINGS, &sent, &parts), "parsing");
    fprintf(out, "structure coding %u comfort %u frames %u codebooks %u kept %u layer %u blocks %u\n", info.coding,
            info.comfort, info.frames, info.codebooks, info.kept, info.layer, info.redundancy);
    print_rows(p, &sent, parts, 0);
    for (uint32_t b = 0; b < info.redundancy; b++) {
        fprintf(out, "block age %u frames %u codebooks %u\n", info.block[b].age, info.block[b].frames,
                info.block[b].codebooks);
        print_rows(p, &sent, parts, b + 1);
    }
}

/* Write the payload down with what a receiver must make of it, and check that this is what was expected. */
static void emit(const char *name, const payload *p, int expected)
{
    uint8_t seed[sizeof p->data + 4] = {(uint8_t)(about.token_bits - 1)};
    lac_depacketizer *d = NULL;
    need(lac_depacketizer_open(&d, model), name);
    int status = lac_depacketizer_put(d, LAC_PACKET_MAX_AGE, p->data, p->size, NULL);
    lac_depacketizer_close(&d);
    if (status != expected)
        die(lac_status_string(status), name);
    fprintf(out, "\nname %s\npayload ", name);
    for (size_t i = 0; i < p->size; i++)
        fprintf(out, "%02x", p->data[i]);
    fprintf(out, "%s\nstatus %d\n", p->size > 0 ? "" : "-", status);
    if (status == 0)
        print_structure(p);
    save_seed(name, seed, 1 + put_seed(seed + 1, LAC_PACKET_MAX_AGE, p->data, p->size));
}

/* ---- what a sender writes ---- */

typedef struct recipe {
    const char *name;
    lac_packetizer_settings s;
    uint32_t codebooks;
    size_t number;  /* of the packet; past the last it is that of flush */
} recipe;

/* Frames 20 to 29 are the pause. */
static payload make_packet(const recipe *r)
{
    static lac_packet packet;
    lac_packetizer *p = NULL;
    payload made = {.size = 0};
    size_t n = 0;
    int ready = 0;
    if (r->s.coded)
        likely_tokens(model, tokens, FRAMES, r->s.frames, r->s.layer);
    need(lac_packetizer_open(&p, model, &r->s), r->name);
    for (size_t i = 0; i < FRAMES && n <= r->number; i++) {
        const uint16_t *frame = tokens + i * about.codebooks;
        bool active = i < 20 || i >= 30;
        need(lac_packetizer_write(p, frame, r->codebooks, active, &packet, &ready), r->name);
        n += (size_t)ready;
    }
    if (n <= r->number)
        need(lac_packetizer_flush(p, &packet, &ready), r->name);
    lac_packetizer_close(&p);
    if (!ready || packet.data[0] >> 6 != r->s.coded)
        die("no such packet", r->name);
    memcpy(made.data, packet.data, packet.size);
    made.size = packet.size;
    return made;
}

static const recipe dissected = {"dissected", {2, 2, 1, {{2, 2, 1}}, 0, 20, 0}, 4, 3};
static const recipe richest = {
    "four-blocks", {3, 1, 4, {{3, 3, 3}, {6, 3, 2}, {9, 3, 1}, {30, 10, 1}}, 0, 20, 0}, 4, 12};

static const recipe coded_dissected = {"prior-dissected", {3, 2, 1, {{3, 3, 1}}, 0, 20, 1}, 4, 3};
static const recipe coded_richest = {
    "prior-four-blocks", {5, 2, 4, {{5, 5, 4}, {10, 5, 2}, {15, 5, 1}, {30, 10, 3}}, 0, 20, 1}, 4, 7};

static void make_sent(void)
{
    static const recipe recipes[] = {
        {"one-frame", {1, 2, 0, {{0}}, 0, 20, 0}, 4, 5},
        {"one-codebook", {1, 2, 0, {{0}}, 0, 20, 0}, 1, 6},
        {"last-layer-smaller", {1, 2, 0, {{0}}, 0, 20, 0}, 3, 7},
        {"one-layer", {3, 8, 0, {{0}}, 0, 20, 0}, 4, 2},
        {"ten-frames", {10, 1, 0, {{0}}, 0, 20, 0}, 4, 1},
        {"last-frame", {3, 2, 0, {{0}}, 0, 20, 0}, 4, 13},
        {"first-frames-repeated", {2, 2, 2, {{2, 2, 2}, {10, 5, 1}}, 0, 20, 0}, 4, 3},
        {"comfort-noise", {1, 2, 0, {{0}}, 1, 5, 0}, 4, 21},
        {"comfort-noise-and-sound-before", {1, 2, 2, {{1, 1, 3}, {4, 3, 1}}, 1, 20, 0}, 4, 20},
        {"after-comfort-noise", {2, 2, 1, {{2, 2, 2}}, 1, 20, 0}, 4, 12},
    };
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        payload p = make_packet(&recipes[i]);
        emit(recipes[i].name, &p, LAC_OK);
    }
    payload p = make_packet(&dissected);
    emit(dissected.name, &p, LAC_OK);
    p = make_packet(&richest);
    emit(richest.name, &p, LAC_OK);
}

static void make_coded(void)
{
    static const recipe recipes[] = {
        {"prior-one-frame", {1, 8, 0, {{0}}, 0, 20, 1}, 4, 5},
        {"prior-one-codebook", {4, 1, 0, {{0}}, 0, 20, 1}, 1, 6},
        {"prior-one-layer", {3, 8, 0, {{0}}, 0, 20, 1}, 4, 2},
        {"prior-last-layer-smaller", {4, 2, 0, {{0}}, 0, 20, 1}, 3, 7},
        {"prior-ten-frames", {10, 1, 0, {{0}}, 0, 20, 1}, 4, 1},
        {"prior-first-frames-repeated", {4, 2, 2, {{4, 4, 2}, {12, 8, 1}}, 0, 20, 1}, 4, 2},
    };
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        payload p = make_packet(&recipes[i]);
        emit(recipes[i].name, &p, LAC_OK);
    }
    payload p = make_packet(&recipes[0]);
    p.data[0] |= 2;
    emit("prior-comfort-noise", &p, LAC_OK);
    p = make_packet(&coded_dissected);
    emit(coded_dissected.name, &p, LAC_OK);
    p = make_packet(&coded_richest);
    emit(coded_richest.name, &p, LAC_OK);
}

/* ---- what a router leaves ---- */

static void make_cut(const recipe *r)
{
    payload p = make_packet(r);
    for (size_t part = 1, size = p.size, kept; size > 0; part++) {
        char name[64];
        if (lac_packet_cut(p.data, p.size, about.token_bits, size - 1, &kept) != LAC_OK)
            break;
        size = p.size = kept;
        snprintf(name, sizeof name, "%s-cut-by-%zu", r->name, part);
        emit(name, &p, LAC_OK);
    }
    p.size--;
    emit(r->s.coded ? "prior-cut-in-layer-1" : "cut-in-layer-1", &p, LAC_ERROR_TRUNCATED);
}

/* ---- what no sender writes ---- */

static void emit_changed(const char *name, size_t at, uint8_t value, int expected)
{
    payload p = make_packet(about.prior_macs > 0 ? &coded_dissected : &dissected);
    p.data[at] = value;
    emit(name, &p, expected);
}

static void emit_sized(const char *name, size_t size, int expected)
{
    payload p = make_packet(about.prior_macs > 0 ? &coded_dissected : &dissected);
    p.size = size;
    emit(name, &p, expected);
}

static void make_malformed(void)
{
    static const payload nothing, five = {{0x01, 0x00, 0x82, 0, 0x82, 0, 0x82, 0, 0x82, 0, 0x02, 0}, 18};
    static const payload more_codebooks = {{0x00, 0x84}, 6};
    emit("empty", &nothing, LAC_ERROR_TRUNCATED);
    emit_sized("head-only", 2, LAC_ERROR_TRUNCATED);
    emit_sized("half-an-entry", 3, LAC_ERROR_TRUNCATED);
    emit_sized("no-layer", 4, LAC_ERROR_TRUNCATED);
    emit_sized("cut-in-block", 8, LAC_ERROR_TRUNCATED);
    emit_sized("cut-in-layer-2", 11, LAC_ERROR_TRUNCATED);
    emit_sized("a-byte-too-many", 13, LAC_ERROR_FORMAT);
    emit_changed("coding-1", 0, 0x45, LAC_ERROR_VERSION);
    emit_changed("eleven-frames", 0, 0x29, LAC_ERROR_FORMAT);
    emit_changed("two-frames-of-comfort-noise", 0, 0x07, LAC_ERROR_FORMAT);
    emit_changed("age-0", 2, 0x00, LAC_ERROR_FORMAT);
    emit_changed("more-frames-than-age", 2, 0x02, LAC_ERROR_FORMAT);
    emit_changed("eleven-frames-in-block", 3, 0x40, LAC_ERROR_FORMAT);
    emit_changed("padding", 8, 0x01, LAC_ERROR_FORMAT);
    emit("five-blocks", &five, LAC_ERROR_FORMAT);
    emit("more-codebooks-than-the-model", &more_codebooks, LAC_ERROR_MODEL_MISMATCH);
}

/* The size of layer 1 is byte 4, that of the block follows it. */
static void make_coded_malformed(void)
{
    payload p = make_packet(&coded_dissected);
    uint8_t first = p.data[4];
    emit_sized("prior-no-layer", 4, LAC_ERROR_TRUNCATED);
    emit_sized("prior-size-only", 5, LAC_ERROR_TRUNCATED);
    emit_sized("prior-cut-in-block", first + 6u, LAC_ERROR_TRUNCATED);
    emit_sized("prior-a-byte-too-many", p.size + 1, LAC_ERROR_MODEL_MISMATCH);
    emit_sized("prior-a-byte-missing", p.size - 1, LAC_ERROR_MODEL_MISMATCH);
    emit_changed("prior-size-0", 4, 0, LAC_ERROR_TRUNCATED);
    emit_changed("prior-size-beyond-the-end", 4, 255, LAC_ERROR_TRUNCATED);
    emit_changed("prior-block-too-large", 5u + first, (uint8_t)(p.data[5 + first] + 1), LAC_ERROR_MODEL_MISMATCH);
    emit_changed("coding-2", 0, p.data[0] ^ 0xc0, LAC_ERROR_VERSION);
    emit_changed("coding-3", 0, p.data[0] | 0xc0, LAC_ERROR_VERSION);
}

/* A seed of many packets: a stream with everything in it, each third packet lost. */
static void make_stream_seed(void)
{
    static uint8_t seed[65536];
    recipe r = {"stream", {1, 1, 2, {{1, 1, 2}, {3, 2, 1}}, 1, 5, 0}, 4, 0};
    size_t at = 0;
    seed[at++] = (uint8_t)(about.token_bits - 1);
    for (; r.number < 32; r.number++) {
        payload p = make_packet(&r);
        if (r.number % 3 != 2)
            at += put_seed(seed + at, (uint8_t)(1 + r.number % 4), p.data, p.size);
    }
    save_seed("stream", seed, at);
}

/* The model and the file of FOLDER. */
static void start(const char *folder, const char *model_name, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.lacm", folder, model_name);
    need(lac_model_open_file(&model, path), path);
    lac_model_get_info(model, &about);
    snprintf(path, sizeof path, "%s/packets/%s", folder, name);
    out = fopen(path, "w");
    if (!out)
        die("can't write", path);
    fprintf(out,
            "# Payloads (doc/rtp-payload.md) of a model with %u codebooks of %u codewords, token_bits %u.\n"
            "# Written by make_packets.c: build it, then `make_packets vectors`.\n"
            "#   name\n"
            "#   payload    in hexadecimal, - if it is empty\n"
            "#   status     of lac_depacketizer_put with %s.lacm (include/lac/status.h). If it is 0, also\n"
            "#   structure  of what is there; `kept` of the codebooks sent, the blocks after cuts\n"
            "#   tokens     of each frame, counted from the first new one: new frames, then each block's\n"
            "#   block      a redundant block, before its tokens\n",
            about.codebooks, about.codewords, about.token_bits, model_name);
}

static void end(void)
{
    lac_model_close(&model);
    if (fclose(out) != 0)
        die("can't write", "vectors");
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: make_packets FOLDER [CORPUS]\n");
        return 2;
    }
    corpus = argc > 2 ? argv[2] : NULL;
    start(argv[1], "tiny", "payloads.txt");
    make_tokens();
    make_sent();
    make_cut(&richest);
    make_malformed();
    make_stream_seed();
    end();
    start(argv[1], "tiny_prior", "coded.txt");
    make_coded();
    make_cut(&coded_richest);
    make_coded_malformed();
    end();
    return 0;
}
