// SPDX-License-Identifier: Apache-2.0
// The datapath table's contract, the same scenarios over every back end: how streams end, from
// either side.
#include "datapath_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

static void reset_while_blocked_gives_error(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_greeted(&rig);
    if (client->mem)
        zn_dp_mem_window(client->mem, 10000);
    uint8_t *sent = pattern_new(12 << 20);
    session_send(&rig, rig.last, sent, 12 << 20);
    rig_settle(&rig);
    client_reset(client);
    rig_settle(&rig);
    assert_int_equal(rig.errors, 1);
    assert_int_equal(rig.sessions_len, 0);
    assert_int_equal(rig.gones, !!(rig.dp->ops->caps & ZN_DP_CAP_ASYNC));
    free(sent);
    client_free(client);
    rig_close(&rig);
}

// Bytes that an asynchronous datapath was given stay its own until GONE, and go out before that.
static void release_with_bytes_in_flight_sends_what_was_given(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_greeted(&rig);
    rig_settle(&rig);
    if (client->mem)
        zn_dp_mem_window(client->mem, 10000);
    size_t len = 12 << 20;
    uint8_t *sent = pattern_new(len), *got = malloc(len);
    session_send(&rig, rig.last, sent, len);
    rig_settle(&rig);
    bool whole = rig.dp->ops->caps & ZN_DP_CAP_ASYNC;
    session_end(&rig, rig.last, ZN_END_RELEASE);
    assert_int_equal(rig.gones, 0);
    ssize_t read = client_expect(client, got, len);
    assert_true(whole ? read == (ssize_t)len : read > 0 && read < (ssize_t)len);
    assert_memory_equal(sent, got, (size_t)read);
    client_expect_end(client, -EPIPE);
    rig_settle(&rig);
    assert_int_equal(rig.gones, whole);
    free(sent);
    free(got);
    client_free(client);
    rig_close(&rig);
}

static void fin_with_bytes_in_flight_follows_them(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_greeted(&rig);
    rig_settle(&rig);
    if (client->mem)
        zn_dp_mem_window(client->mem, 10000);
    // What only an asynchronous datapath takes over goes out before the end.
    size_t len = rig.dp->ops->caps & ZN_DP_CAP_ASYNC ? 12 << 20 : 5000;
    uint8_t *sent = pattern_new(len), *got = malloc(len);
    session_send(&rig, rig.last, sent, len);
    session_end(&rig, rig.last, ZN_END_FIN);
    assert_int_equal(client_expect(client, got, len), (ssize_t)len);
    assert_memory_equal(sent, got, len);
    client_expect_end(client, -EPIPE);
    free(sent);
    free(got);
    client_free(client);
    rig_close(&rig);
}

static void end_with_bytes_in_flight_gives_them_back(struct rig *rig, enum zn_dp_end how)
{
    struct client *client = client_greeted(rig);
    rig_settle(rig);
    if (client->mem)
        zn_dp_mem_window(client->mem, 10000);
    uint8_t *sent = pattern_new(12 << 20);
    session_send(rig, rig->last, sent, 12 << 20);
    rig_settle(rig);
    session_end(rig, rig->last, how);
    bool async = rig->dp->ops->caps & ZN_DP_CAP_ASYNC;
    for (int i = 0; i < 4000 && async && !rig->gones; i++)
        rig_turn(rig);
    rig_settle(rig);
    assert_int_equal(rig->gones, async);
    assert_null(rig->ghosts);
    free(sent);
    client_free(client);
}

static void reset_with_bytes_in_flight_gives_them_back(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    end_with_bytes_in_flight_gives_them_back(&rig, ZN_END_RESET);
    rig_close(&rig);
}

static void release_to_reader_that_never_reads_is_bounded(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    end_with_bytes_in_flight_gives_them_back(&rig, ZN_END_RELEASE);
    rig_close(&rig);
}

static void fin_from_client_gives_eof_and_leaves_sending(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    rig.keep = true;
    struct client *client = client_greeted(&rig);
    assert_int_equal(client_write(client, "more", 4), 4);
    client_fin(client);
    rig_settle(&rig);
    assert_int_equal(rig.last->eofs, 1);
    assert_int_equal(rig.last->received, 6);
    session_send(&rig, rig.last, "late", 4);
    client_expect_text(client, "morelate");
    session_end(&rig, rig.last, ZN_END_RELEASE);
    client_expect_end(client, -EPIPE);
    client_free(client);
    rig_close(&rig);
}

static void fin_from_server_follows_data_and_leaves_receiving(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    rig.mute = true;
    struct client *client = client_greeted(&rig);
    session_send(&rig, rig.last, "last words", 10);
    session_end(&rig, rig.last, ZN_END_FIN);
    client_expect_text(client, "last words");
    client_expect_end(client, -EPIPE);
    if (!client->ssl) {
        assert_int_equal(client_write(client, "still here", 10), 10);
        rig_settle(&rig);
        assert_int_equal(rig.last->received, 12);
    }
    client_fin(client);
    rig_settle(&rig);
    assert_int_equal(rig.ends, 1);
    assert_int_equal(rig.sessions_len, 0);
    client_free(client);
    rig_close(&rig);
}

// A refusal must reach a client that goes on sending what nobody reads.
static void release_with_input_unread_delivers_last_words(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    rig.answer_bye = true;
    uint8_t *bytes = pattern_new(100000);
    for (int i = 0; i < 20; i++) {
        struct client *client = client_open(&rig);
        client_write(client, bytes, 100000);
        for (int turn = 0; turn < 3; turn++)
            rig_turn(&rig);
        assert_int_equal(client_write(client, "x", 1), 1);
        client_expect_text(client, "bye");
        client_expect_end(client, -EPIPE);
        client_free(client);
    }
    rig_settle(&rig);
    assert_int_equal(rig.sessions_len, 0);
    free(bytes);
    rig_close(&rig);
}

static void release_to_client_that_goes_on_sending_delivers_last_words(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    rig.answer_bye = true;
    size_t len = 12 << 20, written = 0; // more than fits the buffers between
    uint8_t *bytes = pattern_new(len);
    struct client *client = client_open(&rig);
    for (int turn = 0; written < len && turn < 3000; turn++) {
        written += client_write(client, bytes + written, len - written);
        rig_turn(&rig);
    }
    assert_int_equal(written, len);
    client_expect_text(client, "bye");
    client_expect_end(client, -EPIPE);
    rig_settle(&rig);
    assert_int_equal(rig.sessions_len, 0);
    free(bytes);
    client_free(client);
    rig_close(&rig);
}

static void reset_from_client_gives_error(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_greeted(&rig);
    client_reset(client);
    rig_settle(&rig);
    assert_int_equal(rig.errors, 1);
    assert_int_equal(rig.sessions_len, 0);
    client_free(client);
    rig_close(&rig);
}

static void reset_from_client_shows_through_a_stopped_stream(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_greeted(&rig);
    rig.dp->ops->want(rig.dp, rig.last->stream, false);
    assert_int_equal(client_write(client, "unread", 6), 6);
    rig_settle(&rig);
    client_reset(client);
    rig_settle(&rig);
    assert_int_equal(rig.errors, 1);
    client_free(client);
    rig_close(&rig);
}

static void reset_from_server_reaches_client(void **state)
{
    struct rig rig;
    rig_open(&rig, *state, &plain_config);
    struct client *client = client_greeted(&rig);
    session_end(&rig, rig.last, ZN_END_RESET);
    client_expect_end(client, -ECONNRESET);
    rig_settle(&rig);
    client_free(client);
    rig_close(&rig);
}

int main(int argc, char **argv)
{
    static const struct scenario scenarios[] = {
        SCENARIO(reset_while_blocked_gives_error),
        SCENARIO(release_with_bytes_in_flight_sends_what_was_given),
        SCENARIO(fin_with_bytes_in_flight_follows_them),
        SCENARIO(reset_with_bytes_in_flight_gives_them_back),
        SCENARIO(release_to_reader_that_never_reads_is_bounded),
        SCENARIO(fin_from_client_gives_eof_and_leaves_sending),
        SCENARIO(fin_from_server_follows_data_and_leaves_receiving),
        SCENARIO(release_with_input_unread_delivers_last_words),
        SCENARIO(release_to_client_that_goes_on_sending_delivers_last_words),
        SCENARIO(reset_from_client_gives_error),
        SCENARIO(reset_from_client_shows_through_a_stopped_stream),
        SCENARIO(reset_from_server_reaches_client),
    };
    return rig_run(scenarios, sizeof scenarios / sizeof scenarios[0], argc, argv);
}
