/* .lac files cut, flipped, spliced and forged: what is noticed, what is lost, and that nothing crashes or hangs. */
#include "bytes.h"
#include "lacfile.h"

TestSuite(damage, .init = set_up_prior, .fini = tear_down, .timeout = 3000);

/* ---- truncation and damage ---- */

static void truncate_everywhere(memfile f)
{
    decoded whole = memfile_decode(&f, model, true, 10000, ALL);
    size_t ends[8], pages = page_ends(&f, ends);
    cr_assert_eq(pages, 3);
    for (size_t cut = 0; cut < f.size; cut++) {
        memfile g = copy_file(&f, cut);
        for (int can_seek = 0; can_seek < 2; can_seek++) {
            lac_stream_info info;
            int status = memfile_verify(&g, can_seek, &info);
            cr_assert_eq(status, LAC_ERROR_TRUNCATED, "cut at %zu: %d", cut, status);
            if (cut < ends[0])
                continue;
            size_t complete = 0;
            while (complete < pages && ends[complete + 1] <= cut)
                complete++;
            decoded d = memfile_decode(&g, model, can_seek, 9000, ALL);
            size_t least = complete == pages ? whole.frames : complete * PAGE_SAMPLES - (complete ? DELAY : 0);
            cr_assert(d.status == 0 && d.info.truncated && d.frames >= least && d.frames < least + FRAME,
                      "cut at %zu: %zu", cut, d.frames);
            cr_assert(same_pcm(d.pcm, whole.pcm, least));
            free(d.pcm);
        }
        memfile_free(&g);
    }
    free(whole.pcm);
    memfile_free(&f);
}

Test(damage, truncated_at_every_byte)
{
    truncate_everywhere(write_coded(2 * PAGE_SAMPLES + 2000, 2, LAC_CODING_PLAIN));
    truncate_everywhere(write_coded(2 * PAGE_SAMPLES + 2000, 2, LAC_CODING_ADAPTIVE));
    truncate_everywhere(write_likely(2 * LAC_PAGE_FRAMES + 4, 2, LAC_CODING_PRIOR));
}

/* Are all samples that page `page` and R frames after it can't reach the same? */
static bool same_outside(const decoded *d, const decoded *whole, size_t page)
{
    size_t from = page * PAGE_SAMPLES, to = from + PAGE_SAMPLES + about.receptive_frames * FRAME - DELAY;
    from -= from ? DELAY : 0;
    if (d->frames < whole->frames)
        return false;
    if (to > whole->frames)
        to = whole->frames;
    if (from > whole->frames)
        from = whole->frames;
    return same_pcm(d->pcm, whole->pcm, from) && same_pcm(d->pcm + to, whole->pcm + to, whole->frames - to);
}

static void flip_everywhere(memfile f)
{
    decoded whole = memfile_decode(&f, model, true, 10000, ALL);
    size_t ends[8], pages = page_ends(&f, ends);
    random_source r = random_start();
    for (size_t at = 0; at < f.size; at++) {
        uint8_t flip = (uint8_t)(1 << random_below(&r, 8));
        bool can_seek = at < ends[0] || random_below(&r, 2);
        lac_stream_info info;
        size_t page = 0;
        while (page < pages && ends[page + 1] <= at)
            page++;
        f.data[at] ^= flip;
        cr_assert_neq(memfile_verify(&f, can_seek, &info), 0, "byte %zu", at);
        cr_assert(info.damaged_pages == 1, "byte %zu: %llu", at, (unsigned long long)info.damaged_pages);
        decoded d = memfile_decode(&f, model, can_seek, 10000, ALL);
        cr_assert(d.status == 0 && d.info.damaged_pages == 1, "byte %zu: %d", at, d.status);
        cr_assert_eq(d.info.truncated, page == pages, "byte %zu", at);
        if (page < pages && at >= ends[0])
            cr_assert(d.frames == whole.frames && same_outside(&d, &whole, page), "byte %zu", at);
        else
            cr_assert(d.frames >= whole.frames && same_pcm(d.pcm, whole.pcm, whole.frames), "byte %zu", at);
        f.data[at] ^= flip;
        free(d.pcm);
    }
    free(whole.pcm);
    memfile_free(&f);
}

Test(damage, every_byte_flipped)
{
    flip_everywhere(write_coded(4 * PAGE_SAMPLES + 2000, 2, LAC_CODING_PLAIN));
    flip_everywhere(write_coded(4 * PAGE_SAMPLES + 2000, 2, LAC_CODING_ADAPTIVE));
    flip_everywhere(write_likely(4 * LAC_PAGE_FRAMES + 4, 2, LAC_CODING_PRIOR));
}

Test(damage, header_flipped_in_a_pipe)
{
    memfile f = write_mono(1000, 1);
    lac_stream_info info;
    for (size_t at = 0; at < LAC_HEADER_MIN; at++) {
        f.data[at] ^= 0x10;
        int status = memfile_verify(&f, false, &info);
        cr_assert_eq(status, at < 3 ? LAC_ERROR_FORMAT : at == 3 ? LAC_ERROR_VERSION : LAC_ERROR_CHECKSUM, "%zu", at);
        f.data[at] ^= 0x10;
    }
    memfile_free(&f);
}

Test(damage, damage_after_a_seek)
{
    memfile f = write_mono(6 * PAGE_SAMPLES, 1);
    decoded whole = memfile_decode(&f, model, true, 10000, ALL);
    size_t ends[16];
    page_ends(&f, ends);
    f.data[ends[2] + 20] ^= 1;
    for (int totals = 0; totals < 2; totals++) {
        lac_reader *r = NULL;
        lac_io io = memfile_io(&f, true);
        cr_assert_eq(lac_reader_open(&r, &io), 0);
        cr_assert_eq(lac_reader_start(r, model, 1), 0);
        uint64_t sound = 3 * PAGE_SAMPLES + about.receptive_frames * FRAME;
        check_seek(r, &whole, 1000);
        check_seek(r, &whole, sound);
        check_seek(r, &whole, sound + PAGE_SAMPLES);
        check_seek(r, &whole, PAGE_SAMPLES);
        lac_reader_close(&r);
        f.size -= 2;
    }
    free(whole.pcm);
    memfile_free(&f);
}

/* Remove, repeat, swap pages and insert bytes: `from`s copied one after the other make a new file. */
static memfile splice(const memfile *f, const size_t (*parts)[2], size_t count)
{
    memfile g = {0};
    for (size_t i = 0; i < count; i++)
        memfile_write(&g, f->data + parts[i][0], parts[i][1] - parts[i][0]);
    return g;
}

Test(damage, pages_removed_repeated_swapped)
{
    memfile f = write_mono(4 * PAGE_SAMPLES + 2000, 1);
    decoded whole = memfile_decode(&f, model, true, 10000, ALL);
    size_t e[8];
    page_ends(&f, e);
    const size_t parts[][4][2] = {{{0, e[2]}, {e[3], f.size}},                                  /* page 2 removed */
                                  {{0, e[2]}, {e[1], f.size}},                                  /* page 1 repeated */
                                  {{0, e[2]}, {e[3], e[4]}, {e[2], e[3]}, {e[4], f.size}},      /* 2 and 3 swapped */
                                  {{0, e[2]}, {5, 19}, {e[2], f.size}}};                        /* bytes inserted */
    static const size_t counts[] = {2, 2, 4, 3}, damaged_page[] = {2, 9, 2, 9}, damaged[] = {1, 1, 2, 1};
    for (size_t i = 0; i < 4; i++)
        for (int can_seek = 0; can_seek < 2; can_seek++) {
            memfile g = splice(&f, parts[i], counts[i]);
            lac_stream_info info;
            cr_assert_eq(memfile_verify(&g, can_seek, &info), LAC_ERROR_CHECKSUM);
            cr_assert_eq(info.damaged_pages, damaged[i], "%zu: %llu", i, (unsigned long long)info.damaged_pages);
            decoded d = memfile_decode(&g, model, can_seek, 10000, ALL);
            cr_assert(d.status == 0 && d.frames == whole.frames && same_outside(&d, &whole, damaged_page[i]), "%zu", i);
            free(d.pcm);
            memfile_free(&g);
        }
    free(whole.pcm);
    memfile_free(&f);
}

Test(damage, tail_added)
{
    memfile f = write_mono(PAGE_SAMPLES, 1), g = copy_file(&f, f.size + 3);
    lac_stream_info info;
    for (int can_seek = 0; can_seek < 2; can_seek++) {
        cr_assert_eq(memfile_verify(&g, can_seek, &info), LAC_ERROR_CHECKSUM);
        decoded d = memfile_decode(&g, model, can_seek, 10000, ALL);
        cr_assert(d.status == 0 && d.frames == PAGE_SAMPLES);
        free(d.pcm);
    }
    memfile_free(&f);
    memfile_free(&g);
}

/* ---- hostile ---- */

static void mutate(memfile *g, random_source *r)
{
    for (uint32_t k = 1 + random_below(r, 6); k > 0; k--) {
        size_t at = random_below(r, (uint32_t)g->size), n = 1 + random_below(r, 40);
        n = n < g->size - at ? n : g->size - at;
        switch (random_below(r, 4)) {
        case 0: g->data[at] = (uint8_t)lac_hash32(r->state++); break;
        case 1: memmove(g->data + at, g->data + random_below(r, (uint32_t)(g->size - n + 1)), n); break;
        case 2: memmove(g->data + at, g->data + at + n, g->size - at - n); break;
        default: memset(g->data + at, (int)random_below(r, 256), n); break;
        }
    }
}

/* Put right the checksums of what still looks like a page at the page starts of the original. */
static void repair(memfile *g, const lac_stream_format *format, const size_t *starts, size_t count)
{
    lac_page p;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *at = g->data + starts[i];
        if (lac_page_parse(&p, format, at, g->size - starts[i]) == 0 && p.size <= g->size - starts[i])
            lac_store32(g->data + starts[i] + p.size - 4, lac_crc32c(0, at, p.size - 4));
    }
    size_t end = lac_end_size(g->data + starts[count], g->size - starts[count]);
    if (end > 0 && starts[count] + end <= g->size)
        lac_store32(g->data + starts[count] + end - 4, lac_crc32c(0, g->data + starts[count], end - 4));
}

static void mutate_often(memfile f)
{
    random_source r = random_start();
    size_t ends[8], pages = page_ends(&f, ends);
    lac_header h;
    lac_header_parse(&h, f.data, f.size);
    for (int i = 0; i < rounds(500); i++) {
        memfile g = copy_file(&f, f.size);
        mutate(&g, &r);
        if (i % 2)
            repair(&g, &h.format, ends, pages);
        size_t bound = (g.size / LAC_PAGE_MIN + LAC_PAGE_SLACK + 1) * PAGE_SAMPLES;
        decoded d = memfile_decode(&g, model, i % 4 < 2, 30000, 3 * PAGE_SAMPLES);
        cr_assert_leq(d.frames, bound);
        if (d.status == 0 && i % 4 < 2) {
            lac_reader *reader = NULL;
            lac_io io = memfile_io(&g, true);
            float part[64];
            size_t got;
            cr_assert_eq(lac_reader_open(&reader, &io), 0);
            (void)lac_reader_verify(reader);
            if (lac_reader_start(reader, model, 1) == 0 && lac_reader_seek(reader, random_below(&r, 100000)) == 0)
                (void)lac_reader_read(reader, part, 64, &got);
            lac_reader_close(&reader);
        }
        free(d.pcm);
        memfile_free(&g);
    }
    memfile_free(&f);
}

Test(damage, random_mutations)
{
    mutate_often(write_coded(2 * PAGE_SAMPLES + 2000, 2, LAC_CODING_PLAIN));
    mutate_often(write_coded(2 * PAGE_SAMPLES + 2000, 2, LAC_CODING_ADAPTIVE));
    mutate_often(write_likely(2 * LAC_PAGE_FRAMES + 4, 2, LAC_CODING_PRIOR));
}

Test(damage, full_of_sync_marks)
{
    /* A megabyte in which a page of 33 kB seems to start every 4 bytes, in 8 channels of 16 bits. */
    memfile f = {0};
    lac_stream_format format = {{0}, 24000, 8, 16, false};
    uint8_t header[LAC_HEADER_MIN];
    memfile_write(&f, header, lac_header_build(header, &format, NULL, 0));
    for (int i = 0; i < 1 << 18; i++)
        memfile_write(&f, "\xac\x1d\x20\x05", 4);
    for (int i = 0; i < 1 << 16; i++)
        memfile_write(&f, "\xac\x1d\x3f\x60\x80", 5);
    lac_stream_info info;
    cr_assert_eq(memfile_verify(&f, true, &info), LAC_ERROR_TRUNCATED);
    cr_assert_eq(memfile_verify(&f, false, &info), LAC_ERROR_TRUNCATED);
    cr_assert_leq(f.bytes_read, 3 * f.size);
    memfile_free(&f);
}

Test(damage, implausible_numbers)
{
    memfile f = write_mono(1000, 1), g = {0};
    lac_header h;
    static const uint16_t zero[LAC_MAX_CODEBOOKS];
    const uint16_t *rows[1] = {zero};
    static uint8_t out[LAC_PAGE_MAX];
    lac_header_parse(&h, f.data, f.size);
    for (int far = 0; far < 2; far++) {
        memfile_write(&g, f.data, h.size);
        lac_page p = {.number = (far ? 100000u : LAC_PAGE_SLACK) + 2, .frames = 1, .codebooks = {1}};
        lac_page_build(out, &h.format, &p, rows, LAC_MAX_CODEBOOKS);
        memfile_write(&g, out, p.size);
        decoded d = memfile_decode(&g, model, true, 30000, ALL);
        cr_assert(d.status == 0 && d.info.truncated);
        cr_assert_eq(d.frames, far ? 0 : ((size_t)LAC_PAGE_SLACK + 2) * PAGE_SAMPLES + FRAME - DELAY);
        free(d.pcm);
        memfile_free(&g);
    }
    memfile_free(&f);
}

Test(damage, bad_tokens_are_damage)
{
    memfile f = write_mono(1000, 1), g = {0};
    lac_header h;
    uint16_t tokens[4 * LAC_MAX_CODEBOOKS];
    const uint16_t *rows[1] = {tokens};
    static uint8_t out[LAC_PAGE_MAX];
    lac_header_parse(&h, f.data, f.size);
    memset(tokens, 0, sizeof tokens);
    lac_page p = {.frames = 4, .codebooks = {1, 1, LAC_MAX_CODEBOOKS, 1}};
    lac_page_build(out, &h.format, &p, rows, LAC_MAX_CODEBOOKS);
    memfile_write(&g, f.data, h.size);
    memfile_write(&g, out, p.size);
    decoded d = memfile_decode(&g, model, true, 30000, ALL);
    cr_assert(d.status == 0 && d.frames == 4 * FRAME - DELAY && d.info.damaged_pages == 1);
    free(d.pcm);
    g.data[h.size + 2] |= 0x80; /* a coding from the future */
    g.size = h.size;
    static const uint8_t coded[] = {0xac, 0x1d, 0x81, 0, 7, 3, 0, 0, 'x', 'y', 'z'};
    uint8_t crc[4];
    lac_store32(crc, lac_crc32c(0, coded, sizeof coded));
    memfile_write(&g, coded, sizeof coded);
    memfile_write(&g, crc, 4);
    lac_stream_info info;
    cr_assert_eq(memfile_verify(&g, true, &info), LAC_ERROR_TRUNCATED);
    cr_assert(info.pages == 1 && info.damaged_pages == 0);
    d = memfile_decode(&g, model, true, 30000, ALL);
    cr_assert_eq(d.status, LAC_ERROR_VERSION);
    free(d.pcm);
    memfile_free(&f);
    memfile_free(&g);
}

Test(damage, totals_that_contradict)
{
    memfile f = write_mono(PAGE_SAMPLES, 1);
    size_t ends[8], pages = page_ends(&f, ends);
    static lac_run runs[LAC_END_MAX_RUNS];
    static uint8_t out[LAC_PAGE_MAX];
    lac_end end;
    cr_assert_eq(lac_end_parse(&end, runs, f.data + ends[pages], f.size - ends[pages]), 0);
    end.samples += 1000000;
    lac_end_build(out, &end, runs);
    f.size = ends[pages];
    memfile_write(&f, out, end.size);
    for (int can_seek = 0; can_seek < 2; can_seek++) {
        decoded d = memfile_decode(&f, model, can_seek, 30000, ALL);
        cr_assert(d.status == 0 && d.info.truncated && d.info.damaged_pages >= 1);
        cr_assert(d.frames >= PAGE_SAMPLES && d.frames < PAGE_SAMPLES + FRAME);
        free(d.pcm);
    }
    memfile_free(&f);
}
