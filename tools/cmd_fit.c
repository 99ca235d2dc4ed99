/* lac fit: a model whose codebooks are fitted to the user's own audio. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "fileout.h"
#include "fitcheckpoint.h"
#include "fitreport.h"
#include "models.h"
#include "options.h"
#include "progress.h"
#include "report.h"

/* doc/fitting.md has the measurements behind these. */
#define PRIOR 20
#define PASSES 4        /* from the model's codewords */
#define FRESH_PASSES 10
#define FRESH_SPREAD 5
#define SAVE_AFTER 20.0 /* seconds of work that may be lost */

static const char usage[] =
    "usage: lac fit [-m MODEL] [-o OUT.lacm] [--name NAME] [--state FILE] [--json] [-t THREADS] [-f] INPUT...\n"
    "       lac fit --fresh [--kind KIND] [--stages N] [--codewords N] [--seed N] ... INPUT...\n"
    "\n"
    "Fits a model's codebooks to audio: files, and folders with all audio files below them. The result is a model\n"
    "with a name and an id of its own, for -m of the other commands; its encoder and decoder are those of MODEL.\n"
    "A tenth of the frames is held out, to tell how much better they are quantised.\n"
    "\n"
    "  -m, --model MODEL    a model file or a name; default: the built-in one\n"
    "  -o, --output OUT     default: NAME.lacm\n"
    "      --name NAME      of the new model; default: that of OUT, or MODEL's with -fit\n"
    "      --state FILE     keep the state there, and go on from it if it is there\n"
    "      --json           the report as one JSON object\n"
    "      --prior N        frames that a codeword of MODEL counts as, 0 to 1048576; default 20\n"
    "      --fresh          forget MODEL's codewords\n"
    "      --kind KIND      rvq, or vq: one codebook, by moving averages as in VQ-VAE\n"
    "      --stages N       codebooks, 1 to 32; default: MODEL's\n"
    "      --codewords N    of each, 2 to 4096; default: MODEL's\n"
    "      --seed N         of what is drawn; default 1\n"
    "  -t, --threads N      threads, 1 to 256; default 1. They don't change the result\n"
    "  -f, --force          overwrite OUT\n"
    "  -h, --help           this text\n";

typedef struct job {
    const char *model_name, *output, *name, *state;
    uint32_t threads, seed, prior, stages, codewords;
    int json, force, fresh, vq, has_prior;

    lac_model *model;
    lac_fit_inputs inputs;
    lac_fit_corpus corpus;
    lac_fit_progress progress;
    lac_fit_settings settings;
    lac_fit_result result;
    char made_name[LAC_MODEL_NAME_SIZE], made_output[LAC_MODEL_NAME_SIZE + 8];
    double saved; /* when, on lac_clock */
} job;

/* ---- options ---- */

static int parse_kind(job *j, const char *text)
{
    if (strcmp(text, "rvq") != 0 && strcmp(text, "vq") != 0)
        return lac_report_usage("fit", "--kind %s: is rvq or vq", text);
    j->vq = strcmp(text, "vq") == 0;
    return 0;
}

static int parse_option(void *user, int option, char **argv)
{
    job *j = user;

    switch (option) {
    case 'm': j->model_name = optarg; return 0;
    case 'o': j->output = optarg; return 0;
    case 'N': j->name = optarg; return 0;
    case 'S': j->state = optarg; return 0;
    case 'j': j->json = 1; return 0;
    case 'P': j->has_prior = 1; return lac_option_count("fit", "--prior", optarg, 0, 1u << 20, &j->prior);
    case 'F': j->fresh = 1; return 0;
    case 'k': return parse_kind(j, optarg);
    case 'q': return lac_option_count("fit", "--stages", optarg, 1, LAC_MAX_CODEBOOKS, &j->stages);
    case 'c': return lac_option_count("fit", "--codewords", optarg, 2, LAC_FIT_MAX_CODEWORDS, &j->codewords);
    case 's': return lac_option_count("fit", "--seed", optarg, 0, UINT32_MAX, &j->seed);
    case 't': return lac_option_threads("fit", optarg, &j->threads);
    case 'f': j->force = 1; return 0;
    default: return lac_report_option("fit", option, argv);
    }
}

static int check_options(const job *j)
{
    if (!j->fresh && (j->vq || j->stages || j->codewords))
        return lac_report_usage("fit", "--kind vq, --stages and --codewords need --fresh");
    if (j->fresh && j->has_prior)
        return lac_report_usage("fit", "--fresh leaves nothing for --prior");
    if (j->vq && j->stages > 1)
        return lac_report_usage("fit", "--kind vq has one stage");
    if (j->output && strcmp(j->output, "-") == 0 && j->json)
        return lac_report_usage("fit", "standard output can't be both the model and the report");
    return 0;
}

static int parse(job *j, int argc, char **argv, int *done)
{
    static const struct option options[] = {
        {"model", required_argument, NULL, 'm'},  {"output", required_argument, NULL, 'o'},
        {"name", required_argument, NULL, 'N'},   {"state", required_argument, NULL, 'S'},
        {"json", no_argument, NULL, 'j'},         {"prior", required_argument, NULL, 'P'},
        {"fresh", no_argument, NULL, 'F'},        {"kind", required_argument, NULL, 'k'},
        {"stages", required_argument, NULL, 'q'}, {"codewords", required_argument, NULL, 'c'},
        {"seed", required_argument, NULL, 's'},   {"threads", required_argument, NULL, 't'},
        {"force", no_argument, NULL, 'f'},        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int failed = lac_options_read(argc, argv, ":m:o:t:fh", options, usage, parse_option, j, done);

    if (failed || *done)
        return failed;
    if (optind == argc)
        return lac_report_usage("fit", "which files?");
    return check_options(j);
}

/* ---- names ---- */

static int name_ok(const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < length; i++)
        if (name[i] <= 0x20 || name[i] >= 0x7f || name[i] == '/')
            return 0;
    return length > 0 && length < LAC_MODEL_NAME_SIZE;
}

/* The output's name without folder and ending. */
static void name_from_output(job *j)
{
    const char *slash = strrchr(j->output, '/');
    const char *base = slash ? slash + 1 : j->output;
    const char *dot = strrchr(base, '.');
    int length = dot && dot != base ? (int)(dot - base) : (int)strlen(base);

    snprintf(j->made_name, sizeof j->made_name, "%.*s", length, base);
}

static int choose_names(job *j)
{
    lac_model_info info;

    lac_model_get_info(j->model, &info);
    if (!j->name) {
        if (j->output && strcmp(j->output, "-") != 0)
            name_from_output(j);
        else
            snprintf(j->made_name, sizeof j->made_name, "%.*s-fit", LAC_MODEL_NAME_SIZE - 5, info.name);
        j->name = j->made_name;
    }
    if (!name_ok(j->name))
        return lac_report_usage("fit", "--name %s: a name is 1 to 63 letters without spaces or '/'", j->name);
    if (!j->output) {
        snprintf(j->made_output, sizeof j->made_output, "%s.lacm", j->name);
        j->output = j->made_output;
    }
    return 0;
}

/* Before hours of work: can it be written? */
static int try_output(const job *j)
{
    lac_file_out out;
    int failed = lac_file_out_open(&out, j->output, "", j->force);

    if (!failed)
        lac_file_out_discard(&out);
    return failed;
}

/* ---- setting up ---- */

static void choose_settings(job *j)
{
    lac_fit_settings *s = &j->settings;
    const lac_model_info *info = &j->corpus.info;

    lac_fit_default_settings(s);
    s->stages = j->vq ? 1 : j->stages ? j->stages : info->codebooks;
    s->codewords = j->codewords ? j->codewords : info->codewords;
    s->dimension = info->latent_size;
    s->method = j->vq ? LAC_FIT_EMA : LAC_FIT_LLOYD;
    s->iterations = j->fresh ? FRESH_PASSES : PASSES;
    if (j->fresh && s->stages > 1)
        s->spread = s->codewords < FRESH_SPREAD ? s->codewords : FRESH_SPREAD;
    s->prior = j->prior;
    s->threads = j->threads;
    s->seed = j->seed;
}

static int open_all(job *j, char **names, size_t count)
{
    int failed = lac_models_open(&j->model, j->model_name);
    int listed;

    if (!failed)
        failed = choose_names(j);
    if (!failed)
        failed = try_output(j);
    if (!failed)
        failed = lac_fit_corpus_open(&j->corpus, j->model, j->threads);
    if (failed)
        return failed;
    if (!j->fresh && !lac_fit_model_codes(j->model))
        return lac_report(j->corpus.info.name, "has no codebooks to start from; --fresh makes new ones");
    listed = lac_fit_inputs_open(&j->inputs, names, count);
    if (j->inputs.count == 0)
        return LAC_EXIT_FAILED;
    choose_settings(j);
    int status = lac_fit_open(&j->corpus.fit, &j->settings, j->fresh ? NULL : lac_fit_model_codes(j->model));
    if (status)
        return lac_report_status("fit", status, 0);
    if (j->state)
        failed = lac_fit_checkpoint_load(j->state, &j->corpus, &j->settings, &j->inputs, &j->progress);
    if (listed)
        j->progress.failed += !j->progress.failed;
    return failed;
}

/* ---- work ---- */

static int save(job *j, int must)
{
    double now = lac_clock();

    if (!j->state || (!must && now - j->saved < SAVE_AFTER))
        return 0;
    int failed = lac_fit_checkpoint_save(j->state, &j->corpus, &j->inputs, &j->progress);
    j->saved = lac_clock();
    return failed;
}

static int read_corpus(job *j)
{
    lac_progress line;
    int failed = 0;

    lac_progress_start(&line, -1);
    while (!failed && j->progress.files < j->inputs.count) {
        lac_progress_text(&line, "file %llu of %zu", (unsigned long long)j->progress.files + 1, j->inputs.count);
        if (lac_fit_corpus_add(&j->corpus, j->inputs.path[j->progress.files]))
            j->progress.failed++;
        j->progress.files++;
        failed = save(j, j->progress.files == j->inputs.count);
    }
    return failed;
}

static int check_corpus(const job *j)
{
    uint32_t kept = lac_fit_kept(j->corpus.fit);

    if (kept == 0)
        return lac_report("fit", "nothing to fit to: no input holds a frame of sound");
    if (j->fresh && kept < j->settings.codewords)
        return lac_report("fit", "%u frames are too few for %u codewords: add audio, or say --codewords", kept,
                          j->settings.codewords);
    return 0;
}

static int fit_all(job *j)
{
    lac_fit *fit = j->corpus.fit;
    lac_progress line;
    int failed = 0;

    lac_progress_start(&line, -1);
    while (!failed && lac_fit_done(fit) < lac_fit_steps(fit)) {
        lac_progress_text(&line, "fitting to %u frames: step %u of %u", lac_fit_kept(fit), lac_fit_done(fit) + 1,
                          lac_fit_steps(fit));
        int status = lac_fit_step(fit);

        if (status)
            return lac_report_status("fit", status, 0);
        failed = save(j, lac_fit_done(fit) == lac_fit_steps(fit));
    }
    return failed;
}

/* Of the model as it was. */
static int measure_before(job *j, const int16_t *rows, uint32_t count)
{
    const int16_t *codes = lac_fit_model_codes(j->model);
    lac_fit_settings settings = j->settings;
    lac_fit *fit = NULL;
    int status;

    if (!codes)
        return LAC_OK;
    settings.stages = j->corpus.info.codebooks;
    settings.codewords = j->corpus.info.codewords;
    settings.refinements = 0;
    settings.rows = count;
    status = lac_fit_open(&fit, &settings, codes);
    if (!status)
        status = lac_fit_measure(fit, rows, count, &j->result.before);
    lac_fit_close(&fit);
    return status;
}

static int measure(job *j)
{
    lac_fit_result *r = &j->result;
    uint32_t held = j->corpus.held_rows;
    int status = lac_fit_measure(j->corpus.fit, held ? j->corpus.held : NULL, held, &r->after);

    if (!status && held)
        status = measure_before(j, j->corpus.held, held);
    r->model = j->corpus.info.name;
    r->name = j->name;
    r->files = j->progress.files;
    r->failed = j->progress.failed;
    r->seconds = (double)j->corpus.frames * j->corpus.info.frame_samples / j->corpus.info.sample_rate;
    r->kept = lac_fit_kept(j->corpus.fit);
    r->held_out = held > 0;
    return status ? lac_report_status("fit", status, 0) : 0;
}

/* ---- result ---- */

/* Bytes on their way to the file, and all of them for the id. */
typedef struct copy {
    lac_file_out *out;
    uint8_t *bytes;
    size_t size;
} copy;

static int write_copy(void *user, const void *data, size_t size)
{
    copy *c = user;
    uint8_t *more = realloc(c->bytes, c->size + size);

    if (!more)
        return -1;
    c->bytes = more;
    memcpy(c->bytes + c->size, data, size);
    c->size += size;
    return lac_file_out_write(c->out, data, size);
}

static int read_id(job *j, const copy *c)
{
    lac_model *made = NULL;
    lac_model_info info;
    int status = lac_model_open_memory(&made, c->bytes, c->size);

    if (status)
        return lac_report_status(j->output, status, 0);
    lac_model_get_info(made, &info);
    memcpy(j->result.id, info.id, sizeof info.id);
    lac_model_close(&made);
    return 0;
}

static int write_model(job *j)
{
    lac_file_out out;
    copy c = {&out, NULL, 0};
    lac_io io = {&c, NULL, write_copy, NULL, NULL};
    int failed = lac_file_out_open(&out, j->output, "", j->force);

    if (failed)
        return failed;
    int status = lac_fit_write_model(j->model, j->name, j->settings.stages, j->settings.codewords,
                                     lac_fit_get_codes(j->corpus.fit), &io);
    failed = status && !out.error ? lac_report_status(out.name, status, 0) : 0;
    if (!failed && !status)
        failed = read_id(j, &c);
    if (failed)
        lac_file_out_discard(&out);
    else
        failed = lac_file_out_commit(&out);
    free(c.bytes);
    return failed;
}

static int report(const job *j)
{
    lac_progress_hide();
    if (j->json)
        return lac_fit_result_print_json(&j->result);
    if (isatty(STDOUT_FILENO) && strcmp(j->output, "-") != 0)
        lac_fit_result_print(&j->result);
    return 0;
}

static int run(job *j)
{
    int failed = read_corpus(j);

    if (!failed)
        failed = check_corpus(j);
    if (!failed)
        failed = fit_all(j);
    if (!failed)
        failed = measure(j);
    if (!failed)
        failed = write_model(j);
    if (!failed)
        failed = report(j);
    return failed ? failed : j->progress.failed ? LAC_EXIT_FAILED : LAC_EXIT_OK;
}

int lac_cmd_fit(int argc, char **argv)
{
    job j;
    int done = 0;
    int failed;

    memset(&j, 0, sizeof j);
    j.threads = j.seed = 1;
    j.prior = PRIOR;
    failed = parse(&j, argc, argv, &done);
    if (!failed && !done)
        failed = open_all(&j, argv + optind, (size_t)(argc - optind));
    if (!failed && !done)
        failed = run(&j);
    lac_progress_hide();
    lac_fit_close(&j.corpus.fit);
    lac_fit_corpus_close(&j.corpus);
    lac_fit_inputs_close(&j.inputs);
    lac_model_close(&j.model);
    return failed;
}
