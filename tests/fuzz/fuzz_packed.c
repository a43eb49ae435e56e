/* Packed columns: what opens is JSON to jansson too, with the same values; the loaders take
 * anything. */
#include <jansson.h>

#include "storage/load_json.h"
#include "storage/packed.h"
#include "storage/text.h"
#include "tests/fuzz/inside.h"

/* Each element of the array, by its kind. */
static void compare(struct packed *r, const json_t *array, struct arena *a, struct slice in)
{
    size_t n = 0;
    for (; packed_more(r); n++) {
        const json_t *e = json_array_get(array, n);
        struct packed before = *r;
        struct slice raw;
        int64_t v;
        if (json_is_array(e)) {
            must(packed_enter(r));
            compare(r, e, a, in);
            packed_leave(r);
        } else if (json_is_string(e)) {
            must(packed_raw(r, &raw));
            must_be_inside(raw, in);
            struct packed again = before;
            must(strcmp(packed_text(&again, a), json_string_value(e)) == 0);
        } else if (json_is_integer(e)) {
            must(packed_int(r, &v) && v == json_integer_value(e));
        } else {
            must(json_is_null(e) && !packed_int(r, &v));
        }
        packed_skip(&before);
        must(before.p == r->p);
    }
    must(n == json_array_size(array));
}

static bool utf8(struct slice s)
{
    for (size_t i = 0, n; i < s.n; i += n)
        if (!(n = text_utf8(s.p + i, s.n - i)))
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice json = slice_of(data, size);
    struct arena_pool pool;
    struct arena a;
    struct packed r;
    arena_pool_init(&pool, 64 << 20);
    arena_init(&a, &pool);
    if (packed_open(json, &r) && utf8(json)) {
        json_t *tree = json_loadb((const char *)data, size, 0, NULL);
        must(tree != NULL);
        compare(&r, tree, &a, json);
        json_decref(tree);
    }
    struct fact_call c = {.id = 0};
    struct fact_allocation f = {.id = 0};
    must(load_json_side(&a, json, &c, SIDE_OFFER) && load_json_side(&a, json, &c, SIDE_ANSWER) &&
         load_json_diags(&a, json, &c) && load_json_sends(&a, json, &f));
    arena_free(&a);
    arena_pool_clear(&pool);
    return 0;
}
