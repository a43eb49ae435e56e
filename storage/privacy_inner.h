/* What the files of privacy.h share. */
#ifndef EW_STORAGE_PRIVACY_INNER_H
#define EW_STORAGE_PRIVACY_INNER_H

#include "storage/privacy.h"
#include "storage/privacy_cipher.h"
#include "storage/text.h"

enum { PRIVACY_KNOWN = 4096 }; /* addresses remembered: 128 kB */

struct privacy_known {
    struct addr from, to;
};

struct privacy {
    enum privacy_users users;
    bool addresses;
    struct cipher *cipher;
    uint8_t pad[16];
    struct text out; /* the last text given out */
    struct privacy_known known[PRIVACY_KNOWN];
};

#endif
