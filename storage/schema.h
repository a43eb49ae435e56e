/*
 * The database's schema: the text of schema.sql inside the program, and how older versions become
 * this one.
 */
#ifndef EW_STORAGE_SCHEMA_H
#define EW_STORAGE_SCHEMA_H

/* Brings a database from version to - 1 to version to. */
struct schema_step {
    int to;
    const char *sql;
};

struct schema {
    int application_id;              /* PRAGMA application_id: is it ours at all? */
    int version;                     /* PRAGMA user_version */
    const char *fresh;               /* makes an empty database into the current version */
    const struct schema_step *steps; /* in rising order, up to version */
    unsigned n_steps;
};

extern const struct schema schema_edgewatch;
extern const char schema_step_tls[], schema_step_attempts[]; /* schema_steps.c */

#endif
