#include "synthrun.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "jobs.h"
#include "lac/recombine.h"
#include "lac/sampler.h"
#include "lac/version.h"
#include "paths.h"
#include "report.h"
#include "shard.h"
#include "synthfolder.h"

#define AVOID_ROWS   2 /* recordings of each person that a sampled voice must not meet */
#define TRIED_VOICES 3

/* ---- what can be known without work ---- */

/* A model may lack what vectors are drawn from. */
static int check_model(const lac_synth *s, char *reason)
{
    static const struct {
        const char *name;
        int kind;
    } parts[] = {{"environment", LAC_FACTOR_ENVIRONMENT}, {"channel", LAC_FACTOR_CHANNEL}};
    const lac_plan_factor *plans[] = {&s->plan.environment, &s->plan.channel};
    lac_factors scratch = {0};

    for (size_t i = 0; i < 2; i++) {
        int status = plans[i]->neutral > 0 ? lac_factors_neutral(s->source.model, parts[i].kind, &scratch) : 0;

        if (!status && plans[i]->sampled > 0)
            status = lac_factors_sample(s->source.model, parts[i].kind, 0, &scratch);
        if (status)
            return lac_plan_fail(&s->plan, parts[i].name, reason, "the model %s has nothing to draw from",
                                 s->source.about.name);
    }
    if (s->plan.speaker.sampled > 0 && lac_voice_sample(s->source.model, NULL, 0, &scratch, NULL))
        return lac_plan_fail(&s->plan, "speaker.sampled", reason, "the model %s has nothing to draw from",
                             s->source.about.name);
    return 0;
}

static void set_models(lac_synth *s)
{
    lac_set_info_init(&s->set, &s->plan, &s->manifest, &s->cast);
    lac_report_id(s->source.codec_about.id, s->set.codec);
    lac_report_id(s->source.about.id, s->set.factors);
    snprintf(s->set.version, sizeof s->set.version, "%s", lac_version_string());
}

static bool is_mine(void *user, uint64_t shard)
{
    const lac_synth_job *j = user;

    return shard % j->shards == j->shard - 1;
}

static uint64_t shard_size(const lac_set_info *set, uint64_t shard)
{
    uint64_t first = shard * set->shard_outputs;

    return set->count - first < set->shard_outputs ? set->count - first : set->shard_outputs;
}

int lac_synth_open(lac_synth_job *j)
{
    lac_synth *s = &j->synth;
    char reason[LAC_PLAN_REASON];
    int failed;

    if (lac_plan_open(&s->plan, j->plan, reason) || lac_manifest_open(&s->manifest, j->manifest, reason) ||
        lac_cast_open(&s->cast, &s->plan, &s->manifest, reason))
        return lac_report_reason(reason);
    failed = lac_factor_source_open(&s->source);
    if (failed)
        return failed;
    if (check_model(s, reason))
        return lac_report_reason(reason);
    set_models(s);
    for (uint64_t k = 0; k < lac_set_info_shards(&s->set); k++)
        j->outputs += is_mine(j, k) ? shard_size(&s->set, k) : 0;
    return 0;
}

void lac_synth_close(lac_synth_job *j)
{
    lac_synth *s = &j->synth;

    free(s->avoid);
    free(s->cache);
    lac_factor_source_close(&s->source);
    lac_cast_close(&s->cast);
    lac_manifest_close(&s->manifest);
    lac_plan_close(&s->plan);
}

/* ---- the people whom sampled voices must not meet ---- */

typedef struct people {
    lac_synth *synth;
    lac_synth_reader *readers; /* [threads] */
    lac_progress progress;
} people;

typedef struct vectors {
    float item[AVOID_ROWS][LAC_SPEAKER_SIZE];
    size_t count;
} vectors;

/* Recordings of one person; those that can't be read are left out. */
static int listen_to(void *user, uint32_t worker, size_t index, void **result)
{
    people *p = user;
    const lac_grouped *all = &p->synth->cast.people;
    lac_synth_reader *reader = &p->readers[worker];
    uint32_t first = all->start[index], size = all->start[index + 1] - first;
    vectors *v = calloc(1, sizeof *v);
    int failed = v ? 0 : lac_report("synth", "out of memory");

    if (!failed && !reader->worker)
        failed = lac_synth_reader_open(reader, &p->synth->source, &p->synth->manifest, p->synth->cache);
    for (uint32_t i = 0; i < AVOID_ROWS && i < size && !failed; i++) {
        char reason[LAC_SOURCE_REASON];
        lac_manifest_row about;
        lac_factor_set set;

        if (lac_synth_reader_factors(reader, all->row[first + i * (size / AVOID_ROWS)], &about, &set, reason) ==
                0 &&
            set.factors.speech_s > 0)
            memcpy(v->item[v->count++], set.factors.speaker, sizeof set.factors.speaker);
        lac_factor_set_free(&set);
        lac_manifest_row_free(&about);
    }
    if (failed)
        free(v);
    *result = failed ? NULL : v;
    return failed;
}

static int keep_vectors(void *user, size_t index, int status, void *result)
{
    people *p = user;
    vectors *v = result;

    if (status || !v)
        return LAC_EXIT_FAILED;
    memcpy(p->synth->avoid[p->synth->avoid_count], v->item, v->count * sizeof *v->item);
    p->synth->avoid_count += v->count;
    free(v);
    lac_progress_text(&p->progress, "%zu of %u voices listened to", index + 1, p->synth->cast.people.groups);
    return 0;
}

/* A distance that nearly no voice keeps is told before the work. */
static int check_distance(const lac_synth *s)
{
    const double any[4] = {NAN, NAN, NAN, NAN};
    char reason[LAC_PLAN_REASON];
    lac_factors voice = {0};
    int status = LAC_ERROR_NOT_FOUND;

    for (uint64_t seed = 0; seed < TRIED_VOICES && status == LAC_ERROR_NOT_FOUND; seed++)
        status = lac_synth_sample(s, seed, any, &voice, NULL);
    if (!status)
        return 0;
    lac_plan_fail(&s->plan, "speaker.largest_cosine", reason,
                  "no sampled voice is that far from all %zu known ones", s->avoid_count);
    return lac_report_reason(reason);
}

static int listen_to_people(lac_synth *s)
{
    people p = {.synth = s, .readers = calloc(s->source.jobs, sizeof *p.readers)};
    uint32_t count = s->cast.people.groups;
    lac_jobs jobs = {.count = count,
                     .threads = s->source.jobs,
                     .user = &p,
                     .work = listen_to,
                     .take = keep_vectors,
                     .drop = free};
    int failed;

    s->avoid = calloc((size_t)count * AVOID_ROWS + 1, sizeof *s->avoid);
    lac_progress_start(&p.progress, -1);
    failed = p.readers && s->avoid ? lac_jobs_run(&jobs) : lac_report("synth", "out of memory");
    lac_progress_hide();
    for (uint32_t i = 0; p.readers && i < s->source.jobs; i++)
        lac_synth_reader_close(&p.readers[i]);
    free(p.readers);
    return failed ? failed : check_distance(s);
}

/* ---- the folder ---- */

int lac_synth_prepare(lac_synth_job *j)
{
    lac_synth *s = &j->synth;
    const lac_cast *c = &s->cast;
    bool begun;
    int failed;

    s->folder = j->folder;
    s->cache = lac_path_join(j->folder, "factors");
    if (!s->cache)
        return lac_report(j->folder, "out of memory");
    failed = lac_synth_folder_open(s, j->resume, is_mine, j, &begun);
    if (!failed && c->missing > 0) {
        lac_report(c->missing_path, "is not there%s", c->missing > 1 ? ", and more sources are missing" : "");
        if (!begun)
            failed = LAC_EXIT_FAILED;
    }
    return failed || s->plan.speaker.sampled <= 0 ? failed : listen_to_people(s);
}

/* ---- shards ---- */

/* A shard in the making. */
typedef struct shard_run {
    lac_synth_job *job;
    lac_synth_worker **workers; /* [threads], each opened by its thread */
    lac_shard *shard;
    uint64_t first; /* output of item 0 */
    lac_progress *progress;
} shard_run;

static void drop(void *result)
{
    lac_synth_output_free(result);
    free(result);
}

static int work(void *user, uint32_t number, size_t index, void **result)
{
    shard_run *run = user;
    lac_synth_worker **worker = &run->workers[number];
    lac_synth_output *out = calloc(1, sizeof *out);
    int failed = out ? 0 : lac_report("synth", "out of memory");

    if (!failed && !*worker)
        failed = lac_synth_worker_open(worker, &run->job->synth);
    if (!failed)
        failed = lac_synth_worker_make(*worker, run->first + index, out);
    if (out && failed) {
        drop(out);
        out = NULL;
    }
    *result = out;
    return failed;
}

static void show(const shard_run *run)
{
    const lac_synth_job *j = run->job;
    double passed = lac_clock() - run->progress->started;
    double left = j->made ? passed / (double)j->made * (double)(j->outputs - j->found - j->made) : 0;
    unsigned long seconds = left < 3.6e8 ? (unsigned long)left : 360000000;

    lac_progress_text(run->progress,
                      "%llu of %llu outputs  %.1f h of audio an hour  %lu:%02lu:%02lu left  "
                      "%.1f %% accepted",
                      (unsigned long long)(j->found + j->made), (unsigned long long)j->outputs,
                      passed > 0 ? j->seconds / passed : 0, seconds / 3600, seconds / 60 % 60, seconds % 60,
                      j->made ? 100.0 * (double)j->accepted / (double)j->made : 0);
}

static int add(shard_run *run, const lac_synth_output *out)
{
    char reason[LAC_PLAN_REASON];
    const lac_synth_job *j = run->job;
    lac_shard_member members[] = {
        {lac_set_info_audio_name(j->synth.set.audio), out->audio, out->audio_size},
        {"json", out->line, strlen(out->line)},
        {"txt", out->text, out->text ? strlen(out->text) : 0},
    };
    size_t count = !out->audio ? 0 : out->text ? 3 : 2;

    if (lac_shard_add(run->shard, out->key, members, count, out->line, reason) == 0)
        return 0;
    lac_report_reason(reason);
    return lac_report(j->folder, "what is made stays; --resume goes on");
}

static int take(void *user, size_t index, int status, void *result)
{
    shard_run *run = user;
    lac_synth_job *j = run->job;
    lac_synth_output *out = result;
    int failed;

    (void)index;
    if (status || !out)
        return LAC_EXIT_FAILED;
    failed = add(run, out);
    if (!failed) {
        j->made++;
        j->accepted += out->audio != NULL;
        j->unsound += out->unsound;
        j->seconds += out->audio ? out->seconds : 0;
        if (out->unsound)
            lac_report(out->key, "%s%s", out->reason, out->audio ? "; another was taken" : "");
        show(run);
    }
    drop(out);
    return failed;
}

static int run_shard(shard_run *run, uint64_t number)
{
    lac_synth_job *j = run->job;
    const lac_set_info *set = &j->synth.set;
    char name[LAC_PLAN_NAME + 20], reason[LAC_PLAN_REASON];
    uint64_t next = 0, size = shard_size(set, number);
    bool complete = false;
    int failed = 0;

    lac_set_info_shard_name(set, number, name);
    if (lac_shard_open(&run->shard, j->folder, name, set->kind == LAC_OUTPUT_TAR ? LAC_SHARD_TAR : LAC_SHARD_FILES,
                       &next, &complete, reason))
        return lac_report_reason(reason);
    j->found += complete ? size : next;
    if (!complete && next <= size) {
        lac_jobs jobs = {.count = (size_t)(size - next),
                         .threads = j->synth.source.jobs,
                         .user = run,
                         .work = work,
                         .take = take,
                         .drop = drop};

        run->first = number * set->shard_outputs + next;
        failed = lac_jobs_run(&jobs);
        if (!failed && lac_shard_finish(run->shard, reason))
            failed = lac_report_reason(reason);
    }
    lac_shard_close(&run->shard);
    return failed;
}

int lac_synth_run(lac_synth_job *j)
{
    uint32_t threads = j->synth.source.jobs;
    shard_run run = {.job = j, .workers = calloc(threads, sizeof(lac_synth_worker *))};
    lac_progress progress;
    int failed = run.workers ? 0 : lac_report("synth", "out of memory");

    lac_progress_start(&progress, -1);
    run.progress = &progress;
    for (uint64_t k = 0; k < lac_set_info_shards(&j->synth.set) && !failed; k++)
        if (is_mine(j, k))
            failed = run_shard(&run, k);
    lac_progress_hide();
    j->wall_s = lac_clock() - progress.started;
    for (uint32_t i = 0; run.workers && i < threads; i++)
        lac_synth_worker_close(&run.workers[i]);
    free(run.workers);
    return failed ? failed : j->unsound > 0 ? LAC_EXIT_FAILED : 0;
}
