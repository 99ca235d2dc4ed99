/* Messages of the command and its exit statuses. All go to standard error, after erasing a progress line. */
#ifndef LAC_TOOLS_REPORT_H
#define LAC_TOOLS_REPORT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum lac_exit {
    LAC_EXIT_OK = 0,
    LAC_EXIT_FAILED = 1,    /* a file could not be processed */
    LAC_EXIT_USAGE = 2,     /* wrong usage */
    LAC_EXIT_CONCEALED = 3  /* decoded, but damaged or missing parts were concealed */
};

/* Messages of this thread go to `file`, without touching the progress line, until it is NULL: then to standard error
 * again. Returns where they went before. */
FILE *lac_report_to(FILE *file);

/* Messages that were kept, as they are; NULL: none. */
void lac_report_text(const char *messages);

/* "lac: FILE: reason"; returns LAC_EXIT_FAILED. */
int lac_report(const char *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "lac: REASON", where the reason names its file itself. Returns LAC_EXIT_FAILED. */
int lac_report_reason(const char *reason);

/* The same for a library status; for LAC_ERROR_IO and LAC_ERROR_NOT_FOUND the errno value `error` tells more if it
 * is not 0. Returns LAC_EXIT_FAILED. */
int lac_report_status(const char *file, int status, int error);

/* "lac COMMAND: reason" and a hint at --help; returns LAC_EXIT_USAGE. */
int lac_report_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For the '?' and ':' of a getopt_long that ran with opterr = 0 and a leading ':'. Returns LAC_EXIT_USAGE. */
int lac_report_option(const char *command, int result, char **argv);

/* What messages call a file: "-" is standard input (output 0) or standard output. */
const char *lac_report_name(const char *path, int output);

/* Model id in hexadecimal; zero bytes at the end are left out down to 8 bytes. text [33]. Returns text. */
const char *lac_report_id(const uint8_t *id, char *text);

#endif
