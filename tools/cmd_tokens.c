/* lac tokens: tokens out of .lac files for programs that learn from them, back, and what can be said of them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "facts.h"
#include "report.h"
#include "tokencmd.h"

static const char usage[] =
    "usage: lac tokens export [-f FORMAT] [-o OUT] IN...\n"
    "       lac tokens import -o OUT.lac IN\n"
    "       lac tokens bpe train -o VOCAB --size N IN...\n"
    "       lac tokens stats [--json] IN...\n"
    "\n"
    "Tokens of .lac files and audio as NumPy arrays, JSON lines or packed bits, and back; byte-pair vocabularies\n"
    "over them; their entropy and mutual information. 'lac tokens export --help' and so on tell the options.\n";

int lac_tokens_vocabulary(lac_vocabulary *v, const char *path)
{
    lac_token_bytes bytes = {0};
    char reason[LAC_TOKENS_REASON];
    FILE *file = fopen(path, "rb");
    int failed = file ? lac_file_in_whole(&bytes, file, path) : lac_report(path, "%s", strerror(errno));

    memset(v, 0, sizeof *v);
    if (!failed && lac_vocabulary_parse(v, bytes.data, bytes.size, reason))
        failed = lac_report(path, "%s", reason);
    if (file)
        fclose(file);
    lac_token_bytes_free(&bytes);
    return failed;
}

int lac_tokens_check(const lac_vocabulary *v, const char *path, const lac_model_info *about, const char *file)
{
    if (memcmp(v->model_id, about->id, 8) != 0 || v->codewords != about->codewords ||
        v->codebook >= about->codebooks)
        return lac_report(file, "is of the model %s, but the vocabulary %s of %s", about->name, path, v->model);
    return 0;
}

void lac_tokens_ratio(cJSON *facts, uint64_t tokens, uint64_t symbols, double frame_rate)
{
    lac_facts_count(facts, "tokens", tokens);
    lac_facts_count(facts, "symbols", symbols);
    lac_facts_real(facts, "tokens_per_second", frame_rate, 6);
    lac_facts_real(facts, "symbols_per_second", tokens ? frame_rate * (double)symbols / (double)tokens : 0, 6);
    lac_facts_real(facts, "tokens_per_symbol", symbols ? (double)tokens / (double)symbols : 0, 6);
}

static int is(const char *word, const char *name)
{
    return strcmp(word, name) == 0;
}

int lac_cmd_tokens(int argc, char **argv)
{
    if (argc < 2)
        return lac_report_usage("tokens", "export, import, bpe train or stats?");
    if (is(argv[1], "--help") || is(argv[1], "-h")) {
        fputs(usage, stdout);
        return LAC_EXIT_OK;
    }
    if (is(argv[1], "export"))
        return lac_tokens_export(argc - 1, argv + 1);
    if (is(argv[1], "import"))
        return lac_tokens_import(argc - 1, argv + 1);
    if (is(argv[1], "stats"))
        return lac_tokens_stats(argc - 1, argv + 1);
    if (is(argv[1], "bpe") && argc > 2 && is(argv[2], "train"))
        return lac_tokens_train(argc - 2, argv + 2);
    if (is(argv[1], "bpe"))
        return lac_report_usage("tokens", "bpe train?");
    return lac_report_usage("tokens", argv[1][0] == '-' ? "unknown option '%s'" : "no command 'tokens %s'",
                            argv[1]);
}
