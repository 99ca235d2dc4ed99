/* SHA-256 with instructions for it, included by sha256_SET.c.
 *
 * The includer defines LAC_KERNEL(op), the name of its function, and
 *   words, state         types: four words of the message; the eight of the state
 *   words_load(p)        from 16 bytes, big-endian
 *   words_add(a, b)
 *   words_next(a, b, c, d)   the four words of the schedule after 16
 *   constants_load(p)    from 4 uint32
 *   state_load(h)        state_store(h, s)    state_add(s, t)
 *   rounds(s, w)         four rounds; w are words and constants, added */
#ifndef LAC_CORE_SHA256_BODY_H
#define LAC_CORE_SHA256_BODY_H

void LAC_KERNEL(sha256_blocks)(uint32_t h[8], const uint8_t *data, size_t blocks)
{
    state s = state_load(h);
    for (; blocks > 0; blocks--, data += 64) {
        state before = s;
        words a = words_load(data), b = words_load(data + 16), c = words_load(data + 32), d = words_load(data + 48);
        for (const uint32_t *k = lac_sha256_constants; k < lac_sha256_constants + 64; k += 16) {
            s = rounds(s, words_add(a, constants_load(k)));
            s = rounds(s, words_add(b, constants_load(k + 4)));
            s = rounds(s, words_add(c, constants_load(k + 8)));
            s = rounds(s, words_add(d, constants_load(k + 12)));
            a = words_next(a, b, c, d);
            b = words_next(b, c, d, a);
            c = words_next(c, d, a, b);
            d = words_next(d, a, b, c);
        }
        s = state_add(s, before);
    }
    state_store(h, s);
}

#endif
