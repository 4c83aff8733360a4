// SPDX-License-Identifier: Apache-2.0
// The datapath over TCP of our own: what becomes of packets as events, and of bursts as commands.
#include "accel_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

static int set_up(void **state)
{
    *state = accel_rig_new();
    return 0;
}

static int tear_down(void **state)
{
    accel_rig_free(*state);
    return 0;
}

static size_t sum_of(const uint8_t *bytes, size_t len)
{
    size_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += bytes[i];
    return sum;
}

static const uint8_t *pattern(void)
{
    static uint8_t bytes[1 << 17];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 8));
    return bytes;
}

static void packets_of_one_turn_are_one_event(void **state)
{
    struct accel_rig *rig = *state;
    struct accel_session *session = accel_rig_connect(rig, 0);
    for (int i = 0; i < 3; i++)
        accel_client_send(rig, 0, pattern(), 100);
    accel_rig_settle(rig);
    assert_int_equal(session->received, 300);
    assert_int_equal(session->recvs, 1);
    accel_client_send(rig, 0, pattern(), 1460);
    accel_rig_settle(rig);
    assert_int_equal(session->received, 1760);
    assert_int_equal(session->recvs, 2);
}

static void input_that_is_not_wanted_waits(void **state)
{
    struct accel_rig *rig = *state;
    struct accel_session *session = accel_rig_connect(rig, 0);
    zn_dp_accel.want(rig->dp, session->stream, false);
    for (int i = 0; i < 5; i++)
        accel_client_send(rig, 0, pattern(), 1000);
    accel_client_flags(rig, 0, ZN_TCP_FIN);
    accel_rig_settle(rig);
    assert_int_equal(session->received, 0);
    assert_false(session->eof);
    zn_dp_accel.want(rig->dp, session->stream, true);
    accel_rig_settle(rig);
    assert_int_equal(session->received, 5000);
    assert_true(session->eof);
}

static void turns_of_one_event_lose_nothing(void **state)
{
    struct accel_rig *rig = *state;
    struct accel_session *sessions[8];
    for (unsigned n = 0; n < 8; n++)
        sessions[n] = accel_rig_connect(rig, n);
    rig->max = 1;
    for (int round = 0; round < 4; round++)
        for (unsigned n = 0; n < 8; n++)
            accel_client_send(rig, n, pattern(), 500 + n);
    accel_rig_settle(rig);
    for (unsigned n = 0; n < 8; n++)
        assert_int_equal(sessions[n]->received, 4 * (500 + n));
}

static void sends_on_their_way_are_told_when_acknowledged(void **state)
{
    struct accel_rig *rig = *state;
    struct accel_session *session = accel_rig_connect(rig, 0);
    rig->client[0].mute = true;
    for (size_t at = 0; at < 3000; at += 1000)
        accel_session_send(rig, 0, pattern() + at, 1000);
    accel_rig_settle(rig);
    assert_int_equal(rig->client[0].received, 3000);
    assert_int_equal(rig->client[0].received_sum, sum_of(pattern(), 3000));
    assert_int_equal(session->sent, 0);
    accel_client_ack(rig, 0);
    accel_rig_settle(rig);
    assert_int_equal(session->sent, 3000);
}

static void long_sends_leave_in_segments(void **state)
{
    struct accel_rig *rig = *state;
    struct accel_session *session = accel_rig_connect(rig, 0);
    accel_session_send(rig, 0, pattern(), 100000);
    accel_rig_settle(rig);
    assert_int_equal(rig->client[0].received, 100000);
    assert_int_equal(rig->client[0].received_sum, sum_of(pattern(), 100000));
    assert_int_equal(session->sent, 100000);
}

static void same_bytes_to_many_are_one_command(void **state)
{
    struct accel_rig *rig = *state;
    struct zn_dp_send burst[9];
    struct iovec same[8], other = { (void *)pattern(), 300 };
    for (unsigned n = 0; n < 9; n++)
        accel_rig_connect(rig, n);
    for (unsigned n = 0; n < 8; n++) {
        same[n] = (struct iovec){ (void *)(pattern() + 5), 200 };
        burst[n] = (struct zn_dp_send){ rig->session[n]->stream, &same[n], 1, 0 };
    }
    burst[8] = (struct zn_dp_send){ rig->session[8]->stream, &other, 1, 0 };
    unsigned segments = rig->commands[ZN_MSG_SEGMENT];
    zn_dp_accel.send(rig->dp, burst, 9);
    assert_int_equal(rig->commands[ZN_MSG_BROADCAST_LIST], 1);
    assert_int_equal(rig->commands[ZN_MSG_SEGMENT], segments + 1);
    accel_rig_settle(rig);
    for (unsigned n = 0; n < 8; n++) {
        assert_int_equal(rig->client[n].received, 200);
        assert_memory_equal(rig->client[n].last, pattern() + 5, 200);
        assert_int_equal(rig->session[n]->sent, 200);
    }
    assert_int_equal(rig->client[8].received, 300);
}

static void release_ends_in_order_and_owes_nothing(void **state)
{
    struct accel_rig *rig = *state;
    accel_rig_connect(rig, 0);
    accel_session_send(rig, 0, pattern(), 10);
    accel_rig_settle(rig);
    accel_session_end(rig, 0, ZN_END_RELEASE);
    accel_rig_settle(rig);
    assert_true(rig->client[0].fin);
    assert_false(rig->client[0].reset);
    accel_client_flags(rig, 0, ZN_TCP_FIN);
    accel_rig_settle(rig);
    assert_int_equal(rig->gones, 0);
}

static void release_with_bytes_under_way_is_told_when_they_are_free(void **state)
{
    struct accel_rig *rig = *state;
    accel_rig_connect(rig, 0);
    rig->client[0].mute = true;
    accel_session_send(rig, 0, pattern(), 1000);
    accel_session_end(rig, 0, ZN_END_RELEASE);
    accel_rig_settle(rig);
    assert_int_equal(rig->client[0].received, 1000);
    assert_int_equal(rig->gones, 0);
    accel_client_flags(rig, 0, ZN_TCP_FIN);
    accel_rig_settle(rig);
    assert_true(rig->client[0].fin);
    assert_int_equal(rig->gones, 1);
}

static void reset_is_at_once(void **state)
{
    struct accel_rig *rig = *state;
    accel_rig_connect(rig, 0);
    accel_rig_connect(rig, 1);
    rig->client[0].mute = true;
    accel_session_send(rig, 0, pattern(), 1000);
    accel_session_end(rig, 0, ZN_END_RESET); // owes
    accel_session_end(rig, 1, ZN_END_RESET); // does not
    accel_rig_settle(rig);
    assert_true(rig->client[0].reset);
    assert_true(rig->client[1].reset);
    assert_int_equal(rig->gones, 1);
}

static void half_end_lets_the_peer_go_on(void **state)
{
    struct accel_rig *rig = *state;
    struct accel_session *session = accel_rig_connect(rig, 0);
    accel_session_end(rig, 0, ZN_END_FIN);
    accel_rig_settle(rig);
    assert_true(rig->client[0].fin);
    accel_client_send(rig, 0, pattern(), 700);
    accel_client_flags(rig, 0, ZN_TCP_FIN);
    accel_rig_settle(rig);
    assert_int_equal(session->received, 700);
    assert_true(session->eof);
    accel_session_end(rig, 0, ZN_END_RELEASE);
    accel_rig_settle(rig);
    assert_int_equal(rig->gones, 0);
}

static void reset_of_the_peer_is_an_error_once(void **state)
{
    struct accel_rig *rig = *state;
    struct accel_session *session = accel_rig_connect(rig, 0);
    rig->client[0].mute = true;
    accel_session_send(rig, 0, pattern(), 1000);
    accel_rig_settle(rig);
    unsigned before = rig->events;
    accel_client_flags(rig, 0, ZN_TCP_RST);
    accel_rig_settle(rig);
    assert_int_equal(session->err, -ECONNRESET);
    assert_int_equal(rig->events, before + 1);
    accel_session_end(rig, 0, ZN_END_RELEASE);
    accel_rig_settle(rig);
    assert_int_equal(rig->gones, 1);
}

static void streams_stay_until_their_end_is_told(void **state)
{
    struct accel_rig *rig = *state;
    for (unsigned n = 0; n < 8; n++) {
        accel_rig_connect(rig, n);
        rig->client[n].mute = true;
        accel_session_send(rig, n, pattern(), 100);
    }
    accel_rig_settle(rig);
    for (unsigned n = 0; n < 8; n++)
        accel_session_end(rig, n, ZN_END_RESET);
    rig->max = 1;
    accel_rig_turn(rig);
    assert_int_equal(rig->gones, 1);
    for (unsigned n = 8; n < 16; n++)
        accel_rig_connect(rig, n);
    accel_rig_settle(rig);
    assert_int_equal(rig->gones, 8);
    for (unsigned n = 8; n < 16; n++) {
        accel_client_send(rig, n, pattern(), 50);
        accel_rig_settle(rig);
        assert_int_equal(rig->session[n]->received, 50);
    }
}

// With an event of it still to be told, while the next connection takes the first place that is
// free.
static void stream_that_closes_at_once_leaves_its_place_whole(void **state)
{
    struct accel_rig *rig = *state;
    struct accel_session *session = accel_rig_connect(rig, 0);
    accel_rig_connect(rig, 2);
    rig->client[0].mute = rig->client[2].mute = true;
    accel_session_send(rig, 0, pattern(), 100);
    accel_rig_settle(rig);
    accel_client_send(rig, 0, pattern(), 50);
    accel_client_flags(rig, 0, ZN_TCP_RST);
    accel_rig_turn(rig);
    assert_int_equal(session->received, 50);
    accel_client_syn(rig, 1);
    accel_rig_turn(rig);
    assert_int_equal(session->sent, 100);
    assert_int_equal(session->err, 0); // is next
    accel_session_end(rig, 0, ZN_END_RELEASE);
    accel_session_send(rig, 2, pattern(), 10); // ends the turn of the connections
    accel_rig_settle(rig);
    assert_non_null(rig->session[1]);
    accel_client_send(rig, 1, pattern(), 70);
    accel_rig_settle(rig);
    assert_int_equal(rig->session[1]->received, 70);
    assert_int_equal(rig->gones, 0);
}

static void nobody_is_accepted_after_the_end_of_listening(void **state)
{
    struct accel_rig *rig = *state;
    accel_rig_connect(rig, 0);
    zn_dp_accel.listen(rig->dp, NULL, 0, NULL);
    accel_client_send(rig, 0, pattern(), 20);
    rig->client[1].snd_nxt = 77;
    accel_client_flags(rig, 1, ZN_TCP_SYN);
    accel_rig_settle(rig);
    assert_int_equal(rig->session[0]->received, 20);
    assert_true(rig->client[1].reset);
    assert_null(rig->session[1]);
}

static void close_sends_what_was_given_first(void **state)
{
    struct accel_rig *rig = *state;
    accel_rig_connect(rig, 0);
    accel_session_send(rig, 0, pattern(), 50000);
    accel_session_end(rig, 0, ZN_END_RELEASE);
    zn_dp_accel.close(rig->dp);
    assert_true(rig->closed);
    assert_int_equal(rig->client[0].received, 50000);
    assert_true(rig->client[0].fin);
}

static void close_resets_what_is_open(void **state)
{
    struct accel_rig *rig = *state;
    accel_rig_connect(rig, 0);
    zn_dp_accel.close(rig->dp);
    assert_true(rig->client[0].reset);
}

static void detach_is_an_error(void **state)
{
    struct accel_rig *rig = *state;
    struct accel_session *session = accel_rig_connect(rig, 0);
    zn_dp_accel.detach(rig->dp, session->stream);
    accel_rig_settle(rig);
    assert_int_equal(session->err, -EOPNOTSUPP);
    accel_session_end(rig, 0, ZN_END_RESET);
    accel_rig_settle(rig);
}

static void wake_ends_a_wait(void **state)
{
    struct accel_rig *rig = *state;
    struct zn_dp_event event;
    accel_rig_settle(rig);
    zn_dp_accel.wake(rig->dp);
    assert_int_equal(zn_dp_accel.poll(rig->dp, &event, 1, UINT64_MAX), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(packets_of_one_turn_are_one_event),
        CASE(input_that_is_not_wanted_waits),
        CASE(turns_of_one_event_lose_nothing),
        CASE(sends_on_their_way_are_told_when_acknowledged),
        CASE(long_sends_leave_in_segments),
        CASE(same_bytes_to_many_are_one_command),
        CASE(release_ends_in_order_and_owes_nothing),
        CASE(release_with_bytes_under_way_is_told_when_they_are_free),
        CASE(reset_is_at_once),
        CASE(half_end_lets_the_peer_go_on),
        CASE(reset_of_the_peer_is_an_error_once),
        CASE(streams_stay_until_their_end_is_told),
        CASE(stream_that_closes_at_once_leaves_its_place_whole),
        CASE(nobody_is_accepted_after_the_end_of_listening),
        CASE(close_sends_what_was_given_first),
        CASE(close_resets_what_is_open),
        CASE(detach_is_an_error),
        CASE(wake_ends_a_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
