#include "synthmake.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clip.h"
#include "hashfile.h"
#include "lac/decoder.h"
#include "lac/generator.h"
#include "lac/latents.h"
#include "lac/recombine.h"
#include "lac/sampler.h"
#include "licence.h"
#include "report.h"
#include "synthsound.h"

struct lac_synth_worker {
    const lac_synth *synth;
    lac_synth_reader reader;
    lac_generator *generator;
    lac_encoder *encoder;
    lac_decoder *decoder;
    lac_analyser *judge;
    size_t room;              /* frames of the following */
    lac_factor_frame *frames; /* [room + delay] */
    int16_t *latents;         /* [room][D] */
    uint16_t *tokens;         /* [room][Q] */
    uint8_t *counts;          /* [room], all Q */
    size_t count;             /* frames of this output */
    lac_sound sound;
    lac_factor_set content;
    lac_factors target;
};

/* How an attempt ended. */
enum outcome { MADE, REFUSED, UNSOUND, BROKEN };

/* ---- workers ---- */

static int open_streams(lac_synth_worker *w)
{
    const lac_factor_source *source = &w->synth->source;
    lac_encoder_settings encoder;
    lac_decoder_settings decoder;
    lac_generator_settings generator;
    int status;

    lac_encoder_default_settings(&encoder);
    encoder.block_frames = 64;
    lac_decoder_default_settings(&decoder);
    decoder.block_frames = 64;
    lac_generator_default_settings(&generator);
    generator.noise = (float)w->synth->plan.generator.noise;
    status = lac_generator_open(&w->generator, source->model, &generator);
    if (!status)
        status = lac_encoder_open(&w->encoder, source->codec, &encoder);
    if (!status)
        status = lac_decoder_open(&w->decoder, source->codec, &decoder);
    return status ? status : lac_analyser_open(&w->judge, source->model, NULL);
}

int lac_synth_worker_open(lac_synth_worker **worker, const lac_synth *synth)
{
    lac_synth_worker *w = calloc(1, sizeof *w);
    int status = w ? 0 : LAC_ERROR_MEMORY;

    *worker = w;
    if (w) {
        w->synth = synth;
        if (lac_synth_reader_open(&w->reader, &synth->source, &synth->manifest, synth->cache)) {
            lac_synth_worker_close(worker);
            return LAC_EXIT_FAILED;
        }
        status = open_streams(w);
    }
    if (status)
        lac_synth_worker_close(worker);
    return status ? lac_report_status(synth->source.about.name, status, 0) : 0;
}

void lac_synth_worker_close(lac_synth_worker **worker)
{
    lac_synth_worker *w = *worker;

    if (!w)
        return;
    lac_generator_close(&w->generator);
    lac_encoder_close(&w->encoder);
    lac_decoder_close(&w->decoder);
    lac_analyser_close(&w->judge);
    lac_synth_reader_close(&w->reader);
    lac_factor_set_free(&w->content);
    lac_sound_free(&w->sound);
    free(w->frames);
    free(w->latents);
    free(w->tokens);
    free(w->counts);
    free(w);
    *worker = NULL;
}

static int reserve(lac_synth_worker *w, size_t room)
{
    const lac_factor_source *source = &w->synth->source;
    size_t codebooks = source->codec_about.codebooks;

    if (room <= w->room)
        return 0;
    free(w->frames);
    free(w->latents);
    free(w->tokens);
    free(w->counts);
    w->room = 0;
    w->frames = malloc((room + source->about.delay_frames) * sizeof *w->frames);
    w->latents = malloc(room * source->about.latent_size * sizeof *w->latents);
    w->tokens = malloc(room * codebooks * sizeof *w->tokens);
    w->counts = malloc(room);
    if (!w->frames || !w->latents || !w->tokens || !w->counts)
        return -1;
    memset(w->counts, (int)codebooks, room);
    w->room = room;
    return 0;
}

/* ---- what is wanted ---- */

/* Mix what a row gives into the target; tells the record of it. */
static enum outcome take_row(lac_synth_worker *w, lac_record *r, enum lac_factor_kind kind, const char *name,
                             uint32_t row, double weight, double share)
{
    char why[LAC_SOURCE_REASON];
    lac_manifest_row about;
    lac_factor_set set;
    enum outcome outcome = UNSOUND;

    if (lac_synth_reader_factors(&w->reader, row, &about, &set, why)) {
        snprintf(r->reason, sizeof r->reason, "%s source %.100s: %.150s", name, about.path ? about.path : "", why);
    } else if (kind == LAC_FACTOR_SPEAKER && set.factors.speech_s <= 0) {
        snprintf(r->reason, sizeof r->reason, "%s source %.200s: nobody speaks", name, about.path);
    } else {
        bool mixed = lac_factors_mix(&w->target, &set.factors, kind, (float)weight) == 0 &&
                     lac_record_add_source(r, name, &about, share) == 0;

        outcome = mixed ? MADE : BROKEN;
    }
    if (outcome == MADE && kind == LAC_FACTOR_SPEAKER && about.speaker)
        snprintf(r->speaker, sizeof r->speaker, "%s", about.speaker);
    lac_factor_set_free(&set);
    lac_manifest_row_free(&about);
    return outcome;
}

int lac_synth_sample(const lac_synth *s, uint64_t seed, const double *attribute, lac_factors *voice, float *cosine)
{
    lac_voice_settings settings;

    lac_voice_default_settings(&settings);
    settings.spread = (float)s->plan.speaker.spread;
    settings.avoid = (const float(*)[LAC_SPEAKER_SIZE])s->avoid;
    settings.avoid_count = s->avoid_count;
    settings.largest_cosine = (float)s->plan.speaker.largest_cosine;
    for (size_t i = 0; i < LAC_VOICE_ATTRIBUTES; i++)
        settings.attribute[i] = (float)attribute[i];
    return lac_voice_sample(s->source.model, &settings, seed, voice, cosine);
}

static enum outcome make_voice(lac_synth_worker *w, lac_record *r)
{
    const lac_draw_factor *f = &r->draw.speaker;
    enum outcome outcome = MADE;
    float cosine = NAN;

    if (f->kind == LAC_DRAW_SEED)
        return take_row(w, r, LAC_FACTOR_SPEAKER, "speaker", f->row[0], 1, 1);
    if (f->kind == LAC_DRAW_MIXED) {
        outcome = take_row(w, r, LAC_FACTOR_SPEAKER, "speaker", f->row[0], 1, 1 - f->weight);
        if (outcome == MADE)
            outcome = take_row(w, r, LAC_FACTOR_SPEAKER, "speaker", f->row[1], f->weight, f->weight);
    } else if (f->kind == LAC_DRAW_SAMPLED) {
        if (lac_synth_sample(w->synth, f->seed, r->draw.attribute, &w->target, &cosine)) {
            snprintf(r->reason, sizeof r->reason, "no sampled voice was far enough from everybody");
            return REFUSED;
        }
        r->nearest_cosine = (double)cosine;
    }
    if (f->kind != LAC_DRAW_SAME && outcome == MADE)
        snprintf(r->speaker, sizeof r->speaker, "%s-%s-%08x", w->synth->plan.name, lac_draw_kind_name(f->kind),
                 (unsigned)(f->seed >> 32));
    return outcome;
}

/* A place or a line. */
static enum outcome make_factor(lac_synth_worker *w, lac_record *r, const lac_draw_factor *f,
                                enum lac_factor_kind kind, const char *name)
{
    const lac_factor_model *model = w->synth->source.model;

    switch (f->kind) {
    case LAC_DRAW_SEED:
        return take_row(w, r, kind, name, f->row[0], 1, 1);
    case LAC_DRAW_NEUTRAL:
        return lac_factors_neutral(model, (int)kind, &w->target) ? BROKEN : MADE;
    case LAC_DRAW_SAMPLED:
        return lac_factors_sample(model, (int)kind, f->seed, &w->target) ? BROKEN : MADE;
    default:
        return MADE;
    }
}

/* The content's style as it is to be: the voice's pitch, another's manner, then what the plan scales. */
static enum outcome make_style(lac_synth_worker *w, lac_record *r, lac_style_change *change)
{
    char why[LAC_SOURCE_REASON];
    const lac_draw *d = &r->draw;
    enum outcome outcome = MADE;
    lac_manifest_row about = {0};
    lac_factor_set set = {0};

    lac_style_change_default(change);
    if (d->style.kind == LAC_DRAW_SEED) {
        if (lac_synth_reader_factors(&w->reader, d->style.row[0], &about, &set, why)) {
            snprintf(r->reason, sizeof r->reason, "style source %.100s: %.150s", about.path ? about.path : "", why);
            outcome = UNSOUND;
        } else {
            lac_style_change_towards(change, &w->content.factors, &set.factors, (float)d->style.weight);
            outcome = lac_record_add_source(r, "style", &about, d->style.weight) ? BROKEN : MADE;
        }
    }
    if (d->speaker.kind != LAC_DRAW_SAME && w->target.f0_median_hz > 0)
        change->f0_median_hz = fminf(fmaxf(w->target.f0_median_hz, 50), 600);
    change->pitch_semitones = (float)d->pitch_semitones;
    change->range = (float)d->range;
    change->rate = (float)d->rate;
    change->energy_db = (float)d->energy_db;
    lac_factor_set_free(&set);
    lac_manifest_row_free(&about);
    return outcome;
}

/* ---- factors to tokens to sound ---- */

static enum outcome broken(lac_record *r, int status)
{
    snprintf(r->reason, sizeof r->reason, "%s", lac_status_string(status));
    return BROKEN;
}

static int generate(lac_synth_worker *w, uint64_t seed)
{
    size_t first = 0, rest = 0, d = w->synth->source.about.latent_size;
    int status;

    lac_generator_reset(w->generator);
    status = lac_generator_set_seed(w->generator, seed);
    if (!status)
        status = lac_generator_set(w->generator, &w->target);
    if (!status)
        status = lac_generator_write(w->generator, w->frames, w->count, w->latents, w->room, &first);
    if (!status)
        status = lac_generator_flush(w->generator, w->latents + first * d, w->room - first, &rest);
    return status ? status : lac_encoder_search(w->encoder, w->latents, w->count, w->tokens);
}

static int decode(lac_synth_worker *w)
{
    const lac_model_info *about = &w->synth->source.codec_about;
    size_t samples = w->count * about->frame_samples, delay = about->decoder_delay_samples;
    lac_sound *s = &w->sound;
    int status;

    s->count = 0;
    if (samples > s->capacity) {
        lac_sound_free(s);
        s->pcm = malloc(samples * sizeof *s->pcm);
        s->capacity = s->pcm ? samples : 0;
    }
    if (!s->pcm)
        return LAC_ERROR_MEMORY;
    lac_decoder_reset(w->decoder);
    status = lac_decoder_read(w->decoder, w->tokens, w->counts, w->count, s->pcm);
    s->count = samples > delay ? samples - delay : 0;
    memmove(s->pcm, s->pcm + samples - s->count, s->count * sizeof *s->pcm);
    return status;
}

/* What the tokens stand for, against what was wanted. */
static int judge(lac_synth_worker *w, lac_record *r)
{
    const lac_factor_source *source = &w->synth->source;
    lac_gate_scores *s = &r->scores;
    size_t room = w->room + source->about.delay_frames, got = 0, rest = 0;
    uint32_t phones[2];
    lac_factors heard;
    float distance = 1;
    int status = lac_latents_from_tokens(source->codec, w->tokens, w->counts, w->count, w->latents);

    lac_analyser_reset(w->judge);
    if (!status)
        status = lac_analyser_write(w->judge, w->latents, w->count, w->frames, room, &got);
    if (!status)
        status = lac_analyser_flush(w->judge, w->frames + got, room - got, &rest);
    if (status)
        return status;
    lac_analyser_get(w->judge, &heard);
    status = lac_content_distance(w->frames, w->count, w->content.frames, (size_t)w->content.count, &distance,
                                  &phones[0], &phones[1]);
    s->measured = true;
    s->content_distance = status ? 1 : (double)distance;
    s->speaker_cosine = lac_gate_cosine(heard.speaker, w->target.speaker, LAC_SPEAKER_SIZE);
    s->snr_db = (double)heard.snr_db;
    return 0;
}

/* Frames, tokens, sound and scores of one attempt. */
static enum outcome make_speech(lac_synth_worker *w, lac_record *r)
{
    lac_style_change change;
    enum outcome outcome;
    int status;

    w->target = w->content.factors;
    outcome = make_voice(w, r);
    if (outcome == MADE)
        outcome = make_style(w, r, &change);
    if (outcome == MADE)
        outcome = make_factor(w, r, &r->draw.environment, LAC_FACTOR_ENVIRONMENT, "environment");
    if (outcome == MADE)
        outcome = make_factor(w, r, &r->draw.channel, LAC_FACTOR_CHANNEL, "channel");
    if (outcome != MADE)
        return outcome;
    r->f0_median_hz = w->target.f0_median_hz > 0 ? (double)w->target.f0_median_hz : NAN;
    status = lac_frames_restyle(w->content.frames, (size_t)w->content.count, w->synth->source.about.content_stride,
                                &change, w->frames, w->room, &w->count);
    if (!status)
        status = generate(w, r->draw.seed);
    if (!status)
        status = decode(w);
    if (!status)
        lac_hash_bytes(w->tokens, w->count * w->synth->source.codec_about.codebooks * sizeof *w->tokens,
                       r->token_hash, sizeof r->token_hash);
    if (!status)
        status = judge(w, r);
    return status ? broken(r, status) : MADE;
}

/* The content's own sound. */
static enum outcome take_sound(lac_synth_worker *w, lac_record *r)
{
    char why[LAC_SOURCE_REASON], *path = lac_manifest_path(&w->synth->manifest, r->content.path);
    int failed;

    w->sound.count = 0;
    failed = path ? lac_synth_reader_sound(&w->reader, path, &w->sound, why) : -1;
    if (!path)
        snprintf(why, sizeof why, "out of memory");
    free(path);
    if (failed || w->sound.cut) {
        snprintf(r->reason, sizeof r->reason, "content source: %.250s", failed ? why : "is too long");
        return UNSOUND;
    }
    return MADE;
}

static void tell_gates(lac_record *r)
{
    size_t used = (size_t)snprintf(r->reason, sizeof r->reason, "gates:");

    for (unsigned i = 0; i < LAC_GATES; i++)
        if (r->scores.failed >> i & 1)
            used += (size_t)snprintf(r->reason + used, sizeof r->reason - used, " %s", lac_gate_name(i));
}

static enum outcome attempt(lac_synth_worker *w, lac_record *r)
{
    enum outcome outcome;

    lac_record_clear_sources(r);
    r->scores = (lac_gate_scores){0};
    r->simulated = (lac_simulated){0};
    r->f0_median_hz = r->nearest_cosine = NAN;
    *r->reason = 0;
    snprintf(r->speaker, sizeof r->speaker, "%s", r->content.speaker ? r->content.speaker : "");
    outcome = r->draw.untouched ? take_sound(w, r) : make_speech(w, r);
    if (outcome != MADE)
        return outcome;
    lac_gate_listen(&r->scores, w->sound.pcm, w->sound.count, w->synth->source.codec_about.sample_rate);
    if (!lac_gate_judge(&r->scores, &w->synth->plan)) {
        tell_gates(r);
        return REFUSED;
    }
    if (!r->draw.simulation.any)
        return MADE;
    switch (lac_synth_simulate(&w->reader, &w->synth->plan, r, &w->sound)) {
    case 0:
        return MADE;
    case 1:
        return UNSOUND;
    default:
        return BROKEN;
    }
}

/* ---- the whole ---- */

static enum outcome load_content(lac_synth_worker *w, lac_record *r)
{
    char why[LAC_MANIFEST_REASON];
    int failed;

    lac_factor_set_free(&w->content);
    if (r->draw.untouched && lac_manifest_read(&w->synth->manifest, r->draw.content, &r->content, why) == 0)
        return lac_record_add_source(r, "content", &r->content, 1) ? broken(r, LAC_ERROR_MEMORY) : MADE;
    failed = lac_synth_reader_factors(&w->reader, r->draw.content, &r->content, &w->content, why);
    if (!failed && w->content.count > LAC_SOURCE_LONGEST * LAC_FACTOR_RATE) {
        snprintf(why, sizeof why, "is longer than %d s", LAC_SOURCE_LONGEST);
        failed = -1;
    }
    if (r->content.json && lac_record_add_source(r, "content", &r->content, 1))
        return broken(r, LAC_ERROR_MEMORY);
    if (failed) {
        snprintf(r->reason, sizeof r->reason, "content source: %.250s", why);
        return UNSOUND;
    }
    if (reserve(w, lac_frames_restyled_bound((size_t)w->content.count)))
        return broken(r, LAC_ERROR_MEMORY);
    return MADE;
}

/* A source that could not be read is told of, also if another was taken for it. */
static void note(const lac_record *r, enum outcome outcome, lac_synth_output *out)
{
    if (outcome != UNSOUND)
        return;
    out->unsound = true;
    snprintf(out->reason, sizeof out->reason, "%s", r->reason);
}

static enum outcome try_all(lac_synth_worker *w, lac_record *r, lac_synth_output *out)
{
    const lac_synth *s = w->synth;
    enum outcome outcome = load_content(w, r);

    note(r, outcome, out);
    if (outcome != MADE)
        return outcome;
    for (uint32_t i = 0; i < s->plan.gates.attempts; i++) {
        if (i > 0 && lac_record_add_failure(r))
            return broken(r, LAC_ERROR_MEMORY);
        lac_draw_make(&r->draw, &s->plan, &s->cast, r->draw.index, i);
        r->attempts = i + 1;
        outcome = attempt(w, r);
        note(r, outcome, out);
        if (outcome == MADE || outcome == BROKEN || (r->draw.untouched && !r->draw.simulation.any))
            break;
    }
    return outcome;
}

static int write_clip(lac_synth_worker *w, lac_record *r, lac_synth_output *out)
{
    const lac_synth *s = w->synth;
    char comment[600];
    lac_licence_sum licence;
    const char *texts[LAC_RECORD_SOURCES];
    bool coded = !r->draw.untouched && !r->draw.simulation.any;
    lac_sound final = {0};

    for (size_t i = 0; i < r->sources; i++)
        texts[i] = r->source[i].licence;
    lac_licence_add_up(&licence, texts, r->sources);
    snprintf(comment, sizeof comment, "%s speech, made by lac synth %s, plan %s %s, seed %016llx",
             r->draw.untouched ? "Processed" : "Synthetic", s->set.version, s->plan.name, s->set.plan_id,
             (unsigned long long)r->draw.seed);
    lac_tag tags[] = {{"title", r->key}, {"comment", comment}, {"license", licence.name}, {"artist", r->speaker}};
    if (lac_synth_convert(&w->sound, s->source.codec_about.sample_rate, s->set.rate_hz, &final))
        return LAC_ERROR_MEMORY;
    lac_clip clip = {.pcm = final.pcm,
                     .samples = final.count,
                     .rate = s->set.rate_hz,
                     .tags = tags,
                     .tag_count = *r->speaker ? 4 : 3,
                     .model = s->source.codec,
                     .tokens = coded ? w->tokens : NULL};
    r->rate = clip.rate;
    r->samples = clip.samples;
    out->seconds = (double)clip.samples / clip.rate;
    if (r->draw.untouched)
        lac_hash_bytes(final.pcm, final.count * sizeof *final.pcm, r->token_hash, sizeof r->token_hash);
    int status = lac_clip_write(&clip, (enum lac_clip_format)s->set.audio, &out->audio, &out->audio_size);
    lac_sound_free(&final);
    return status;
}

int lac_synth_worker_make(lac_synth_worker *w, uint64_t index, lac_synth_output *out)
{
    const lac_synth *s = w->synth;
    lac_record r = {.plan = &s->plan, .set = &s->set, .f0_median_hz = NAN, .nearest_cosine = NAN};
    enum outcome outcome;
    int status = 0;

    *out = (lac_synth_output){0};
    lac_draw_make(&r.draw, &s->plan, &s->cast, index, 0);
    lac_record_key(r.key, &s->plan, index);
    memcpy(out->key, r.key, sizeof out->key);
    outcome = try_all(w, &r, out);
    if (outcome == MADE && (status = write_clip(w, &r, out)) != 0)
        outcome = broken(&r, status);
    out->line = outcome == BROKEN ? NULL : lac_record_print(&r);
    out->text = outcome == MADE && r.content.text ? strdup(r.content.text) : NULL;
    if (!out->line)
        lac_report(out->key, "%s", *r.reason ? r.reason : "out of memory");
    lac_record_free(&r);
    return out->line ? 0 : LAC_EXIT_FAILED;
}

void lac_synth_output_free(lac_synth_output *out)
{
    free(out->line);
    free(out->text);
    free(out->audio);
    *out = (lac_synth_output){0};
}
