// SPDX-License-Identifier: Apache-2.0
// The datapath table's contract, the same scenarios over every back end: bytes through streams,
// however fast their readers are.
#include "datapath_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void echo_small_message_returns_it(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_open(&rig);
    for (int i = 0; i < 50; i++) {
        char text[32];
        int len = snprintf(text, sizeof text, "message %d", i);
        assert_int_equal(client_write(client, text, (size_t)len), len);
        client_expect_text(client, text);
    }
    client_free(client);
    rig_close(&rig);
}

static void echo_bulk(struct rig *rig, size_t len)
{
    struct client *client = client_greeted(rig);
    uint8_t *sent = pattern_new(len), *got = malloc(len);
    size_t written = 0, read = 0;
    for (int idle = 0; read < len && idle < 3000;) {
        if (written < len)
            written += client_write(client, sent + written, len - written);
        ssize_t part = client_read(client, got + read, len - read < 5000 ? len - read : 5000);
        assert_true(part >= 0);
        read += (size_t)part;
        idle = rig_turn(rig) || part ? 0 : idle + 1;
    }
    assert_int_equal(read, len);
    assert_memory_equal(sent, got, len);
    free(sent);
    free(got);
    client_free(client);
}

static void echo_bulk_with_slow_reader_loses_nothing(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    echo_bulk(&rig, 3 << 20);
    rig_close(&rig);
}

static void echo_bulk_with_one_event_a_turn_loses_nothing(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    rig.max = 1;
    echo_bulk(&rig, 200000);
    rig_close(&rig);
}

static void recv_with_small_helpings_stays_within_them(void **state)
{
    struct zn_dp_config config = { .streams_max = 10, .recv_size = 7 };
    struct rig rig;
    rig_open(&rig, *state, &config);
    echo_bulk(&rig, 5000);
    rig_close(&rig);
}

static void send_to_stalled_reader_goes_on_when_it_reads(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_greeted(&rig);
    struct session *session = rig.last;
    if (client->mem)
        zn_dp_mem_window(client->mem, 10000);
    size_t len = 12 << 20;
    uint8_t *sent = pattern_new(len), *got = malloc(len);
    session_send(&rig, session, sent, len);
    rig_settle(&rig);
    assert_true(session->waiting);
    assert_true(session->sent < len);
    // A reader that is slow but alive shows before all is through.
    size_t before = session->sent, part = 4 << 20;
    assert_int_equal(client_expect(client, got, part), (ssize_t)part);
    rig_settle(&rig);
    assert_in_range(session->sent, before + 1, len);
    assert_true(session->waiting);
    assert_int_equal(client_expect(client, got + part, len - part), (ssize_t)(len - part));
    assert_memory_equal(sent, got, len);
    rig_settle(&rig);
    assert_false(session->waiting);
    assert_int_equal(session->sent, len + 2);
    assert_true(session->sents > 0);
    free(sent);
    free(got);
    client_free(client);
    rig_close(&rig);
}

static void want_false_stops_input_and_true_resumes_it(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    rig.mute = true;
    struct client *client = client_greeted(&rig);
    for (int round = 1; round <= 5; round++) {
        size_t before = rig.received;
        rig.dp->ops->want(rig.dp, rig.last->stream, false);
        assert_int_equal(client_write(client, "first", 5), 5);
        rig_settle(&rig);
        assert_int_equal(client_write(client, "second", 6), 6);
        rig_settle(&rig);
        assert_int_equal(rig.received, before);
        rig.dp->ops->want(rig.dp, rig.last->stream, true);
        rig_settle(&rig);
        assert_int_equal(rig.received, before + 11);
    }
    rig.dp->ops->want(rig.dp, rig.last->stream, false);
    rig.dp->ops->want(rig.dp, rig.last->stream, true);
    rig.mute = false;
    assert_int_equal(client_write(client, "echo", 4), 4);
    client_expect_text(client, "echo");
    rig.dp->ops->want(rig.dp, rig.last->stream, false);
    client_fin(client);
    rig_settle(&rig);
    assert_int_equal(rig.ends, 0);
    rig.dp->ops->want(rig.dp, rig.last->stream, true);
    rig_settle(&rig);
    assert_int_equal(rig.ends, 1);
    client_free(client);
    rig_close(&rig);
}

static void burst_to_many_streams_reaches_all(void **state)
{
    enum { COUNT = 300 };
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *clients[COUNT];
    for (int i = 0; i < COUNT; i++)
        clients[i] = client_greeted(&rig);
    static const struct iovec iov[2] = { { "broad", 5 }, { "cast", 4 } };
    static struct zn_dp_send burst[COUNT];
    rig_settle(&rig); // so that nothing else is with the datapath
    unsigned len = 0;
    for (struct session *session = rig.sessions; session; session = session->next)
        burst[len] = (struct zn_dp_send){ session->stream, iov, 1 + len % 2, 0 }, len++;
    assert_int_equal(len, COUNT);
    rig.dp->ops->send(rig.dp, burst, len);
    for (unsigned i = 0; i < len; i++) {
        struct session *session = zn_stream_user(burst[i].stream, rig.config.user_size);
        size_t total = burst[i].iov_len == 1 ? 5 : 9;
        session->waiting = burst[i].taken < total;
        session->out_len = total - burst[i].taken;
    }
    for (int i = 0; i < COUNT; i++) {
        client_expect_text(clients[i], "broad");
        client_free(clients[i]);
    }
    rig_settle(&rig);
    assert_int_equal(rig.ends + rig.errors, COUNT);
    rig_close(&rig);
}

static void busy_stream_leaves_turns_to_others(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    rig.mute = true;
    struct client *busy = client_greeted(&rig), *other = client_greeted(&rig);
    struct session *session = rig.last;
    uint8_t *bytes = pattern_new(4 << 20);
    size_t left = 4 << 20;
    left -= client_write(busy, bytes, left);
    for (int round = 0; round < 10; round++) {
        size_t before = session->received;
        assert_int_equal(client_write(other, "x", 1), 1);
        for (int turn = 0; turn < 6 && session->received == before; turn++) {
            if (left)
                left -= client_write(busy, bytes, left);
            rig_turn(&rig);
        }
        assert_int_equal(session->received, before + 1);
    }
    free(bytes);
    client_free(busy);
    client_free(other);
    rig_close(&rig);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        SCENARIO(echo_small_message_returns_it),
        SCENARIO(echo_bulk_with_slow_reader_loses_nothing),
        SCENARIO(echo_bulk_with_one_event_a_turn_loses_nothing),
        SCENARIO(recv_with_small_helpings_stays_within_them),
        SCENARIO(send_to_stalled_reader_goes_on_when_it_reads),
        SCENARIO(want_false_stops_input_and_true_resumes_it),
        SCENARIO(burst_to_many_streams_reaches_all),
        SCENARIO(busy_stream_leaves_turns_to_others),
    };
    return rig_run(scenarios, sizeof scenarios / sizeof scenarios[0], argc, argv);
}
