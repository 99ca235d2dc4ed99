/* The lac command: finds the subcommand. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "fileout.h"
#include "lac/version.h"
#include "models.h"
#include "report.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"encode", lac_cmd_encode, "code an audio file to .lac"},
    {"decode", lac_cmd_decode, "decode a .lac file to audio"},
    {"info", lac_cmd_info, "tell about a .lac file, a model, or this program"},
    {"verify", lac_cmd_verify, "check every page of .lac files"},
    {"fit", lac_cmd_fit, "fit a model's codebooks to audio"},
    {"tokens", lac_cmd_tokens, "write tokens out, read them in, and tell about them"},
    {"factors", lac_cmd_factors, "tell who speaks, what is said, how, where and through what"},
    {"compare", lac_cmd_compare, "compare the factors of two recordings or more"},
    {"plot", lac_cmd_plot, "draw the factors of a file, or a map of speakers"},
    {"recombine", lac_cmd_recombine, "say one recording by the voice, manner, place and line of others"},
    {"synth", lac_cmd_synth, "make a data set of new utterances from those of a manifest"},
    {"simulate", lac_cmd_simulate, "put a recording into a room, noise, or behind a line"},
    {"eval", lac_cmd_eval, "measure how far a test file is from its reference"},
    {"bench", lac_cmd_bench, "measure speed, latency and memory"},
    {"send", lac_cmd_send, "send an audio file or pipe as RTP"},
    {"receive", lac_cmd_receive, "receive it into an audio file or pipe"},
    {"latency", lac_cmd_latency, "measure the delay of a call, and of what it consists"},
    {"netsim", lac_cmd_netsim, "be a bad network"},
};
#define COMMANDS (sizeof commands / sizeof *commands)

static int print_help(void)
{
    puts("lac: a neural codec for speech at 0.5 to 6 kbit/s\n\n"
         "usage: lac COMMAND [OPTIONS] FILES\n");
    for (size_t i = 0; i < COMMANDS; i++)
        printf("  %-9s %s\n", commands[i].name, commands[i].summary);
    puts("\n'lac COMMAND --help' tells the options; 'lac --version' the version. '-' is standard input or output.\n"
         "Exit status: 0 success, 1 a file could not be processed, 2 wrong usage, 3 decoded but parts were concealed.");
    return LAC_EXIT_OK;
}

static int is_any(const char *word, const char *a, const char *b)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

static int dispatch(int argc, char **argv)
{
    char help[] = "--help";
    char *asked[2];

    if (argc < 2)
        return lac_report_usage("", "which command?");
    if (is_any(argv[1], "--help", "-h") || (argc == 2 && strcmp(argv[1], "help") == 0))
        return print_help();
    if (is_any(argv[1], "--version", "-V")) {
        printf("lac %s\n", lac_version_string());
        return LAC_EXIT_OK;
    }
    if (strcmp(argv[1], "help") == 0) {
        asked[0] = argv[2];
        asked[1] = help;
        argv = asked;
        argc = 2;
    } else {
        argv++;
        argc--;
    }
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(argv[0], commands[i].name) == 0)
            return commands[i].run(argc, argv);
    return lac_report_usage("", argv[0][0] == '-' ? "unknown option '%s'" : "no command '%s'", argv[0]);
}

/* Else the first files opened would take the place of a closed standard stream and receive its messages. */
static void fill_standard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
            return;
}

int main(int argc, char **argv)
{
    int result;

    fill_standard_streams();
    lac_file_out_signals();
    if (argc > 0)
        lac_models_beside(argv[0]);
    result = dispatch(argc, argv);
    if (fflush(stdout) || ferror(stdout)) {
        perror("lac: standard output");
        return result ? result : LAC_EXIT_FAILED;
    }
    return result;
}
