#include "draw.h"

#include <math.h>

/* What is drawn, each under a key of its own: new ones come last, so that old plans stay what they are. */
enum purpose {
    CONTENT_GROUP,
    CONTENT_ROW,
    UNTOUCHED,
    SPEAKER_KIND,
    VOICE,
    VOICE_ROW,
    SECOND_ROW,
    SECOND_VOICE,
    MIX,
    SPEAKER_SEED,
    ATTRIBUTE,
    STYLE_KIND = ATTRIBUTE + 4,
    STYLE_ROW,
    STYLE_WEIGHT,
    PITCH,
    RANGE,
    RATE,
    ENERGY,
    ENVIRONMENT_KIND,
    ENVIRONMENT_ROW,
    ENVIRONMENT_SEED,
    CHANNEL_KIND,
    CHANNEL_ROW,
    CHANNEL_SEED,
    GENERATOR,
    ROOM,
    T60,
    NOISE,
    NOISE_SNR,
    NOISE_SOURCE,
    BABBLE,
    BABBLE_SNR,
    BABBLE_VOICES,
    BABBLE_SOURCE,
    MICROPHONE = BABBLE_SOURCE + LAC_DRAW_BABBLE,
    MICROPHONE_DB,
    BAND,
    LOW,
    HIGH,
    MULAW,
    OPUS,
    OPUS_BPS,
    OPUS_LOSS,
    CLIP,
    CLIP_DB,
    SIMULATION_SEED,
    VOICE_NUMBER
};

/* ---- permutations ---- */

/* A Feistel network over 2 * half bits; numbers beyond n go round again. */
uint64_t lac_draw_permute(uint64_t key, uint64_t n, uint64_t i)
{
    unsigned half = 1;

    while (half < 32 && (UINT64_C(1) << (2 * half)) < n)
        half++;
    uint64_t mask = (UINT64_C(1) << half) - 1;
    do {
        uint64_t left = i >> half, right = i & mask;

        for (uint64_t round = 0; round < 4; round++) {
            uint64_t swap = left ^ (lac_key(key + round, right) & mask);

            left = right;
            right = swap;
        }
        i = left << half | right;
    } while (i >= n);
    return i;
}

/* Number `turn` of rounds through 0 .. n - 1, each in another order. */
static uint64_t turn_of(uint64_t key, uint64_t n, uint64_t turn)
{
    return lac_draw_permute(lac_key(key, turn / n), n, turn % n);
}

static uint32_t below(uint64_t key, uint32_t n)
{
    return (uint32_t)(lac_key_share(key) * n);
}

/* ---- factors ---- */

static enum lac_draw_kind pick(const double weight[5], uint64_t key)
{
    double sum = 0, at;
    int last = 0;

    for (int k = 0; k < 5; k++)
        sum += weight[k];
    at = lac_key_share(key) * sum;
    for (int k = 0; k < 5; k++) {
        if (weight[k] <= 0)
            continue;
        last = k;
        if (at < weight[k])
            break;
        at -= weight[k];
    }
    return (enum lac_draw_kind)last;
}

/* The output's content, and which use of it this is. */
static void draw_content(lac_draw *d, const lac_plan *plan, const lac_cast *cast)
{
    const lac_grouped *g = &cast->content;
    uint64_t key = lac_key(plan->seed, CONTENT_GROUP);
    uint64_t group = turn_of(key, g->groups, d->index), turn = d->index / g->groups;
    uint64_t size = g->start[group + 1] - g->start[group];

    key = lac_key(lac_key(plan->seed, CONTENT_ROW), group);
    d->content = g->row[g->start[group] + turn_of(key, size, turn)];
    d->use = turn / size;
    d->uses = cast->count / g->groups / size + 1;
}

static uint32_t voice_row(const lac_cast *cast, uint64_t voice, uint64_t key)
{
    uint32_t start = cast->voices.start[voice], size = cast->voices.start[voice + 1] - start;

    return cast->voices.row[start + below(key, size)];
}

/* Somebody but the content's speaker, if there is anybody else. The uses of a row and their attempts take turns. */
static uint64_t draw_voice(const lac_draw *d, const lac_plan *plan, const lac_cast *cast)
{
    uint64_t key = lac_key(lac_key(plan->seed, VOICE), d->content), voices = cast->voices.groups;
    uint32_t speaker = cast->speaker[d->content];
    uint64_t own = speaker == LAC_CAST_NOBODY ? LAC_CAST_NOBODY : cast->voice_of[speaker];

    if (own == LAC_CAST_NOBODY || voices == 1)
        return turn_of(key, voices, d->use + d->attempt * d->uses);
    uint64_t voice = turn_of(key, voices - 1, d->use + d->attempt * d->uses);
    return voice >= own ? voice + 1 : voice;
}

/* The key of a voice that is made up: its own in each output, or one of plan->speaker.voices in turn. */
static uint64_t voice_key(const lac_draw *d, const lac_plan *plan, uint64_t key)
{
    uint64_t voices = plan->speaker.voices, all = lac_key(plan->seed, VOICE_NUMBER);

    return voices == 0 ? key : lac_key(all, turn_of(all, voices, d->index + d->attempt * (voices / 2 + 1)));
}

static void mix_voices(lac_draw_factor *f, const lac_plan *plan, const lac_cast *cast, uint64_t first, uint64_t key)
{
    uint32_t voices = cast->voices.groups;
    uint64_t second = (first + 1 + below(lac_key(key, SECOND_VOICE), voices - 1)) % voices;

    f->row[0] = voice_row(cast, first, lac_key(key, VOICE_ROW));
    f->row[1] = voice_row(cast, second, lac_key(key, SECOND_ROW));
    f->weight = lac_spread_draw(&plan->speaker.mix, lac_key(key, MIX));
}

static void draw_speaker(lac_draw *d, const lac_plan *plan, const lac_cast *cast, uint64_t key)
{
    const double weight[5] = {plan->speaker.same, 0, plan->speaker.seed, plan->speaker.sampled,
                              plan->speaker.mixed};
    lac_draw_factor *f = &d->speaker;

    f->kind = pick(weight, lac_key(key, SPEAKER_KIND));
    if (f->kind == LAC_DRAW_SEED)
        f->row[0] = voice_row(cast, draw_voice(d, plan, cast), lac_key(key, VOICE_ROW));
    if (f->kind != LAC_DRAW_SAMPLED && f->kind != LAC_DRAW_MIXED)
        return;
    key = voice_key(d, plan, key);
    f->seed = lac_key(key, SPEAKER_SEED);
    if (f->kind == LAC_DRAW_MIXED)
        mix_voices(f, plan, cast,
                   plan->speaker.voices ? below(lac_key(key, VOICE), cast->voices.groups)
                                        : draw_voice(d, plan, cast),
                   key);
    for (unsigned i = 0; i < 4; i++)
        if (plan->speaker.attribute[i].count)
            d->attribute[i] = lac_spread_draw(&plan->speaker.attribute[i], lac_key(key, ATTRIBUTE + i));
}

static void draw_style(lac_draw *d, const lac_plan *plan, const lac_cast *cast, uint64_t key)
{
    const double weight[5] = {plan->style.same, 0, plan->style.seed};

    d->style.kind = pick(weight, lac_key(key, STYLE_KIND));
    if (d->style.kind == LAC_DRAW_SEED) {
        d->style.row[0] = cast->styles.item[below(lac_key(key, STYLE_ROW), cast->styles.count)];
        d->style.weight = lac_spread_draw(&plan->style.weight, lac_key(key, STYLE_WEIGHT));
    }
    d->pitch_semitones = lac_spread_draw(&plan->style.pitch_semitones, lac_key(key, PITCH));
    d->range = lac_spread_draw(&plan->style.range, lac_key(key, RANGE));
    d->rate = lac_spread_draw(&plan->style.rate, lac_key(key, RATE));
    d->energy_db = lac_spread_draw(&plan->style.energy_db, lac_key(key, ENERGY));
}

/* first: the purpose of the kind; row and seed are the next two. */
static void draw_factor(lac_draw_factor *f, const lac_plan_factor *plan, const lac_rows *rows, uint64_t key,
                        enum purpose first)
{
    const double weight[5] = {plan->same, plan->neutral, plan->seed, plan->sampled};

    f->kind = pick(weight, lac_key(key, first));
    f->seed = lac_key(key, first + 2);
    if (f->kind == LAC_DRAW_SEED)
        f->row[0] = rows->item[below(lac_key(key, first + 1), rows->count)];
}

/* ---- simulation ---- */

static bool happens(const lac_plan_effect *effect, uint64_t key)
{
    return lac_key_share(key) < effect->probability;
}

static void draw_noise(lac_draw_simulation *s, const lac_plan *plan, const lac_cast *cast, uint64_t key)
{
    uint32_t rows = cast->noises.count, files = (uint32_t)plan->simulate.noise_files.count;
    uint32_t source = below(lac_key(key, NOISE_SOURCE), rows + files);

    if (source < rows)
        s->noise_row = cast->noises.item[source];
    else
        s->noise_file = source - rows;
    s->snr_db = lac_spread_draw(&plan->simulate.noise.amount, lac_key(key, NOISE_SNR));
}

/* Rows of content whose speakers are others than the output's. */
static void draw_babble(lac_draw *d, const lac_plan *plan, const lac_cast *cast, uint64_t key)
{
    lac_draw_simulation *s = &d->simulation;
    const lac_grouped *g = &cast->content;
    uint32_t own = cast->speaker[d->content];
    uint32_t voices = (uint32_t)lac_spread_draw(&plan->simulate.voices, lac_key(key, BABBLE_VOICES));

    s->babble_snr_db = lac_spread_draw(&plan->simulate.babble.amount, lac_key(key, BABBLE_SNR));
    for (uint32_t v = 0; v < voices; v++) {
        uint32_t row = g->row[below(lac_key(key, BABBLE_SOURCE + v), g->start[g->groups])];

        if (row != d->content && (own == LAC_CAST_NOBODY || cast->speaker[row] != own))
            s->babble[s->voices++] = row;
    }
}

static void draw_line(lac_draw_simulation *s, const lac_plan *plan, uint64_t key)
{
    if (happens(&plan->simulate.microphone, lac_key(key, MICROPHONE)))
        s->microphone_db = lac_spread_draw(&plan->simulate.microphone.amount, lac_key(key, MICROPHONE_DB));
    if (happens(&plan->simulate.band, lac_key(key, BAND))) {
        s->low_hz = lac_spread_draw(&plan->simulate.band.amount, lac_key(key, LOW));
        s->high_hz = lac_spread_draw(&plan->simulate.band.second, lac_key(key, HIGH));
    }
    s->mulaw = happens(&plan->simulate.mulaw, lac_key(key, MULAW));
    if (happens(&plan->simulate.opus, lac_key(key, OPUS))) {
        s->opus_bps = floor(lac_spread_draw(&plan->simulate.opus.amount, lac_key(key, OPUS_BPS)));
        s->opus_loss = lac_spread_draw(&plan->simulate.opus.second, lac_key(key, OPUS_LOSS));
    }
    if (happens(&plan->simulate.clip, lac_key(key, CLIP)))
        s->clip_db = lac_spread_draw(&plan->simulate.clip.amount, lac_key(key, CLIP_DB));
}

static void draw_simulation(lac_draw *d, const lac_plan *plan, const lac_cast *cast, uint64_t key)
{
    lac_draw_simulation *s = &d->simulation;

    s->seed = lac_key(key, SIMULATION_SEED);
    s->noise_row = s->noise_file = LAC_DRAW_NONE;
    if (happens(&plan->simulate.room, lac_key(key, ROOM)))
        s->t60_s = lac_spread_draw(&plan->simulate.room.amount, lac_key(key, T60));
    if (happens(&plan->simulate.noise, lac_key(key, NOISE)))
        draw_noise(s, plan, cast, key);
    if (happens(&plan->simulate.babble, lac_key(key, BABBLE)))
        draw_babble(d, plan, cast, key);
    draw_line(s, plan, key);
    s->any = s->t60_s > 0 || s->noise_row != s->noise_file || s->voices > 0 || s->microphone_db > 0 ||
             s->high_hz > 0 || s->mulaw || s->opus_bps > 0 || s->clip_db > 0;
}

void lac_draw_make(lac_draw *d, const lac_plan *plan, const lac_cast *cast, uint64_t index, uint32_t attempt)
{
    uint64_t key = lac_key(lac_key(lac_key(plan->seed, UINT64_MAX), index), attempt);
    const lac_draw_factor kept = {.row = {LAC_DRAW_NONE, LAC_DRAW_NONE}};

    *d = (lac_draw){.index = index,
                    .attempt = attempt,
                    .seed = lac_key(key, GENERATOR),
                    .speaker = kept,
                    .style = kept,
                    .environment = kept,
                    .channel = kept,
                    .range = 1,
                    .rate = 1,
                    .attribute = {NAN, NAN, NAN, NAN}};
    draw_content(d, plan, cast);
    d->untouched = lac_key_share(lac_key(lac_key(plan->seed, UNTOUCHED), index)) < plan->content.untouched;
    if (!d->untouched) {
        draw_speaker(d, plan, cast, key);
        draw_style(d, plan, cast, key);
        draw_factor(&d->environment, &plan->environment, &cast->environments, key, ENVIRONMENT_KIND);
        draw_factor(&d->channel, &plan->channel, &cast->channels, key, CHANNEL_KIND);
    }
    draw_simulation(d, plan, cast, key);
}

const char *lac_draw_kind_name(enum lac_draw_kind kind)
{
    static const char *const names[] = {"same", "neutral", "seed", "sampled", "mixed"};

    return names[kind];
}
