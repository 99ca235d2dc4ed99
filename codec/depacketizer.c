#include <stdbool.h>
#include <string.h>

#include "lac/packet.h"
#include "packetbits.h"
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
};

static int lay_out(void *object, lac_workspace *w)
{
    lac_depacketizer *d = object;
    d->slots = lac_workspace_take(w, NOISE + 1, sizeof *d->slots);
    d->tokens = lac_workspace_take(w, (NOISE + 1) * (size_t)d->model->info.codebooks, sizeof *d->tokens);
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

/* A payload on its way in. */
typedef struct arrival {
    uint64_t frame; /* of the first new one */
    lac_packet_info sent;
    uint32_t parts, kept; /* kept: codebooks of the new frames */
    const uint8_t *payload;
} arrival;

/* Unpack part i, which begins at `at`: where the next one begins. */
static size_t unpack(const lac_depacketizer *d, const arrival *a, uint32_t i, size_t at, lac_packet_part *part,
                     uint16_t *tokens)
{
    *part = lac_packet_get_part(&a->sent, i);
    lac_packet_unpack(tokens, (size_t)part->frames * part->count, a->payload + at, d->model->info.token_bits);
    return at + lac_packet_part_bytes(part, d->model->info.token_bits);
}

static bool fits_model(const lac_depacketizer *d, const arrival *a)
{
    uint16_t tokens[LAC_PACKET_PART_TOKENS];
    lac_packet_part part;
    size_t at = lac_packet_head_bytes(&a->sent);
    if (a->sent.codebooks > d->model->info.codebooks)
        return false;
    for (uint32_t i = 0; i < a->parts; i++) {
        at = unpack(d, a, i, at, &part, tokens);
        if (part.first + part.count > d->model->info.codebooks)
            return false;
        for (uint32_t k = 0; k < part.frames * part.count; k++)
            if (tokens[k] >= d->model->info.codewords)
                return false;
    }
    return true;
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

/* Frames that this completes and that had less before. Of new frames the layers come one by one: a slot takes all
 * of them or none. */
static uint32_t store(lac_depacketizer *d, const arrival *a, const lac_packet_part *part, const uint16_t *tokens)
{
    uint32_t total = part->age ? part->count : a->kept, fresh = 0;
    uint32_t source = part->age ? LAC_FRAME_RECOVERED : a->sent.comfort ? LAC_FRAME_COMFORT : LAC_FRAME_RECEIVED;
    for (uint32_t i = part->age > a->frame ? part->age - (uint32_t)a->frame : 0; i < part->frames; i++) {
        uint64_t frame = a->frame - part->age + i;
        int at = slot_of(d, frame, source);
        if (at < 0 || rank(source, total) <= rank(d->slots[at].source, d->slots[at].codebooks))
            continue;
        memcpy(d->tokens + (size_t)at * d->model->info.codebooks + part->first, tokens + i * part->count,
               part->count * sizeof *tokens);
        d->slots[at] = (slot){(uint8_t)(part->first + part->count), (uint8_t)source};
        if (frame >= d->end)
            d->end = frame + 1;
        fresh += frame >= d->next && part->first + part->count == total;
    }
    return fresh;
}

static uint32_t store_all(lac_depacketizer *d, const arrival *a)
{
    uint16_t tokens[LAC_PACKET_PART_TOKENS];
    lac_packet_part part;
    size_t at = lac_packet_head_bytes(&a->sent);
    uint32_t fresh = 0;
    for (uint32_t i = 0; i < a->parts; i++) {
        at = unpack(d, a, i, at, &part, tokens);
        fresh += store(d, a, &part, tokens);
    }
    return fresh;
}

/* All of *a but its frame, and what lac_packet_parse gives. */
static int read_arrival(const lac_depacketizer *d, const void *payload, size_t size, arrival *a, lac_packet_info *info)
{
    int status = lac_packet_read(payload, size, d->model->info.token_bits, &a->sent, &a->parts);
    if (status)
        return status;
    lac_packet_get_info(&a->sent, a->parts, info);
    a->kept = info->kept;
    a->payload = payload;
    return fits_model(d, a) ? LAC_OK : LAC_ERROR_MODEL_MISMATCH;
}

int lac_depacketizer_check(const lac_depacketizer *d, const void *payload, size_t size, lac_packet_info *info)
{
    arrival a;
    return read_arrival(d, payload, size, &a, info);
}

int lac_depacketizer_put(lac_depacketizer *depacketizer, uint64_t frame, const void *payload, size_t size,
                         uint32_t *fresh)
{
    lac_depacketizer *d = depacketizer;
    arrival a = {.frame = frame};
    lac_packet_info info;
    if (!d)
        return LAC_ERROR_ARGUMENT;
    int status = read_arrival(d, payload, size, &a, &info);
    if (status)
        return status;
    if (frame >= d->next && frame - d->next > (uint64_t)LAC_DEPACKETIZER_FRAMES - a.sent.frames)
        return LAC_ERROR_LIMIT;
    if (a.sent.comfort && frame < d->next && frame >= d->heard)
        d->slots[NOISE].codebooks = 0;
    uint32_t stored = store_all(d, &a);
    if (a.sent.comfort && frame < d->next && frame >= d->heard)
        d->heard = frame + 1;
    if (fresh)
        *fresh = stored;
    return LAC_OK;
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
