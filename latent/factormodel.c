#include "factormodel.h"

#include <stdlib.h>

#include "cpu.h"
#include "factorfile.h"

#define ENDING ".lacf"

static size_t pack_linears(lac_linear *l, size_t count, uint8_t *at)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (at != NULL)
            lac_linear_pack(&l[i], at + bytes);
        bytes += lac_linear_packed_bytes(&l[i]);
    }
    return bytes;
}

static size_t pack_blocks(lac_block *blocks, size_t count, uint8_t *at)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += pack_linears(&blocks[i].up, 1, at != NULL ? at + bytes : NULL);
        bytes += pack_linears(&blocks[i].down, 1, at != NULL ? at + bytes : NULL);
    }
    return bytes;
}

/* Each matrix, in file order, given `at`; NULL only counts. Returns the sum of their bytes. */
static size_t pack_matrices(lac_factor_model *m, uint8_t *at)
{
    const lac_factor_arch *a = &m->arch;
    size_t bytes = 0;
#define AT (at != NULL ? at + bytes : NULL)
#define BLOCKS(net, field, count, rate) bytes += pack_blocks(m->net.field, (count), AT);
#define LINEAR(net, field, in, out, rate) bytes += pack_linears(&m->net.field, 1, AT);
#define LINEARS(net, field, in, out) bytes += pack_linears(m->net.field, a->net.blocks, AT);
#define TRUNK(net, inputs, rate)                        \
    bytes += pack_linears(&m->net.trunk.input, 1, AT);  \
    bytes += pack_blocks(m->net.trunk.blocks, a->net.blocks, AT);
    LAC_FACTOR_LAYERS(TRUNK, LINEAR, LINEARS, BLOCKS)
#undef AT
#undef BLOCKS
#undef LINEAR
#undef LINEARS
#undef TRUNK
    return bytes;
}

/* One piece of memory: the model and what it packs. */
static int lay_out(void *object, lac_workspace *w)
{
    lac_factor_model *m = object;
    uint8_t *matrices = lac_workspace_take(w, m->kernels.packed ? pack_matrices(m, NULL) : 0, 1);
    if (w->base != NULL && m->kernels.packed)
        pack_matrices(m, matrices);
    return LAC_OK;
}

static int create(lac_factor_model **model, lac_factor_model *parsed)
{
    void *opened;
    lac_kernels_choose(&parsed->kernels, lac_cpu_mask(lac_cpu_detect(), getenv("LAC_CPU_MASK")));
    int status = lac_object_open(&opened, parsed, sizeof *parsed, lay_out);
    if (status == LAC_OK)
        *model = opened;
    return status;
}

/* Takes the file over: on failure it is released. */
static int open_taken(lac_factor_model **model, lac_model_bytes *bytes)
{
    lac_factor_model parsed;
    int status = lac_factorfile_parse(&parsed, bytes->data, bytes->size);
    parsed.mapping = bytes->mapping;
    parsed.owned = bytes->owned;
    if (status == LAC_OK)
        status = create(model, &parsed);
    if (status != LAC_OK)
        lac_model_bytes_release(bytes);
    return status;
}

int lac_factor_model_open_memory(lac_factor_model **model, const void *data, size_t size)
{
    if (model == NULL || (data == NULL && size > 0))
        return LAC_ERROR_ARGUMENT;
    lac_model_bytes bytes;
    int status = lac_model_bytes_take(&bytes, data, size);
    return status == LAC_OK ? open_taken(model, &bytes) : status;
}

int lac_factor_model_open(lac_factor_model **model, const char *name)
{
    if (model == NULL)
        return LAC_ERROR_ARGUMENT;
    lac_model_bytes bytes;
    int status = lac_model_bytes_open(&bytes, name, ENDING, lac_embedded_factors);
    return status == LAC_OK ? open_taken(model, &bytes) : status;
}

void lac_factor_model_close(lac_factor_model **model)
{
    if (model == NULL || *model == NULL)
        return;
    lac_model_bytes bytes = {.size = (*model)->size, .mapping = (*model)->mapping, .owned = (*model)->owned};
    lac_model_bytes_release(&bytes);
    lac_object_close(*model);
    *model = NULL;
}

void lac_factor_model_get_info(const lac_factor_model *model, lac_factor_info *info)
{
    *info = model->info;
}

const char *lac_factor_model_phone(const lac_factor_model *model, uint32_t phone)
{
    return phone < model->info.phones ? model->symbols + (size_t)phone * LAC_PHONE_BYTES : NULL;
}
