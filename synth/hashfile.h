/* Names for what is made of a file: SHA-256 of its bytes. Any number of threads. */
#ifndef LAC_SYNTH_HASHFILE_H
#define LAC_SYNTH_HASHFILE_H

#include <stddef.h>
#include <stdint.h>

/* Of `ids`, each of `size` bytes, and the file, in hexadecimal. hex [65]. 0, or -1 with errno. */
int lac_hash_file(const char *path, const uint8_t *const *ids, size_t size, size_t count, char *hex);

/* The first `want` bytes of the hash of bytes. */
void lac_hash_bytes(const void *data, size_t size, uint8_t *out, size_t want);

#endif
