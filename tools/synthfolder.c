#include "synthfolder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "outputs.h"
#include "paths.h"
#include "report.h"
#include "wholefile.h"

#define FORGOTTEN_S 3600 /* age at which a part of a file is nobody's */

static bool is_empty(const char *folder)
{
    DIR *directory = opendir(folder);
    bool empty = true;

    for (const struct dirent *d; directory && (d = readdir(directory)) != NULL;)
        empty = empty && d->d_name[0] == '.';
    if (directory)
        closedir(directory);
    return empty;
}

static int make_folder(const char *path)
{
    int failed = lac_outputs_make_folders(path);

    if (!failed && mkdir(path, 0777) && errno != EEXIST)
        failed = lac_report(path, "%s", strerror(errno));
    return failed;
}

/* Is a shard there, complete or begun? */
static bool has_shard(const lac_synth *s, uint64_t shard)
{
    static const char *const endings[] = {".jsonl", ".jsonl.part"};
    char name[LAC_PLAN_NAME + 40], *path;
    bool found = false;

    for (size_t i = 0; i < 2; i++) {
        lac_set_info_shard_name(&s->set, shard, name);
        strcat(name, endings[i]);
        path = lac_path_join(s->folder, name);
        found = found || (path && access(path, F_OK) == 0);
        free(path);
    }
    return found;
}

static int check_shards(const lac_synth *s, bool (*mine)(void *user, uint64_t shard), void *user)
{
    for (uint64_t k = 0; k < lac_set_info_shards(&s->set); k++)
        if (mine(user, k) && has_shard(s, k))
            return lac_report(s->folder, "is begun already; --resume goes on");
    return 0;
}

/* The plan as it was read, so that the folder tells what it is. It stands behind synth.json, which makes the folder
 * this plan's: a run may be killed in between. */
static int copy_plan(const lac_synth *s)
{
    char *path = lac_path_join(s->folder, "plan.yaml");
    int failed = path ? 0 : lac_report(s->folder, "out of memory");

    if (!failed && access(path, F_OK) && lac_whole_file_write(path, s->plan.bytes, s->plan.size))
        failed = lac_report(path, "%s", strerror(errno));
    free(path);
    return failed;
}

/* Parts of files that a killed run left. */
static void clean(const char *folder)
{
    DIR *directory = opendir(folder);
    struct stat st;

    for (const struct dirent *d; directory && (d = readdir(directory)) != NULL;) {
        char *path = strncmp(d->d_name, ".part-", 6) == 0 ? lac_path_join(folder, d->d_name) : NULL;

        if (path && stat(path, &st) == 0 && time(NULL) - st.st_mtime > FORGOTTEN_S)
            unlink(path);
        free(path);
    }
    if (directory)
        closedir(directory);
}

int lac_synth_folder_open(const lac_synth *s, bool resume, bool (*mine)(void *user, uint64_t shard), void *user,
                          bool *begun)
{
    char reason[LAC_PLAN_REASON];
    const char *differs;
    lac_set_info there;
    int failed = make_folder(s->folder);
    bool empty = !failed && is_empty(s->folder); /* before synth.json is looked for: a run beside may write it */
    int found = failed ? -1 : lac_set_info_read(&there, s->folder, reason);

    if (failed)
        return failed;
    if (found < 0)
        return lac_report_reason(reason);
    *begun = found == 0;
    if (found == 0 && (differs = lac_set_info_differs(&there, &s->set)) != NULL)
        return lac_report(s->folder, "%s; name another folder", differs);
    if (found == 1 && !empty)
        return lac_report(s->folder, "is not empty and holds no data set");
    if (found == 0 && !resume)
        failed = check_shards(s, mine, user);
    if (!failed && found == 1 && lac_set_info_write(&s->set, s->folder, reason))
        failed = lac_report_reason(reason);
    if (!failed)
        failed = copy_plan(s);
    if (!failed)
        failed = make_folder(s->cache);
    if (!failed) {
        clean(s->folder);
        clean(s->cache);
    }
    return failed;
}
