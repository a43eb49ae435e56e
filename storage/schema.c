/* schema.sql, taken in by the assembler: one text serves the program and the curious reader. */
#include "storage/schema.h"

__asm__(".section .rodata\n"
        ".global schema_text\n"
        "schema_text:\n"
        ".incbin \"storage/schema.sql\"\n"
        ".byte 0\n"
        ".previous\n");
extern const char schema_text[];

/* A change of schema.sql adds {N, "ALTER TABLE ..."} here and counts version up. */
static const struct schema_step steps[] = {
    {2, "ALTER TABLE sdp ADD COLUMN log_run INTEGER;"
        "CREATE INDEX sdp_log ON sdp(log_run) WHERE log_run IS NOT NULL;"
        "ALTER TABLE log ADD COLUMN shift_us INTEGER;"
        "ALTER TABLE log ADD COLUMN agreed INTEGER;"
        "ALTER TABLE log ADD COLUMN content INTEGER;"},
    {3, "CREATE INDEX failure_last ON failure(last_us);"},
    {4, schema_step_tls},
};

const struct schema schema_edgewatch = {
    .application_id = 0x45576462, /* "EWdb" */
    .version = 4,
    .fresh = schema_text,
    .steps = steps,
    .n_steps = sizeof steps / sizeof *steps,
};
