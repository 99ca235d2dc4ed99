#include "recombined.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fileout.h"
#include "report.h"
#include "resample.h"

/* ---- what is asked ---- */

void lac_recombined_init(lac_recombined *r, lac_factor_source *source)
{
    memset(r, 0, sizeof *r);
    r->source = source;
    lac_style_change_default(&r->change);
    lac_voice_default_settings(&r->voice);
    for (int kind = 0; kind < LAC_FACTOR_KINDS; kind++)
        r->part[kind].weight = -1;
}

const char *lac_part_name(enum lac_factor_kind kind)
{
    static const char *const names[LAC_FACTOR_KINDS] = {"speaker", "style", "environment", "channel"};

    return names[kind];
}

const char *lac_part_origin_name(enum lac_part_origin origin)
{
    static const char *const names[] = {"same", "other", "neutral", "sampled"};

    return names[origin];
}

int lac_part_parse(lac_recombined *r, enum lac_factor_kind kind, const char *text)
{
    lac_part *part = &r->part[kind];
    bool neutral = strcmp(text, "neutral") == 0, sampled = strcmp(text, "sampled") == 0;

    if ((neutral && kind != LAC_FACTOR_ENVIRONMENT && kind != LAC_FACTOR_CHANNEL) ||
        (sampled && kind == LAC_FACTOR_STYLE))
        return lac_report_usage("recombine", "--%s %s: there is no such thing; a file of this name is ./%s",
                                lac_part_name(kind), text, text);
    part->origin = neutral ? LAC_PART_NEUTRAL : sampled ? LAC_PART_SAMPLED : LAC_PART_OTHER;
    part->path = text;
    return 0;
}

static bool is_other(const lac_recombined *r, int kind)
{
    return r->part[kind].origin == LAC_PART_OTHER;
}

int lac_recombined_keep_stdin(const lac_recombined *r)
{
    unsigned found = strcmp(r->path, "-") == 0;

    for (int kind = 0; kind < LAC_FACTOR_KINDS; kind++)
        found += is_other(r, kind) && strcmp(r->part[kind].path, "-") == 0;
    if (found > 1)
        return lac_report_usage("recombine", "standard input can be read only once");
    return found && r->source->raw.format == LAC_PCM_NONE ? lac_audio_in_keep_stdin() : 0;
}

int lac_recombined_check_output(const lac_recombined *r, const char *output, int force)
{
    int failed = lac_file_out_check(output, r->path, force);

    for (int kind = 0; kind < LAC_FACTOR_KINDS && !failed; kind++)
        if (is_other(r, kind))
            failed = lac_file_out_check(output, r->part[kind].path, force);
    return failed;
}

/* ---- sources ---- */

/* Its frames are not needed. */
static int load_part(lac_recombined *r, lac_factor_worker *worker, int kind, lac_progress *progress)
{
    lac_part *part = &r->part[kind];
    lac_factor_set set = {0};
    int failed = 0;

    for (int earlier = -1; earlier < kind; earlier++)
        if ((earlier < 0 || is_other(r, earlier)) &&
            strcmp(part->path, earlier < 0 ? r->path : r->part[earlier].path) == 0) {
            part->factors = earlier < 0 ? r->content.factors : r->part[earlier].factors;
            return 0;
        }
    failed = lac_factor_worker_load(worker, part->path, progress, &set);
    part->factors = set.factors;
    lac_factor_set_free(&set);
    if (failed && failed != LAC_EXIT_CONCEALED)
        return failed;
    if (kind <= LAC_FACTOR_STYLE && !(part->factors.speech_s > 0))
        return lac_report(part->path, "holds no speech, so no %s", lac_part_name(kind));
    return part->factors.frames > 0 ? failed : lac_report(part->path, "holds no sound");
}

static int load_all(lac_recombined *r, lac_factor_worker *worker, lac_progress *progress)
{
    int worst = lac_factor_worker_load(worker, r->path, progress, &r->content);

    if ((!worst || worst == LAC_EXIT_CONCEALED) && r->content.count == 0)
        worst = lac_report(r->path, "holds no sound");
    for (int kind = 0; kind < LAC_FACTOR_KINDS && (!worst || worst == LAC_EXIT_CONCEALED); kind++) {
        int failed = is_other(r, kind) ? load_part(r, worker, kind, progress) : 0;

        worst = failed ? failed : worst;
    }
    return worst;
}

int lac_recombined_load(lac_recombined *r, lac_progress *progress)
{
    lac_factor_worker *worker = NULL;
    int failed = lac_factor_worker_open(&worker, r->source);

    if (!failed)
        failed = load_all(r, worker, progress);
    lac_factor_worker_close(&worker);
    return failed;
}

/* ---- sampling ---- */

/* Everybody who was given is to be far enough. */
static int sample_voice(lac_recombined *r, lac_factors *into)
{
    float avoid[LAC_FACTOR_KINDS + 1][LAC_SPEAKER_SIZE];
    lac_voice_settings settings = r->voice;

    memcpy(avoid[0], r->content.factors.speaker, sizeof avoid[0]);
    settings.avoid_count = 1;
    for (int kind = 0; kind < LAC_FACTOR_KINDS; kind++)
        if (is_other(r, kind))
            memcpy(avoid[settings.avoid_count++], r->part[kind].factors.speaker, sizeof avoid[0]);
    settings.avoid = (const float (*)[LAC_SPEAKER_SIZE])avoid;
    return lac_voice_sample(r->source->model, &settings, r->seed, into, &r->nearest_cosine);
}

static int report_sampling(const lac_recombined *r, enum lac_factor_kind kind, int status)
{
    if (status == LAC_ERROR_VERSION)
        return lac_report(r->source->about.name, "this factor model can't tell what a %s %s is",
                          lac_part_origin_name(r->part[kind].origin), lac_part_name(kind));
    if (status == LAC_ERROR_NOT_FOUND)
        return lac_report(r->source->about.name, "none of %u voices is far enough from those given; a larger "
                          "--largest-cosine or less of --voice may help", r->voice.attempts);
    return lac_report_status(r->source->about.name, status, 0);
}

/* What is no file's. Each kind draws from a seed of its own. */
static int invent_part(lac_recombined *r, enum lac_factor_kind kind)
{
    lac_part *part = &r->part[kind];
    int status;

    part->factors = r->content.factors;
    if (part->origin == LAC_PART_NEUTRAL)
        status = lac_factors_neutral(r->source->model, (int)kind, &part->factors);
    else if (kind == LAC_FACTOR_SPEAKER)
        status = sample_voice(r, &part->factors);
    else
        status = lac_factors_sample(r->source->model, (int)kind, r->seed + ((uint64_t)kind << 32), &part->factors);
    return status ? report_sampling(r, kind, status) : 0;
}

/* ---- the mixture ---- */

static int mix_part(lac_recombined *r, enum lac_factor_kind kind, lac_style_change *change)
{
    lac_part *part = &r->part[kind];
    int failed = 0;

    if (part->origin == LAC_PART_NEUTRAL || part->origin == LAC_PART_SAMPLED)
        failed = invent_part(r, kind);
    if (part->weight < 0)
        part->weight = part->origin == LAC_PART_SAME ? 0 : 1;
    if (failed || part->origin == LAC_PART_SAME)
        return failed;
    if (kind == LAC_FACTOR_STYLE)
        lac_style_change_towards(change, &r->content.factors, &part->factors, part->weight);
    else
        failed = lac_factors_mix(&r->made.factors, &part->factors, kind, part->weight);
    return failed ? lac_report_status(r->path, failed, 0) : 0;
}

static int restyle(lac_recombined *r, const lac_style_change *change)
{
    const lac_factor_set *content = &r->content;
    lac_factor_set *made = &r->made;
    size_t count = 0;
    int status;

    made->capacity = lac_frames_restyled_bound((size_t)content->count);
    made->frames = calloc((size_t)made->capacity, sizeof *made->frames);
    if (!made->frames)
        return lac_report(r->path, "out of memory");
    status = lac_frames_restyle(content->frames, (size_t)content->count, r->source->about.content_stride, change,
                                made->frames, (size_t)made->capacity, &count);
    if (status)
        return lac_report_status(r->path, status, 0);
    made->count = count;
    lac_factors_measure(made->frames, count, &made->factors);
    return 0;
}

/* As long as the content, to the sample, unless its rate was changed. */
static uint64_t model_samples(const lac_recombined *r)
{
    uint32_t frame = r->source->codec_about.frame_samples;
    uint64_t most = r->made.count * frame;
    double exact = r->content.duration_s * r->source->codec_about.sample_rate;

    if (r->made.count != r->content.count || !(exact > (double)(most - frame)) || exact > (double)most)
        return most;
    return (uint64_t)llround(exact);
}

int lac_recombined_make(lac_recombined *r)
{
    lac_style_change change = r->change;
    float own_median = r->content.factors.f0_median_hz;
    int failed = 0;

    r->made = (lac_factor_set){.model = r->source->about, .phones = r->source->phones,
                               .way = LAC_FACTORS_RECOMBINED, .rate = r->rate, .channels = 1,
                               .factors = r->content.factors};
    for (int kind = 0; kind < LAC_FACTOR_KINDS && !failed; kind++)
        failed = mix_part(r, (enum lac_factor_kind)kind, &change);
    if (failed)
        return failed;
    if (change.f0_median_hz == 0 && own_median > 0 && r->made.factors.f0_median_hz != own_median)
        change.f0_median_hz = fminf(fmaxf(r->made.factors.f0_median_hz, 50), 600);
    failed = restyle(r, &change);
    r->samples = lac_rescale_near(model_samples(r), r->rate, r->source->codec_about.sample_rate);
    r->made.duration_s = (double)r->samples / r->rate;
    return failed;
}

void lac_recombined_close(lac_recombined *r)
{
    lac_factor_set_free(&r->content);
    lac_factor_set_free(&r->made);
}
