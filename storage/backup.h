/* A copy of the database while others write it. */
#ifndef EW_STORAGE_BACKUP_H
#define EW_STORAGE_BACKUP_H

#include <stddef.h>

enum backup_result {
    BACKUP_OK,
    BACKUP_NO_DATABASE, /* the database can't be read */
    BACKUP_NO_OUTPUT,   /* the copy can't be written */
};

/* Makes `to` a copy of the database `from` as it is at one moment: whole or not at all, in place of
 * an empty file or a database of edgewatch that was there; any other file stays. Nobody who writes
 * has to wait. *bytes: its size. why: what went wrong, with the file's name. */
enum backup_result backup_make(const char *from, const char *to, long long *bytes, char *why,
                               size_t room);

#endif
