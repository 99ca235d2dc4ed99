/* Fuzz target of the model parser. The first byte chooses: even, the bytes as they are; odd, with size and checksum
 * put right, so that what lies behind them is reached. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "lac/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void repair(uint8_t *p, size_t size)
{
    if (size < 64)
        return;
    lac_store64(p + 8, size / 64 * 64);
    lac_store32(p + 16, 0);
    lac_store32(p + 16, lac_crc32c(0, p, size / 64 * 64));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    uint8_t *copy = malloc(size);
    if (copy == NULL)
        return 0;
    memcpy(copy, data + 1, size - 1);
    if (data[0] & 1)
        repair(copy, size - 1);
    lac_model *model = NULL;
    if (lac_model_open_memory(&model, copy, size - 1) == LAC_OK) {
        lac_model_info info;
        lac_model_get_info(model, &info);
    }
    lac_model_close(&model);
    free(copy);
    return 0;
}
