/* AES and HMAC from libcrypto, and the file that the key is kept in. */
#include "storage/privacy_cipher.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct cipher {
    EVP_CIPHER_CTX *aes;
    uint8_t key[PRIVACY_KEY];
};

struct cipher *cipher_new(const uint8_t key[PRIVACY_KEY])
{
    struct cipher *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    memcpy(c->key, key, sizeof c->key);
    c->aes = EVP_CIPHER_CTX_new();
    if (c->aes && EVP_EncryptInit_ex(c->aes, EVP_aes_128_ecb(), NULL, key, NULL) == 1 &&
        EVP_CIPHER_CTX_set_padding(c->aes, 0) == 1)
        return c;
    cipher_free(c);
    return NULL;
}

void cipher_free(struct cipher *c)
{
    if (!c)
        return;
    EVP_CIPHER_CTX_free(c->aes);
    OPENSSL_cleanse(c->key, sizeof c->key);
    free(c);
}

bool cipher_block(struct cipher *c, const uint8_t in[16], uint8_t out[16])
{
    int n = 0;
    return EVP_EncryptUpdate(c->aes, out, &n, in, 16) == 1 && n == 16;
}

bool cipher_digest(struct cipher *c, const void *bytes, size_t n, uint8_t out[16])
{
    uint8_t whole[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!HMAC(EVP_sha256(), c->key, sizeof c->key, bytes, n, whole, &size) || size < 16)
        return false;
    memcpy(out, whole, 16);
    return true;
}

/* ---- the key's file ---- */

static int digit(char c)
{
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

static bool key_of_text(const char *text, size_t n, uint8_t key[PRIVACY_KEY])
{
    while (n && (text[n - 1] == '\n' || text[n - 1] == '\r' || text[n - 1] == ' '))
        n--;
    if (n != 2 * PRIVACY_KEY)
        return false;
    for (size_t i = 0; i < PRIVACY_KEY; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        key[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* Made under another name first: whoever comes at the same time sees a whole key or none. */
static int key_make(const char *path, char *why, size_t room)
{
    uint8_t key[PRIVACY_KEY];
    char text[2 * PRIVACY_KEY + 2], *name = malloc(strlen(path) + 8);
    int fd = -1, result = -1;
    if (name && RAND_bytes(key, sizeof key) == 1) {
        for (size_t i = 0; i < PRIVACY_KEY; i++)
            sprintf(text + 2 * i, "%02x", key[i]);
        strcpy(text + 2 * PRIVACY_KEY, "\n");
        strcat(strcpy(name, path), ".XXXXXX");
        fd = mkostemp(name, O_CLOEXEC); /* mode 0600 */
    }
    if (fd >= 0) {
        size_t n = strlen(text);
        bool written = write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
        if (written &&
            (renameat2(AT_FDCWD, name, AT_FDCWD, path, RENAME_NOREPLACE) == 0 || errno == EEXIST))
            result = 0;
    }
    if (result)
        snprintf(why, room, "%s: cannot make a privacy key: %s", path, strerror(errno));
    if (fd >= 0) {
        close(fd);
        unlink(name);
    }
    free(name);
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(text, sizeof text);
    return result;
}

int privacy_key_read(const char *path, bool make, uint8_t key[PRIVACY_KEY], char *why, size_t room)
{
    char text[2 * PRIVACY_KEY + 8];
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && make) {
        if (key_make(path, why, room))
            return -1;
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0) {
        snprintf(why, room, "%s: %s", path, strerror(errno));
        return -1;
    }
    ssize_t n = read(fd, text, sizeof text);
    int result = -1;
    if (n < 0 || fstat(fd, &st) != 0)
        snprintf(why, room, "%s: %s", path, strerror(errno));
    else if (!key_of_text(text, (size_t)n, key))
        snprintf(why, room, "%s: is no privacy key: 64 hexadecimal digits (openssl rand -hex 32)",
                 path);
    else if (st.st_mode & 077)
        snprintf(why, room, "%s: others may read or write it (chmod 600): no secret", path);
    else
        result = 0;
    close(fd);
    OPENSSL_cleanse(text, sizeof text);
    return result;
}
