#include <stdbool.h>
#include <string.h>

#include "lac/packet.h"
#include "packetcoding.h"
#include "weights.h"
#include "workspace.h"

#define HISTORY 128 /* frames kept, a power of two: all that a block can reach, and the new ones */
#define NOISE_CODEBOOKS 8 /* of comfort noise, at most: more change little */
#define NOISE_FRAMES 16   /* that it describes */
#define NOISE_ONE 256     /* one of the mean in latents of fixed point */

struct lac_packetizer {
    lac_workspace memory;
    const lac_model *model;
    lac_packetizer_settings settings;
    uint64_t next;               /* index of the next frame to come */
    uint32_t waiting;            /* frames before it that wait for their packet */
    uint32_t quiet;              /* frames since the last comfort noise, 0 while sound is sent */
    int32_t noise[LAC_RVQ_MAX_D]; /* mean latent of inactive frames */
    uint32_t noise_frames;       /* how many it is of, up to NOISE_FRAMES */
    uint16_t *tokens;            /* [HISTORY][Q] */
    uint8_t codebooks[HISTORY];
    bool active[HISTORY];
};

void lac_packetizer_default_settings(lac_packetizer_settings *settings)
{
    *settings = (lac_packetizer_settings){.frames = 1, .layer = 2, .comfort_frames = 20};
}

/* ---- settings ---- */

/* With `frames` new frames of all codebooks. */
static size_t largest_payload(const lac_packetizer_settings *s, uint32_t frames, const lac_model *model)
{
    lac_packet_info sent = {.frames = (uint8_t)frames, .codebooks = (uint8_t)model->info.codebooks,
                            .layer = (uint8_t)s->layer, .redundancy = (uint8_t)s->redundancy};
    for (uint32_t i = 0; i < s->redundancy; i++) {
        sent.block[i] = s->block[i];
        if (sent.block[i].codebooks > sent.codebooks)
            sent.block[i].codebooks = sent.codebooks;
    }
    return lac_packet_bytes(&sent, model->info.token_bits);
}

static bool block_valid(const lac_packet_block *b)
{
    return b->age <= LAC_PACKET_MAX_AGE && b->frames >= 1 && b->frames <= LAC_PACKET_MAX_FRAMES &&
           b->frames <= b->age && b->codebooks >= 1 && b->codebooks <= LAC_MAX_CODEBOOKS;
}

static int check_settings(const lac_packetizer_settings *s, uint32_t waiting, const lac_model *model)
{
    if (s->frames < 1 || s->frames > LAC_PACKET_MAX_FRAMES || s->layer < 1 || s->layer > LAC_PACKET_MAX_LAYER ||
        s->redundancy > LAC_PACKET_MAX_REDUNDANCY || s->dtx > 1 || s->comfort_frames < 1 ||
        s->comfort_frames > 500 || s->coded > 1)
        return LAC_ERROR_ARGUMENT;
    for (uint32_t i = 0; i < s->redundancy; i++)
        if (!block_valid(&s->block[i]))
            return LAC_ERROR_ARGUMENT;
    uint32_t frames = s->frames > waiting + 1 ? s->frames : waiting + 1;
    return largest_payload(s, frames, model) <= LAC_PACKET_MAX_BYTES ? LAC_OK : LAC_ERROR_LIMIT;
}

/* `count` blocks, one for each packet before, of linearly fewer codebooks. */
static size_t plan_blocks(lac_packet_block *block, uint32_t frames, uint32_t count, uint32_t codebooks,
                          uint32_t token_bits)
{
    size_t bytes = 2 * (size_t)count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t share = (codebooks * (count - i) + count - 1) / count;
        block[i] = (lac_packet_block){(uint8_t)(frames * (i + 1)), (uint8_t)frames, (uint8_t)share};
        lac_packet_part part = {block[i].age, frames, 0, share};
        bytes += lac_packet_part_bytes(&part, token_bits);
    }
    return bytes;
}

void lac_packetizer_plan(lac_packetizer_settings *settings, uint32_t token_bits, uint32_t codebooks,
                         uint32_t packets, uint32_t bytes)
{
    uint32_t most = settings->frames > 0 ? LAC_PACKET_MAX_AGE / settings->frames : 0;
    most = most < LAC_PACKET_MAX_REDUNDANCY ? most : LAC_PACKET_MAX_REDUNDANCY;
    codebooks = codebooks < LAC_MAX_CODEBOOKS ? codebooks : LAC_MAX_CODEBOOKS;
    for (uint32_t n = packets < most ? packets : most; n > 0; n--)
        for (uint32_t c = codebooks; c > 0; c--)
            if (plan_blocks(settings->block, settings->frames, n, c, token_bits) <= bytes) {
                settings->redundancy = n;
                return;
            }
    settings->redundancy = 0;
}

int lac_packetizer_set(lac_packetizer *packetizer, const lac_packetizer_settings *settings)
{
    if (!packetizer || !settings)
        return LAC_ERROR_ARGUMENT;
    int status = check_settings(settings, packetizer->waiting, packetizer->model);
    if (!status)
        packetizer->settings = *settings;
    return status;
}

/* ---- open, close ---- */

static int lay_out(void *object, lac_workspace *w)
{
    lac_packetizer *p = object;
    const lac_model *m = p->model;
    p->tokens = lac_workspace_take(w, HISTORY * (size_t)m->arch.codebooks, sizeof *p->tokens);
    return LAC_OK;
}

int lac_packetizer_open(lac_packetizer **packetizer, const lac_model *model,
                        const lac_packetizer_settings *settings)
{
    lac_packetizer draft = {.model = model};
    void *opened;
    if (!packetizer || !model)
        return LAC_ERROR_ARGUMENT;
    lac_packetizer_default_settings(&draft.settings);
    if (settings)
        draft.settings = *settings;
    int status = check_settings(&draft.settings, 0, model);
    if (!status)
        status = lac_object_open(&opened, &draft, sizeof draft, lay_out);
    if (!status)
        *packetizer = opened;
    return status;
}

void lac_packetizer_close(lac_packetizer **packetizer)
{
    if (!packetizer)
        return;
    lac_object_close(*packetizer);
    *packetizer = NULL;
}

/* ---- packets ---- */

static uint16_t *row(const lac_packetizer *p, uint64_t frame)
{
    return p->tokens + frame % HISTORY * p->model->info.codebooks;
}

/* The fewest codebooks, at most `most`, of `count` frames. */
static uint8_t fewest(const lac_packetizer *p, uint64_t first, uint32_t count, uint8_t most)
{
    for (uint32_t i = 0; i < count; i++)
        if (p->codebooks[(first + i) % HISTORY] < most)
            most = p->codebooks[(first + i) % HISTORY];
    return most;
}

/* What of a block before frame `first` there is to repeat: noise at its ends is not. */
static lac_packet_block trim(const lac_packetizer *p, uint64_t first, lac_packet_block b)
{
    uint32_t end = b.age - b.frames; /* the age of what follows the block */
    b.age = (uint8_t)(first < b.age ? first : b.age);
    while (b.age > end && !p->active[(first - b.age) % HISTORY])
        b.age--;
    while (b.age > end && !p->active[(first - end - 1) % HISTORY])
        end++;
    b.frames = (uint8_t)(b.age > end ? b.age - end : 0);
    b.codebooks = fewest(p, first - b.age, b.frames, b.codebooks);
    return b;
}

/* Returns the bytes, 0 if they are more than capacity. */
static size_t write_part(const lac_packetizer *p, uint32_t coding, const lac_packet_part *part, uint64_t first,
                         uint8_t *out, size_t capacity)
{
    uint16_t rows[LAC_PACKET_PART_TOKENS];
    uint32_t Q = p->model->info.codebooks;
    for (uint32_t i = 0; i < part->frames; i++)
        memcpy(rows + i * Q, row(p, first - part->age + i), (part->first + part->count) * sizeof *rows);
    return lac_packetcoding_write(p->model, coding, part, rows, out, capacity);
}

/* The payload that `sent` describes. Returns its size, 0 if that is more than capacity or a part is too large. */
static size_t write_payload(const lac_packetizer *p, const lac_packet_info *sent, uint64_t first, uint8_t *out,
                            size_t capacity)
{
    size_t at = lac_packet_head_bytes(sent);
    lac_packet_write_head(out, sent);
    for (uint32_t i = 0, all = lac_packet_parts(sent); i < all; i++) {
        lac_packet_part part = lac_packet_get_part(sent, i);
        bool sized = sent->coding != LAC_PACKET_PLAIN && i + 1 < all;
        size_t room = at + sized < capacity ? capacity - at - sized : 0;
        if (sized && room > LAC_PACKET_MAX_CODED)
            room = LAC_PACKET_MAX_CODED;
        size_t bytes = write_part(p, sent->coding, &part, first, out + at + sized, room);
        if (bytes == 0)
            return 0;
        if (sized)
            out[at] = (uint8_t)bytes;
        at += sized + bytes;
    }
    return at;
}

/* By the prior, if it gets smaller so; else 0. */
static size_t write_coded(const lac_packetizer *p, lac_packet_info sent, uint64_t first, uint8_t *out)
{
    sent.coding = LAC_PACKET_PRIOR;
    return write_payload(p, &sent, first, out, lac_packet_bytes(&sent, p->model->info.token_bits) - 1);
}

/* The last `frames` frames as a packet. */
static void emit(lac_packetizer *p, uint32_t frames, bool comfort, lac_packet *packet)
{
    const lac_packetizer_settings *s = &p->settings;
    uint64_t first = p->next - frames;
    lac_packet_info sent = {.comfort = comfort, .frames = (uint8_t)frames, .layer = (uint8_t)s->layer,
                            .codebooks = fewest(p, first, frames, LAC_MAX_CODEBOOKS)};
    for (uint32_t i = 0; i < s->redundancy; i++) {
        lac_packet_block b = trim(p, first, s->block[i]);
        if (b.frames > 0)
            sent.block[sent.redundancy++] = b;
    }
    packet->frame = first;
    packet->frames = frames;
    packet->comfort = comfort;
    packet->marker = !comfort && p->quiet > 0;
    size_t size = s->coded && !comfort && p->model->prior ? write_coded(p, sent, first, packet->data) : 0;
    if (size == 0)
        size = write_payload(p, &sent, first, packet->data, LAC_PACKET_MAX_BYTES);
    packet->size = (uint32_t)size;
    p->waiting = 0;
}

/* ---- comfort noise ---- */

/* Latents are averaged, over the last NOISE_FRAMES or so: a single frame of noise is several dB off. */
static void observe_noise(lac_packetizer *p, const uint16_t *tokens, uint32_t codebooks)
{
    int16_t z[LAC_RVQ_MAX_D];
    lac_quantiser_decode(&p->model->quantiser, tokens, codebooks, z);
    p->noise_frames += p->noise_frames < NOISE_FRAMES;
    for (size_t i = 0; i < p->model->arch.latent; i++)
        p->noise[i] += (z[i] * NOISE_ONE - p->noise[i]) / (int32_t)p->noise_frames;
}

/* The last frame becomes the description of the noise. */
static void describe_noise(lac_packetizer *p)
{
    int16_t z[LAC_RVQ_MAX_D], residual[LAC_RVQ_MAX_D];
    uint32_t codebooks = fewest(p, p->next - 1, 1, NOISE_CODEBOOKS);
    for (size_t i = 0; i < p->model->arch.latent; i++)
        z[i] = (int16_t)(p->noise[i] / NOISE_ONE);
    lac_quantiser_encode(&p->model->quantiser, 1, z, &codebooks, 1, row(p, p->next - 1), residual);
    p->codebooks[(p->next - 1) % HISTORY] = (uint8_t)codebooks;
}

/* The last frame is noise and no sound waits. */
static bool send_noise(lac_packetizer *p, lac_packet *packet)
{
    bool due = p->quiet == 0 || p->quiet >= p->settings.comfort_frames;
    p->quiet = due ? 1 : p->quiet + 1;
    if (due) {
        describe_noise(p);
        emit(p, 1, true, packet);
    }
    return due;
}

/* ---- frames in ---- */

static bool tokens_valid(const lac_model *model, const uint16_t *tokens, uint32_t codebooks)
{
    if (codebooks < 1 || codebooks > model->info.codebooks)
        return false;
    for (uint32_t i = 0; i < codebooks; i++)
        if (tokens[i] >= model->info.codewords)
            return false;
    return true;
}

int lac_packetizer_write(lac_packetizer *packetizer, const uint16_t *tokens, uint32_t codebooks, int active,
                         lac_packet *packet, int *ready)
{
    lac_packetizer *p = packetizer;
    if (!p || !tokens || !packet || !ready || !tokens_valid(p->model, tokens, codebooks))
        return LAC_ERROR_ARGUMENT;
    bool sound = active || !p->settings.dtx;
    memcpy(row(p, p->next), tokens, codebooks * sizeof *tokens);
    p->codebooks[p->next % HISTORY] = (uint8_t)codebooks;
    p->active[p->next % HISTORY] = sound;
    p->next++;
    if (!sound)
        observe_noise(p, tokens, codebooks);
    if (!sound && p->waiting == 0) {
        *ready = send_noise(p, packet);
        return LAC_OK;
    }
    p->waiting++;
    if (sound && p->waiting < p->settings.frames) {
        *ready = 0;
        return LAC_OK;
    }
    return lac_packetizer_flush(p, packet, ready);
}

int lac_packetizer_flush(lac_packetizer *packetizer, lac_packet *packet, int *ready)
{
    if (!packetizer || !packet || !ready)
        return LAC_ERROR_ARGUMENT;
    *ready = packetizer->waiting > 0;
    if (*ready) {
        emit(packetizer, packetizer->waiting, false, packet);
        packetizer->quiet = 0;
    }
    return LAC_OK;
}
