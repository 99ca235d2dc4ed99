#include <stdbool.h>
#include <string.h>

#include "lac/packet.h"
#include "packetcoding.h"
#include "weights.h"
#include "workspace.h"

#define NOISE LAC_DEPACKETIZER_FRAMES /* the slot of the noise that is held */
#define COMFORT_RANK 64               /* above any number of codebooks */

/* What is held of a frame. */
typedef struct slot {
    uint8_t codebooks; /* 0: nothing */
    uint8_t source;
} slot;

struct lac_depacketizer {
    lac_workspace memory;
    const lac_model *model;
    uint64_t next, end;
    uint64_t heard;   /* no frame from here to next - 1 came in time */
    slot *slots;      /* [LAC_DEPACKETIZER_FRAMES + 1]: by index modulo LAC_DEPACKETIZER_FRAMES, and NOISE, which is
                         {0} if what was heard last is not noise */
    uint16_t *tokens; /* [LAC_DEPACKETIZER_FRAMES + 1][Q] */
    lac_packet_info read; /* the payload read last */
    uint16_t *rows;   /* [1 + LAC_PACKET_MAX_REDUNDANCY][LAC_PACKET_MAX_FRAMES][Q]: its new frames and blocks */
};

static int lay_out(void *object, lac_workspace *w)
{
    lac_depacketizer *d = object;
    d->slots = lac_workspace_take(w, NOISE + 1, sizeof *d->slots);
    size_t Q = d->model->info.codebooks;
    d->tokens = lac_workspace_take(w, (NOISE + 1) * Q, sizeof *d->tokens);
    d->rows = lac_workspace_take(w, (1 + LAC_PACKET_MAX_REDUNDANCY) * LAC_PACKET_MAX_FRAMES * Q, sizeof *d->rows);
    return LAC_OK;
}

int lac_depacketizer_open(lac_depacketizer **depacketizer, const lac_model *model)
{
    lac_depacketizer draft = {.model = model};
    void *opened;
    if (!depacketizer || !model)
        return LAC_ERROR_ARGUMENT;
    int status = lac_object_open(&opened, &draft, sizeof draft, lay_out);
    if (!status)
        *depacketizer = opened;
    return status;
}

void lac_depacketizer_close(lac_depacketizer **depacketizer)
{
    if (!depacketizer)
        return;
    lac_object_close(*depacketizer);
    *depacketizer = NULL;
}

uint64_t lac_depacketizer_next(const lac_depacketizer *depacketizer)
{
    return depacketizer->next;
}

uint64_t lac_depacketizer_end(const lac_depacketizer *depacketizer)
{
    return depacketizer->end;
}

void lac_depacketizer_seek(lac_depacketizer *depacketizer, uint64_t frame)
{
    memset(depacketizer->slots, 0, (NOISE + 1) * sizeof *depacketizer->slots);
    depacketizer->next = depacketizer->end = depacketizer->heard = frame;
}

/* ---- put ---- */

/* Of the new frames (0) or a block (from 1 on). */
static uint16_t *rows_of(const lac_depacketizer *d, uint32_t block)
{
    return d->rows + (size_t)block * LAC_PACKET_MAX_FRAMES * d->model->info.codebooks;
}

/* False: the model doesn't have all these tokens. */
static bool read_parts(const lac_depacketizer *d, const lac_packet_info *sent, uint32_t parts,
                       const uint8_t *payload, size_t size)
{
    size_t at = lac_packet_head_bytes(sent);
    if (sent->codebooks > d->model->info.codebooks)
        return false;
    for (uint32_t i = 0; i < parts; i++) {
        lac_packet_part part = lac_packet_get_part(sent, i);
        size_t bytes = lac_packet_find_part(sent, d->model->info.token_bits, payload, size, i, &at);
        uint16_t *rows = rows_of(d, part.age > 0 ? i : 0);
        if (part.first + part.count > d->model->info.codebooks ||
            !lac_packetcoding_read(d->model, sent->coding, &part, rows, payload + at, bytes))
            return false;
        at += bytes;
    }
    return true;
}

int lac_depacketizer_read(lac_depacketizer *d, const void *payload, size_t size, lac_packet_info *info)
{
    lac_packet_info sent;
    uint32_t parts, codings = d->model->prior ? LAC_PACKET_CODINGS : LAC_PACKET_PRIOR;
    int status = lac_packet_read(payload, size, d->model->info.token_bits, codings, &sent, &parts);
    if (status)
        return status;
    lac_packet_get_info(&sent, parts, &d->read);
    *info = d->read;
    return read_parts(d, &sent, parts, payload, size) ? LAC_OK : LAC_ERROR_MODEL_MISMATCH;
}

static uint32_t rank(uint32_t source, uint32_t codebooks)
{
    return codebooks + (source == LAC_FRAME_COMFORT ? COMFORT_RANK : 0);
}

/* Where to keep a frame, or -1. Late noise still tells what to play after it, unless something newer was heard. */
static int slot_of(const lac_depacketizer *d, uint64_t frame, uint32_t source)
{
    if (frame >= d->next)
        return frame % LAC_DEPACKETIZER_FRAMES;
    return source == LAC_FRAME_COMFORT && frame >= d->heard ? NOISE : -1;
}

/* The frames of a block before frame `frame`, or with age 0 from it on. Returns how many had less before. */
static uint32_t store(lac_depacketizer *d, uint64_t frame, lac_packet_block b, uint32_t source,
                      const uint16_t *rows)
{
    size_t Q = d->model->info.codebooks;
    uint32_t fresh = 0;
    for (uint32_t i = b.age > frame ? b.age - (uint32_t)frame : 0; i < b.frames; i++) {
        uint64_t to = frame - b.age + i;
        int at = slot_of(d, to, source);
        if (at < 0 || rank(source, b.codebooks) <= rank(d->slots[at].source, d->slots[at].codebooks))
            continue;
        memcpy(d->tokens + (size_t)at * Q, rows + i * Q, b.codebooks * sizeof *rows);
        d->slots[at] = (slot){b.codebooks, (uint8_t)source};
        if (to >= d->end)
            d->end = to + 1;
        fresh += to >= d->next;
    }
    return fresh;
}

int lac_depacketizer_keep(lac_depacketizer *d, uint64_t frame, uint32_t *fresh)
{
    const lac_packet_info *p = &d->read;
    bool late_noise = p->comfort && frame < d->next && frame >= d->heard;
    if (frame >= d->next && frame - d->next > (uint64_t)LAC_DEPACKETIZER_FRAMES - p->frames)
        return LAC_ERROR_LIMIT;
    if (late_noise)
        d->slots[NOISE].codebooks = 0;
    uint32_t stored = store(d, frame, (lac_packet_block){0, p->frames, p->kept},
                            p->comfort ? LAC_FRAME_COMFORT : LAC_FRAME_RECEIVED, d->rows);
    for (uint32_t i = 0; i < p->redundancy; i++)
        stored += store(d, frame, p->block[i], LAC_FRAME_RECOVERED, rows_of(d, i + 1));
    if (late_noise)
        d->heard = frame + 1;
    if (fresh)
        *fresh = stored;
    return LAC_OK;
}

int lac_depacketizer_put(lac_depacketizer *depacketizer, uint64_t frame, const void *payload, size_t size,
                         uint32_t *fresh)
{
    lac_packet_info info;
    if (!depacketizer)
        return LAC_ERROR_ARGUMENT;
    int status = lac_depacketizer_read(depacketizer, payload, size, &info);
    return status ? status : lac_depacketizer_keep(depacketizer, frame, fresh);
}

/* ---- take ---- */

enum lac_frame_source lac_depacketizer_peek(const lac_depacketizer *depacketizer, uint64_t frame)
{
    const lac_depacketizer *d = depacketizer;
    uint64_t ahead = frame - d->next, last = LAC_DEPACKETIZER_FRAMES - 1;
    for (uint64_t i = ahead < last ? ahead : last; i != UINT64_MAX; i--) {
        const slot *s = &d->slots[(d->next + i) % LAC_DEPACKETIZER_FRAMES];
        if (s->codebooks > 0)
            return i == ahead || s->source == LAC_FRAME_COMFORT ? s->source : LAC_FRAME_LOST;
    }
    return d->slots[NOISE].source;
}

enum lac_frame_source lac_depacketizer_take(lac_depacketizer *depacketizer, uint16_t *tokens, uint8_t *codebooks)
{
    lac_depacketizer *d = depacketizer;
    size_t q = d->model->info.codebooks, at = d->next % LAC_DEPACKETIZER_FRAMES;
    bool held = d->slots[at].codebooks > 0;
    slot given = d->slots[held ? at : NOISE];
    memset(tokens, 0, q * sizeof *tokens);
    memcpy(tokens, d->tokens + (held ? at : NOISE) * q, given.codebooks * sizeof *tokens);
    d->next++;
    if (d->end < d->next)
        d->end = d->next;
    if (held) {
        d->heard = d->next;
        d->slots[NOISE] = given.source == LAC_FRAME_COMFORT ? given : (slot){0};
        memcpy(d->tokens + NOISE * q, tokens, q * sizeof *tokens);
        d->slots[at] = (slot){0};
    }
    *codebooks = given.codebooks;
    return given.source;
}
