#include "report.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lac/model.h"
#include "lac/status.h"
#include "progress.h"

static _Thread_local FILE *kept;

/* Where a message goes. */
static FILE *begin(void)
{
    if (kept)
        return kept;
    lac_progress_hide();
    return stderr;
}

FILE *lac_report_to(FILE *file)
{
    FILE *before = kept;

    kept = file;
    return before;
}

void lac_report_text(const char *messages)
{
    if (messages && *messages)
        fputs(messages, begin());
}

int lac_report(const char *file, const char *format, ...)
{
    FILE *out = begin();
    va_list args;

    fprintf(out, "lac: %s: ", file);
    va_start(args, format);
    vfprintf(out, format, args);
    va_end(args);
    fputc('\n', out);
    return LAC_EXIT_FAILED;
}

int lac_report_reason(const char *reason)
{
    fprintf(begin(), "lac: %s\n", reason);
    return LAC_EXIT_FAILED;
}

int lac_report_status(const char *file, int status, int error)
{
    if (error && (status == LAC_ERROR_IO || status == LAC_ERROR_NOT_FOUND))
        return lac_report(file, "%s", strerror(error));
    return lac_report(file, "%s", lac_status_string(status));
}

int lac_report_usage(const char *command, const char *format, ...)
{
    FILE *out = begin();
    va_list args;

    fprintf(out, "lac%s%s: ", *command ? " " : "", command);
    va_start(args, format);
    vfprintf(out, format, args);
    va_end(args);
    fprintf(out, "\nTry 'lac%s%s --help'.\n", *command ? " " : "", command);
    return LAC_EXIT_USAGE;
}

int lac_report_option(const char *command, int result, char **argv)
{
    const char *word = argv[optind - 1];

    if (result == ':')
        return lac_report_usage(command, "option '%s' needs a value", word);
    if (word[0] == '-' && word[1] == '-')
        return lac_report_usage(command, "unknown option '%s'", word);
    return lac_report_usage(command, "unknown option '-%c'", optopt);
}

const char *lac_report_name(const char *path, int output)
{
    if (strcmp(path, "-") != 0)
        return path;
    return output ? "standard output" : "standard input";
}

const char *lac_report_id(const uint8_t *id, char *text)
{
    size_t bytes = LAC_MODEL_ID_SIZE;

    while (bytes > 8 && id[bytes - 1] == 0)
        bytes--;
    for (size_t i = 0; i < bytes; i++)
        snprintf(text + 2 * i, 3, "%02x", id[i]);
    return text;
}
