/* Settings as the engine's configuration: what is there without being asked for. */
#include "cli/setup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static bool listed(const uint16_t *ports, unsigned n, uint16_t port)
{
    bool found = false;
    for (unsigned i = 0; i < n; i++)
        found |= ports[i] == port;
    return found;
}

/* RFC 3261 and RFC 8656; a web server's port says nothing about TURN. */
static void registered_ports_are_hints(void **state)
{
    (void)state;
    struct settings s = {0};
    struct setup u;
    assert_int_equal(setup_make(&s, &u), 0);
    const struct engine_config *c = &u.config;
    assert_true(listed(c->sip_ports, c->n_sip_ports, 5060));
    assert_true(listed(c->sip_ports, c->n_sip_ports, 5061));
    assert_true(listed(c->turn_ports, c->n_turn_ports, 3478));
    assert_true(listed(c->turn_ports, c->n_turn_ports, 5349));
    assert_false(listed(c->turn_ports, c->n_turn_ports, 443));
    setup_free(&u);
}

static void ports_that_are_asked_for_add_to_them(void **state)
{
    (void)state;
    const char *sip[] = {"6060", "7060"}, *turn[] = {"443"};
    struct settings s = {.sip_port = {sip, 2}, .turn_port = {turn, 1}};
    struct setup u;
    assert_int_equal(setup_make(&s, &u), 0);
    const struct engine_config *c = &u.config;
    assert_true(listed(c->sip_ports, c->n_sip_ports, 6060));
    assert_true(listed(c->sip_ports, c->n_sip_ports, 7060));
    assert_true(listed(c->sip_ports, c->n_sip_ports, 5061));
    assert_true(listed(c->turn_ports, c->n_turn_ports, 443));
    assert_true(listed(c->turn_ports, c->n_turn_ports, 3478));
    setup_free(&u);
}

static void relays_have_their_usual_range(void **state)
{
    (void)state;
    struct settings s = {0}, other = {.relay_ports = "40000-49999"};
    struct setup u;
    assert_int_equal(setup_make(&s, &u), 0);
    assert_int_equal(u.config.relay_low, 50000);
    assert_int_equal(u.config.relay_high, 59999);
    setup_free(&u);
    assert_int_equal(setup_make(&other, &u), 0);
    assert_int_equal(u.config.relay_low, 40000);
    assert_int_equal(u.config.relay_high, 49999);
    setup_free(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registered_ports_are_hints),
        cmocka_unit_test(ports_that_are_asked_for_add_to_them),
        cmocka_unit_test(relays_have_their_usual_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
