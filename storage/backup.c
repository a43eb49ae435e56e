/* Copying page by page in one read transaction, into a new file that takes the name at the end. */
#include "storage/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/db.h"

enum { TRY_AGAIN_MS = 50, TRIES = 100 };

/* All pages in one step: were it several, each transaction of the writer in between would make
 * SQLite begin anew. The read transaction that this takes is no obstacle to a writer in WAL. */
static int copy_pages(sqlite3 *to, sqlite3 *from)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    int rc = SQLITE_OK;
    for (int i = 0; b && i < TRIES; i++) {
        rc = sqlite3_backup_step(b, -1);
        if (rc != SQLITE_BUSY && rc != SQLITE_LOCKED)
            break;
        sqlite3_sleep(TRY_AGAIN_MS);
    }
    if (!b)
        return sqlite3_extended_errcode(to);
    int end = sqlite3_backup_finish(b);
    return rc == SQLITE_DONE ? SQLITE_OK : end ? end : rc;
}

static int sync_path(const char *path, int flags)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0)
        return -1;
    int result = fsync(fd);
    int why = errno;
    close(fd);
    errno = why;
    return result;
}

/* On the disk, then under its name, then the name on the disk. */
static int put_in_place(const char *temporary, const char *to)
{
    char *copy = strdup(to);
    int result = copy ? sync_path(temporary, 0) || rename(temporary, to) ||
                            sync_path(dirname(copy), O_DIRECTORY)
                      : -1;
    free(copy);
    return result;
}

/* An empty file for nobody else's eyes: the database may hold what its directory protects. */
static char *new_file(const char *to)
{
    char *name = sqlite3_mprintf("%s.XXXXXX", to);
    int fd = name ? mkostemp(name, O_CLOEXEC) : -1;
    if (fd >= 0) {
        close(fd);
        return name;
    }
    sqlite3_free(name);
    return NULL;
}

/* Whose file is it? What stands there is replaced if it is an earlier copy, or empty. */
static bool replaceable(const char *path, off_t size, const char **why)
{
    static const char magic[] = "SQLite format 3";
    enum { HEAD = 72, APPLICATION = 68 };
    static const char *const beside[] = {"-wal", "-journal"};
    uint8_t head[HEAD] = {0};
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool whole = fd >= 0 && read(fd, head, sizeof head) == sizeof head;
    if (fd >= 0)
        close(fd);
    uint32_t id = (uint32_t)head[APPLICATION] << 24 | (uint32_t)head[APPLICATION + 1] << 16 |
                  (uint32_t)head[APPLICATION + 2] << 8 | head[APPLICATION + 3];
    bool ours = whole && memcmp(head, magic, sizeof magic) == 0 &&
                id == (uint32_t)schema_edgewatch.application_id;
    *why = "is there and no database of edgewatch: not replaced";
    for (unsigned i = 0; ours && i < sizeof beside / sizeof *beside; i++) {
        char *name = sqlite3_mprintf("%s%s", path, beside[i]);
        bool used = !name || (stat(name, &st) == 0 && st.st_size > 0);
        sqlite3_free(name);
        if (used) {
            *why = "is a database that is in use (its -wal or -journal is there): not replaced";
            return false;
        }
    }
    return ours || size == 0;
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static enum backup_result copy_into(struct db *db, const char *temporary, const char *to, char *why,
                                    size_t room)
{
    sqlite3 *out = NULL;
    int rc = sqlite3_open_v2(temporary, &out, SQLITE_OPEN_READWRITE, NULL);
    if (rc == SQLITE_OK) /* nobody sees it before it is whole */
        sqlite3_exec(out, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = copy_pages(out, db->handle);
    int closed = sqlite3_close(out);
    rc = rc ? rc : closed;
    int primary = rc & 0xff;
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || rc == SQLITE_IOERR_READ) {
        snprintf(why, room, "%s: cannot be copied: %s", db->path, sqlite3_errstr(rc));
        return BACKUP_NO_DATABASE;
    }
    if (rc)
        snprintf(why, room, "%s: cannot be written: %s", to,
                 primary == SQLITE_FULL ? "disk full" : sqlite3_errstr(rc));
    else if (put_in_place(temporary, to))
        snprintf(why, room, "%s: %s", to, strerror(errno));
    else
        return BACKUP_OK;
    return BACKUP_NO_OUTPUT;
}

enum backup_result backup_make(const char *from, const char *to, long long *bytes, char *why,
                               size_t room)
{
    struct db db;
    struct stat st;
    if (db_open_read(&db, from, &schema_edgewatch) != DB_OK) {
        snprintf(why, room, "%s", db.why);
        return BACKUP_NO_DATABASE;
    }
    enum backup_result result = BACKUP_NO_OUTPUT;
    bool there = stat(to, &st) == 0;
    const char *not_ours;
    char *temporary = NULL;
    if (same_file(from, to))
        snprintf(why, room, "%s: is the database itself", to);
    else if (there && !S_ISREG(st.st_mode))
        snprintf(why, room, "%s: is no file", to);
    else if (there && !replaceable(to, st.st_size, &not_ours))
        snprintf(why, room, "%s: %s", to, not_ours);
    else if (!(temporary = new_file(to)))
        snprintf(why, room, "%s: %s", to, strerror(errno));
    else
        result = copy_into(&db, temporary, to, why, room);
    if (temporary && result != BACKUP_OK)
        unlink(temporary);
    *bytes = result == BACKUP_OK && stat(to, &st) == 0 ? (long long)st.st_size : 0;
    sqlite3_free(temporary);
    db_close(&db);
    return result;
}
