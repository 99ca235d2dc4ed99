#include "plan.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "bytes.h"
#include "plankeys.h"

#define LARGEST_FILE ((size_t)16 << 20)
#define PATH_SIZE    128 /* of a key with its groups */

/* A document while it is read. */
typedef struct reader {
    lac_plan *plan;
    yaml_document_t document;
    char *reason;
} reader;

/* ---- messages ---- */

static int fail_at(const lac_plan *plan, size_t line, const char *key, char *reason, const char *format,
                   va_list args)
{
    int used = snprintf(reason, LAC_PLAN_REASON, "%s:%zu: %s%s", plan->path ? plan->path : "plan", line, key,
                        *key ? ": " : "");

    if (used > 0 && used < LAC_PLAN_REASON)
        vsnprintf(reason + used, LAC_PLAN_REASON - (size_t)used, format, args);
    return -1;
}

int lac_plan_fail(const lac_plan *plan, const char *key, char *reason, const char *format, ...)
{
    char name[PATH_SIZE];
    size_t line = 0;
    va_list args;

    snprintf(name, sizeof name, "%s", key);
    for (;;) {
        int index = lac_plan_key_find(name);
        char *dot = strrchr(name, '.');

        line = index >= 0 ? plan->line[index] : 0;
        if (line || !dot)
            break;
        *dot = 0;
    }
    va_start(args, format);
    fail_at(plan, line ? line : 1, key, reason, format, args);
    va_end(args);
    return -1;
}

static int refuse(const reader *r, const yaml_node_t *node, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static int refuse(const reader *r, const yaml_node_t *node, const char *key, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail_at(r->plan, node->start_mark.line + 1, key, r->reason, format, args);
    va_end(args);
    return -1;
}

/* ---- memory ---- */

/* Zeroed memory that is freed with the plan; NULL if there is none. */
static void *keep(lac_plan *plan, size_t count, size_t size)
{
    void **bigger = realloc(plan->kept, (plan->keeps + 1) * sizeof *bigger);
    void *made = bigger ? calloc(count ? count : 1, size) : NULL;

    plan->kept = bigger ? bigger : plan->kept;
    if (made)
        plan->kept[plan->keeps++] = made;
    return made;
}

static int no_memory(const reader *r)
{
    snprintf(r->reason, LAC_PLAN_REASON, "out of memory");
    return -1;
}

static char *keep_text(lac_plan *plan, const char *text, size_t size)
{
    char *made = keep(plan, size + 1, 1);

    if (made)
        memcpy(made, text, size);
    return made;
}

/* ---- scalars ---- */

static yaml_node_t *node_at(reader *r, int index)
{
    return yaml_document_get_node(&r->document, index);
}

/* A scalar's text, without zeros inside; NULL after a message. */
static const char *scalar(const reader *r, const yaml_node_t *node, const char *key)
{
    const char *text = (const char *)node->data.scalar.value;

    if (node->type != YAML_SCALAR_NODE) {
        refuse(r, node, key, "a single value is needed");
        return NULL;
    }
    if (strlen(text) != node->data.scalar.length || !*text) {
        refuse(r, node, key, "is empty");
        return NULL;
    }
    return text;
}

static int take_number(const reader *r, const yaml_node_t *node, const lac_plan_key *key, double *value)
{
    const char *text = scalar(r, node, key->name);
    char *end;

    if (!text)
        return -1;
    *value = strtod(text, &end);
    if (*end || !isfinite(*value) || strpbrk(text, "xX \t"))
        return refuse(r, node, key->name, "'%.40s' is not a number", text);
    if (*value < key->low || *value > key->high)
        return refuse(r, node, key->name, "%.40s is not in %.10g .. %.10g", text, key->low, key->high);
    if (key->type == LAC_PLAN_COUNT && *value != floor(*value))
        return refuse(r, node, key->name, "'%.40s' is not a whole number", text);
    return 0;
}

static int take_text(const reader *r, const yaml_node_t *node, const lac_plan_key *key, char **out)
{
    const char *text = scalar(r, node, key->name);

    if (!text)
        return -1;
    *out = keep_text(r->plan, text, strlen(text));
    return *out ? 0 : no_memory(r);
}

static int take_flag(const reader *r, const yaml_node_t *node, const lac_plan_key *key, bool *out)
{
    const char *text = scalar(r, node, key->name);

    if (!text)
        return -1;
    *out = strcmp(text, "true") == 0 || strcmp(text, "yes") == 0;
    if (!*out && strcmp(text, "false") != 0 && strcmp(text, "no") != 0)
        return refuse(r, node, key->name, "'%.40s' is neither true nor false", text);
    return 0;
}

/* Place of a word in "a|b|c", or -1. */
static int place_of(const char *words, const char *word)
{
    size_t size = strlen(word);
    int place = 0;

    for (const char *at = words; at; place++) {
        const char *bar = strchr(at, '|');
        size_t length = bar ? (size_t)(bar - at) : strlen(at);

        if (length == size && memcmp(at, word, size) == 0)
            return place;
        at = bar ? bar + 1 : NULL;
    }
    return -1;
}

static int take_word(const reader *r, const yaml_node_t *node, const lac_plan_key *key, int *out)
{
    const char *text = scalar(r, node, key->name);

    if (!text)
        return -1;
    *out = place_of(key->words, text);
    return *out >= 0 ? 0 : refuse(r, node, key->name, "'%.40s' is none of %s", text, key->words);
}

/* ---- lists and conditions ---- */

/* A list, or a single value as a list of one. */
static int take_texts(reader *r, const yaml_node_t *node, const lac_plan_key *key, lac_texts *out)
{
    bool is_list = node->type == YAML_SEQUENCE_NODE;
    const yaml_node_item_t *items = is_list ? node->data.sequence.items.start : NULL;
    size_t count = is_list ? (size_t)(node->data.sequence.items.top - items) : 1;

    out->item = keep(r->plan, count, sizeof *out->item);
    out->count = 0;
    if (!out->item)
        return no_memory(r);
    for (size_t i = 0; i < count; i++) {
        const yaml_node_t *item = is_list ? node_at(r, items[i]) : node;

        if (take_text(r, item, key, &out->item[i]))
            return -1;
        if (key->words && place_of(key->words, out->item[i]) < 0)
            return refuse(r, item, key->name, "'%.40s' is none of %s", out->item[i], key->words);
        out->count++;
    }
    return 0;
}

static int take_where(reader *r, const yaml_node_t *node, const lac_plan_key *key, lac_where *out)
{
    if (node->type != YAML_MAPPING_NODE)
        return refuse(r, node, key->name, "fields and their values are needed, {FIELD: VALUE or [VALUES]}");
    const yaml_node_pair_t *pairs = node->data.mapping.pairs.start;
    size_t count = (size_t)(node->data.mapping.pairs.top - pairs);
    out->item = keep(r->plan, count, sizeof *out->item);
    out->count = 0;
    if (!out->item)
        return no_memory(r);
    for (size_t i = 0; i < count; i++, out->count++)
        if (take_text(r, node_at(r, pairs[i].key), key, &out->item[i].field) ||
            take_texts(r, node_at(r, pairs[i].value), key, &out->item[i].values))
            return -1;
    return 0;
}

/* ---- spreads ---- */

/* The values of {uniform: [a, b]} and so on. */
static int take_values(reader *r, const yaml_node_t *node, const lac_plan_key *key, lac_spread *out)
{
    const yaml_node_item_t *items = node->data.sequence.items.start;
    size_t count = node->type == YAML_SEQUENCE_NODE ? (size_t)(node->data.sequence.items.top - items) : 0;
    bool pair = out->kind != LAC_SPREAD_CHOICE;
    lac_plan_key limits = *key;

    if (pair ? count != 2 : count < 1 || count > LAC_SPREAD_VALUES)
        return refuse(r, node, key->name, pair ? "two numbers are needed" : "1 to 32 numbers are needed");
    for (size_t i = 0; i < count; i++) {
        if (out->kind == LAC_SPREAD_NORMAL && i == 1) {
            limits.low = 0;
            limits.high = 1e9;
        }
        if (take_number(r, node_at(r, items[i]), &limits, &out->value[i]))
            return -1;
    }
    out->count = (uint32_t)count;
    if (out->kind == LAC_SPREAD_UNIFORM && out->value[0] > out->value[1])
        return refuse(r, node, key->name, "the first number is above the second");
    return 0;
}

static int take_spread(reader *r, const yaml_node_t *node, const lac_plan_key *key, lac_spread *out)
{
    out->low = key->low;
    out->high = key->high;
    if (node->type == YAML_SCALAR_NODE) {
        out->kind = LAC_SPREAD_FIXED;
        out->count = 1;
        return take_number(r, node, key, &out->value[0]);
    }
    if (node->type != YAML_MAPPING_NODE || node->data.mapping.pairs.top - node->data.mapping.pairs.start != 1)
        return refuse(r, node, key->name,
                      "a number, {uniform: [a, b]}, {normal: [mean, deviation]} or {choice: [..]} is needed");
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    const char *kind = scalar(r, node_at(r, pair->key), key->name);
    int place = kind ? place_of("uniform|normal|choice", kind) : -1;
    if (place < 0)
        return kind ? refuse(r, node, key->name, "'%.40s' is none of uniform, normal and choice", kind) : -1;
    out->kind = (enum lac_spread_kind)(LAC_SPREAD_UNIFORM + place);
    return take_values(r, node_at(r, pair->value), key, out);
}

/* ---- the tree ---- */

static int take_group(reader *r, const yaml_node_t *node, const char *group);

static int take_count(const reader *r, const yaml_node_t *node, const lac_plan_key *key, uint64_t *out)
{
    double value;

    if (take_number(r, node, key, &value))
        return -1;
    *out = (uint64_t)value;
    return 0;
}

static int take_value(reader *r, const yaml_node_t *node, const lac_plan_key *key)
{
    void *out = (char *)r->plan + key->offset;

    switch (key->type) {
    case LAC_PLAN_TEXT:
        return take_text(r, node, key, out);
    case LAC_PLAN_COUNT:
        return take_count(r, node, key, out);
    case LAC_PLAN_REAL:
        return take_number(r, node, key, out);
    case LAC_PLAN_SPREAD:
        return take_spread(r, node, key, out);
    case LAC_PLAN_FLAG:
        return take_flag(r, node, key, out);
    case LAC_PLAN_WORD:
        return take_word(r, node, key, out);
    case LAC_PLAN_TEXTS:
        return take_texts(r, node, key, out);
    case LAC_PLAN_WHERE:
        return take_where(r, node, key, out);
    default:
        return take_group(r, node, key->name);
    }
}

/* "a, b, c": the keys of a group. */
static void list_keys(const char *group, char *out, size_t size)
{
    size_t used = 0, prefix = *group ? strlen(group) + 1 : 0;

    *out = 0;
    for (size_t i = 0; i < lac_plan_key_count; i++) {
        const char *name = lac_plan_keys[i].name;

        if (prefix > 0 && (strncmp(name, group, prefix - 1) != 0 || name[prefix - 1] != '.'))
            continue;
        if (!strchr(name + prefix, '.') && used < size)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", name + prefix);
    }
}

static int take_pair(reader *r, const yaml_node_pair_t *pair, const char *group)
{
    const yaml_node_t *key = node_at(r, pair->key);
    const char *word = scalar(r, key, group);
    char name[PATH_SIZE], known[256];

    if (!word)
        return -1;
    snprintf(name, sizeof name, "%s%s%s", group, *group ? "." : "", word);
    int index = lac_plan_key_find(name);
    if (index < 0) {
        list_keys(group, known, sizeof known);
        return refuse(r, key, name, "is no key; %s %s", *group ? "here are" : "there are", known);
    }
    if (r->plan->line[index])
        return refuse(r, key, name, "is given twice");
    r->plan->line[index] = (uint32_t)key->start_mark.line + 1;
    return take_value(r, node_at(r, pair->value), &lac_plan_keys[index]);
}

static int take_group(reader *r, const yaml_node_t *node, const char *group)
{
    int failed = 0;

    if (node->type != YAML_MAPPING_NODE)
        return refuse(r, node, group, "keys and values are needed");
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top && !failed; pair++)
        failed = take_pair(r, pair, group);
    return failed;
}

/* ---- all of it ---- */

static void preset(lac_plan *plan)
{
    for (size_t i = 0; i < lac_plan_key_count; i++) {
        const lac_plan_key *key = &lac_plan_keys[i];
        void *out = (char *)plan + key->offset;

        if (key->type == LAC_PLAN_COUNT)
            *(uint64_t *)out = (uint64_t)key->preset;
        else if (key->type == LAC_PLAN_REAL)
            *(double *)out = key->preset;
        else if (key->type == LAC_PLAN_WORD)
            *(int *)out = (int)key->preset;
        else if (key->type == LAC_PLAN_SPREAD)
            *(lac_spread *)out = (lac_spread){.count = !isnan(key->preset),
                                              .low = key->low,
                                              .high = key->high,
                                              .value = {isnan(key->preset) ? 0 : key->preset}};
    }
}

static int fail_parser(const reader *r, const yaml_parser_t *parser)
{
    snprintf(r->reason, LAC_PLAN_REASON, "%s:%zu: %s", r->plan->path ? r->plan->path : "plan",
             parser->problem_mark.line + 1, parser->problem ? parser->problem : "is not YAML");
    return -1;
}

/* What stands in a second document would be passed over. */
static int expect_end(const reader *r, yaml_parser_t *parser)
{
    yaml_document_t more;

    if (!yaml_parser_load(parser, &more))
        return fail_parser(r, parser);
    const yaml_node_t *root = yaml_document_get_root_node(&more);
    int failed = root ? refuse(r, root, "", "a plan is one document") : 0;
    yaml_document_delete(&more);
    return failed;
}

static int read_document(reader *r)
{
    yaml_parser_t parser;
    int failed = 0;

    if (!yaml_parser_initialize(&parser))
        return no_memory(r);
    yaml_parser_set_input_string(&parser, r->plan->bytes, r->plan->size);
    if (!yaml_parser_load(&parser, &r->document)) {
        failed = fail_parser(r, &parser);
    } else if (yaml_document_get_root_node(&r->document) && expect_end(r, &parser)) {
        yaml_document_delete(&r->document);
        failed = -1;
    }
    yaml_parser_delete(&parser);
    return failed;
}

static int parse(lac_plan *plan, char *reason)
{
    reader r = {.plan = plan, .reason = reason};
    int failed;

    preset(plan);
    if (read_document(&r))
        return -1;
    const yaml_node_t *root = yaml_document_get_root_node(&r.document);
    if (!root) {
        snprintf(reason, LAC_PLAN_REASON, "%s: is empty", plan->path ? plan->path : "plan");
        failed = -1;
    } else {
        failed = take_group(&r, root, "");
    }
    yaml_document_delete(&r.document);
    if (!failed && !plan->constraints.consent_field) {
        plan->constraints.consent_field = keep_text(plan, "consent", 7);
        failed = plan->constraints.consent_field ? 0 : no_memory(&r);
    }
    return failed ? failed : lac_plan_check(plan, reason);
}

static void add_hash(lac_plan *plan, const void *more, size_t size)
{
    lac_sha256 sum;

    lac_sha256_init(&sum);
    lac_sha256_update(&sum, plan->hash, sizeof plan->hash);
    lac_sha256_update(&sum, more, size);
    lac_sha256_final(&sum, plan->hash);
}

int lac_plan_parse(lac_plan *plan, const void *bytes, size_t size, const char *name, char *reason)
{
    *plan = (lac_plan){.size = size};
    plan->path = name ? keep_text(plan, name, strlen(name)) : NULL;
    plan->bytes = keep(plan, size, 1);
    if (!plan->bytes) {
        snprintf(reason, LAC_PLAN_REASON, "out of memory");
        return -1;
    }
    memcpy(plan->bytes, bytes, size);
    add_hash(plan, bytes, size);
    return parse(plan, reason);
}

/* All of a file; NULL after a message. */
static char *read_whole(const char *path, size_t *size, char *reason)
{
    FILE *file = fopen(path, "rb");
    char *bytes = NULL;

    *size = 0;
    if (!file) {
        snprintf(reason, LAC_PLAN_REASON, "%s: %s", path, strerror(errno));
        return NULL;
    }
    for (size_t room = 65536, got = 1; got > 0 && *size < LARGEST_FILE; room *= 2) {
        char *bigger = realloc(bytes, room);

        if (!bigger)
            break;
        bytes = bigger;
        got = fread(bytes + *size, 1, room - 1 - *size, file);
        *size += got;
        bytes[*size] = 0;
    }
    int failed = !bytes || ferror(file) || !feof(file);
    if (failed) {
        snprintf(reason, LAC_PLAN_REASON, "%s: %s", path, ferror(file) ? strerror(errno) : "is larger than 16 MB");
        free(bytes);
        bytes = NULL;
    }
    fclose(file);
    return bytes;
}

/* Without the spaces around it. */
static char *strip(char *word)
{
    static const char spaces[] = " \t";
    size_t size;

    word += strspn(word, spaces);
    for (size = strlen(word); size > 0 && strchr(spaces, word[size - 1]); size--)
        word[size - 1] = 0;
    return word;
}

/* One speaker a line. Editors put a byte order mark before the first. */
static int add_never(lac_plan *plan, char *text, char *reason)
{
    lac_texts *list = &plan->constraints.never_speakers, longer = {0};
    size_t lines = 1;

    for (const char *at = text; *at; at++)
        lines += *at == '\n';
    longer.item = keep(plan, list->count + lines, sizeof *longer.item);
    if (!longer.item) {
        snprintf(reason, LAC_PLAN_REASON, "out of memory");
        return -1;
    }
    for (; longer.count < list->count; longer.count++)
        longer.item[longer.count] = list->item[longer.count];
    text += strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (char *rest = NULL, *word = strtok_r(text, "\r\n", &rest); word; word = strtok_r(NULL, "\r\n", &rest)) {
        word = strip(word);
        if (*word)
            longer.item[longer.count++] = word;
    }
    *list = longer;
    return 0;
}

char *lac_plan_path(const lac_plan *plan, const char *path)
{
    const char *slash = plan->path ? strrchr(plan->path, '/') : NULL;
    size_t folder = *path != '/' && slash ? (size_t)(slash - plan->path) + 1 : 0;
    char *joined = calloc(folder + strlen(path) + 1, 1);

    if (joined) {
        memcpy(joined, plan->path, folder);
        memcpy(joined + folder, path, strlen(path));
    }
    return joined;
}

static int read_never(lac_plan *plan, char *reason)
{
    char *path = lac_plan_path(plan, plan->constraints.never_speakers_file), why[LAC_PLAN_REASON];
    size_t size;

    snprintf(reason, LAC_PLAN_REASON, "out of memory");
    if (!path)
        return -1;
    char *read = read_whole(path, &size, why), *text = read ? keep_text(plan, read, size) : NULL;
    free(path);
    if (!read)
        return lac_plan_fail(plan, "constraints.never_speakers_file", reason, "%s", why);
    free(read);
    if (!text)
        return -1;
    if (strlen(text) != size)
        return lac_plan_fail(plan, "constraints.never_speakers_file", reason, "%s: is not UTF-8",
                             plan->constraints.never_speakers_file);
    add_hash(plan, text, size);
    return add_never(plan, text, reason);
}

int lac_plan_open(lac_plan *plan, const char *path, char *reason)
{
    size_t size;
    char *bytes = read_whole(path, &size, reason);
    int failed;

    *plan = (lac_plan){0};
    if (!bytes)
        return -1;
    failed = lac_plan_parse(plan, bytes, size, path, reason);
    free(bytes);
    if (!failed && plan->constraints.never_speakers_file)
        failed = read_never(plan, reason);
    return failed;
}

void lac_plan_close(lac_plan *plan)
{
    for (size_t i = 0; i < plan->keeps; i++)
        free(plan->kept[i]);
    free(plan->kept);
    *plan = (lac_plan){0};
}
