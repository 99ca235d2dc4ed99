/* lac verify: every page of .lac files, without decoding. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "filein.h"
#include "report.h"

static const char usage[] =
    "usage: lac verify FILE.lac...\n"
    "\n"
    "Checks every page of every file and writes nothing but one line a file: sound ones to standard output, others\n"
    "to standard error. Exit status 1 if any file is damaged, cut off, or can't be read. Needs no model.\n"
    "\n"
    "  -h, --help   this text\n";

static int report_damage(const char *name, int status, const lac_stream_info *info, int error)
{
    if (status == LAC_ERROR_IO)
        return lac_report_status(name, status, error);
    if (status == LAC_ERROR_TRUNCATED && info->truncated)
        return lac_report(name, "is cut off after %" PRIu64 " sound pages", info->pages);
    if (info->damaged_pages && info->truncated)
        return lac_report(name, "%" PRIu64 " damaged or missing of %" PRIu64 " pages, and cut off",
                          info->damaged_pages, info->pages);
    if (info->damaged_pages)
        return lac_report(name, "%" PRIu64 " damaged or missing of %" PRIu64 " pages", info->damaged_pages,
                          info->pages);
    return lac_report_status(name, status, error);
}

static int verify(lac_file_in *file, const char *path)
{
    lac_reader *reader = NULL;
    int failed = lac_file_in_open(file, path);

    if (failed)
        return failed;
    failed = lac_file_in_reader(file, path, &reader);
    if (!failed) {
        lac_stream_info info;
        int status = lac_reader_verify(reader);

        lac_reader_get_info(reader, &info);
        if (status)
            failed = report_damage(file->name, status, &info, file->error);
        else
            printf("%s: %" PRIu64 " page%s, sound\n", file->name, info.pages, info.pages == 1 ? "" : "s");
    }
    lac_reader_close(&reader);
    lac_file_in_close(file);
    return failed;
}

int lac_cmd_verify(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    lac_file_in *file;
    int failed = 0;
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option != 'h')
            return lac_report_option("verify", option, argv);
        fputs(usage, stdout);
        return LAC_EXIT_OK;
    }
    if (optind == argc)
        return lac_report_usage("verify", "which file?");
    file = malloc(sizeof *file);
    if (!file)
        return lac_report("verify", "out of memory");
    for (int i = optind; i < argc; i++)
        failed |= verify(file, argv[i]);
    free(file);
    return failed;
}
