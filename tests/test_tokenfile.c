/* The formats of lac tokens: bytes as the documents say, everything back again, hostile files refused with a reason. */
#include <math.h>
#include <string.h>

#include "fixture.h"
#include "tokenset.h"
#include "tokenstats.h"
#include "vocabulary.h"

static char reason[LAC_TOKENS_REASON];

/* Any counts of codebooks, as they can be. */
static lac_token_set random_set(random_source *r, uint32_t channels, uint32_t codebooks, uint32_t frames)
{
    lac_token_set s;
    uint16_t rows[LAC_MAX_CHANNELS * LAC_MAX_CODEBOOKS];
    lac_token_set_init(&s, channels, codebooks);
    s.rate = 44100;
    s.frame_rate = 50;
    s.samples = 123456789;
    s.token_bits = 10;
    memcpy(s.model_id, "\x01\x02\x03\x04\x05\x06\x07\xff\x09\x0a\x0b\x0c\x0d\x0e\x0f\x00", LAC_MODEL_ID_SIZE);
    for (uint32_t t = 0; t < frames; t++) {
        for (uint32_t i = 0; i < channels * codebooks; i++)
            rows[i] = (uint16_t)random_below(r, random_below(r, 2) ? 1024 : 8);
        cr_assert_eq(lac_token_set_append(&s, rows, random_below(r, 4) ? codebooks : random_below(r, codebooks + 1),
                                          reason), 0);
    }
    return s;
}

static void check_same(const lac_token_set *a, const lac_token_set *b)
{
    cr_assert_eq(a->frames, b->frames);
    cr_assert_eq(a->channels, b->channels);
    for (uint64_t t = 0; t < a->frames; t++) {
        cr_assert_eq(a->counts[t], b->counts[t]);
        for (uint32_t c = 0; c < a->channels; c++)
            cr_assert_eq(memcmp(a->tokens + (t * a->channels + c) * a->codebooks,
                                b->tokens + (t * b->channels + c) * b->codebooks, a->counts[t] * sizeof *a->tokens), 0);
    }
}

static void check_facts(const lac_token_set *a, const lac_token_set *b)
{
    cr_assert_eq(a->rate, b->rate);
    cr_assert_eq(a->samples, b->samples);
    cr_assert_eq(memcmp(a->model_id, b->model_id, sizeof a->model_id), 0);
    cr_assert_eq(a->vocabulary, b->vocabulary);
    cr_assert_eq(a->symbol_codebook, b->symbol_codebook);
    cr_assert_eq(memcmp(a->symbol_count, b->symbol_count, sizeof a->symbol_count), 0);
    if (a->vocabulary)
        cr_assert_eq(memcmp(a->symbols, b->symbols, (size_t)lac_token_set_symbols(a) * sizeof *a->symbols), 0);
}

static void check_round_trips(const lac_token_set *s)
{
    lac_token_set back;
    lac_token_bytes bytes = {0};
    char *path;
    lac_tokenbin_write(&bytes, s);
    cr_assert_eq(lac_tokenbin_parse(&back, bytes.data, bytes.size, reason), 0, "%s", reason);
    check_same(s, &back);
    check_facts(s, &back);
    lac_token_set_free(&back);
    bytes.size = 0;
    lac_tokenjson_write(&bytes, s, "a \"path\"\n");
    cr_assert_eq(memchr(bytes.data, '\n', bytes.size - 1), NULL);
    cr_assert_eq(lac_tokenjson_parse(&back, (char *)bytes.data, bytes.size, &path, reason), 0, "%s", reason);
    cr_assert_str_eq(path, "a \"path\"\n");
    check_same(s, &back);
    check_facts(s, &back);
    lac_token_set_free(&back);
    free(path);
    bytes.size = 0;
    if (!s->vocabulary) {
        lac_npy_write(&bytes, s);
        cr_assert_eq(lac_npy_parse(&back, bytes.data, bytes.size, reason), s->frames && !lac_token_set_width(s) ? -1 : 0);
        if (back.frames)
            check_same(s, &back);
        lac_token_set_free(&back);
    }
    lac_token_bytes_free(&bytes);
}

Test(tokenfile, there_and_back)
{
    random_source r = random_start();
    for (int i = 0; i < rounds(40); i++) {
        lac_token_set s = random_set(&r, 1 + random_below(&r, 8), 1 + random_below(&r, 32), random_below(&r, 200));
        check_round_trips(&s);
        lac_token_set_free(&s);
    }
}

static lac_vocabulary learn(const lac_token_set *s, uint32_t codebook)
{
    lac_vocabulary v = {.model = "tiny", .codebook = codebook, .codewords = 1024, .count = 40};
    uint32_t *symbols = test_alloc((size_t)s->frames, sizeof *symbols);
    memcpy(v.model_id, s->model_id, sizeof v.model_id);
    v.merges = test_alloc(v.count, sizeof *v.merges);
    lac_vocabulary_sequence(&v, s, 0, symbols);
    cr_assert_eq(lac_bpe_train(v.merges, &v.count, v.codewords, symbols, (size_t)s->frames), 0);
    cr_assert_eq(lac_vocabulary_finish(&v), 0);
    free(symbols);
    return v;
}

Test(tokenfile, vocabularies_there_and_back)
{
    random_source r = random_start();
    for (int i = 0; i < rounds(20); i++) {
        uint32_t codebooks = 1 + random_below(&r, 6);
        lac_token_set s = random_set(&r, 1 + random_below(&r, 2), codebooks, random_below(&r, 900)), copy = {0};
        lac_vocabulary v = learn(&s, random_below(&r, codebooks)), back;
        lac_token_bytes text = {0};
        lac_vocabulary_write(&text, &v);
        cr_assert_eq(lac_vocabulary_parse(&back, text.data, text.size, reason), 0, "%s", reason);
        cr_assert(back.id == v.id && back.count == v.count && back.codebook == v.codebook);
        lac_token_set_init(&copy, s.channels, s.codebooks);
        for (uint64_t t = 0; t < s.frames; t++)
            lac_token_set_append(&copy, s.tokens + t * s.channels * s.codebooks, s.counts[t], reason);
        cr_assert_eq(lac_vocabulary_apply(&v, &s, reason), 0);
        check_round_trips(&s);
        cr_assert_eq(lac_vocabulary_invert(&back, &s, reason), 0, "%s", reason);
        check_same(&copy, &s);
        lac_token_set_free(&s);
        lac_token_set_free(&copy);
        lac_vocabulary_free(&v);
        lac_vocabulary_free(&back);
        lac_token_bytes_free(&text);
    }
}

/* numpy.save of numpy.array([[1, 2], [513, 4], [5, 65535]], dtype='<u2') */
static const char hand_written[] =
    "\x93NUMPY\x01\x00\x76\x00{'descr': '<u2', 'fortran_order': False, 'shape': (3, 2), }             "
    "                                             \n"
    "\x01\x00\x02\x00\x01\x02\x04\x00\x05\x00\xff\xff";

Test(tokenfile, npy_is_what_numpy_writes)
{
    lac_token_set s;
    lac_token_bytes bytes = {0};
    cr_assert_eq(sizeof hand_written - 1, 128 + 12);
    cr_assert_eq(lac_npy_parse(&s, (const uint8_t *)hand_written, sizeof hand_written - 1, reason), 0, "%s", reason);
    cr_assert(s.frames == 3 && s.channels == 1 && s.codebooks == 2);
    cr_assert(s.counts[0] == 2 && s.counts[1] == 2 && s.counts[2] == 1);
    cr_assert(s.tokens[0] == 1 && s.tokens[1] == 2 && s.tokens[2] == 513 && s.tokens[3] == 4 && s.tokens[4] == 5);
    lac_npy_write(&bytes, &s);
    cr_assert_eq(bytes.size, 128 + 12);
    cr_assert_eq(memcmp(bytes.data + bytes.size - 12, hand_written + sizeof hand_written - 1 - 12, 12), 0);
    cr_assert_eq(memcmp(bytes.data, hand_written, 8), 0);
    lac_token_set_free(&s);
    lac_token_bytes_free(&bytes);
}

/* A header of the given dictionary before `bytes` bytes of zeros. */
static int parse_npy(const char *dictionary, size_t bytes)
{
    static uint8_t file[4096];
    size_t length = strlen(dictionary);
    lac_token_set s;
    memset(file, 0, sizeof file);
    memcpy(file, "\x93NUMPY\x01\x00", 8);
    file[8] = (uint8_t)length;
    memcpy(file + 10, dictionary, length);
    int failed = lac_npy_parse(&s, file, 10 + length + bytes, reason);
    lac_token_set_free(&s);
    return failed;
}

Test(tokenfile, npy_that_is_refused)
{
    static const struct {
        const char *dictionary;
        size_t bytes;
        const char *why; /* NULL: fine */
    } cases[] = {
        {"{'descr': '<u2', 'fortran_order': False, 'shape': (3, 2), }", 12, NULL},
        {"{\"descr\": \"<i8\", \"shape\": (3,2,2), \"fortran_order\": False}", 96, NULL},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (0, 2), }", 0, NULL},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }", 24, "floats"},
        {"{'descr': '>u2', 'fortran_order': False, 'shape': (3, 2), }", 12, "big-endian"},
        {"{'descr': [('a', '<u2')], 'fortran_order': False, 'shape': (3, 2), }", 12, "type"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (3, 2), }", 12, "type"},
        {"{'descr': '<u2', 'fortran_order': True, 'shape': (3, 2), }", 12, "Fortran"},
        {"{'descr': '<u2', 'fortran_order': False, 'shape': (3, 2), }", 11, "cut off"},
        {"{'descr': '<u2', 'fortran_order': False, 'shape': (3, 2), }", 14, "more than its shape"},
        {"{'descr': '<u2', 'fortran_order': False, 'shape': (2147483648, 2), }", 12, "says 2147483648 rows"},
        {"{'descr': '<u2', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", 12, "too large"},
        {"{'descr': '<u2', 'fortran_order': False, 'shape': (3, 33), }", 198, "more than 32 codebooks"},
        {"{'descr': '<u2', 'fortran_order': False, 'shape': (1, 9, 1), }", 18, "channels"},
        {"{'descr': '<u2', 'fortran_order': False, 'shape': (3, 0), }", 0, "no codebooks"},
        {"{'descr': '<u2', 'fortran_order': False, 'shape': (), }", 2, "one value"},
        {"{'descr': '<u2', 'fortran_order': False, 'shape': (1, 1, 1, 1), }", 2, "shape is not"},
        {"{'descr': '<u2', 'fortran_order': False, 'shape': (-1, 2), }", 2, "shape is not"},
        {"{'descr': '<u2', 'fortran_order': False}", 2, "no shape"},
        {"{'descr': '<u2', 'shape': (3, 2), }", 12, "damaged"},
        {"", 0, "cut off"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int failed = parse_npy(cases[i].dictionary, cases[i].bytes);
        cr_assert_eq(failed != 0, cases[i].why != NULL, "%s: %s", cases[i].dictionary, reason);
        if (failed)
            cr_assert_not_null(strstr(reason, cases[i].why), "%s: %s", cases[i].dictionary, reason);
    }
}

Test(tokenfile, json_that_is_refused)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"{\"tokens\": []}", NULL},
        {"{ \"x\": {\"tokens\": 3}, \"tokens\" : [ [1 , 2], [] ] }", NULL},
        {"{\"channels\": 2, \"tokens\": [[[1],[2]]]}", NULL},
        {"{}", "no \"tokens\""},
        {"{\"tokens\": 3}", "no array"},
        {"{\"tokens\": [", "no array"},
        {"{\"tokens\": [[1,2]}", "no array"},
        {"{\"tokens\": [[1,2]]", "not a line of JSON"},
        {"{\"tokens\": [[1,2],]}", "frame 1"},
        {"{\"tokens\": [[-1]]}", "frame 0"},
        {"{\"tokens\": [[1.5]]}", "frame 0"},
        {"{\"tokens\": [[65535]]}", "frame 0"},
        {"{\"tokens\": [[NaN]]}", "frame 0"},
        {"{\"tokens\": [[1],\"a\"]}", "no array"},
        {"{\"tokens\": [1, 2]}", "frame 0"},
        {"{\"codebooks\": 1, \"tokens\": [[1, 2]]}", "frame 0"},
        {"{\"codebooks\": 33, \"tokens\": []}", "out of range"},
        {"{\"channels\": 2, \"tokens\": [[[1],[2,3]]]}", "frame 0"},
        {"{\"channels\": 0, \"tokens\": []}", "out of range"},
        {"{\"rate\": 1e300, \"tokens\": []}", "out of range"},
        {"{\"samples\": -3, \"tokens\": []}", "out of range"},
        {"{\"model_id\": \"xyz\", \"tokens\": []}", "model_id"},
        {"{\"symbols\": [[1]], \"tokens\": []}", "vocabulary"},
        {"{\"tokens\": [], \"tokens\": []}", "no array"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lac_token_set s;
        char *path;
        int failed = lac_tokenjson_parse(&s, cases[i].text, strlen(cases[i].text), &path, reason);
        cr_assert_eq(failed != 0, cases[i].why != NULL, "%s: %s", cases[i].text, reason);
        if (failed)
            cr_assert_not_null(strstr(reason, cases[i].why), "%s: %s", cases[i].text, reason);
        free(path);
        lac_token_set_free(&s);
    }
}

/* Every cut and every changed byte is noticed. */
Test(tokenfile, packed_that_is_refused)
{
    random_source r = random_start();
    lac_token_set s = random_set(&r, 2, 4, 30), back;
    lac_token_bytes bytes = {0};
    lac_tokenbin_write(&bytes, &s);
    for (size_t cut = 0; cut < bytes.size; cut++) {
        uint8_t *part = test_alloc(cut, 1);
        memcpy(part, bytes.data, cut);
        cr_assert_neq(lac_tokenbin_parse(&back, part, cut, reason), 0);
        lac_token_set_free(&back);
        free(part);
    }
    for (size_t i = 4; i < bytes.size; i++) {
        bytes.data[i] ^= (uint8_t)(1 + random_below(&r, 255));
        uint8_t kept = bytes.data[i];
        cr_assert_neq(lac_tokenbin_parse(&back, bytes.data, bytes.size, reason), 0, "byte %zu", i);
        lac_token_set_free(&back);
        bytes.data[i] = kept;
    }
    lac_token_bytes_free(&bytes);
    lac_token_set_free(&s);
}

/* Information within its range: none of independent tokens, all of equal ones. */
Test(tokenfile, information)
{
    random_source r = random_start();
    lac_pair_counts apart = {0}, equal = {0};
    lac_information i;
    uint32_t counts[256] = {0};
    for (int n = 0; n < 60000; n++) {
        uint32_t a = random_below(&r, 256), b = random_below(&r, 128) * random_below(&r, 2);
        counts[a]++;
        cr_assert(lac_pair_counts_add(&apart, a, b) && lac_pair_counts_add(&equal, a, a));
    }
    cr_assert(fabs(lac_entropy(counts, 256) - 8) < 0.01);
    cr_assert(lac_information_of(&apart, 256, &i));
    cr_assert(i.low < 0.02, "%f", i.low);
    cr_assert(i.counted > 0.1 && i.high < 0.6 * i.counted && i.high >= i.low, "%f %f", i.counted, i.high);
    cr_assert(lac_information_of(&equal, 256, &i));
    cr_assert(i.low > 7 && i.high > 7.99 && i.high < 8.01, "%f %f", i.low, i.high);
    lac_pair_counts_free(&apart);
    lac_pair_counts_free(&equal);
}
