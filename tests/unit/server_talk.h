// SPDX-License-Identifier: Apache-2.0
// What the tests of the whole server on the mem datapath say and hear.
#ifndef ZN_TESTS_SERVER_TALK_H
#define ZN_TESTS_SERVER_TALK_H

#include "mem_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

#define POLL "GET /engine.io/?EIO=4&transport=polling"
#define HOST " HTTP/1.1\r\nHost: localhost\r\n\r\n"

static inline void say(struct mem_server *mem, struct zn_mem_peer *peer, const char *text)
{
    mem_server_say(mem, peer, text, strlen(text));
}

static inline void say_frame(struct mem_server *mem, struct zn_mem_peer *peer, unsigned first,
                             const char *text)
{
    uint8_t frame[1024];
    mem_server_say(mem, peer, frame, mem_frame_write(frame, first, text, strlen(text)));
}

// The body of the one answer that has come, behind its empty line.
static inline const char *hear_body(struct zn_mem_peer *peer)
{
    const char *text = mem_server_hear(peer, NULL);
    const char *body = strstr(text, "\r\n\r\n");
    assert_non_null(body);
    return body + 4;
}

// Opens a polling session; its id goes to sid[21].
static inline struct zn_mem_peer *poll_open(struct mem_server *mem, char sid[21])
{
    struct zn_mem_peer *peer = mem_server_connect(mem);
    say(mem, peer, POLL HOST);
    const char *body = hear_body(peer);
    assert_memory_equal(body, "0{\"sid\":\"", 9);
    memcpy(sid, body + 9, 20);
    sid[20] = '\0';
    return peer;
}

static inline struct zn_mem_peer *ws_open(struct mem_server *mem, const char *target)
{
    char request[512];
    struct zn_mem_peer *peer = mem_server_connect(mem);
    mem_server_say(mem, peer, request, mem_upgrade_write(request, sizeof(request), target));
    return peer;
}

static inline void check_empty(struct mem_server *mem)
{
    struct zn_stats stats;
    zn_server_stats(mem->server, &stats);
    assert_int_equal(stats.connections_now, 0);
    assert_int_equal(stats.sessions_now, 0);
    assert_int_equal(stats.sockets_now, 0);
    assert_int_equal(stats.websockets_now, 0);
    assert_int_equal(stats.buffered_now, 0);
    assert_int_equal(mem->reactor->sessions.len, 0);
    assert_int_equal(mem->opened, mem->closed);
    assert_int_equal(mem->connects, mem->disconnects);
    assert_null(mem->reactor->conns);
}

#endif
