#include "journal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_EXACT     9007199254740992.0 /* whole numbers that a double holds */
#define LONGEST_ENDING 8

bool lac_journal_is_name(const char *text, size_t longest)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t length = strspn(text, allowed);

    return length > 0 && length <= longest && text[length] == 0;
}

static int parse_digest(const char *text, uint8_t digest[32])
{
    if (!text || strlen(text) != 64 || strspn(text, "0123456789abcdef") != 64)
        return -1;
    for (int i = 0; i < 32; i++) {
        char two[3] = {text[2 * i], text[2 * i + 1], 0};

        digest[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    return 0;
}

static const char *string_of(const cJSON *record, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, name));
}

static int parse_members(lac_journal_entry *entry)
{
    const cJSON *item, *list = cJSON_GetObjectItemCaseSensitive(entry->record, "members");

    cJSON_ArrayForEach(item, list)
    {
        const char *ending = cJSON_GetStringValue(item);

        if (!ending || entry->member_count == LAC_JOURNAL_MEMBERS || !lac_journal_is_name(ending, LONGEST_ENDING))
            return -1;
        entry->members[entry->member_count++] = ending;
    }
    entry->file = string_of(entry->record, "file");
    if (entry->member_count == 0)
        return entry->file ? -1 : 0;
    return entry->file ? parse_digest(string_of(entry->record, "sha256"), entry->sha256) : -1;
}

static int parse_fields(lac_journal_entry *entry)
{
    const cJSON *accepted = cJSON_GetObjectItemCaseSensitive(entry->record, "accepted");
    const cJSON *end = cJSON_GetObjectItemCaseSensitive(entry->record, "end");

    if (!cJSON_IsObject(entry->record) || !cJSON_IsBool(accepted))
        return -1;
    entry->accepted = cJSON_IsTrue(accepted);
    entry->key = string_of(entry->record, "key");
    if (!entry->key || !lac_journal_is_name(entry->key, LAC_JOURNAL_KEY))
        return -1;
    if (end && (!cJSON_IsNumber(end) || !(end->valuedouble >= 0) || end->valuedouble > MOST_EXACT))
        return -1;
    entry->end = end ? (uint64_t)end->valuedouble : 0;
    return parse_members(entry);
}

int lac_journal_parse(lac_journal_entry *entry, const char *text, size_t size)
{
    const char *rest = NULL;

    memset(entry, 0, sizeof *entry);
    if (memchr(text, 0, size))
        return -1;
    entry->record = cJSON_ParseWithLengthOpts(text, size, &rest, 0);
    if (entry->record && rest == text + size && parse_fields(entry) == 0)
        return 0;
    lac_journal_entry_free(entry);
    return -1;
}

void lac_journal_entry_free(lac_journal_entry *entry)
{
    cJSON_Delete(entry->record);
    memset(entry, 0, sizeof *entry);
}

static void print_members(FILE *out, const lac_journal_entry *entry)
{
    if (entry->member_count == 0)
        return;
    fprintf(out, ",\"file\":\"%s\",\"members\":[", entry->file);
    for (size_t i = 0; i < entry->member_count; i++)
        fprintf(out, "%s\"%s\"", i ? "," : "", entry->members[i]);
    fputs("],\"sha256\":\"", out);
    for (int i = 0; i < 32; i++)
        fprintf(out, "%02x", entry->sha256[i]);
    fputc('"', out);
}

char *lac_journal_print(const lac_journal_entry *entry, const char *line)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    fprintf(out, "%.*s", (int)strlen(line) - 1, line);
    print_members(out, entry);
    if (entry->end)
        fprintf(out, ",\"end\":%" PRIu64, entry->end);
    fputs("}\n", out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

/* Hash up to `size` bytes from the byte `from`, for *whole too if there is one; how many there were. */
static uint64_t hash_file(lac_sha256 *hash, lac_sha256 *whole, int fd, uint64_t from, uint64_t size)
{
    uint8_t bytes[65536];
    uint64_t done = 0;

    while (done < size) {
        size_t want = size - done < sizeof bytes ? (size_t)(size - done) : sizeof bytes;
        ssize_t got = pread(fd, bytes, want, (off_t)(from + done));

        if (got <= 0)
            break;
        lac_sha256_update(hash, bytes, (size_t)got);
        if (whole)
            lac_sha256_update(whole, bytes, (size_t)got);
        done += (uint64_t)got;
    }
    return done;
}

static bool hash_members(lac_sha256 *hash, const lac_journal_entry *entry, const char *folder)
{
    for (size_t i = 0; i < entry->member_count; i++) {
        char path[4096];
        int length = snprintf(path, sizeof path, "%s/%s.%s", folder, entry->key, entry->members[i]);
        int fd = length > 0 && length < (int)sizeof path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

        if (fd < 0)
            return false;
        hash_file(hash, NULL, fd, 0, UINT64_MAX);
        close(fd);
    }
    return true;
}

bool lac_journal_holds(const lac_journal_entry *entry, int tar, uint64_t from, const char *folder,
                       lac_sha256 *whole)
{
    lac_sha256 hash;
    uint8_t digest[32];

    if (tar >= 0 && (entry->end < from || (entry->member_count == 0) != (entry->end == from)))
        return false;
    if (entry->member_count == 0)
        return true;
    lac_sha256_init(&hash);
    if (tar < 0 ? !hash_members(&hash, entry, folder)
                : hash_file(&hash, whole, tar, from, entry->end - from) != entry->end - from)
        return false;
    lac_sha256_final(&hash, digest);
    return memcmp(digest, entry->sha256, sizeof digest) == 0;
}
