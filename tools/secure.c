#include "secure.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

/* ---- keys ---- */

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

    return found ? (int)(found - digits) : -1;
}

static int parse_key(const char *text, size_t length, uint8_t *key)
{
    if (length != 2 * LAC_SECURE_KEY)
        return -1;
    for (size_t i = 0; i < LAC_SECURE_KEY; i++) {
        int high = digit(text[2 * i]);
        int low = digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return -1;
        key[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

int lac_secure_key(const char *command, const char *text, uint8_t *key)
{
    if (parse_key(text, strlen(text), key))
        return lac_report_usage(command, "a key is %d hexadecimal digits: 16 bytes of key, then 14 of salt",
                                2 * LAC_SECURE_KEY);
    return 0;
}

int lac_secure_key_file(const char *command, const char *file, uint8_t *key)
{
    char text[2 * LAC_SECURE_KEY + 16];
    FILE *f = fopen(file, "r");
    size_t length;

    if (!f)
        return lac_report(file, "%s", strerror(errno));
    length = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    while (length && isspace((unsigned char)text[length - 1]))
        length--;
    if (parse_key(text, length, key))
        return lac_report(file, "holds no key for lac %s: %d hexadecimal digits", command, 2 * LAC_SECURE_KEY);
    return 0;
}

/* ---- sessions ---- */

#ifdef LAC_HAVE_SRTP

#include <srtp2/srtp.h>

#define REPLAY_WINDOW 1024 /* packets that may come late */

struct lac_secure {
    srtp_t in, out;
    uint8_t key[LAC_SECURE_KEY];
};

static srtp_err_status_t open_direction(lac_secure *s, srtp_t *session, srtp_ssrc_type_t type)
{
    srtp_policy_t policy;

    memset(&policy, 0, sizeof policy);
    srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
    srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    policy.ssrc.type = type;
    policy.key = s->key;
    policy.window_size = REPLAY_WINDOW;
    return srtp_create(session, &policy);
}

/* The library begins once; a second time fails. */
static int begin(void)
{
    static int begun;

    if (!begun)
        begun = !srtp_init();
    return begun;
}

int lac_secure_open(lac_secure **secure, const uint8_t *key)
{
    lac_secure *s = calloc(1, sizeof *s);

    if (!s)
        return lac_report("SRTP", "out of memory");
    memcpy(s->key, key, sizeof s->key);
    if (!begin() || open_direction(s, &s->in, ssrc_any_inbound) ||
        open_direction(s, &s->out, ssrc_any_outbound)) {
        lac_secure_close(&s);
        return lac_report("SRTP", "libsrtp2 could not begin");
    }
    *secure = s;
    return 0;
}

void lac_secure_close(lac_secure **secure)
{
    if (!secure || !*secure)
        return;
    if ((*secure)->in)
        srtp_dealloc((*secure)->in);
    if ((*secure)->out)
        srtp_dealloc((*secure)->out);
    free(*secure);
    *secure = NULL;
}

int lac_secure_protect(lac_secure *s, int is_rtcp, uint8_t *bytes, size_t *size)
{
    int length = (int)*size;

    if (is_rtcp ? srtp_protect_rtcp(s->out, bytes, &length) : srtp_protect(s->out, bytes, &length))
        return -1;
    *size = (size_t)length;
    return 0;
}

int lac_secure_unprotect(lac_secure *s, int is_rtcp, uint8_t *bytes, size_t *size)
{
    int length = (int)*size;
    srtp_err_status_t status = is_rtcp ? srtp_unprotect_rtcp(s->in, bytes, &length)
                                       : srtp_unprotect(s->in, bytes, &length);

    if (status)
        return status == srtp_err_status_replay_fail || status == srtp_err_status_replay_old ? 1 : -1;
    *size = (size_t)length;
    return 0;
}

#else

int lac_secure_open(lac_secure **secure, const uint8_t *key)
{
    (void)secure;
    (void)key;
    return lac_report("SRTP", "this lac was built without libsrtp2");
}

void lac_secure_close(lac_secure **secure)
{
    (void)secure;
}

int lac_secure_protect(lac_secure *secure, int is_rtcp, uint8_t *bytes, size_t *size)
{
    (void)secure, (void)is_rtcp, (void)bytes, (void)size;
    return -1;
}

int lac_secure_unprotect(lac_secure *secure, int is_rtcp, uint8_t *bytes, size_t *size)
{
    (void)secure, (void)is_rtcp, (void)bytes, (void)size;
    return -1;
}

#endif
