/* SRTP and SRTCP (RFC 3711) by libsrtp2: AES in counter mode with 128 bits, HMAC-SHA1 with 80. */
#ifndef LAC_TOOLS_SECURE_H
#define LAC_TOOLS_SECURE_H

#include <stddef.h>
#include <stdint.h>

#define LAC_SECURE_KEY 30    /* bytes: 16 of master key, 14 of salt */
#define LAC_SECURE_GROWTH 16 /* most bytes that protection adds: the tag, for RTCP an index too */
#define LAC_SECURE_SUITE "AES_CM_128_HMAC_SHA1_80" /* as SDP calls it (RFC 4568) */

typedef struct lac_secure lac_secure;

/* key [LAC_SECURE_KEY] from 60 hexadecimal digits; `file`: the name of a file that holds them. 0, or an exit status
 * after a message in which the key does not show. */
int lac_secure_key(const char *command, const char *text, uint8_t *key);
int lac_secure_key_file(const char *command, const char *file, uint8_t *key);

/* Both directions of one session. 0, or LAC_EXIT_FAILED after a message: also if this program was built without. */
int lac_secure_open(lac_secure **secure, const uint8_t *key);

/* NULL and pointers to NULL are accepted. */
void lac_secure_close(lac_secure **secure);

/* In place; *size grows by up to LAC_SECURE_GROWTH. 0 or -1. */
int lac_secure_protect(lac_secure *secure, int is_rtcp, uint8_t *bytes, size_t *size);

/* In place; *size shrinks. 0; 1 for a packet that came before; -1 for any that is not authentic. */
int lac_secure_unprotect(lac_secure *secure, int is_rtcp, uint8_t *bytes, size_t *size);

#endif
