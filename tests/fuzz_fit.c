/* Fuzz target of saved fits. Of the first byte, bit 0 puts the checksums right, so that what lies behind them is
 * reached. A fit that loads is worked on and saved. Large ones are left out: they cost time, and hold nothing that
 * small ones don't. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "lac/fit.h"
#include "memfile.h"

#define HEAD 112
#define CRC_AT 108

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_large(const uint8_t *p)
{
    return lac_load32(p + 8) > 4 || lac_load32(p + 12) > 64 || lac_load32(p + 28) > 5 || lac_load32(p + 56) > 1000;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 + HEAD + 4 || is_large(data + 1))
        return 0;
    memfile in = {.data = malloc(size - 1), .size = size - 1}, out = {0};
    lac_io io = {&in, memfile_read, NULL, NULL, NULL}, to = {&out, NULL, memfile_write, NULL, NULL};
    lac_fit *fit = NULL;
    if (!in.data)
        return 0;
    memcpy(in.data, data + 1, size - 1);
    if (data[0] & 1) {
        lac_store32(in.data + CRC_AT, lac_crc32c(0, in.data, CRC_AT));
        lac_store32(in.data + in.size - 4, lac_crc32c(0, in.data, in.size - 4));
    }
    if (lac_fit_load(&fit, &io, 1) == 0) {
        int status = 0;
        for (int i = 0; i < 4 && !status; i++)
            status = lac_fit_step(fit);
        lac_fit_report report;
        if (lac_fit_measure(fit, NULL, 0, &report) || lac_fit_save(fit, &to))
            abort();
        lac_fit_close(&fit);
    }
    free(in.data);
    free(out.data);
    return 0;
}
