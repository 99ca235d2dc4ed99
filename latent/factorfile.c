#include "factorfile.h"

#include <stdbool.h>
#include <string.h>

#include "bytes.h"
#include "tensortable.h"

#define VERSION_AT 4
#define RESERVED_AT 24
#define FIXED_AT 128
#define LATENT_ID_AT 160
#define LEVELS_AT 176 /* their number, then LAC_CONTENT_MAX_LEVELS of them */
#define ARCH_AT (LEVELS_AT + 4 + 4 * LAC_CONTENT_MAX_LEVELS)
#define MIXTURES_BYTES 24
#define MIN_DEVIATION 1e-6f

/* The properties that version 1 fixes. */
static int check_fixed(const uint8_t *p)
{
    static const uint32_t fixed[] = {LAC_FACTOR_RATE,      LAC_FACTOR_LATENT_ONE, LAC_SPEAKER_SIZE,
                                     LAC_ENVIRONMENT_SIZE, LAC_CHANNEL_SIZE,      LAC_PITCH_CLASSES,
                                     LAC_CODEC_CLASSES,    LAC_HEAD_WIDTH};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (lac_load32(p + 4 * i) != fixed[i])
            return LAC_ERROR_VERSION;
    return LAC_OK;
}

static int read_levels(lac_factor_arch *a, const uint8_t *p)
{
    uint32_t tokens = 1;
    a->dimensions = lac_load32(p);
    a->slots = 0;
    if (a->dimensions < 1 || a->dimensions > LAC_CONTENT_MAX_LEVELS)
        return LAC_ERROR_LIMIT;
    for (uint32_t i = 0; i < LAC_CONTENT_MAX_LEVELS; i++) {
        uint32_t levels = a->levels[i] = lac_load32(p + 4 + 4 * i);
        if (i >= a->dimensions && levels != 0)
            return LAC_ERROR_FORMAT;
        if (i >= a->dimensions)
            continue;
        if (levels < 2 || levels > LAC_FACTOR_MAX_LEVELS || levels > LAC_FACTOR_MAX_TOKENS / tokens)
            return LAC_ERROR_LIMIT;
        tokens *= levels;
        a->slots = levels - 1 > a->slots ? levels - 1 : a->slots;
    }
    return LAC_OK;
}

static bool within(uint32_t v, uint32_t least, uint32_t most)
{
    return v >= least && v <= most;
}

static int read_shape(lac_trunk_shape *s, const uint8_t *p)
{
    *s = (lac_trunk_shape){lac_load32(p), lac_load32(p + 4), lac_load32(p + 8), lac_load32(p + 12)};
    return within(s->width, 1, LAC_MODEL_MAX_WIDTH) && within(s->expand, 1, 8) && within(s->kernel, 1, 31) &&
                   within(s->blocks, 1, LAC_MAX_BLOCKS)
               ? LAC_OK
               : LAC_ERROR_LIMIT;
}

/* All of them or none. */
static int read_mixtures(lac_factor_arch *a, const uint8_t *p)
{
    bool none = true, sound = true;
#define MIXTURE(field, name, size)                                                   \
    a->field = (lac_mixture_shape){lac_load32(p), lac_load32(p + 4)};                \
    none = none && a->field.components == 0 && a->field.rank == 0;                   \
    sound = sound && within(a->field.components, 1, LAC_FACTOR_MAX_COMPONENTS) &&    \
            within(a->field.rank, 1, LAC_FACTOR_MAX_RANK);                           \
    p += 8;
    LAC_FACTOR_MIXTURES(MIXTURE)
#undef MIXTURE
    return none || sound ? LAC_OK : LAC_ERROR_LIMIT;
}

/* From its scalars up to the table. */
static int read_arch(lac_factor_arch *a, const uint8_t *data)
{
    const uint8_t *p = data + ARCH_AT;
    int status = LAC_OK;
#define SCALAR(field, least, most)                             \
    a->field = lac_load32(p);                                  \
    if (a->field > (most) || (int64_t)a->field < (least))      \
        return LAC_ERROR_LIMIT;                                \
    p += 4;
    LAC_FACTOR_SCALARS(SCALAR)
#undef SCALAR
#define SHAPE(net)                          \
    if (status == LAC_OK)                   \
        status = read_shape(&a->net, p);    \
    p += 16;
    LAC_FACTOR_SHAPES(SHAPE)
#undef SHAPE
    if (status == LAC_OK && lac_load32(data + VERSION_AT) >= LAC_FACTOR_SAMPLING_VERSION) {
        status = read_mixtures(a, p);
        p += MIXTURES_BYTES;
    }
    if (status != LAC_OK)
        return status;
    bool sound = a->content_ahead % a->content_stride == 0;
    return sound && lac_all_zero(p, (size_t)(data + LAC_MODEL_TABLE_AT - p)) ? LAC_OK : LAC_ERROR_FORMAT;
}

/* ---- tensors ---- */

/* Of each dimension: they never descend, and zeros stand behind them. */
static bool valid_thresholds(const lac_factor_arch *a, const float *t)
{
    for (uint32_t i = 0; i < a->dimensions; i++, t += a->slots) {
        size_t used = a->levels[i] - 1;
        for (size_t k = 1; k < used; k++)
            if (t[k] < t[k - 1])
                return false;
        if (!lac_all_zero((const uint8_t *)(t + used), (a->slots - used) * sizeof *t))
            return false;
    }
    return true;
}

/* Bytes of the character of UTF-8 (RFC 3629, section 4) at s, which ends with a zero; 0 if it is none, or a control
 * character. */
static size_t character(const uint8_t *s)
{
    static const uint32_t least[] = {0x20, 0xa0, 0x800, 0x10000};
    size_t more = s[0] < 0x80 ? 0 : s[0] < 0xc0 ? 4 : s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : s[0] < 0xf8 ? 3 : 4;
    if (more == 4)
        return 0;
    uint32_t code = more == 0 ? s[0] : s[0] & (0x3fu >> more);
    for (size_t i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    bool bad = code < least[more] || code == 0x7f || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff;
    return bad ? 0 : more + 1;
}

/* The blank's is empty, the others are not. */
static bool valid_symbols(const uint8_t *symbols, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++, symbols += LAC_PHONE_BYTES) {
        size_t n = 0;
        if (symbols[LAC_PHONE_BYTES - 1] != 0 || (symbols[0] == 0) != (i == 0))
            return false;
        while (symbols[n] != 0) {
            size_t bytes = character(symbols + n);
            if (bytes == 0)
                return false;
            n += bytes;
        }
        if (!lac_all_zero(symbols + n, LAC_PHONE_BYTES - n))
            return false;
    }
    return true;
}

static void take_symbols(lac_tensor_table *t, lac_factor_model *m, uint32_t count)
{
    const uint8_t *symbols = lac_tensor_take(t, "phones.symbols", LAC_UINT8, LAC_SHAPE(count, LAC_PHONE_BYTES));
    m->symbols = (const char *)symbols;
    if (t->status == LAC_OK && !valid_symbols(symbols, count))
        t->status = LAC_ERROR_FORMAT;
}

static void take_thresholds(lac_tensor_table *t, lac_factor_model *m)
{
    const lac_factor_arch *a = &m->arch;
    const float *thresholds =
        lac_tensor_take(t, "content.thresholds", LAC_FLOAT32, LAC_SHAPE(a->dimensions, a->slots));
    m->content.thresholds = thresholds;
    if (t->status == LAC_OK && !valid_thresholds(a, thresholds))
        t->status = LAC_ERROR_FORMAT;
}

static const float *take_deviations(lac_tensor_table *t, const char *name, uint32_t count)
{
    const float *deviations = lac_tensor_take(t, name, LAC_FLOAT32, LAC_SHAPE(count));
    for (uint32_t i = 0; t->status == LAC_OK && i < count; i++)
        if (deviations[i] < MIN_DEVIATION)
            t->status = LAC_ERROR_LIMIT;
    return deviations;
}

static void take_calibration(lac_tensor_table *t, lac_factor_calibration *c)
{
    c->speaker = lac_tensor_take(t, "calibration.speaker", LAC_FLOAT32, LAC_SHAPE(2));
    c->style = take_deviations(t, "calibration.style", LAC_STYLE_SIZE);
    c->environment = take_deviations(t, "calibration.environment", LAC_ENVIRONMENT_SIZE);
    c->channel = take_deviations(t, "calibration.channel", LAC_CHANNEL_SIZE);
}

static bool ascend(const float *x, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (x[i] < x[i - 1])
            return false;
    return true;
}

static void take_distributions(lac_tensor_table *t, lac_factor_model *m)
{
    const lac_factor_arch *a = &m->arch;
    lac_distributions *d = &m->distributions;
#define TAKE(name, ...) lac_tensor_take(t, "sampling." name, LAC_FLOAT32, LAC_SHAPE(__VA_ARGS__))
#define MIXTURE(field, name, length)                                                                \
    d->field = (lac_mixture){.shape = a->field, .size = (length)};                                  \
    d->field.bounds = TAKE(name ".bounds", a->field.components);                                    \
    if (t->status == LAC_OK && !ascend(d->field.bounds, a->field.components))                       \
        t->status = LAC_ERROR_FORMAT;                                                               \
    d->field.means = TAKE(name ".means", a->field.components, (length));                            \
    d->field.factors = TAKE(name ".factors", a->field.components, a->field.rank, (length));
    LAC_FACTOR_MIXTURES(MIXTURE)
#undef MIXTURE
    d->middle = TAKE("middle", LAC_VOICE_SIZE);
    d->directions = TAKE("directions", LAC_VOICE_ATTRIBUTES, LAC_SPEAKER_SIZE);
    d->offsets = TAKE("offsets", LAC_VOICE_ATTRIBUTES);
    d->moves = TAKE("moves", LAC_VOICE_ATTRIBUTES, LAC_VOICE_SIZE);
    d->dry_place = TAKE("dry_place", LAC_ENVIRONMENT_SIZE);
    d->wide_line = TAKE("wide_line", LAC_CHANNEL_SIZE);
#undef TAKE
}

static int read_tensors(lac_factor_model *m, const uint8_t *data, size_t core)
{
    const lac_factor_arch *a = &m->arch;
    lac_tensor_table t = lac_tensor_table_begin(data, core);
#define BLOCKS(net, field, count, rate)                                                        \
    lac_tensor_take_blocks(&t, #net "." #field, m->net.field, (count), a->net.width, a->net.expand, a->net.kernel);
#define LINEAR(net, field, in, out, rate) lac_tensor_take_linear(&t, #net "." #field, &m->net.field, (in), (out));
#define LINEARS(net, field, in, out) \
    lac_tensor_take_linears(&t, #net "." #field, m->net.field, a->net.blocks, (in), (out));
#define TRUNK(net, inputs, rate)                                                                             \
    lac_tensor_take_linear(&t, #net ".input", &m->net.trunk.input, LAC_TRUNK_TAPS * (inputs), a->net.width); \
    lac_tensor_take_blocks(&t, #net ".blocks", m->net.trunk.blocks, a->net.blocks, a->net.width, a->net.expand, \
                           a->net.kernel);
    LAC_FACTOR_LAYERS(TRUNK, LINEAR, LINEARS, BLOCKS)
#undef BLOCKS
#undef LINEAR
#undef LINEARS
#undef TRUNK
    take_thresholds(&t, m);
    take_symbols(&t, m, a->phone_classes);
    take_calibration(&t, &m->calibration);
    if (a->voices.components > 0)
        take_distributions(&t, m);
    return lac_tensor_table_end(&t);
}

/* ---- info ---- */

static void count_macs(lac_factor_model *m)
{
    const lac_factor_arch *a = &m->arch;
    uint64_t content = 0, phones = 0, speaker = 0, surroundings = 0, style = 0, generator = 0;
#define BLOCKS(net, field, count, rate) net += (uint64_t)(rate) * lac_blocks_macs(m->net.field, (count));
#define LINEAR(net, field, in, out, rate) net += (uint64_t)(rate) * lac_linear_macs(&m->net.field);
#define LINEARS(net, field, in, out)
#define TRUNK(net, inputs, rate)                                       \
    net += (uint64_t)(rate) * (lac_linear_macs(&m->net.trunk.input) +  \
                               lac_blocks_macs(m->net.trunk.blocks, a->net.blocks));
    LAC_FACTOR_LAYERS(TRUNK, LINEAR, LINEARS, BLOCKS)
#undef BLOCKS
#undef LINEAR
#undef LINEARS
#undef TRUNK
    m->info.analyser_macs = content + phones + speaker + surroundings + style;
    m->info.generator_macs = generator;
}

static void fill_info(lac_factor_model *m, const uint8_t *data, size_t size)
{
    const lac_factor_arch *a = &m->arch;
    lac_factor_info *info = &m->info;
    uint32_t content_delay = a->content_ahead + a->content_stride - 1;
    lac_model_take_id(info->id, data, size);
    memcpy(info->latent_id, data + LATENT_ID_AT, LAC_MODEL_ID_SIZE);
    info->latent_size = a->latent;
    info->content_stride = a->content_stride;
    info->content_tokens = 1;
    info->content_dimensions = a->dimensions;
    for (uint32_t i = 0; i < a->dimensions; i++) {
        info->content_levels[i] = (uint8_t)a->levels[i];
        info->content_tokens *= a->levels[i];
    }
    info->phones = a->phone_classes;
    info->delay_frames = content_delay > a->style_ahead ? content_delay : a->style_ahead;
    info->generator_steps = a->generator_steps;
    info->generator_delay_frames = a->generator_ahead;
    info->voices = a->voices.components > 0;
    info->file_bytes = size;
    count_macs(m);
}

int lac_factorfile_parse(lac_factor_model *model, const uint8_t *data, size_t size)
{
    size_t core = 0;
    memset(model, 0, sizeof *model);
    model->data = data;
    model->size = size;
    int status = lac_model_check_header(data, size, "LACF", LAC_FACTOR_VERSION, &core);
    if (status == LAC_OK)
        status = check_fixed(data + FIXED_AT);
    if (status == LAC_OK && (core != size || !lac_all_zero(data + RESERVED_AT, LAC_MODEL_NAME_AT - RESERVED_AT)))
        status = LAC_ERROR_FORMAT;
    if (status == LAC_OK)
        status = lac_model_read_name(model->info.name, data + LAC_MODEL_NAME_AT);
    if (status == LAC_OK)
        status = read_levels(&model->arch, data + LEVELS_AT);
    if (status == LAC_OK)
        status = read_arch(&model->arch, data);
    if (status == LAC_OK)
        status = read_tensors(model, data, size);
    if (status == LAC_OK)
        fill_info(model, data, size);
    return status;
}
