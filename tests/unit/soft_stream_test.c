// SPDX-License-Identifier: Apache-2.0
// The contract's invariants 1 to 5, over many flows behind a bad network. SEED=n runs other worlds.
#include "soft_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

enum { WORLDS = 12 };

static uint32_t seed = 1;
static struct world *worlds;

static int setup(void **state)
{
    (void)state;
    const char *wanted = getenv("SEED");
    seed = wanted != NULL ? (uint32_t)strtoul(wanted, NULL, 0) : seed;
    print_message("# seed %u\n", seed);
    worlds = calloc(WORLDS, sizeof(*worlds));
    for (uint32_t i = 0; worlds != NULL && i < WORLDS; i++) {
        struct world_config config = { .seed = seed + i,
                                       .flows = WORLD_FLOWS,
                                       .only = UINT32_MAX,
                                       .broadcasts = true,
                                       .switches = i % 3 == 2 };
        world_run(&worlds[i], &config);
    }
    return worlds == NULL;
}

static int teardown(void **state)
{
    (void)state;
    free(worlds);
    return 0;
}

static void check_invariant(unsigned number)
{
    for (uint32_t i = 0; i < WORLDS; i++)
        if (worlds[i].broken[number] != 0)
            fail_msg("seed %u: %u times, first of all breaches: %s", seed + i,
                     worlds[i].broken[number], worlds[i].breach);
}

// What the worlds had to offer: without it the invariants would hold for nothing.
static void worlds_had_all_that_can_happen(void **state)
{
    (void)state;
    static const enum zn_acc_reason reasons[] = { ZN_REASON_OK,
                                                  ZN_REASON_BAD_LENGTH,
                                                  ZN_REASON_BAD_TCP_CHECKSUM,
                                                  ZN_REASON_DISABLED,
                                                  ZN_REASON_OUT_OF_SEQUENCE,
                                                  ZN_REASON_WAIT_RESYNC,
                                                  ZN_REASON_FRAME_UNMASKED,
                                                  ZN_REASON_FRAME_RESERVED };
    static const enum zn_acc_reason refusals[] = { ZN_REASON_OK, ZN_REASON_NO_GRANT,
                                                   ZN_REASON_IN_FRAME, ZN_REASON_RATE,
                                                   ZN_REASON_BLOCKED };
    unsigned reasons_met[64] = { 0 }, refusals_met[64] = { 0 }, records_met[8] = { 0 };
    unsigned packets = 0, treated = 0;
    for (uint32_t i = 0; i < WORLDS; i++) {
        const struct world *w = &worlds[i];
        assert_int_equal(w->unfinished, 0);
        assert_true(w->lost > 0 && w->repeated > 0 && w->reordered > 0 && w->corrupted > 0);
        assert_true(w->overlapping > 0 && w->resyncs > 0);
        for (unsigned k = 0; k < 64; k++) {
            reasons_met[k] += w->reasons[k];
            refusals_met[k] += w->refusals[k];
            packets += w->reasons[k];
        }
        for (unsigned k = 0; k < 8; k++)
            records_met[k] += w->records[k];
        treated += w->treated;
    }
    print_message("# %u packets, %u treated\n", packets, treated);
    assert_true(treated > packets / 3);
    for (unsigned k = 0; k < sizeof(reasons) / sizeof(*reasons); k++)
        assert_int_not_equal(reasons_met[reasons[k]], 0);
    for (unsigned k = 0; k < sizeof(refusals) / sizeof(*refusals); k++)
        assert_int_not_equal(refusals_met[refusals[k]], 0);
    for (unsigned k = ZN_RECORD_SENT; k <= ZN_RECORD_RX_DONE; k++)
        assert_int_not_equal(records_met[k], 0);
}

static void invariant_1_bytes_come_out_as_they_were_sent(void **state)
{
    (void)state;
    check_invariant(1);
}

static void invariant_2_untreated_packets_pass_unchanged(void **state)
{
    (void)state;
    check_invariant(2);
}

static void invariant_3_state_moves_with_treated_packets_only(void **state)
{
    (void)state;
    check_invariant(3);
}

static void invariant_4_bytes_sent_are_granted_reported_and_between_frames(void **state)
{
    (void)state;
    check_invariant(4);
}

// Alone or among others, hostile ones too, a flow sees, sends and reports the same.
static void invariant_5_flows_do_not_change_each_other(void **state)
{
    (void)state;
    struct world *all = calloc(1, sizeof(*all)), *alone = calloc(1, sizeof(*alone));
    struct world_config config = { .seed = seed, .flows = WORLD_FLOWS, .only = UINT32_MAX };
    assert_non_null(all);
    assert_non_null(alone);
    world_run(all, &config);
    for (uint32_t flow = 0; flow < WORLD_FLOWS; flow++) {
        config.only = flow;
        world_run(alone, &config);
        assert_true(alone->reasons[ZN_REASON_OK] > 0 || flow % 8 >= 5);
        assert_int_equal(alone->flow[flow].received_digest, all->flow[flow].received_digest);
    }
    free(all);
    free(alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worlds_had_all_that_can_happen),
        cmocka_unit_test(invariant_1_bytes_come_out_as_they_were_sent),
        cmocka_unit_test(invariant_2_untreated_packets_pass_unchanged),
        cmocka_unit_test(invariant_3_state_moves_with_treated_packets_only),
        cmocka_unit_test(invariant_4_bytes_sent_are_granted_reported_and_between_frames),
        cmocka_unit_test(invariant_5_flows_do_not_change_each_other),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
