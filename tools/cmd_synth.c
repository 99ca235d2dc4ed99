/* lac synth: a data set of new utterances, made from those of a manifest as a plan says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "facts.h"
#include "merge.h"
#include "report.h"
#include "reportpage.h"
#include "synthrun.h"

static const char usage[] =
    "usage: lac synth PLAN.yaml -i MANIFEST -o DIR [--shard I/N] [-j N] [--resume] [--dry-run] [--json]\n"
    "       lac synth --merge DIR | --verify DIR | --report DIR [--json]\n"
    "\n"
    "Makes new utterances from the recordings of a manifest, as a plan says: other voices, styles, places and "
    "lines\n"
    "(doc/synthesis-data.md). The same plan, manifest and recordings give the same bytes, whatever the threads "
    "and\n"
    "shards.\n"
    "\n"
    "  -i, --input MANIFEST a line of JSON a recording: path, speaker, text, lang, licence, seconds, consent\n"
    "  -o, --output DIR     where the data set grows: shards, journals, factors of the recordings\n"
    "      --shard I/N      every N-th shard, from the I-th on: a part for each of N machines\n"
    "  -j, --jobs N         outputs made at once; default: one a processor\n"
    "      --resume         go on with what is there\n"
    "      --dry-run        tell what would be made, and what keeps rows out\n"
    "      --json           the summary as one JSON object\n"
    "  -m, --model MODEL    a factor model, a file or a name; default: the built-in one\n"
    "      --codec MODEL    the codec model whose latents it reads; default: the built-in one\n"
    "      --merge DIR      check all shards, write one record list and the trainers' manifests\n"
    "      --verify DIR     check all shards\n"
    "      --report DIR     write report.html\n"
    "  -h, --help           this text\n";

enum task { MAKE, MERGE, VERIFY, REPORT };

typedef struct options {
    lac_synth_job job;
    enum task task;
    bool dry, json;
} options;

/* ---- options ---- */

static int take_shard(lac_synth_job *j, const char *text)
{
    unsigned shard, shards;
    char more;

    /* scanf takes signs and blanks, too. */
    if (text[strspn(text, "0123456789/")] || sscanf(text, "%9u/%9u%c", &shard, &shards, &more) != 2 || shard < 1 ||
        shard > shards)
        return lac_report_usage("synth", "--shard %s: I/N is needed, I from 1 to N", text);
    j->shard = shard;
    j->shards = shards;
    return 0;
}

static int take_folder(options *o, enum task task)
{
    if (o->task != MAKE)
        return lac_report_usage("synth", "one of --merge, --verify and --report");
    o->task = task;
    o->job.folder = optarg;
    return 0;
}

static int parse_option(void *user, int option, char **argv)
{
    options *o = user;

    switch (option) {
    case 'i':
        o->job.manifest = optarg;
        return 0;
    case 'o':
        o->job.folder = optarg;
        return 0;
    case 'S':
        return take_shard(&o->job, optarg);
    case 'r':
        o->job.resume = true;
        return 0;
    case 'd':
        o->dry = true;
        return 0;
    case 'J':
        o->json = true;
        return 0;
    case 'G':
        return take_folder(o, MERGE);
    case 'V':
        return take_folder(o, VERIFY);
    case 'P':
        return take_folder(o, REPORT);
    default:
        return lac_factor_source_option(&o->job.synth.source, "synth", option, argv);
    }
}

static int parse(options *o, int argc, char **argv, int *done)
{
    static const struct option table[] = {
        {"input", required_argument, NULL, 'i'},  {"output", required_argument, NULL, 'o'},
        {"shard", required_argument, NULL, 'S'},  {"jobs", required_argument, NULL, 'j'},
        {"resume", no_argument, NULL, 'r'},       {"dry-run", no_argument, NULL, 'd'},
        {"json", no_argument, NULL, 'J'},         {"model", required_argument, NULL, 'm'},
        {"codec", required_argument, NULL, 'C'},  {"merge", required_argument, NULL, 'G'},
        {"verify", required_argument, NULL, 'V'}, {"report", required_argument, NULL, 'P'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    int failed = lac_options_read(argc, argv, ":i:o:j:m:h", table, usage, parse_option, o, done);
    int operands = argc - optind;

    if (failed || *done)
        return failed;
    if (o->task != MAKE)
        return operands == 0 ? 0 : lac_report_usage("synth", "'%s': no plan is needed here", argv[optind]);
    if (operands != 1)
        return lac_report_usage("synth", operands == 0 ? "which plan?" : "one plan at a time");
    if (!o->job.manifest)
        return lac_report_usage("synth", "from what? -i MANIFEST is needed");
    if (!o->job.folder && !o->dry)
        return lac_report_usage("synth", "where to? -o DIR is needed");
    o->job.plan = argv[optind];
    return 0;
}

/* ---- making ---- */

static cJSON *tell_plan(const lac_synth_job *j)
{
    const lac_synth *s = &j->synth;
    const lac_cast *c = &s->cast;
    uint32_t content = c->content.start[c->content.groups];
    cJSON *facts = cJSON_CreateObject();

    cJSON_AddStringToObject(facts, "name", s->plan.name);
    cJSON_AddStringToObject(facts, "plan_id", s->set.plan_id);
    lac_facts_count(facts, "outputs", c->count);
    lac_facts_count(facts, "shards", lac_set_info_shards(&s->set));
    lac_facts_count(facts, "outputs_of_this_run", j->outputs);
    if (c->content_s > 0)
        lac_facts_real(facts, "hours_about", c->content_s / content * (double)c->count / 3600, 4);
    lac_facts_count(facts, "rows", c->rows);
    lac_facts_count(facts, "content_rows", content);
    lac_facts_count(facts, "voices", c->voices.groups);
    lac_facts_count(facts, "noise_rows", c->noises.count);
    lac_facts_count(facts, "rows_never_used", c->never);
    lac_facts_count(facts, "rows_without_consent", c->refused);
    lac_facts_count(facts, "rows_of_other_licences", c->unlicensed);
    lac_facts_count(facts, "missing_sources", c->missing);
    return facts;
}

static cJSON *tell_run(const lac_synth_job *j)
{
    cJSON *facts = cJSON_CreateObject();

    cJSON_AddStringToObject(facts, "name", j->synth.plan.name);
    lac_facts_count(facts, "outputs", j->outputs);
    lac_facts_count(facts, "found", j->found);
    lac_facts_count(facts, "made", j->made);
    lac_facts_count(facts, "accepted", j->accepted);
    lac_facts_count(facts, "rejected", j->made - j->accepted);
    lac_facts_count(facts, "met_bad_sources", j->unsound);
    lac_facts_real(facts, "hours", j->seconds / 3600, 4);
    lac_facts_real(facts, "wall_s", j->wall_s, 4);
    lac_facts_real(facts, "hours_an_hour", j->wall_s > 0 ? j->seconds / j->wall_s : 0, 4);
    return facts;
}

static int make(options *o)
{
    lac_synth_job *j = &o->job;
    int failed = lac_synth_open(j);

    if (!failed && o->dry)
        return lac_facts_print(tell_plan(j), o->json);
    if (!failed)
        failed = lac_synth_prepare(j);
    if (failed)
        return failed;
    failed = lac_synth_run(j);
    int unprinted = lac_facts_print(tell_run(j), o->json);
    return failed ? failed : unprinted;
}

/* ---- the whole set ---- */

static void tell_problem(void *user, const char *text)
{
    (void)user;
    lac_report_reason(text);
}

static int merge(const options *o)
{
    lac_merge m = {.folder = o->job.folder, .write = o->task == MERGE, .problem = tell_problem};

    if (lac_merge_run(&m))
        return lac_report_reason(m.reason);
    cJSON *facts = cJSON_CreateObject();
    lac_facts_count(facts, "outputs", m.outputs);
    lac_facts_count(facts, "accepted", m.accepted);
    lac_facts_count(facts, "rejected", m.rejected);
    lac_facts_count(facts, "duplicates", m.duplicates);
    lac_facts_count(facts, "problems", m.problems);
    lac_facts_real(facts, "hours", m.seconds / 3600, 4);
    int failed = lac_facts_print(facts, o->json);
    return m.problems > 0 ? LAC_EXIT_FAILED : failed;
}

static int report(const options *o)
{
    char reason[LAC_PLAN_REASON];

    return lac_reportpage_write(o->job.folder, reason) ? lac_report_reason(reason) : 0;
}

int lac_cmd_synth(int argc, char **argv)
{
    options o = {.job = {.shard = 1, .shards = 1, .synth = {.manifest = {.file = -1}}}};
    int done = 0, failed;

    lac_factor_source_init(&o.job.synth.source);
    failed = parse(&o, argc, argv, &done);
    if (failed || done)
        return failed;
    if (o.task == REPORT)
        return report(&o);
    if (o.task != MAKE)
        return merge(&o);
    failed = make(&o);
    lac_synth_close(&o.job);
    return failed;
}
