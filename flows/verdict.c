/* The words of the contract for verdicts, legs and capture quality. */
#include "flows/verdict.h"

#include <string.h>

static const char *const names[VERDICTS] = {
    [VERDICT_CONNECTED] = "connected",
    [VERDICT_REFUSED] = "refused",
    [VERDICT_TIMEOUT] = "timeout",
    [VERDICT_SINGLE_SYN] = "single-syn",
    [VERDICT_UNREACHABLE] = "unreachable",
    [VERDICT_HALF_OPEN] = "half-open",
    [VERDICT_RETRY_CONFLICT] = "retry-conflict",
    [VERDICT_RESET_AFTER_OPEN] = "reset-after-open",
    [VERDICT_OPEN_NO_CHECK] = "open-no-check",
    [VERDICT_PSEUDOTLS_FAIL] = "pseudotls-fail",
    [VERDICT_TLS_FAIL] = "tls-fail",
    [VERDICT_ALLOC_FAIL] = "alloc-fail",
    [VERDICT_NOT_TRIED] = "not-tried",
    [VERDICT_UNSEEN] = "unseen",
};

const char *verdict_name(enum verdict v)
{
    return v < VERDICTS ? names[v] : "pending";
}

enum verdict verdict_by_name(const char *name)
{
    unsigned v = 0;
    while (v < VERDICTS && strcmp(names[v], name) != 0)
        v++;
    return (enum verdict)v;
}

const char *leg_name(enum leg l)
{
    static const char *const legs[] = {"client-relay", "relay-peer", "direct", "signaling"};
    return legs[l];
}

const char *quality_name(enum quality q)
{
    static const char *const words[] = {"good", "one-way", "lossy"};
    return words[q];
}
