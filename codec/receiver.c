#include "lac/receiver.h"

#include <stdbool.h>
#include <string.h>

#include "fmath.h"
#include "jitter.h"
#include "lac/decoder.h"
#include "packetbits.h"
#include "timescale.h"
#include "weights.h"
#include "workspace.h"

#define MOST_DELAY_MS 2000
#define LEAST_MAX_MS 60
#define MOST_PERMILLE 500

#define FIRST_FRAME (UINT64_C(1) << 32) /* the index of a stream's first packet: there may be frames before it */
#define JUMP LAC_RATE                   /* samples: timestamps further off begin another stream, */
#define JUMP_PACKETS 3                  /* if so many agree */
#define OUTAGE_FRAMES 10                /* lost in a row: what comes too late then begins another stream, too */
#define FARTHEST ((LAC_DEPACKETIZER_FRAMES - LAC_PACKET_MAX_FRAMES) * LAC_FRAME) /* samples ahead */
#define SEQUENCES 256                   /* back to which duplicates are known */
#define SEQUENCE_JUMP 3000              /* RFC 3550, A.1: MAX_DROPOUT */

#define OFFSET_SPAN (2 * LAC_RATE / LAC_MINIMUM_SLOTS) /* two seconds of calls, the most impatient counts */
#define SHORT_OF (LAC_JITTER_BUCKET / 2)  /* samples by which the delay may fall short of its target, */
#define BEYOND LAC_TIMESCALE_MOST         /* and exceed it: a step back does not go too far */
#define URGENT (100 * LAC_RATE / 1000)    /* off by that much, it is moved at once */
#define OVERFULL (60 * LAC_RATE / 1000)   /* that much above the most delay, sound is dropped */
#define REST_FRAMES 3                     /* from one step of the time scale to the next */
#define LIKENESS 0.9f                     /* where to stretch or compress; less, the longer no place is found */
#define LIKENESS_FRAME 0.005f             /* and the further the delay is off: a frame, */
#define LIKENESS_SAMPLE 1.25e-4f          /* a sample */
#define LEAST_LIKENESS 0.2f

#define PAST LAC_TIMESCALE_MOST

/* What reset clears. */
typedef struct playout {
    bool started;              /* a packet has come */
    bool sounding;             /* a frame has been decoded */
    uint32_t timestamp;        /* of frame 0 */
    uint64_t first_arrival;    /* microseconds */
    lac_jitter jitter;
    lac_minimum offset;        /* arrival less position, of packets: the sound of time t is heard at offset + t */
    uint32_t jumps, jump_timestamp;

    uint16_t sequence;         /* the highest */
    uint32_t sequences;        /* known up to there, at most SEQUENCES */
    uint64_t seen[SEQUENCES / 64];

    enum lac_frame_source source; /* of the last frame played, */
    uint16_t tokens[LAC_MAX_CODEBOOKS];
    uint8_t codebooks;
    uint32_t lost, empty;      /* frames in a row, up to it, that were lost; lost or comfort noise */
    uint64_t concealed;        /* of the last 64 frames, the last in bit 0 */
    uint32_t rested, wanting;  /* frames since the last step of the time scale; frames that found no place for it */

    size_t at, count;          /* pcm to be played; before it lies what was */
    float pcm[PAST + 2 * LAC_FRAME];
    lac_receiver_statistics statistics;
} playout;

struct lac_receiver {
    lac_receiver_settings settings;
    lac_decoder *decoder;
    lac_depacketizer *frames;
    playout p;
};

/* ---- open, close ---- */

void lac_receiver_default_settings(lac_receiver_settings *settings)
{
    *settings = (lac_receiver_settings){.max_delay_ms = 500, .late_permille = 10, .wait_redundancy = 1};
}

static bool settings_valid(const lac_receiver_settings *s)
{
    return s->min_delay_ms <= s->max_delay_ms && s->max_delay_ms >= LEAST_MAX_MS &&
           s->max_delay_ms <= MOST_DELAY_MS && s->late_permille <= MOST_PERMILLE && s->wait_redundancy <= 1;
}

int lac_receiver_open(lac_receiver **receiver, const lac_model *model, const lac_receiver_settings *settings)
{
    lac_receiver_settings chosen;
    lac_receiver_default_settings(&chosen);
    if (settings)
        chosen = *settings;
    if (!receiver || !model || !settings_valid(&chosen))
        return LAC_ERROR_ARGUMENT;
    lac_receiver *r = lac_alloc(sizeof *r);
    int status = r ? LAC_OK : LAC_ERROR_MEMORY;
    if (!status) {
        r->settings = chosen;
        status = lac_decoder_open(&r->decoder, model, NULL);
    }
    if (!status)
        status = lac_depacketizer_open(&r->frames, model);
    if (status) {
        lac_receiver_close(&r);
        return status;
    }
    lac_receiver_reset(r);
    *receiver = r;
    return LAC_OK;
}

void lac_receiver_close(lac_receiver **receiver)
{
    if (!receiver || !*receiver)
        return;
    lac_decoder_close(&(*receiver)->decoder);
    lac_depacketizer_close(&(*receiver)->frames);
    lac_free(*receiver);
    *receiver = NULL;
}

size_t lac_receiver_bytes(const lac_receiver *receiver)
{
    return sizeof *receiver + lac_decoder_bytes(receiver->decoder) + lac_object_bytes(receiver->frames);
}

void lac_receiver_reset(lac_receiver *receiver)
{
    memset(&receiver->p, 0, sizeof receiver->p);
    lac_decoder_reset(receiver->decoder);
    lac_depacketizer_seek(receiver->frames, FIRST_FRAME);
}

/* ---- where it stands, in samples ---- */

static uint64_t next_frame(const lac_receiver *r)
{
    return lac_depacketizer_next(r->frames);
}

static uint64_t frames_ahead(const lac_receiver *r)
{
    return lac_depacketizer_end(r->frames) - next_frame(r);
}

/* Of the next sample to be played, in the stream. */
static int64_t position(const lac_receiver *r)
{
    return (int64_t)(next_frame(r) * LAC_FRAME) - (int64_t)r->p.count;
}

static int64_t samples_of_ms(uint32_t ms)
{
    return (int64_t)ms * (LAC_RATE / 1000);
}

static int64_t arrival_of(const lac_receiver *r, uint64_t arrival_us)
{
    int64_t us = (int64_t)(arrival_us - r->p.first_arrival);
    return us / 1000000 * LAC_RATE + us % 1000000 * LAC_RATE / 1000000;
}

static int64_t delay_of(const lac_receiver *r)
{
    return lac_minimum_get(&r->p.offset) - lac_jitter_fastest(&r->p.jitter);
}

static int64_t target_of(const lac_receiver *r)
{
    int64_t wanted = lac_jitter_wanted(&r->p.jitter, r->settings.late_permille);
    int64_t least = samples_of_ms(r->settings.min_delay_ms), most = samples_of_ms(r->settings.max_delay_ms);
    wanted = wanted > least ? wanted : least;
    return wanted < most ? wanted : most;
}

/* The position has moved on by so many samples without their sound, or back. */
static void moved(lac_receiver *r, int64_t samples)
{
    lac_minimum_shift(&r->p.offset, -samples);
}

/* ---- put: sequence numbers ---- */

static uint64_t bit_of(uint16_t sequence)
{
    return UINT64_C(1) << (sequence % 64);
}

static uint64_t *word_of(playout *p, uint16_t sequence)
{
    return &p->seen[sequence % SEQUENCES / 64];
}

static int ahead_of(const playout *p, uint16_t sequence)
{
    uint16_t ahead = (uint16_t)(sequence - p->sequence);
    return ahead < 0x8000 ? ahead : ahead - 0x10000;
}

static bool is_duplicate(playout *p, uint16_t sequence)
{
    int ahead = ahead_of(p, sequence);
    return ahead <= 0 && -ahead < (int)p->sequences && (*word_of(p, sequence) & bit_of(sequence));
}

static void advance_sequence(playout *p, uint16_t to, uint32_t by)
{
    p->statistics.lost += by - 1;
    p->sequences = p->sequences + by < SEQUENCES ? p->sequences + by : SEQUENCES;
    for (uint32_t i = 0; i < by && i < SEQUENCES; i++)
        *word_of(p, (uint16_t)(to - i)) &= ~bit_of((uint16_t)(to - i));
    p->sequence = to;
}

static void count_sequence(playout *p, uint16_t sequence)
{
    int ahead = ahead_of(p, sequence);
    if (p->sequences == 0 || ahead > SEQUENCE_JUMP || ahead < -SEQUENCE_JUMP) {
        p->sequence = sequence;
        p->sequences = 1;
    } else if (ahead > 0) {
        advance_sequence(p, sequence, (uint32_t)ahead);
    } else {
        p->statistics.reordered++;
        if (-ahead >= (int)p->sequences)
            return;
        p->statistics.lost--;
    }
    *word_of(p, sequence) |= bit_of(sequence);
}

/* ---- put ---- */

/* Whether the stream may go back to a frame that came late: nothing that follows has been played. That lengthens
 * the delay. */
static bool can_return(const lac_receiver *r, uint64_t frame)
{
    uint64_t by = next_frame(r) - frame;
    return by <= r->p.empty && frames_ahead(r) == 0 &&
           delay_of(r) + (int64_t)(by * LAC_FRAME) <= samples_of_ms(r->settings.max_delay_ms);
}

static void go_back(lac_receiver *r, uint64_t frame)
{
    playout *p = &r->p;
    uint64_t by = next_frame(r) - frame;
    lac_depacketizer_seek(r->frames, frame);
    moved(r, -(int64_t)(by * LAC_FRAME));
    p->empty -= (uint32_t)by;
    p->concealed = by < 64 ? p->concealed >> by : 0;
}

/* Begin a stream at this packet. */
static void begin(lac_receiver *r, uint32_t timestamp, uint64_t arrival_us)
{
    playout *p = &r->p;
    p->timestamp = timestamp - (uint32_t)(FIRST_FRAME * LAC_FRAME);
    p->first_arrival = arrival_us;
    p->sequences = p->lost = p->empty = p->jumps = 0;
    p->concealed = 0;
    lac_jitter_init(&p->jitter);
    lac_minimum_init(&p->offset, OFFSET_SPAN);
    lac_jitter_arrived(&p->jitter, 0, -(int64_t)(FIRST_FRAME * LAC_FRAME), 0);
    int64_t wait = target_of(r);
    if (!p->sounding) {
        memset(p->pcm, 0, sizeof p->pcm);
        p->at = PAST;
        p->count = (size_t)(wait % LAC_FRAME);
    }
    lac_depacketizer_seek(r->frames, FIRST_FRAME - (uint64_t)(wait / LAC_FRAME));
    p->started = true;
}

/* The same after another stream. */
static int restart(lac_receiver *r, uint32_t timestamp, uint64_t arrival_us, uint64_t *frame)
{
    begin(r, timestamp, arrival_us);
    r->p.statistics.restarts++;
    *frame = FIRST_FRAME;
    return LAC_OK;
}

static int jump(lac_receiver *r, uint32_t timestamp, uint64_t arrival_us, uint64_t *frame)
{
    playout *p = &r->p;
    uint32_t step = timestamp - p->jump_timestamp;
    p->jumps = step > 0 && step <= JUMP && step % LAC_FRAME == 0 ? p->jumps + 1 : 1;
    p->jump_timestamp = timestamp;
    return p->jumps < JUMP_PACKETS ? LAC_ERROR_LIMIT : restart(r, timestamp, arrival_us, frame);
}

/* Which frame a packet begins with. */
static int place(lac_receiver *r, const lac_rtp *packet, uint64_t arrival_us, uint64_t *frame)
{
    uint32_t timestamp = packet->timestamp;
    if (!r->p.started) {
        begin(r, timestamp, arrival_us);
        *frame = FIRST_FRAME;
        return LAC_OK;
    }
    uint32_t next = r->p.timestamp + (uint32_t)(next_frame(r) * LAC_FRAME), ahead = timestamp - next;
    int64_t samples = ahead < 0x80000000u ? (int64_t)ahead : (int64_t)ahead - INT64_C(0x100000000);
    int64_t most = (int64_t)frames_ahead(r) * LAC_FRAME + JUMP;
    if (samples < -JUMP || samples > (most < FARTHEST ? most : FARTHEST))
        return jump(r, timestamp, arrival_us, frame);
    if (samples % LAC_FRAME)
        return LAC_ERROR_FORMAT;
    *frame = next_frame(r) + (uint64_t)(samples / LAC_FRAME);
    if (samples < 0 && r->p.lost >= OUTAGE_FRAMES && !can_return(r, *frame) &&
        !is_duplicate(&r->p, packet->sequence))
        return restart(r, timestamp, arrival_us, frame);
    return LAC_OK;
}

/* Whether nothing of it has come; of frames played, only until asked. */
static bool is_missing(lac_receiver *r, uint64_t frame)
{
    uint64_t next = next_frame(r);
    if (frame >= next)
        return lac_depacketizer_peek(r->frames, frame) == LAC_FRAME_LOST;
    uint64_t bit = next - frame <= 64 ? UINT64_C(1) << (next - frame - 1) : 0;
    bool missing = r->p.concealed & bit;
    r->p.concealed &= ~bit;
    return missing;
}

/* Lost frames count as arrived when their redundancy does. */
static void learn_redundancy(lac_receiver *r, const lac_packet_info *info, uint64_t frame, int64_t arrival)
{
    for (uint32_t b = 0; b < info->redundancy; b++)
        for (uint64_t i = 0; i < info->block[b].frames; i++) {
            uint64_t earlier = frame - info->block[b].age + i;
            if (earlier >= FIRST_FRAME && is_missing(r, earlier))
                lac_jitter_recovered(&r->p.jitter, arrival - (int64_t)(earlier * LAC_FRAME));
        }
}

static void accept(lac_receiver *r, const lac_rtp *packet, const lac_packet_info *info, uint64_t frame,
                   int64_t arrival)
{
    playout *p = &r->p;
    p->statistics.packets++;
    p->jumps = 0;
    if (is_duplicate(p, packet->sequence)) {
        p->statistics.duplicates++;
        return;
    }
    count_sequence(p, packet->sequence);
    lac_jitter_arrived(&p->jitter, arrival, arrival - (int64_t)(frame * LAC_FRAME), info->frames);
    if (!p->sounding) /* nobody may be listening yet */
        lac_minimum_init(&p->offset, OFFSET_SPAN);
    lac_minimum_add(&p->offset, arrival, arrival - position(r));
    if (r->settings.wait_redundancy)
        learn_redundancy(r, info, frame, arrival);
    if (frame < next_frame(r) && !info->comfort && can_return(r, frame))
        go_back(r, frame);
    p->statistics.late += frame + info->frames <= next_frame(r);
    lac_depacketizer_keep(r->frames, frame, NULL);
}

int lac_receiver_put(lac_receiver *receiver, const lac_rtp *packet, uint64_t arrival_us)
{
    lac_packet_info info;
    uint64_t frame;
    if (!receiver || !packet || !packet->payload)
        return LAC_ERROR_ARGUMENT;
    int status = lac_depacketizer_read(receiver->frames, packet->payload, packet->size, &info);
    if (!status)
        status = place(receiver, packet, arrival_us, &frame);
    if (status) {
        receiver->p.statistics.malformed++;
        return status;
    }
    accept(receiver, packet, &info, frame, arrival_of(receiver, arrival_us));
    return LAC_OK;
}

/* ---- get ---- */

/* The next frame is taken, not played yet. */
static void take(lac_receiver *r)
{
    playout *p = &r->p;
    p->source = lac_depacketizer_take(r->frames, p->tokens, &p->codebooks);
    bool lost = p->source == LAC_FRAME_LOST;
    p->lost = lost ? p->lost + 1 : 0;
    p->empty = lost || p->source == LAC_FRAME_COMFORT ? p->empty + 1 : 0;
    p->concealed = p->concealed << 1 | (lost && p->sounding);
}

/* The frame taken last, behind what is there. */
static void play(lac_receiver *r)
{
    playout *p = &r->p;
    float *to = p->pcm + p->at + p->count;
    p->count += LAC_FRAME;
    if (!p->sounding && p->source == LAC_FRAME_LOST) {
        memset(to, 0, LAC_FRAME * sizeof *to);
        return;
    }
    p->sounding = true;
    lac_decoder_read(r->decoder, p->tokens, &p->codebooks, 1, to);
    p->statistics.frames++;
    p->statistics.recovered_frames += p->source == LAC_FRAME_RECOVERED;
    p->statistics.concealed_frames += p->source == LAC_FRAME_LOST;
    p->statistics.comfort_frames += p->source == LAC_FRAME_COMFORT;
}

/* Whether the next frame only goes on with noise or silence, and may be left out or the one before repeated. */
static bool is_idle(const lac_receiver *r)
{
    const playout *p = &r->p;
    enum lac_frame_source next = lac_depacketizer_peek(r->frames, next_frame(r));
    if (next == LAC_FRAME_LOST)
        return !p->sounding || p->lost >= LAC_CONCEAL_FRAMES;
    return !p->sounding || (next == LAC_FRAME_COMFORT && p->source == LAC_FRAME_COMFORT);
}

static void drop(lac_receiver *r)
{
    take(r);
    moved(r, LAC_FRAME);
}

/* Bring the delay near its target at once. False: the frame played last is to be played again. */
static bool move_idly(lac_receiver *r, int64_t target)
{
    playout *p = &r->p;
    if (delay_of(r) <= target - LAC_FRAME / 2) {
        moved(r, -LAC_FRAME);
        p->statistics.stretched_samples += p->sounding ? LAC_FRAME : 0;
        return false;
    }
    for (int i = 0; i < LAC_DEPACKETIZER_FRAMES && delay_of(r) >= target + LAC_FRAME && is_idle(r); i++) {
        drop(r);
        p->statistics.compressed_samples += p->sounding ? LAC_FRAME : 0;
    }
    return true;
}

static void compress(lac_receiver *r, float likeness)
{
    playout *p = &r->p;
    enum lac_frame_source next = lac_depacketizer_peek(r->frames, next_frame(r));
    if (next != LAC_FRAME_RECEIVED && next != LAC_FRAME_RECOVERED)
        return;
    take(r);
    play(r);
    size_t samples = lac_timescale_compress(p->pcm + p->at, p->count, likeness);
    p->count -= samples;
    p->statistics.compressed_samples += samples;
    moved(r, (int64_t)samples);
    p->rested = samples > 0 ? 0 : p->rested;
}

static void stretch(lac_receiver *r, float likeness)
{
    playout *p = &r->p;
    size_t samples = lac_timescale_stretch(p->pcm + p->at, p->count, likeness);
    p->count += samples;
    p->statistics.stretched_samples += samples;
    moved(r, -(int64_t)samples);
    p->rested = samples > 0 ? 0 : p->rested;
}

/* Bring the delay, `excess` above its target, nearer to it by a change of the frame just decoded. */
static void scale(lac_receiver *r, int64_t excess)
{
    playout *p = &r->p;
    int64_t off = excess < 0 ? -excess : excess;
    p->rested++;
    if (excess > -SHORT_OF && excess < BEYOND)
        p->wanting = 0;
    else if (p->source != LAC_FRAME_LOST && (off > URGENT || p->rested > REST_FRAMES)) {
        float likeness = LIKENESS - LIKENESS_FRAME * (float)p->wanting - LIKENESS_SAMPLE * (float)off;
        likeness = likeness > LEAST_LIKENESS ? likeness : LEAST_LIKENESS;
        if (excess < 0)
            stretch(r, likeness);
        else
            compress(r, likeness);
        p->wanting = p->rested == 0 ? 0 : p->wanting + 1;
    }
}

/* At least a frame more. */
static void refill(lac_receiver *r)
{
    playout *p = &r->p;
    memmove(p->pcm, p->pcm + p->at - PAST, PAST * sizeof *p->pcm);
    p->at = PAST;
    int64_t target = target_of(r), most = samples_of_ms(r->settings.max_delay_ms);
    if (delay_of(r) > most + OVERFULL)
        for (int i = 0; delay_of(r) > most && i < LAC_DEPACKETIZER_FRAMES; i++)
            drop(r);
    bool idle = is_idle(r);
    if (!idle || move_idly(r, target))
        take(r);
    play(r);
    if (!idle)
        scale(r, delay_of(r) - target);
}

int lac_receiver_get(lac_receiver *receiver, float *pcm, size_t samples)
{
    if (!receiver || (!pcm && samples > 0))
        return LAC_ERROR_ARGUMENT;
    playout *p = &receiver->p;
    lac_float_mode mode = lac_float_enter();
    for (size_t n; samples > 0; samples -= n, pcm += n) {
        n = samples;
        if (!p->started) {
            memset(pcm, 0, n * sizeof *pcm);
            continue;
        }
        if (p->count == 0)
            refill(receiver);
        n = n < p->count ? n : p->count;
        memcpy(pcm, p->pcm + p->at, n * sizeof *pcm);
        p->at += n;
        p->count -= n;
    }
    lac_float_leave(mode);
    return LAC_OK;
}

/* ---- statistics ---- */

static uint32_t ms_of(int64_t samples)
{
    return samples > 0 ? (uint32_t)(samples / (LAC_RATE / 1000)) : 0;
}

void lac_receiver_get_statistics(const lac_receiver *receiver, lac_receiver_statistics *statistics)
{
    const playout *p = &receiver->p;
    *statistics = p->statistics;
    if (!p->started)
        return;
    statistics->jitter_us = (uint32_t)(p->jitter.variation * (1000000 / 16) / LAC_RATE);
    statistics->delay_ms = ms_of(delay_of(receiver));
    statistics->target_delay_ms = ms_of(target_of(receiver));
    statistics->buffered_ms = ms_of((int64_t)(frames_ahead(receiver) * LAC_FRAME + p->count));
}
