/* lac tokens bpe train: a byte-pair vocabulary over one codebook's tokens. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "fileout.h"
#include "lac/status.h"
#include "options.h"
#include "progress.h"
#include "report.h"
#include "tokencmd.h"

#define DEFAULT_MOST 32000000 /* tokens: 178 hours at 50 a second, about 2 GB */

static const char usage[] =
    "usage: lac tokens bpe train -o VOCAB --size N [--codebook I] [--tokens N] [-m MODEL] [-b KBPS] [--beam N]\n"
    "                            [--force] [--json] IN...\n"
    "\n"
    "Learns a byte-pair vocabulary over the tokens of one codebook in the order of time, of .lac files, audio and\n"
    "folders of them: the most frequent pair of neighbours becomes a symbol, again and again.\n"
    "\n"
    "  -o, --output VOCAB   the vocabulary, a text file (doc/tokens.md)\n"
    "      --size N         symbols in all, the tokens and the one for a missing token included; fewer if no pair\n"
    "                       occurs twice\n"
    "      --codebook I     which, from 1; default 1\n"
    "      --tokens N       at most so many, from the first files; default 32000000\n"
    "  -m, --model MODEL    a model file or a name; default: the one a file names, for audio the built-in one\n"
    "  -b, --bitrate KBPS   of audio, kbit/s a channel; default 3\n"
    "      --beam N         of audio, choices of tokens followed at once, 1 to 16; default 8\n"
    "      --force          overwrite\n"
    "      --json           what was done as one JSON object\n"
    "  -h, --help           this text\n";

typedef struct job {
    const char *output;
    uint32_t size, codebook, most;
    int force, json;
    lac_token_source source;
    lac_inputs inputs;
    lac_vocabulary vocabulary;
    lac_file_out out;
    uint32_t *symbols;      /* of all files and channels, a gap after each */
    size_t count, room;
    uint64_t tokens;        /* of those, gaps after channels left out */
    double frame_rate;
    bool full;
} job;

static int parse_option(void *user, int option, char **argv)
{
    static const char command[] = "tokens bpe train";
    job *j = user;

    switch (option) {
    case 'o': j->output = optarg; return 0;
    case 's': return lac_option_count(command, "--size", optarg, 3, LAC_BPE_MAX_MERGES, &j->size);
    case 'c': return lac_option_count(command, "--codebook", optarg, 1, LAC_MAX_CODEBOOKS, &j->codebook);
    case 'T': return lac_option_count(command, "--tokens", optarg, 1, LAC_BPE_MAX_SYMBOLS / 2, &j->most);
    case 'F': j->force = 1; return 0;
    case 'j': j->json = 1; return 0;
    default: return lac_token_source_option(&j->source, command, option, argv);
    }
}

static int parse(job *j, int argc, char **argv, int *done)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'}, {"size", required_argument, NULL, 's'},
        {"codebook", required_argument, NULL, 'c'}, {"tokens", required_argument, NULL, 'T'},
        {"model", required_argument, NULL, 'm'},  {"bitrate", required_argument, NULL, 'b'},
        {"beam", required_argument, NULL, 'B'},   {"force", no_argument, NULL, 'F'},
        {"json", no_argument, NULL, 'j'},         {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
    };
    int failed = lac_options_read(argc, argv, ":o:m:b:h", options, usage, parse_option, j, done);

    if (failed || *done)
        return failed;
    if (optind == argc)
        return lac_report_usage("tokens bpe train", "which files?");
    if (!j->output || !j->size)
        return lac_report_usage("tokens bpe train", "%s",
                                j->output ? "how large? --size tells" : "to which file? -o names it");
    return lac_inputs_open(&j->inputs, argv + optind, (size_t)(argc - optind), LAC_INPUTS_LAC);
}

/* The first file says which model the vocabulary is for. */
static int take_model(job *j, const char *path)
{
    lac_vocabulary *v = &j->vocabulary;
    const lac_model_info *about = &j->source.about;

    if (v->codewords)
        return lac_tokens_check(v, j->output, about, path);
    if (j->codebook > about->codebooks)
        return lac_report(path, "has no codebook %u; %s has %u", j->codebook, about->name, about->codebooks);
    if (j->size < about->codewords + 2)
        return lac_report_usage("tokens bpe train",
                                "--size must be at least %u: %u tokens, one for a missing token, a pair",
                                about->codewords + 2, about->codewords);
    memcpy(v->model, about->name, sizeof v->model);
    memcpy(v->model_id, about->id, sizeof v->model_id);
    v->codewords = about->codewords;
    v->codebook = j->codebook - 1;
    return 0;
}

static int make_room(job *j, size_t more)
{
    size_t room = j->count + more > j->room ? 2 * j->room + more : j->room;
    uint32_t *bigger = realloc(j->symbols, room * sizeof *bigger);

    if (!bigger)
        return lac_report("tokens", "out of memory; --tokens limits how many are used");
    j->symbols = bigger;
    j->room = room;
    return 0;
}

static int add_file(job *j, const lac_token_set *set)
{
    for (uint32_t c = 0; c < set->channels; c++) {
        uint64_t frames = set->frames;
        int failed = make_room(j, (size_t)frames + 1);

        if (failed)
            return failed;
        lac_vocabulary_sequence(&j->vocabulary, set, c, j->symbols + j->count);
        if (frames > j->most - j->tokens) {
            frames = j->most - j->tokens;
            j->full = true;
        }
        j->count += (size_t)frames;
        j->tokens += frames;
        j->symbols[j->count++] = j->vocabulary.codewords;
        if (j->full)
            break;
    }
    return 0;
}

static int take_file(void *user, const lac_token_set *set, const char *path)
{
    job *j = user;
    int failed = take_model(j, path);

    j->frame_rate = set->frame_rate;
    return failed ? failed : add_file(j, set);
}

static int load_all(job *j)
{
    int worst = lac_token_source_each(&j->source, &j->inputs, take_file, j, &j->full);

    if (j->full)
        fprintf(stderr, "lac: the first %llu tokens are used; --tokens sets how many\n",
                (unsigned long long)j->tokens);
    return worst;
}

static int learn(job *j)
{
    lac_vocabulary *v = &j->vocabulary;

    v->count = j->size - v->codewords - 1;
    v->merges = malloc(v->count * sizeof *v->merges);
    int status = v->merges ? lac_bpe_train(v->merges, &v->count, v->codewords, j->symbols,
                                           j->count) : LAC_ERROR_MEMORY;
    if (!status)
        status = lac_vocabulary_finish(v);
    return status ? lac_report_status("tokens", status, 0) : 0;
}

static int write_vocabulary(job *j)
{
    lac_token_bytes bytes = {0};

    lac_vocabulary_write(&bytes, &j->vocabulary);
    if (!bytes.failed)
        lac_file_out_write(&j->out, bytes.data, bytes.size);
    int failed = bytes.failed ? lac_report(j->output, "out of memory") : lac_file_out_commit(&j->out);
    lac_token_bytes_free(&bytes);
    return failed;
}

static int report_done(job *j)
{
    cJSON *facts = cJSON_CreateObject();
    const lac_vocabulary *v = &j->vocabulary;
    size_t symbols = j->count, ends = j->count - (size_t)j->tokens;
    uint32_t longest = 1;
    int status = lac_bpe_apply(v->bpe, j->symbols, &symbols);

    for (uint32_t i = 0; i < lac_bpe_size(v->bpe); i++)
        if (lac_bpe_length(v->bpe, i) > longest)
            longest = lac_bpe_length(v->bpe, i);
    if (status) {
        cJSON_Delete(facts);
        return lac_report_status("tokens", status, 0);
    }
    cJSON_AddStringToObject(facts, "model", v->model);
    lac_facts_count(facts, "codebook", v->codebook + 1);
    lac_facts_count(facts, "vocabulary_size", lac_bpe_size(v->bpe));
    lac_facts_count(facts, "merges", v->count);
    lac_facts_count(facts, "longest_symbol", longest);
    lac_facts_real(facts, "seconds", j->frame_rate > 0 ? (double)j->tokens / j->frame_rate : 0, 9);
    lac_tokens_ratio(facts, j->tokens, symbols - ends, j->frame_rate);
    return lac_facts_print(facts, j->json);
}

static int run(job *j)
{
    int failed = lac_file_out_open(&j->out, j->output, j->inputs.item[0].path, j->force);
    int worst = failed ? failed : load_all(j);

    if (worst && worst != LAC_EXIT_CONCEALED)
        return worst;
    failed = learn(j);
    if (!failed)
        failed = write_vocabulary(j);
    if (!failed && strcmp(j->output, "-") != 0)
        failed = report_done(j);
    return failed ? failed : worst;
}

int lac_tokens_train(int argc, char **argv)
{
    job j;
    int done = 0;
    int failed;

    memset(&j, 0, sizeof j);
    lac_token_source_init(&j.source);
    j.codebook = 1;
    j.most = DEFAULT_MOST;
    j.out.fd = -1;
    failed = parse(&j, argc, argv, &done);
    if (!failed && !done)
        failed = run(&j);
    lac_progress_hide();
    lac_file_out_discard(&j.out);
    free(j.symbols);
    lac_vocabulary_free(&j.vocabulary);
    lac_token_source_close(&j.source);
    lac_inputs_close(&j.inputs);
    return failed;
}
