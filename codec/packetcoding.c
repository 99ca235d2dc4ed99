#include "packetcoding.h"

#include "weights.h"

/* Where the rows have the i-th token of a part, in the order of its bits. */
static uint16_t *place_of(const lac_model *m, const lac_packet_part *part, uint16_t *rows, uint32_t i)
{
    return rows + i / part->count * m->info.codebooks + part->first + i % part->count;
}

/* ---- plain bits ---- */

static void write_plain(const lac_model *m, const lac_packet_part *part, uint16_t *rows, uint8_t *out)
{
    uint16_t tokens[LAC_PACKET_PART_TOKENS];
    uint32_t n = part->frames * part->count;
    for (uint32_t i = 0; i < n; i++)
        tokens[i] = *place_of(m, part, rows, i);
    lac_packet_pack(out, tokens, n, m->info.token_bits);
}

static bool read_plain(const lac_model *m, const lac_packet_part *part, uint16_t *rows, const uint8_t *in)
{
    uint16_t tokens[LAC_PACKET_PART_TOKENS];
    uint32_t n = part->frames * part->count;
    bool valid = true;
    lac_packet_unpack(tokens, n, in, m->info.token_bits);
    for (uint32_t i = 0; i < n; i++) {
        valid &= tokens[i] < m->info.codewords;
        *place_of(m, part, rows, i) = tokens[i];
    }
    return valid;
}

/* ---- by the prior, which knows nothing at the part's start ---- */

static void code(const lac_model *m, const lac_packet_part *part, uint16_t *rows, lac_range_encoder *e,
                 lac_range_decoder *d)
{
    lac_prior_state state;
    uint32_t end = part->first + part->count;
    lac_prior_state_init(&state, m->prior, &m->quantiser);
    for (uint32_t i = 0; i < part->frames; i++, rows += m->info.codebooks) {
        lac_prior_frame(&state, end);
        for (uint32_t q = 0; q < end; q++)
            if (q < part->first)
                lac_prior_known(&state, q, rows[q]);
            else if (e != NULL)
                lac_prior_encode(&state, e, q, rows[q]);
            else
                rows[q] = (uint16_t)lac_prior_decode(&state, d, q);
        lac_prior_done(&state);
    }
}

/* ---- either ---- */

size_t lac_packetcoding_write(const lac_model *model, uint32_t coding, const lac_packet_part *part, uint16_t *rows,
                              uint8_t *out, size_t capacity)
{
    lac_range_encoder e;
    size_t size = lac_packet_part_bytes(part, model->info.token_bits);
    if (coding == LAC_PACKET_PLAIN) {
        if (size > capacity)
            return 0;
        write_plain(model, part, rows, out);
        return size;
    }
    lac_range_encoder_init(&e, out, capacity);
    code(model, part, rows, &e, NULL);
    return lac_range_encoder_end(&e, &size) ? size : 0;
}

bool lac_packetcoding_read(const lac_model *model, uint32_t coding, const lac_packet_part *part, uint16_t *rows,
                           const uint8_t *in, size_t size)
{
    lac_range_decoder d;
    if (coding == LAC_PACKET_PLAIN)
        return read_plain(model, part, rows, in);
    lac_range_decoder_init(&d, in, size);
    code(model, part, rows, NULL, &d);
    return lac_range_decoder_size(&d) == size;
}
