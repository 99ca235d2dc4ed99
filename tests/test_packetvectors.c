/* vectors/packets/, and the payloads that doc/rtp-payload.md dissects, read bit by bit as the document says, with
 * none of the library's own reading of bits. */
#include <criterion/criterion.h>
#include <string.h>

#include "fixture.h"
#include "lac/packet.h"
#include "weights.h"

#define LINE 4096

/* ---- bits ---- */

typedef struct bits {
    uint8_t bytes[LAC_PACKET_MAX_BYTES + 1];
    size_t size, at; /* bytes, bits */
} bits;

static uint32_t next_bits(bits *b, uint32_t n)
{
    uint32_t value = 0;
    for (; n > 0; n--, b->at++) {
        cr_assert_lt(b->at, 8 * b->size);
        value = value << 1 | (b->bytes[b->at / 8] >> (7 - b->at % 8) & 1);
    }
    return value;
}

static void to_next_byte(bits *b)
{
    while (b->at % 8 > 0)
        cr_assert_eq(next_bits(b, 1), 0);
}

static void read_hex(bits *b, const char *hex)
{
    unsigned byte;
    b->size = b->at = 0;
    for (; sscanf(hex, "%2x", &byte) == 1; hex += 2) {
        cr_assert_lt(b->size, sizeof b->bytes);
        b->bytes[b->size++] = (uint8_t)byte;
    }
}

/* ---- a payload, by the document ---- */

typedef struct element {
    int age;
    uint32_t frames, codebooks;
    uint16_t tokens[LAC_PACKET_MAX_FRAMES][LAC_MAX_CODEBOOKS];
} element;

typedef struct reading {
    lac_packet_info info;
    element fresh, copies[LAC_PACKET_MAX_REDUNDANCY];
} reading;

static void read_plain(bits *b, element *e, uint32_t first, uint32_t count, uint32_t token_bits)
{
    for (uint32_t f = 0; f < e->frames; f++)
        for (uint32_t c = first; c < first + count; c++)
            e->tokens[f][c] = (uint16_t)next_bits(b, token_bits);
    to_next_byte(b);
}

static void read_coded(bits *b, element *e, uint32_t first, uint32_t count, const lac_model *m, bool last)
{
    lac_range_decoder d;
    lac_prior_state prior;
    size_t size = last ? b->size - b->at / 8 : next_bits(b, 8);
    cr_assert_leq(b->at / 8 + size, b->size);
    lac_range_decoder_init(&d, b->bytes + b->at / 8, size);
    lac_prior_state_init(&prior, m->prior, &m->quantiser);
    for (uint32_t f = 0; f < e->frames; f++) {
        lac_prior_frame(&prior, first + count);
        for (uint32_t c = 0; c < first; c++)
            lac_prior_known(&prior, c, e->tokens[f][c]);
        for (uint32_t c = first; c < first + count; c++)
            e->tokens[f][c] = (uint16_t)lac_prior_decode(&prior, &d, c);
        lac_prior_done(&prior);
    }
    cr_assert_eq(lac_range_decoder_size(&d), size);
    b->at += 8 * size;
}

/* last: no part can follow. */
static void read_tokens(bits *b, const reading *r, element *e, uint32_t first, uint32_t count, const lac_model *m,
                        bool last)
{
    if (r->info.coding == 0)
        read_plain(b, e, first, count, m->info.token_bits);
    else
        read_coded(b, e, first, count, m, last);
    e->codebooks = first + count;
}

static void read_head(bits *b, reading *r)
{
    lac_packet_info *i = &r->info;
    i->coding = (uint8_t)next_bits(b, 2);
    i->frames = (uint8_t)(next_bits(b, 4) + 1);
    i->comfort = (uint8_t)next_bits(b, 1);
    uint32_t more = next_bits(b, 1);
    i->layer = (uint8_t)(next_bits(b, 3) + 1);
    i->codebooks = (uint8_t)(next_bits(b, 5) + 1);
    while (more) {
        lac_packet_block *block = &i->block[i->redundancy++];
        more = next_bits(b, 1);
        block->age = (uint8_t)next_bits(b, 6);
        block->frames = (uint8_t)(next_bits(b, 4) + 1);
        block->codebooks = (uint8_t)(next_bits(b, 5) + 1);
    }
    r->fresh.frames = i->frames;
}

static void read_layer(bits *b, reading *r, const lac_model *m, uint32_t blocks)
{
    uint32_t rest = r->info.codebooks - r->info.kept, count = rest < r->info.layer ? rest : r->info.layer;
    read_tokens(b, r, &r->fresh, r->info.kept, count, m, count == rest && blocks == 0);
    r->info.kept = (uint8_t)(r->info.kept + count);
}

static void read_payload(bits *b, reading *r, const lac_model *m)
{
    memset(r, 0, sizeof *r);
    read_head(b, r);
    uint32_t blocks = r->info.redundancy;
    read_layer(b, r, m, blocks);
    r->info.redundancy = 0;
    for (uint32_t i = 0; i < blocks && b->at < 8 * b->size; i++, r->info.redundancy++) {
        const lac_packet_block *block = &r->info.block[i];
        r->copies[i] = (element){.age = block->age, .frames = block->frames};
        bool last = i + 1 == blocks && r->info.codebooks == r->info.kept;
        read_tokens(b, r, &r->copies[i], 0, block->codebooks, m, last);
    }
    while (b->at < 8 * b->size)
        read_layer(b, r, m, 0);
}

/* ---- what the library makes of it ---- */

static void check_parse(const bits *b, const reading *r, uint32_t token_bits)
{
    lac_packet_info got;
    const lac_packet_info *want = &r->info;
    cr_assert_eq(lac_packet_parse(b->bytes, b->size, token_bits, &got), 0);
    cr_assert(got.coding == want->coding && got.comfort == want->comfort && got.frames == want->frames);
    cr_assert(got.codebooks == want->codebooks && got.kept == want->kept && got.layer == want->layer);
    cr_assert_eq(got.redundancy, want->redundancy);
    cr_assert_arr_eq(got.block, want->block, want->redundancy * sizeof *want->block);
}

/* Frames of e come out of d, unless one that came before had them. */
static void check_frames(lac_depacketizer *d, const element *e, uint64_t first, enum lac_frame_source source)
{
    for (uint32_t f = 0; f < e->frames; f++) {
        uint16_t tokens[LAC_MAX_CODEBOOKS];
        uint8_t codebooks;
        if (first - (uint64_t)e->age + f < lac_depacketizer_next(d))
            continue;
        while (lac_depacketizer_next(d) < first - (uint64_t)e->age + f)
            cr_assert_eq(lac_depacketizer_take(d, tokens, &codebooks), LAC_FRAME_LOST);
        cr_assert_eq(lac_depacketizer_take(d, tokens, &codebooks), source);
        cr_assert_eq(codebooks, e->codebooks);
        cr_assert_arr_eq(tokens, e->tokens[f], codebooks * sizeof *tokens);
    }
}

/* The blocks of the vectors stand in the order of their age, and the richest comes first where they overlap. */
static void check_take(const lac_model *m, const bits *b, const reading *r)
{
    lac_depacketizer *d = NULL;
    cr_assert_eq(lac_depacketizer_open(&d, m), 0);
    cr_assert_eq(lac_depacketizer_put(d, LAC_PACKET_MAX_AGE, b->bytes, b->size, NULL), 0);
    for (uint32_t i = r->info.redundancy; i-- > 0;)
        check_frames(d, &r->copies[i], LAC_PACKET_MAX_AGE, LAC_FRAME_RECOVERED);
    check_frames(d, &r->fresh, LAC_PACKET_MAX_AGE, r->info.comfort ? LAC_FRAME_COMFORT : LAC_FRAME_RECEIVED);
    lac_depacketizer_close(&d);
}

/* ---- vectors ---- */

static void print_element(char *text, const element *e)
{
    for (uint32_t f = 0; f < e->frames; f++) {
        text += sprintf(text, "tokens %d:", (int)f - e->age);
        for (uint32_t c = 0; c < e->codebooks; c++)
            text += sprintf(text, " %u", e->tokens[f][c]);
        text += sprintf(text, "\n");
    }
}

/* As the file has it. */
static void print_reading(char *text, const reading *r)
{
    const lac_packet_info *i = &r->info;
    text += sprintf(text, "structure coding %u comfort %u frames %u codebooks %u kept %u layer %u blocks %u\n",
                    i->coding, i->comfort, i->frames, i->codebooks, i->kept, i->layer, i->redundancy);
    print_element(text, &r->fresh);
    for (uint32_t b = 0; b < i->redundancy; b++) {
        text += strlen(text);
        text += sprintf(text, "block age %u frames %u codebooks %u\n", i->block[b].age, i->block[b].frames,
                        i->block[b].codebooks);
        print_element(text, &r->copies[b]);
    }
}

/* One vector from its second line on; ends after the empty line. */
static void check_vector(FILE *file, const lac_model *m, const char *name)
{
    static char line[LINE], want[4 * LINE], got[4 * LINE];
    static reading r;
    bits b;
    int status = 1000;
    cr_assert(fgets(line, sizeof line, file) && strncmp(line, "payload ", 8) == 0, "%s", name);
    read_hex(&b, line + 8);
    cr_assert(fgets(line, sizeof line, file) && sscanf(line, "status %d", &status) == 1, "%s", name);
    for (want[0] = 0; fgets(line, sizeof line, file) && line[0] != '\n';)
        strcat(want, line);
    if (status == 0) {
        read_payload(&b, &r, m);
        print_reading(got, &r);
        cr_assert_str_eq(got, want, "%s", name);
        check_parse(&b, &r, m->info.token_bits);
        check_take(m, &b, &r);
    } else {
        lac_depacketizer *d = NULL;
        cr_assert_eq(lac_depacketizer_open(&d, m), 0);
        cr_assert_eq(lac_depacketizer_put(d, LAC_PACKET_MAX_AGE, b.bytes, b.size, NULL), status, "%s", name);
        lac_depacketizer_close(&d);
    }
}

static void check_file(const char *model_name, const char *file_name, size_t least)
{
    static char line[LINE], name[LINE];
    char path[1024];
    lac_model *m = open_vector(model_name);
    FILE *file = fopen(vector_path(path, sizeof path, file_name), "r");
    size_t count = 0;
    cr_assert_not_null(file, "%s", path);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "name %s", name) == 1) {
            check_vector(file, m, name);
            count++;
        }
    fclose(file);
    cr_assert_geq(count, least);
    lac_model_close(&m);
}

Test(packetvectors, payloads_are_what_they_say)
{
    check_file("tiny.lacm", "packets/payloads.txt", 30);
    check_file("tiny_prior.lacm", "packets/coded.txt", 20);
}

/* ---- the document ---- */

/* A row of the dissection is bits, their value, what they are: all rows in turn are the payload that the document
 * and the vectors have. */
static void add_row(bits *b, const char *line)
{
    char text[LINE];
    unsigned value, n = 0;
    if (sscanf(line, "    %40[01] %u  %*c", text, &value) != 2)
        return;
    for (const char *c = text; *c; c++, b->at++) {
        b->bytes[b->at / 8] |= (uint8_t)((*c == '1') << (7 - b->at % 8));
        n = n << 1 | (*c == '1');
    }
    cr_assert_eq(n, value, "%s", line);
    b->size = (b->at + 7) / 8;
}

/* In hexadecimal, and what it is. */
static void add_bytes(bits *b, const char *line)
{
    char text[LINE];
    bits row;
    if (sscanf(line, "    0x%40[0-9a-f]  %*c", text) != 1)
        return;
    read_hex(&row, text);
    memcpy(b->bytes + b->size, row.bytes, row.size);
    b->size += row.size;
}

/* The payload of a vector. */
static void find_vector(bits *b, const char *file_name, const char *name)
{
    static char line[LINE];
    char path[1024], found[LINE] = "";
    FILE *file = fopen(vector_path(path, sizeof path, file_name), "r");
    cr_assert_not_null(file);
    while (strcmp(found, name) != 0 && fgets(line, sizeof line, file))
        sscanf(line, "name %s", found);
    cr_assert(fgets(line, sizeof line, file) && strncmp(line, "payload ", 8) == 0);
    read_hex(b, line + 8);
    fclose(file);
}

Test(packetvectors, the_document_dissects_payloads)
{
    static char line[LINE];
    char path[1024], hex[LINE] = "", coded_hex[LINE] = "";
    bits rows = {{0}, 0, 0}, coded_rows = {{0}, 0, 0}, stated, stored;
    FILE *file = fopen(vector_path(path, sizeof path, "../doc/rtp-payload.md"), "r");
    cr_assert_not_null(file);
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "    ", 4) != 0)
            continue;
        sscanf(line, "    payload %s", hex);
        sscanf(line, "    coded payload %s", coded_hex);
        add_row(&rows, line);
        add_bytes(&coded_rows, line);
    }
    fclose(file);
    read_hex(&stated, hex);
    find_vector(&stored, "packets/payloads.txt", "dissected");
    cr_assert_eq(stated.size, 12);
    cr_assert(stored.size == stated.size && rows.at == 8 * stated.size);
    cr_assert_arr_eq(stated.bytes, stored.bytes, stored.size);
    cr_assert_arr_eq(rows.bytes, stored.bytes, stored.size);
    read_hex(&stated, coded_hex);
    find_vector(&stored, "packets/coded.txt", "prior-dissected");
    cr_assert(stored.size > 0 && stored.size == stated.size && coded_rows.size == stored.size);
    cr_assert_arr_eq(stated.bytes, stored.bytes, stored.size);
    cr_assert_arr_eq(coded_rows.bytes, stored.bytes, stored.size);
}
