/* Sizes, bytes, checksums, hashes, memory, processors, status texts. */
#include <stdbool.h>
#include <string.h>

#include "bytes.h"
#include "cpu.h"
#include "fixture.h"
#include "lac/status.h"
#include "lac/version.h"
#include "workspace.h"

Test(core, sizes_overflow_exactly_at_the_limit)
{
    size_t v = 7;
    cr_assert(lac_size_mul(SIZE_MAX, 1, &v) && v == SIZE_MAX);
    cr_assert(lac_size_mul(0, SIZE_MAX, &v) && v == 0);
    cr_assert(lac_size_mul(SIZE_MAX, 0, &v) && v == 0);
    cr_assert(lac_size_mul(SIZE_MAX / 3, 3, &v) && v == SIZE_MAX / 3 * 3);
    v = 7;
    cr_assert(!lac_size_mul(SIZE_MAX / 3 + 1, 3, &v) && v == 7);
    cr_assert(!lac_size_mul(SIZE_MAX, SIZE_MAX, &v) && v == 7);
    cr_assert(lac_size_add(SIZE_MAX - 5, 5, &v) && v == SIZE_MAX);
    v = 7;
    cr_assert(!lac_size_add(SIZE_MAX - 5, 6, &v) && v == 7);
}

Test(core, stores_are_little_endian_and_loads_undo_them)
{
    random_source r = random_start();
    uint8_t b[11];
    lac_store32(b + 1, 0x04030201u);
    cr_assert(b[1] == 1 && b[2] == 2 && b[3] == 3 && b[4] == 4);
    for (int i = 0; i < 1000; i++) {
        uint64_t v = lac_hash32(r.state) | (uint64_t)lac_hash32(r.state + 1) << 32;
        size_t at = random_below(&r, 4);
        lac_store64(b + at, v);
        cr_assert_eq(lac_load64(b + at), v);
        cr_assert_eq(lac_load32(b + at), (uint32_t)v);
        cr_assert_eq(lac_load16(b + at), (uint16_t)v);
        lac_store16(b + at, 0xfffe);
        cr_assert_eq(lac_load32(b + at), ((uint32_t)v & 0xffff0000u) | 0xfffeu);
    }
}

Test(core, crc32c_matches_published_values)
{
    uint8_t zeros[32] = {0}, ones[32], rising[32];
    memset(ones, 0xff, sizeof(ones));
    for (uint8_t i = 0; i < 32; i++)
        rising[i] = i;
    cr_assert_eq(lac_crc32c(0, "123456789", 9), 0xe3069283u);
    /* RFC 3720, B.4 */
    cr_assert_eq(lac_crc32c(0, zeros, 32), 0x8a9136aau);
    cr_assert_eq(lac_crc32c(0, ones, 32), 0x62a8ab43u);
    cr_assert_eq(lac_crc32c(0, rising, 32), 0x46dd794eu);
    cr_assert_eq(lac_crc32c(0, NULL, 0), 0);
}

static uint32_t crc32c_by_bits(const uint8_t *data, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < 8 * size; i++) {
        crc ^= (uint32_t)(data[i / 8] >> i % 8 & 1);
        crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
    }
    return ~crc;
}

Test(core, crc32c_is_its_definition_at_any_size_and_alignment)
{
    random_source r = random_start();
    uint8_t data[2048 + 8];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)random_below(&r, 256);
    for (size_t size = 0; size < 80; size++)
        for (size_t at = 0; at < 8; at++)
            cr_assert_eq(lac_crc32c(0, data + at, size), crc32c_by_bits(data + at, size), "%zu at %zu", size, at);
    cr_assert_eq(lac_crc32c(0, data, sizeof data), crc32c_by_bits(data, sizeof data));
}

static void hash(uint8_t digest[32], const uint8_t *data, size_t size, size_t cut)
{
    lac_sha256 s;
    lac_sha256_init(&s);
    lac_sha256_update(&s, data, cut);
    lac_sha256_update(&s, data + cut, size - cut);
    lac_sha256_final(&s, digest);
}

static void assert_sha256(const char *text, const char *hex)
{
    uint8_t digest[32];
    char found[65];
    hash(digest, (const uint8_t *)text, strlen(text), 0);
    for (int i = 0; i < 32; i++)
        snprintf(found + 2 * i, 3, "%02x", digest[i]);
    cr_assert_str_eq(found, hex);
}

Test(core, sha256_matches_fips_180)
{
    assert_sha256("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_sha256("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    assert_sha256("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
                  "mnopqrstnopqrstu",
                  "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

Test(core, checksums_do_not_depend_on_chunking)
{
    uint8_t data[200], whole[32], parts[32];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)lac_hash32(i);
    for (size_t size = 0; size <= sizeof(data); size += 7) {
        uint32_t crc = lac_crc32c(0, data, size);
        hash(whole, data, size, 0);
        for (size_t cut = 0; cut <= size; cut++) {
            hash(parts, data, size, cut);
            cr_assert_arr_eq(parts, whole, 32);
            cr_assert_eq(lac_crc32c(lac_crc32c(0, data, cut), data + cut, size - cut), crc);
        }
    }
}

/* Random takes; the pieces stay NULL while w measures. */
static void take_all(lac_workspace *w, random_source r, unsigned char *pieces[20], size_t sizes[20])
{
    for (int i = 0; i < 20; i++) {
        size_t count = random_below(&r, 50), item = 1 + random_below(&r, 9);
        sizes[i] = count * item;
        pieces[i] = lac_workspace_take(w, count, item);
    }
}

Test(core, workspace_measures_what_it_takes)
{
    random_source r = random_start();
    for (int round = 0; round < rounds(50); round++, r.state += 100) {
        unsigned char *pieces[20];
        size_t sizes[20];
        lac_workspace m = lac_workspace_measure(), w;
        take_all(&m, r, pieces, sizes);
        cr_assert(!m.failed && pieces[19] == NULL);
        cr_assert_eq(lac_workspace_open(&w, m.used), LAC_OK);
        take_all(&w, r, pieces, sizes);
        cr_assert(!w.failed && w.used == m.used);
        for (int i = 0; i < 20; i++) {
            cr_assert_eq((uintptr_t)pieces[i] % LAC_ALIGN, 0);
            for (size_t k = 0; k < sizes[i]; k++)
                cr_assert_eq(pieces[i][k], 0, "not zeroed, or pieces overlap");
            memset(pieces[i], 0xa5, sizes[i]);
        }
        cr_assert_null(lac_workspace_take(&w, 1, 1));
        cr_assert(w.failed);
        lac_workspace_close(&w);
        cr_assert_null(w.base);
        lac_workspace_close(&w);
    }
}

Test(core, workspace_failure_is_sticky)
{
    lac_workspace m = lac_workspace_measure();
    cr_assert_null(lac_workspace_take(&m, SIZE_MAX / 2, 3));
    cr_assert(m.failed);
    cr_assert_null(lac_workspace_take(&m, 1, 1));
    cr_assert_eq(m.used, 0);

    m = lac_workspace_measure();
    cr_assert_null(lac_workspace_take(&m, SIZE_MAX - LAC_ALIGN + 2, 1));
    cr_assert(m.failed, "rounding up to the alignment overflows");

    m = lac_workspace_measure();
    lac_workspace_take(&m, SIZE_MAX / 2, 1);
    cr_assert(!m.failed);
    lac_workspace_take(&m, SIZE_MAX / 2, 1);
    lac_workspace_take(&m, LAC_ALIGN, 2);
    cr_assert(m.failed, "the sum overflows");
}

Test(core, workspace_that_cannot_open_gives_nothing)
{
    lac_workspace w;
    cr_assert_eq(lac_workspace_open(&w, SIZE_MAX), LAC_ERROR_MEMORY);
    cr_assert_null(lac_workspace_take(&w, 1, 1));
    lac_workspace_close(&w);
    lac_alloc_fail_at(1);
    cr_assert_eq(lac_workspace_open(&w, 100), LAC_ERROR_MEMORY);
    cr_assert_null(lac_workspace_take(&w, 1, 1));
    lac_workspace_close(&w);
}

Test(core, exactly_the_nth_allocation_fails)
{
    for (size_t n = 1; n < 6; n++) {
        lac_alloc_fail_at(n);
        for (size_t i = 1; i < 10; i++) {
            unsigned char *p = lac_alloc(i * 33);
            cr_assert_eq(p == NULL, i == n);
            for (size_t k = 0; p && k < i * 33; k++)
                cr_assert_eq(p[k], 0);
            cr_assert_eq((uintptr_t)p % LAC_ALIGN, 0);
            lac_free(p);
        }
    }
    lac_alloc_fail_at(1);
    lac_alloc_fail_at(0);
    void *p = lac_alloc(0);
    cr_assert_not_null(p);
    lac_free(p);
    lac_free(NULL);
}

Test(core, a_cpu_mask_takes_instructions_away)
{
    const uint32_t neon = LAC_CPU_NEON | LAC_CPU_NEONDOT | LAC_CPU_NEONSHA2;
    const uint32_t all = LAC_CPU_AVX2 | LAC_CPU_AVX512 | LAC_CPU_AVX512VNNI | LAC_CPU_SHANI | neon | LAC_CPU_SIMD128;
    cr_assert_eq(lac_cpu_mask(all, NULL), all);
    cr_assert_eq(lac_cpu_mask(all, ""), all);
    cr_assert_eq(lac_cpu_mask(all, "0"), 0);
    cr_assert_eq(lac_cpu_mask(all, "0x3"), LAC_CPU_AVX2 | LAC_CPU_AVX512);
    cr_assert_eq(lac_cpu_mask(LAC_CPU_AVX2, "0xffffffff"), LAC_CPU_AVX2, "a mask adds nothing");
    cr_assert_eq(lac_cpu_mask(all, "-avx512vnni"), all & ~(uint32_t)LAC_CPU_AVX512VNNI);
    cr_assert_eq(lac_cpu_mask(all, "-avx512"), all & ~(uint32_t)(LAC_CPU_AVX512 | LAC_CPU_AVX512VNNI));
    cr_assert_eq(lac_cpu_mask(all, "-neondot"), all & ~(uint32_t)LAC_CPU_NEONDOT);
    cr_assert_eq(lac_cpu_mask(all, "-neon"), all & ~neon);
    cr_assert_eq(lac_cpu_mask(all, "-avx2,-shani,-neon, -simd128"), 0);
    cr_assert_eq(lac_cpu_mask(all, "-neonsha2"), all & ~(uint32_t)LAC_CPU_NEONSHA2);
    cr_assert_eq(lac_cpu_mask(all, "avx2,-,-avx,-avx51,--neon,,  -sse9"), all, "what is not known is passed over");
}

Test(core, every_status_has_its_own_text)
{
    static const struct {
        int value;
        const char *text;
    } all[] = {
#define ROW(name, value, message) {value, message},
        LAC_STATUS_LIST(ROW)
#undef ROW
    };
    size_t count = sizeof(all) / sizeof(all[0]);
    for (size_t i = 0; i < count; i++) {
        cr_assert_str_eq(lac_status_string(all[i].value), all[i].text);
        cr_assert_neq(all[i].text[strlen(all[i].text) - 1], '.');
        for (size_t k = 0; k < i; k++)
            cr_assert(all[i].value != all[k].value && strcmp(all[i].text, all[k].text) != 0);
    }
    cr_assert_str_eq(lac_status_string(1), "unknown status");
    cr_assert_str_eq(lac_status_string(-1 - (int)count), "unknown status");
}

Test(core, version_text_is_the_version)
{
    char expected[64];
    snprintf(expected, sizeof(expected), "%d.%d.%d", LAC_VERSION_MAJOR, LAC_VERSION_MINOR, LAC_VERSION_PATCH);
    cr_assert_str_eq(lac_version_string(), expected);
}
