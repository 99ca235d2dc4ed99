/* lac compare: how far the factors of two recordings are apart. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "factorload.h"
#include "facts.h"
#include "inputs.h"
#include "report.h"

static const char usage[] =
    "usage: lac compare [--json] [-m MODEL] [--codec MODEL] [--channel N] [--raw RATE:CHANNELS:FORMAT] [-j N]\n"
    "                   A B...\n"
    "\n"
    "Compares A with each B: the same speaker, the same words, the same manner, room and channel? Audio, .lac "
    "files,\n"
    "or .npz files of lac factors; of folders, all audio and .lac files in them (doc/factors.md).\n"
    "\n"
    "      --json           one object a line for each B\n" LAC_FACTOR_SOURCE_USAGE
    "  -h, --help           this text\n";

typedef struct job {
    lac_factor_source source;
    int json;
    lac_inputs inputs;            /* A first */
    lac_factor_worker **workers;  /* [source.jobs] */
    lac_factor_set *a;
    int worst;
    lac_progress progress;
} job;

typedef struct comparison {
    lac_factor_distance distance;
    float content;         /* negative: too many phones */
    uint32_t phones[2];
} comparison;

static int parse_option(void *user, int option, char **argv)
{
    job *j = user;

    if (option == 'J') {
        j->json = 1;
        return 0;
    }
    return lac_factor_source_option(&j->source, "compare", option, argv);
}

static int parse(job *j, int argc, char **argv, int *done)
{
    static const struct option options[] = {
        LAC_FACTOR_SOURCE_OPTIONS,
        {"json", no_argument, NULL, 'J'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int failed = lac_options_read(argc, argv, ":m:j:h", options, usage, parse_option, j, done);

    if (failed || *done)
        return failed;
    if (argc - optind < 2)
        return lac_report_usage("compare", "two files or more are compared");
    failed = lac_inputs_open(&j->inputs, argv + optind, (size_t)(argc - optind), LAC_INPUTS_LAC | LAC_INPUTS_NPZ);
    if (!failed && j->inputs.count < 2)
        failed = lac_report_usage("compare", "two files or more are compared");
    return failed;
}

/* ---- on threads ---- */

static int work(void *user, uint32_t number, size_t index, void **out)
{
    job *j = user;

    return lac_factor_worker_item(&j->workers[number], &j->source, j->inputs.item[index].path, out);
}

/* ---- in order ---- */

static comparison compare(const job *j, const lac_factor_set *b)
{
    const lac_factor_set *a = j->a;
    comparison c = {.content = -1};
    float content = 0;

    lac_factors_compare(j->source.model, &a->factors, &b->factors, &c.distance);
    if (lac_content_distance(a->frames, a->count, b->frames, b->count, &content, &c.phones[0], &c.phones[1]) == 0)
        c.content = content;
    return c;
}

static void add_side(cJSON *facts, char side, const lac_factors *f)
{
    static const char *const shown[] = {"confidence", "speech_s", "f0_median_hz",
                                        "snr_db",     "t60_s",    "bandwidth_hz"};
    char name[32];

    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        for (size_t k = 0; k < LAC_FACTOR_FIELDS; k++)
            if (strcmp(lac_factor_fields[k].name, shown[i]) == 0) {
                snprintf(name, sizeof name, "%s_%c", shown[i], side);
                lac_facts_real(facts, name, lac_factor_field_get(&lac_factor_fields[k], f, 0), 5);
            }
}

static cJSON *facts_of(const job *j, size_t index, const lac_factor_set *b, const comparison *c)
{
    cJSON *facts = cJSON_CreateObject();

    cJSON_AddStringToObject(facts, "a", j->inputs.item[0].path);
    cJSON_AddStringToObject(facts, "b", j->inputs.item[index].path);
    lac_facts_real(facts, "speaker_cosine", (double)c->distance.speaker_cosine, 5);
    lac_facts_real(facts, "same_speaker_probability", (double)c->distance.same_speaker_probability, 5);
    lac_facts_real(facts, "style_distance", (double)c->distance.style_distance, 5);
    if (c->content >= 0)
        lac_facts_real(facts, "content_distance", (double)c->content, 5);
    else
        cJSON_AddNullToObject(facts, "content_distance");
    lac_facts_real(facts, "environment_distance", (double)c->distance.environment_distance, 5);
    lac_facts_real(facts, "channel_distance", (double)c->distance.channel_distance, 5);
    lac_facts_count(facts, "phones_a", c->phones[0]);
    lac_facts_count(facts, "phones_b", c->phones[1]);
    add_side(facts, 'a', &j->a->factors);
    add_side(facts, 'b', &b->factors);
    return facts;
}

static void print_row(const job *j, size_t index, const comparison *c)
{
    if (index == 1)
        printf("%-32s %7s %6s %6s %7s %6s %7s\n", "file", "cosine", "same", "style", "content", "envir.",
               "channel");
    printf("%-32s %7.3f %6.3f %6.2f ", j->inputs.item[index].name, (double)c->distance.speaker_cosine,
           (double)c->distance.same_speaker_probability, (double)c->distance.style_distance);
    if (c->content >= 0)
        printf("%7.3f", (double)c->content);
    else
        printf("%7s", "-");
    printf(" %6.2f %7.2f\n", (double)c->distance.environment_distance, (double)c->distance.channel_distance);
}

static int print_line(cJSON *facts)
{
    char *text = facts ? cJSON_PrintUnformatted(facts) : NULL;
    int failed = text ? 0 : lac_report("compare", "out of memory");

    if (text)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(facts);
    return failed;
}

static int tell(const job *j, size_t index, const lac_factor_set *b)
{
    comparison c = compare(j, b);

    if (c.content < 0)
        lac_report(j->inputs.item[index].path, "has, or A has, too many phones to compare what is said");
    if (j->json)
        return print_line(facts_of(j, index, b, &c));
    if (j->inputs.count == 2)
        return lac_facts_print(facts_of(j, index, b, &c), 0);
    print_row(j, index, &c);
    return 0;
}

/* Without A there is nothing to compare with; another file that fails leaves the others alone. */
static int take(void *user, size_t index, int status, void *set)
{
    job *j = user;

    lac_progress_hide();
    if (index == 0) {
        j->a = set;
    } else if (set) {
        int failed = tell(j, index, set);

        status = failed ? failed : status;
        lac_factor_item_drop(set);
    }
    if (status && j->worst != LAC_EXIT_FAILED)
        j->worst = status;
    lac_progress_text(&j->progress, "%zu of %zu files", index + 1, j->inputs.count);
    return j->a ? 0 : status;
}

static int run(job *j)
{
    lac_jobs jobs = {.count = j->inputs.count, .threads = j->source.jobs, .user = j, .work = work, .take = take,
                     .drop = lac_factor_item_drop};
    int failed = lac_factor_source_keep_stdin(&j->source, &j->inputs, false);

    if (failed)
        return failed;
    j->workers = calloc(jobs.threads, sizeof(lac_factor_worker *));
    if (!j->workers)
        return lac_report("compare", "out of memory");
    lac_progress_start(&j->progress, -1);
    failed = lac_jobs_run(&jobs);
    lac_progress_hide();
    return failed ? failed : j->worst;
}

static void close_all(job *j)
{
    for (uint32_t i = 0; j->workers && i < j->source.jobs; i++)
        lac_factor_worker_close(&j->workers[i]);
    free(j->workers);
    if (j->a)
        lac_factor_item_drop(j->a);
    lac_inputs_close(&j->inputs);
    lac_factor_source_close(&j->source);
}

int lac_cmd_compare(int argc, char **argv)
{
    job j = {0};
    int done = 0;
    int failed;

    lac_factor_source_init(&j.source);
    failed = parse(&j, argc, argv, &done);
    if (!failed && !done)
        failed = lac_factor_source_open(&j.source);
    if (!failed && !done)
        failed = run(&j);
    close_all(&j);
    return failed;
}
