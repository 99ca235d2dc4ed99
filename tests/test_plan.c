/* Plans, manifests, who serves as what, draws, licences, gates. */
#define _XOPEN_SOURCE 700
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "cast.h"
#include "draw.h"
#include "fixture.h"
#include "gate.h"
#include "licence.h"
#include "plankeys.h"
#include "record.h"

TestSuite(plan, .timeout = 60);

static char reason[LAC_PLAN_REASON];

static lac_plan good_plan(const char *text)
{
    lac_plan p;
    cr_assert_eq(lac_plan_parse(&p, text, strlen(text), "p", reason), 0, "%s", reason);
    return p;
}

static void expect_bad(const char *text, const char *message)
{
    lac_plan p;
    cr_expect_eq(lac_plan_parse(&p, text, strlen(text), "p", reason), -1, "%s", text);
    cr_expect_not_null(strstr(reason, message), "'%s' gives '%s', not '%s'", text, reason, message);
    lac_plan_close(&p);
}

#define HEAD "name: n\ncount: 3\n"

Test(plan, what_is_not_given_is_as_the_table_says)
{
    lac_plan p = good_plan(HEAD);
    cr_expect_eq(p.speaker.same, 1);
    cr_expect_eq(p.speaker.seed, 0);
    cr_expect_eq(p.style.rate.value[0], 1);
    cr_expect_eq(p.style.rate.count, 1);
    cr_expect_eq(p.speaker.attribute[2].count, 0);
    cr_expect_eq(p.output.shard_outputs, 1000);
    cr_expect_eq(p.output.audio, LAC_OUTPUT_FLAC);
    cr_expect_eq(p.gates.attempts, 4);
    cr_expect_str_eq(p.constraints.consent_field, "consent");
    lac_plan_close(&p);
}

Test(plan, all_kinds_of_values)
{
    lac_plan p =
        good_plan("name: a_b-1\nseed: 9007199254740992\nhours: 1.5\ncontent:\n  where: {x: [1, two], y: 3}\n"
                  "  balance: text\nspeaker: {seed: 2}\nstyle:\n  rate: {choice: [0.9, 1, 1.1]}\n"
                  "  range: {normal: [1, 0.2]}\n  energy_db: {uniform: [-3, 3]}\n"
                  "constraints: {require_consent: yes, licences: MIT}\n");
    cr_expect_eq(p.seed, UINT64_C(9007199254740992));
    cr_expect_eq(p.hours, 1.5);
    cr_expect_eq(p.content.where.count, 2);
    cr_expect_str_eq(p.content.where.item[0].field, "x");
    cr_expect_str_eq(p.content.where.item[0].values.item[1], "two");
    cr_expect_eq(p.content.where.item[1].values.count, 1);
    cr_expect_eq(p.content.balance, LAC_BALANCE_TEXT);
    cr_expect_eq(p.speaker.same, 0);
    cr_expect_eq(p.style.rate.kind, LAC_SPREAD_CHOICE);
    cr_expect_eq(p.style.range.value[1], 0.2);
    cr_expect_eq(p.style.energy_db.value[0], -3);
    cr_expect(p.constraints.require_consent);
    cr_expect_str_eq(p.constraints.licences.item[0], "MIT");
    cr_expect_eq(lac_plan_fail(&p, "style.rate", reason, "x"), -1);
    cr_expect_str_eq(reason, "p:9: style.rate: x");
    lac_plan_close(&p);
}

Test(plan, every_key_is_of_a_group_that_is_there)
{
    for (size_t i = 0; i < lac_plan_key_count; i++) {
        char group[128];
        snprintf(group, sizeof group, "%s", lac_plan_keys[i].name);
        cr_expect_eq(lac_plan_key_find(group), (int)i, "%s is there twice", group);
        char *dot = strrchr(group, '.');
        if (!dot)
            continue;
        *dot = 0;
        int above = lac_plan_key_find(group);
        cr_assert_geq(above, 0, "%s", lac_plan_keys[i].name);
        cr_expect_eq(lac_plan_keys[above].type, LAC_PLAN_GROUP);
    }
}

Test(plan, what_is_wrong_is_told_with_its_line)
{
    expect_bad("", "is empty");
    expect_bad("- a\n", "p:1: keys and values are needed");
    expect_bad(HEAD "seed: -1\n", "p:3: seed: -1 is not in 0 ..");
    expect_bad(HEAD "seed: 1.5\n", "'1.5' is not a whole number");
    expect_bad(HEAD "seed: 0x10\n", "is not a number");
    expect_bad(HEAD "seed: nan\n", "is not a number");
    expect_bad(HEAD "seed: [1]\n", "a single value is needed");
    expect_bad(HEAD "seed:\n", "is empty");
    expect_bad(HEAD "content: 3\n", "content: keys and values are needed");
    expect_bad(HEAD "content: {where: x}\n", "content.where: fields and their values");
    expect_bad(HEAD "content: {balance: age}\n", "'age' is none of none|speaker|text");
    expect_bad(HEAD "content: {balance: non}\n", "is none of");
    expect_bad(HEAD "style: {rate: {uniform: [1, 0.9]}}\n", "the first number is above the second");
    expect_bad(HEAD "style: {rate: {uniform: [1]}}\n", "two numbers");
    expect_bad(HEAD "style: {rate: {uniform: [1, 3]}}\n", "3 is not in 0.5 .. 2");
    expect_bad(HEAD "style: {rate: {choice: []}}\n", "1 to 32 numbers");
    expect_bad(HEAD "style: {rate: {sometimes: 1}}\n", "none of uniform");
    expect_bad(HEAD "style: {rate: {uniform: [1, 1], normal: [1, 1]}}\n", "a number, {uniform");
    expect_bad(HEAD "output: {manifests: [nemo, kaldi]}\n", "'kaldi' is none of nemo|lhotse");
    expect_bad(HEAD "output: {audio: opus, rate_hz: 22050}\n", "output.rate_hz");
    expect_bad(HEAD "output: {audio: lac, rate_hz: 16000}\n", "output.rate_hz");
    expect_bad("name: a/b\ncount: 1\n", "letters, digits");
    expect_bad("name: rejected\ncount: 1\n", "p:1: name: rejected.jsonl");
    expect_bad(HEAD "? {a: b}\n: c\n", "a single value is needed");
    expect_bad(HEAD "a: &x [*x]\n", "is no key");
    expect_bad(HEAD "constraints: {require_consent: maybe}\n", "neither true nor false");
    expect_bad(HEAD "---\nconstraints: {never_speakers: [s1]}\n", "a plan is one document");
    expect_bad(HEAD "...\nconstraints: {never_speakers: [s1]}\n", "p:4: ");
}

Test(plan, the_examples_are_valid)
{
    static const char *const names[] = {"an4", "everything", "rooms", "telephone", "voices"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[1024], text[8192];
        lac_plan p;
        snprintf(path, sizeof path, "%s/../synth/plans/%s.yaml", getenv("LAC_TEST_DIR"), names[i]);
        FILE *f = fopen(path, "rb");
        cr_assert_not_null(f, "%s", path);
        size_t size = fread(text, 1, sizeof text, f);
        fclose(f);
        cr_assert_eq(lac_plan_parse(&p, text, size, path, reason), 0, "%s", reason);
        cr_expect_str_eq(p.name, names[i]);
        if (strcmp(names[i], "everything") == 0)
            for (size_t k = 0; k < lac_plan_key_count; k++)
                cr_expect(p.line[k] ||
                              strstr("count multiply speaker.attributes.formants speaker.attributes.accent "
                                     "simulate.noise.files constraints.never_speakers_file",
                                     lac_plan_keys[k].name),
                          "%s is missing", lac_plan_keys[k].name);
        lac_plan_close(&p);
    }
}

/* ---- licences ---- */

Test(plan, licences_as_manifests_spell_them)
{
    static const char *const texts[][2] = {
        {"CC BY 4.0 (LibriSpeech)", "CC-BY-4.0"},
        {"CC-BY-4.0", "CC-BY-4.0"},
        {"cc-by-nc-sa-4.0", "CC-BY-NC-SA-4.0"},
        {"CC0-1.0", "CC0-1.0"},
        {"CC0 (etc/samples/README)", "CC0-1.0"},
        {"Public Domain", "LicenseRef-public-domain"},
        {"public domain (LJSpeech)", "LicenseRef-public-domain"},
        {"Apache-2.0 (repo)", "Apache-2.0"},
        {"MIT (repo)", "MIT"},
        {"Mitel's own", "unknown"},
        {"CMU AN4 licence (BSD-like, free use)", "LicenseRef-CMU-AN4"},
        {"CC BY 3.0 (ESC-10)", "CC-BY-3.0"},
        {"cc by 4.01", "unknown"},
        {"Apache-2.0 AND CC-BY-NC-4.0", "unknown"}, /* as lac synth itself writes it */
        {"", "unknown"},
        {"all rights reserved", "unknown"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        cr_expect_str_eq(lac_licence_find(texts[i][0])->name, texts[i][1], "%s", texts[i][0]);
    cr_expect_str_eq(lac_licence_find(NULL)->name, "unknown");
}

Test(plan, licences_add_up)
{
    lac_licence_sum a, b;
    lac_licence_add_up(&a, (const char *const[]){"CC0", "MIT", "CC BY 4.0"}, 3);
    lac_licence_add_up(&b, (const char *const[]){"CC BY 4.0", "CC0", "MIT", "MIT"}, 4);
    cr_expect_str_eq(a.name, "CC-BY-4.0 AND MIT");
    cr_expect_str_eq(a.name, b.name);
    cr_expect_eq(a.duties, LAC_LICENCE_ATTRIBUTION);
    lac_licence_add_up(&a, (const char *const[]){"CC0", "public domain"}, 2);
    cr_expect_eq(a.duties, 0);
    cr_expect_str_eq(a.terms, "Free for any use.");
    lac_licence_add_up(&a, (const char *const[]){"CC BY-SA 4.0", "CC BY-NC-SA 4.0"}, 2);
    cr_expect_not_null(strstr(a.terms, "contradict"));
    cr_expect(a.duties & LAC_LICENCE_NON_COMMERCIAL);
    lac_licence_add_up(&a, (const char *const[]){"MIT", NULL}, 2);
    cr_expect_str_eq(a.name, "unknown");
    lac_licence_add_up(
        &a, (const char *const[]){"CC BY-NC-ND 4.0",  "CC BY-NC-ND 3.0", "CC BY-NC-SA 4.0",  "CC BY-NC-SA 3.0",
                                  "CC BY-NC 4.0",     "CC BY-NC 3.0",    "CC BY-ND 4.0",     "CC BY-ND 3.0",
                                  "CC BY-SA 4.0",     "CC BY-SA 3.0",    "CC BY 4.0",        "CC BY 3.0",
                                  "Apache 2.0",       "BSD 3-clause",    "BSD 2-clause",     "CMU AN4",
                                  "GPL 2.0 or later", "GPL 2.0",         "GPL 3.0 or later", "LDC"},
        20);
    cr_expect_not_null(strstr(a.name, " AND GPL-3.0-or-later AND LicenseRef-LDC"), "%s", a.name);
    cr_expect_not_null(strstr(a.terms, "they contradict."), "%s", a.terms);
    char *allowed[] = {"CC-BY-4.0", "my own words"};
    cr_expect(lac_licence_is_among("CC BY 4.0 (x)", allowed, 2));
    cr_expect(lac_licence_is_among("my own words", allowed, 2));
    cr_expect_not(lac_licence_is_among("MIT", allowed, 2));
    cr_expect_not(lac_licence_is_among(NULL, allowed, 2));
    cr_expect_not(lac_licence_is_among("other words", allowed, 2));
}

/* ---- manifests ---- */

Test(plan, rows_of_a_manifest)
{
    const char *text = "{\"audio_filepath\": \"a b.wav\", \"duration\": 2.5, \"speaker\": 103, \"consent\": "
                       "\"No\", \"deep\": [1]}";
    char number[LAC_MANIFEST_NUMBER];
    lac_manifest_row row;
    cr_assert_eq(lac_manifest_parse(&row, text, strlen(text), reason), 0);
    cr_expect_str_eq(row.path, "a b.wav");
    cr_expect_str_eq(row.speaker, "103");
    cr_expect_eq(row.seconds, 2.5);
    cr_expect_null(row.text);
    cr_expect_eq(lac_manifest_consent(&row, "consent"), 0);
    cr_expect_eq(lac_manifest_consent(&row, "other"), -1);
    cr_expect_str_eq(lac_manifest_field(&row, "deep", number), "");
    lac_manifest_row_free(&row);
    cr_expect_eq(lac_manifest_parse(&row, "[]", 2, reason), -1);
    static const char *const bad[] = {
        "\xe9", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char line[64];
        int size = snprintf(line, sizeof line, "{\"path\":\"a\",\"text\":\"%s\"}", bad[i]);
        cr_expect_eq(lac_manifest_parse(&row, line, (size_t)size, reason), -1, "%zu", i);
        cr_expect_str_eq(reason, "is not UTF-8");
    }
    const char *good = "{\"path\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}";
    cr_assert_eq(lac_manifest_parse(&row, good, strlen(good), reason), 0);
    lac_manifest_row_free(&row);
    cr_expect_eq(lac_manifest_parse(&row, "{\"path\":\"\"}", 11, reason), -1);
}

static void expect_row(const char *text, const char *speaker, int consent)
{
    lac_manifest_row row;
    cr_assert_eq(lac_manifest_parse(&row, text, strlen(text), reason), 0, "%s: %s", text, reason);
    cr_expect_str_eq(row.speaker ? row.speaker : "nobody", speaker, "%s", text);
    cr_expect_eq(lac_manifest_consent(&row, "consent"), consent, "%s", text);
    lac_manifest_row_free(&row);
}

Test(plan, consent_is_given_or_refused)
{
    expect_row("{\"path\":\"a\"}", "nobody", -1);
    expect_row("{\"path\":\"a\",\"consent\":null}", "nobody", -1);
    expect_row("{\"path\":\"a\",\"consent\":1}", "nobody", 1);
    expect_row("{\"path\":\"a\",\"consent\":\"YES\"}", "nobody", 1);
    expect_row("{\"path\":\"a\",\"consent\":\"\"}", "nobody", 0);
    expect_row("{\"path\":\"a\",\"consent\":{\"given\":false}}", "nobody", 0);
    expect_row("{\"path\":\"a\",\"consent\":[]}", "nobody", 0);
}

static void expect_no_row(const char *text, const char *message)
{
    lac_manifest_row row;
    cr_expect_eq(lac_manifest_parse(&row, text, strlen(text), reason), -1, "%s", text);
    cr_expect_not_null(strstr(reason, message), "%s: %s", text, reason);
}

Test(plan, a_speaker_is_told_from_others)
{
    char line[400];
    expect_row("{\"path\":\"a\",\"speaker\":\"\"}", "nobody", -1);
    expect_row("{\"path\":\"a\",\"speaker\":null}", "nobody", -1);
    expect_row("{\"path\":\"a\",\"speaker\":9007199254740991}", "9007199254740991", -1);
    expect_row("{\"path\":\"a\",\"speaker\":1e15}", "1000000000000000", -1);
    expect_row("{\"path\":\"a\",\"speaker\":10.1}", "10.1", -1);
    expect_no_row("{\"path\":\"a\",\"speaker\":9007199254740993}", "speaker");
    expect_no_row("{\"path\":\"a\",\"speaker\":[\"s1\"]}", "speaker");
    expect_no_row("{\"path\":\"a\",\"speaker\":{\"id\":\"s1\"}}", "speaker");
    snprintf(line, sizeof line, "{\"path\":\"a\",\"speaker\":\"%0256d\"}", 1);
    expect_no_row(line, "speaker");
}

Test(plan, a_line_is_one_row)
{
    expect_row(" {\"path\":\"a\"} \r\n\t\n", "nobody", -1);
    expect_no_row("{\"path\":\"a\"}{\"path\":\"b\"}", "behind");
    expect_no_row("{\"path\":\"a\"} x\n", "behind");
}

/* ---- who serves as what, and draws ---- */

typedef struct stage {
    char folder[64], manifest[128];
    lac_plan plan;
    lac_manifest rows;
    lac_cast cast;
} stage;

/* `rows` recordings of `speakers`; each path is the manifest itself, which is there. */
static void set_stage(stage *s, const char *plan, int rows, int speakers)
{
    snprintf(s->folder, sizeof s->folder, "/tmp/lac-plan-XXXXXX");
    cr_assert_not_null(mkdtemp(s->folder));
    snprintf(s->manifest, sizeof s->manifest, "%s/m.jsonl", s->folder);
    FILE *f = fopen(s->manifest, "w");
    for (int i = 0; i < rows; i++)
        fprintf(f, "{\"path\":\"m.jsonl\",\"speaker\":\"s%d\",\"seconds\":2,\"text\":\"t%d\",\"i\":%d}\n\n",
                i % speakers, i / 2, i);
    fclose(f);
    s->plan = good_plan(plan);
    cr_assert_eq(lac_manifest_open(&s->rows, s->manifest, reason), 0, "%s", reason);
    cr_assert_eq(s->rows.rows, rows);
    cr_assert_eq(lac_cast_open(&s->cast, &s->plan, &s->rows, reason), 0, "%s", reason);
}

static void strike(stage *s)
{
    lac_cast_close(&s->cast);
    lac_manifest_close(&s->rows);
    lac_plan_close(&s->plan);
    unlink(s->manifest);
    rmdir(s->folder);
}

Test(plan, permutations_meet_each_number_once)
{
    random_source r = random_start();
    for (int k = 0; k < rounds(200); k++) {
        uint64_t n = 1 + random_below(&r, 300), key = random_below(&r, 1u << 31);
        bool *met = calloc(n, sizeof *met);
        for (uint64_t i = 0; i < n; i++) {
            uint64_t at = lac_draw_permute(key, n, i);
            cr_assert_lt(at, n);
            cr_assert_not(met[at]);
            met[at] = true;
        }
        free(met);
    }
}

Test(plan, content_is_used_evenly)
{
    stage s;
    set_stage(&s, "name: n\nmultiply: 3\nspeaker: {seed: 1}\n", 97, 7);
    int used[97] = {0};
    bool voice[97][7] = {{false}};
    cr_assert_eq(s.cast.count, 291);
    for (uint64_t i = 0; i < s.cast.count; i++) {
        lac_draw d;
        lac_draw_make(&d, &s.plan, &s.cast, i, 0);
        uint32_t speaker = s.cast.speaker[d.speaker.row[0]];
        used[d.content]++;
        cr_expect_neq(speaker, s.cast.speaker[d.content], "its own voice");
        cr_expect_not(voice[d.content][speaker], "a row said twice by one voice");
        voice[d.content][speaker] = true;
    }
    for (int i = 0; i < 97; i++)
        cr_expect_eq(used[i], 3);
    strike(&s);
}

Test(plan, speakers_are_balanced)
{
    stage s;
    set_stage(&s, "name: n\ncount: 500\ncontent: {balance: speaker, where: {speaker: [s0, s1, s2, s3, s4]}}\n", 60,
              10);
    int used[10] = {0};
    for (uint64_t i = 0; i < s.cast.count; i++) {
        lac_draw d;
        lac_draw_make(&d, &s.plan, &s.cast, i, 0);
        used[s.cast.speaker[d.content]]++;
    }
    for (uint32_t g = 0; g < s.cast.speakers; g++)
        cr_expect_eq(used[g], 100);
    strike(&s);
}

Test(plan, a_draw_is_a_function_of_index_and_attempt)
{
    stage s;
    set_stage(&s,
              "name: n\ncount: 100000\nspeaker: {same: 1, seed: 1, sampled: 1, mixed: 1}\n"
              "style: {rate: {normal: [1, 5]}}\nsimulate: {room: {probability: 0.5}}\n",
              30, 5);
    int kinds[5] = {0}, rooms = 0, many = 20000;
    for (int i = 0; i < many; i++) {
        lac_draw a, b, c;
        uint64_t index = (uint64_t)i * 5;
        memset(&a, 0, sizeof a);
        memset(&b, 1, sizeof b);
        lac_draw_make(&a, &s.plan, &s.cast, index, 0);
        lac_draw_make(&c, &s.plan, &s.cast, index, 1);
        lac_draw_make(&b, &s.plan, &s.cast, index, 0);
        cr_assert_eq(a.seed, b.seed);
        cr_assert_eq(a.speaker.row[0], b.speaker.row[0]);
        cr_assert_eq(a.rate, b.rate);
        cr_assert(a.rate >= 0.5 && a.rate <= 2);
        cr_assert_eq(a.content, c.content, "an attempt keeps its content");
        cr_assert_neq(a.seed, c.seed);
        kinds[a.speaker.kind]++;
        rooms += a.simulation.t60_s > 0;
    }
    cr_expect_eq(kinds[LAC_DRAW_NEUTRAL], 0);
    for (int k = 0; k < 5; k++)
        if (k != LAC_DRAW_NEUTRAL)
            cr_expect(abs(kinds[k] - many / 4) < many / 40, "%d", kinds[k]);
    cr_expect(abs(rooms - many / 2) < many / 40);
    strike(&s);
}

Test(plan, voices_that_come_back)
{
    stage s;
    set_stage(&s, "name: n\ncount: 300\nspeaker: {sampled: 1, voices: 10}\n", 30, 5);
    uint64_t seeds[10];
    int used[10] = {0}, count = 0;
    for (uint64_t i = 0; i < 300; i++) {
        lac_draw d;
        int k = 0;
        lac_draw_make(&d, &s.plan, &s.cast, i, 0);
        while (k < count && seeds[k] != d.speaker.seed)
            k++;
        cr_assert_lt(k, 10);
        seeds[k] = d.speaker.seed;
        count = k == count ? count + 1 : count;
        used[k]++;
    }
    for (int k = 0; k < 10; k++)
        cr_expect_eq(used[k], 30);
    strike(&s);
}

Test(plan, never_means_never)
{
    stage s;
    set_stage(&s,
              "name: n\ncount: 2000\nspeaker: {seed: 1, mixed: 1}\nstyle: {seed: 1}\nenvironment: {seed: 1}\n"
              "channel: {seed: 1}\nsimulate: {babble: {probability: 1, voices: 8}, noise: {probability: 1, where: "
              "{i: [3, 5]}}}\n"
              "constraints: {never_speakers: [s1, s3]}\n",
              60, 6);
    for (uint64_t i = 0; i < s.cast.count; i++) {
        lac_draw d;
        lac_draw_make(&d, &s.plan, &s.cast, i, i % 3);
        uint32_t rows[] = {
            d.content,        d.speaker.row[0],      d.speaker.row[1], d.style.row[0], d.environment.row[0],
            d.channel.row[0], d.simulation.noise_row};
        for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
            cr_assert(rows[k] == LAC_DRAW_NONE || (rows[k] % 6 != 1 && rows[k] % 6 != 3));
        for (uint32_t k = 0; k < d.simulation.voices; k++)
            cr_assert(d.simulation.babble[k] % 6 != 1 && d.simulation.babble[k] % 6 != 3);
        cr_assert_eq(d.simulation.noise_row, 5);
    }
    strike(&s);
}

/* A plan in a folder with a list of `size` bytes; whether it opens. */
static int open_with_list(lac_plan *p, const char *list, size_t size)
{
    char folder[64] = "/tmp/lac-list-XXXXXX", plan[128], names[128];
    const char text[] = HEAD "constraints: {never_speakers: [s0], never_speakers_file: never.txt}\n";
    cr_assert_not_null(mkdtemp(folder));
    snprintf(plan, sizeof plan, "%s/p.yaml", folder);
    snprintf(names, sizeof names, "%s/never.txt", folder);
    FILE *f = fopen(plan, "wb");
    fputs(text, f);
    fclose(f);
    f = fopen(names, "wb");
    fwrite(list, 1, size, f);
    fclose(f);
    int failed = lac_plan_open(p, plan, reason);
    unlink(plan);
    unlink(names);
    rmdir(folder);
    return failed;
}

Test(plan, a_list_of_speakers_as_editors_write_it)
{
    static const char list[] = "\xef\xbb\xbfs1 \r\n\n \ts 2\t\r\ns3";
    lac_plan p;
    cr_assert_eq(open_with_list(&p, list, sizeof list - 1), 0, "%s", reason);
    const lac_texts *never = &p.constraints.never_speakers;
    cr_assert_eq(never->count, 4);
    cr_expect_str_eq(never->item[0], "s0");
    cr_expect_str_eq(never->item[1], "s1");
    cr_expect_str_eq(never->item[2], "s 2");
    cr_expect_str_eq(never->item[3], "s3");
    lac_plan_close(&p);
    cr_expect_eq(open_with_list(&p,
                                "s\0"
                                "1\0\n\0",
                                6),
                 -1);
    cr_expect_not_null(strstr(reason, "never_speakers_file: "), "%s", reason);
    lac_plan_close(&p);
}

/* ---- records ---- */

Test(plan, a_record_is_utf_8_whatever_was_cut)
{
    lac_plan p = good_plan(HEAD);
    lac_set_info set = {0};
    char path[1300], *line;
    size_t i;
    for (i = 0; i + 2 < sizeof path; i += 2)
        memcpy(path + i, "\xd1\x8f", 2);
    path[i] = 0;
    lac_record r = {.plan = &p, .set = &set};
    lac_manifest_row row = {.path = path, .licence = "MIT"}, back;
    snprintf(r.reason, sizeof r.reason, "noise source %.99s: is not there", path);
    cr_assert_eq(lac_record_add_source(&r, "noise", &row, 1), 0);
    cr_assert_eq(lac_record_add_failure(&r), 0);
    line = lac_record_print(&r);
    cr_assert_not_null(line);
    cr_expect_not_null(strstr(line, "\xd1\x8f?: is not there"));
    cr_expect_not_null(strstr(line, "\xd1\x8f, MIT\"]"), "attribution is cut");
    cr_expect_eq(lac_manifest_parse(&back, line, strlen(line), reason), -1);
    cr_expect_str_eq(reason, "has no path");
    free(line);
    lac_record_free(&r);
    lac_plan_close(&p);
}

/* ---- gates ---- */

Test(plan, gates)
{
    lac_plan p =
        good_plan(HEAD "gates: {speaker_cosine_min: 0.5, clipped_share_max: 0.1, silent_share_max: 0.6}\n");
    float pcm[4800] = {0};
    lac_gate_scores s = {.measured = true, .speaker_cosine = 0.4, .snr_db = 20};
    for (int i = 0; i < 2400; i++)
        pcm[i] = i % 2 ? 0.1f : -0.1f;
    lac_gate_listen(&s, pcm, 4800, 24000);
    cr_expect_eq(s.silent_share, 0.5);
    cr_expect_float_eq(s.level_db, -20, 1e-3);
    cr_expect_not(lac_gate_judge(&s, &p));
    cr_expect_eq(s.failed, LAC_GATE_SPEAKER);
    s.speaker_cosine = 0.6;
    cr_expect(lac_gate_judge(&s, &p));
    for (int i = 0; i < 600; i++)
        pcm[i] = 1;
    lac_gate_listen(&s, pcm, 4800, 24000);
    lac_gate_judge(&s, &p);
    cr_expect_eq(s.failed, LAC_GATE_CLIPPING);
    lac_gate_listen(&s, pcm, 0, 24000);
    cr_expect_eq(s.silent_share, 1);
    float a[3] = {1, 2, 3}, b[3] = {-2, -4, -6}, none[3] = {0};
    cr_expect_float_eq(lac_gate_cosine(a, b, 3), -1, 1e-9);
    cr_expect_eq(lac_gate_cosine(a, none, 3), 0);
    lac_plan_close(&p);
}
