/* The folder with real captures. */
#include "tests/help/captures.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *captures_dir(void)
{
    const char *dir = getenv("EW_CAPTURES");
    if (!dir)
        dir = "../shared/captures";
    return access(dir, R_OK) == 0 ? dir : NULL;
}

const char *captures_path(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", captures_dir(), name);
    return path;
}

struct slice captures_read(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *p = NULL;
    size_t n = 0, room = 0, got = 1;
    while (f && got) {
        if (n == room) {
            room = room ? room * 2 : 65536;
            p = realloc(p, room);
            if (!p)
                abort();
        }
        got = fread(p + n, 1, room - n, f);
        n += got;
    }
    if (f)
        fclose(f);
    return slice_of(p, n);
}
