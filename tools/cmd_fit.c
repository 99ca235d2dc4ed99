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
    "      --kind KIND      rvq; vq: one codebook, by moving averages as in VQ-VAE; or fsq: scalars, no codebooks\n"
    "      --levels L,...   of fsq: levels of each dimension; default: MODEL's, or 4,4,4,4,4\n"
    "      --stages N       codebooks, 1 to 32; default: MODEL's\n"
    "      --codewords N    of each, 2 to 4096; default: MODEL's\n"
    "      --seed N         of what is drawn; default 1\n"
    "  -t, --threads N      threads, 1 to 256; default 1. They don't change the result\n"
    "  -f, --force          overwrite OUT\n"
    "  -h, --help           this text\n";

typedef struct job {
    const char *model_name, *output, *name, *state;
    uint32_t threads, seed, prior, stages, codewords;
    int json, force, fresh, vq, fsq, has_prior;
    uint8_t levels[LAC_FIT_MAX_LEVELS]; /* zeros: none given */

    lac_model *model;
    lac_inputs inputs;
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
    j->vq = strcmp(text, "vq") == 0;
    j->fsq = strcmp(text, "fsq") == 0;
    return j->vq || j->fsq || strcmp(text, "rvq") == 0
               ? 0
               : lac_report_usage("fit", "--kind %s: is rvq, vq or fsq", text);
}

static uint32_t product_of(const uint8_t levels[LAC_FIT_MAX_LEVELS])
{
    uint32_t product = 1;

    for (size_t i = 0; i < LAC_FIT_MAX_LEVELS && levels[i] > 0 && product <= LAC_FIT_MAX_CODEWORDS; i++)
        product *= levels[i];
    return product;
}

static int parse_levels(job *j, const char *text)
{
    const char *at = text;
    size_t n = 0;

    for (;;) {
        char *end;
        unsigned long levels = *at >= '0' && *at <= '9' ? strtoul(at, &end, 10) : 0;

        if (n == LAC_FIT_MAX_LEVELS || levels < 2 || levels > 64 || (*end != 0 && *end != ','))
            break;
        j->levels[n++] = (uint8_t)levels;
        if (*end == 0)
            return product_of(j->levels) <= LAC_FIT_MAX_CODEWORDS
                       ? 0
                       : lac_report_usage("fit", "--levels %s: their product is at most %u", text,
                                          LAC_FIT_MAX_CODEWORDS);
        at = end + 1;
    }
    return lac_report_usage("fit", "--levels %s: is up to 12 numbers, 2 to 64, as 4,4,4,4,4", text);
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
    case 'l': return parse_levels(j, optarg);
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
    if (!j->fresh && (j->vq || j->fsq || j->stages || j->codewords))
        return lac_report_usage("fit", "--kind vq and fsq, --stages and --codewords need --fresh");
    if (j->levels[0] && !j->fsq)
        return lac_report_usage("fit", "--levels needs --kind fsq");
    if (j->fsq && j->codewords)
        return lac_report_usage("fit", "--kind fsq takes --levels, not --codewords");
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
        {"levels", required_argument, NULL, 'l'}, {"stages", required_argument, NULL, 'q'},
        {"codewords", required_argument, NULL, 'c'}, {"seed", required_argument, NULL, 's'},
        {"threads", required_argument, NULL, 't'}, {"force", no_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
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

/* Of a scalar quantiser: the model's, unless others are wanted. */
static void choose_levels(job *j)
{
    static const uint8_t usual[LAC_FIT_MAX_LEVELS] = {4, 4, 4, 4, 4};
    lac_fit_settings *s = &j->settings;
    lac_fit_maps maps;

    s->method = LAC_FIT_FSQ;
    if (j->levels[0])
        memcpy(s->levels, j->levels, sizeof s->levels);
    else if (lac_fit_model_maps(j->model, &maps, s->levels) != 0)
        memcpy(s->levels, usual, sizeof s->levels);
    s->codewords = product_of(s->levels);
    s->spread = 1;
}

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
    if (j->fsq || (!j->fresh && !lac_fit_model_codes(j->model)))
        choose_levels(j);
    s->prior = j->prior;
    s->threads = j->threads;
    s->seed = j->seed;
}

/* A fit that starts from what the model has. */
static int open_warm(const job *j, const lac_fit_settings *settings, lac_fit **fit)
{
    const int16_t *codes = lac_fit_model_codes(j->model);
    lac_fit_settings s = *settings;
    lac_fit_maps maps;

    return codes                                                 ? lac_fit_open(fit, &s, codes)
           : lac_fit_model_maps(j->model, &maps, s.levels) == 0 ? lac_fit_open_maps(fit, &s, &maps)
                                                                 : LAC_ERROR_ARGUMENT;
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
    listed = lac_inputs_open(&j->inputs, names, count, 0);
    if (j->inputs.count == 0)
        return LAC_EXIT_FAILED;
    choose_settings(j);
    int status = j->fresh ? lac_fit_open(&j->corpus.fit, &j->settings, NULL)
                          : open_warm(j, &j->settings, &j->corpus.fit);
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
        if (lac_fit_corpus_add(&j->corpus, j->inputs.item[j->progress.files].path))
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
    if (j->fresh && !j->fsq && kept < j->settings.codewords)
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
    lac_fit_settings settings = j->settings;
    lac_fit *fit = NULL;
    int status;

    settings.method = lac_fit_model_codes(j->model) ? LAC_FIT_LLOYD : LAC_FIT_FSQ;
    settings.spread = 1;
    settings.stages = j->corpus.info.codebooks;
    settings.codewords = j->corpus.info.codewords;
    settings.refinements = 0;
    settings.rows = count;
    status = open_warm(j, &settings, &fit);
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

static int write_fitted(const job *j, const lac_io *io)
{
    const lac_fit_settings *s = &j->settings;
    lac_fit_maps maps;

    return lac_fit_get_maps(j->corpus.fit, &maps) == 0
               ? lac_fit_write_maps(j->model, j->name, s->stages, s->levels, &maps, io)
               : lac_fit_write_model(j->model, j->name, s->stages, s->codewords, lac_fit_get_codes(j->corpus.fit),
                                     io);
}

static int write_model(job *j)
{
    lac_file_out out;
    copy c = {&out, NULL, 0};
    lac_io io = {&c, NULL, write_copy, NULL, NULL};
    int failed = lac_file_out_open(&out, j->output, "", j->force);

    if (failed)
        return failed;
    int status = write_fitted(j, &io);
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
    lac_inputs_close(&j.inputs);
    lac_model_close(&j.model);
    return failed;
}
