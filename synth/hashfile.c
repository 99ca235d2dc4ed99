#include "hashfile.h"

#include <stdio.h>
#include <string.h>

#include "bytes.h"

int lac_hash_file(const char *path, const uint8_t *const *ids, size_t size, size_t count, char *hex)
{
    uint8_t block[16384], digest[32];
    FILE *file = fopen(path, "rb");
    lac_sha256 sum;
    size_t got;

    if (!file)
        return -1;
    lac_sha256_init(&sum);
    for (size_t i = 0; i < count; i++)
        lac_sha256_update(&sum, ids[i], size);
    while ((got = fread(block, 1, sizeof block, file)) > 0)
        lac_sha256_update(&sum, block, got);
    int failed = ferror(file);
    fclose(file);
    lac_sha256_final(&sum, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return failed ? -1 : 0;
}

void lac_hash_bytes(const void *data, size_t size, uint8_t *out, size_t want)
{
    uint8_t digest[32];
    lac_sha256 sum;

    lac_sha256_init(&sum);
    lac_sha256_update(&sum, data, size);
    lac_sha256_final(&sum, digest);
    memcpy(out, digest, want);
}
