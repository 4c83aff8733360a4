// SPDX-License-Identifier: Apache-2.0
// The whole server on the mem datapath against up to four hostile clients. An input is a script of
// connects, writes, ends and waits; `$` in what is written stands for the last session id heard.
// Whatever happens, in the end nothing may be held.
#include "../unit/mem_server.h"
#include "core/conn.h"
#include "core/zpool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PEERS = 4, SAY_MAX = 4096, WAIT_MAX_MS = 2000 };

struct script {
    const uint8_t *p;
    size_t len;
};

struct scene {
    struct mem_server mem;
    struct zn_mem_peer *peers[PEERS];
    char sid[21];
    unsigned waited_ms;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void require(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "server_fuzz: %s\n", what);
    abort();
}

static unsigned next(struct script *script)
{
    if (script->len == 0)
        return 0;
    script->len--;
    return *script->p++;
}

static void hear(struct scene *scene, unsigned i)
{
    const char *text = mem_server_hear(scene->peers[i], NULL);
    const char *sid = strstr(text, "{\"sid\":\"");
    if (sid != NULL && strlen(sid) > 28)
        memcpy(scene->sid, sid + 8, 20);
}

// Writes the next bytes of the script, as they are or (odd kinds) as one masked frame.
static void say(struct scene *scene, unsigned i, struct script *script, bool frame)
{
    static uint8_t out[SAY_MAX + 64];
    static uint8_t framed[SAY_MAX + 128];
    unsigned first = frame ? next(script) : 0;
    size_t want = next(script) << 2;
    size_t n = 0;
    while (want-- > 0 && script->len > 0 && n < SAY_MAX) {
        uint8_t c = (uint8_t)next(script);
        if (c == '$' && scene->sid[0] != '\0') {
            memcpy(out + n, scene->sid, 20);
            n += 20;
        } else {
            out[n++] = c;
        }
    }
    if (frame) {
        n = mem_frame_write(framed, first, out, n);
        mem_server_say(&scene->mem, scene->peers[i], framed, n);
    } else {
        mem_server_say(&scene->mem, scene->peers[i], out, n);
    }
    hear(scene, i);
}

static void drop(struct scene *scene, unsigned i)
{
    if (scene->peers[i] == NULL)
        return;
    zn_dp_mem_free(scene->peers[i]);
    scene->peers[i] = NULL;
    mem_server_settle(&scene->mem);
}

static void wait(struct scene *scene, unsigned ms)
{
    if (scene->waited_ms + ms > WAIT_MAX_MS)
        return;
    scene->waited_ms += ms;
    mem_server_skip(&scene->mem, ms);
}

static void upgrade(struct scene *scene, unsigned i, struct script *script)
{
    static const char *const targets[] = {
        "/ws",
        "/engine.io/?EIO=4&transport=websocket",
        "/socket.io/?EIO=4&transport=websocket",
        "/engine.io/?EIO=4&transport=websocket&sid=%s",
        "/socket.io/?EIO=4&transport=websocket&sid=%s",
    };
    char target[128], request[512];
    unsigned which = next(script) % (sizeof(targets) / sizeof(*targets));
    int n = snprintf(target, sizeof(target), "%.44s", targets[which]);
    if (which >= 3)
        snprintf(target + strlen(target) - 2, sizeof(target) - (size_t)n, "%s", scene->sid);
    mem_server_say(&scene->mem, scene->peers[i], request,
                   mem_upgrade_write(request, sizeof(request), target));
    hear(scene, i);
}

static void step(struct scene *scene, struct script *script)
{
    unsigned op = next(script);
    unsigned i = op >> 6;
    if (scene->peers[i] == NULL)
        scene->peers[i] = mem_server_connect(&scene->mem);
    switch (op & 7) {
    case 0:
    case 1:
        say(scene, i, script, false);
        break;
    case 2:
    case 3:
        say(scene, i, script, true);
        break;
    case 4:
        upgrade(scene, i, script);
        break;
    case 5:
        wait(scene, next(script));
        break;
    case 6:
        zn_dp_mem_window(scene->peers[i], next(script) << 3);
        break;
    default:
        if ((op & 8) != 0)
            zn_dp_mem_reset(scene->peers[i]);
        else if ((op & 16) != 0)
            zn_dp_mem_fin(scene->peers[i]);
        mem_server_settle(&scene->mem);
        drop(scene, i);
    }
}

static void check_empty(struct scene *scene)
{
    struct zn_stats stats;
    for (unsigned i = 0; i < PEERS; i++)
        drop(scene, i);
    for (unsigned i = 0; i < 32; i++) // heartbeats, connect and close time-outs
        mem_server_skip(&scene->mem, 50);
    zn_server_stats(scene->mem.server, &stats);
    require(stats.connections_now == 0, "a connection is left");
    require(stats.sessions_now == 0, "a session is left");
    require(stats.sockets_now == 0, "a socket is left");
    require(stats.websockets_now == 0, "a WebSocket is left");
    require(stats.buffered_now == 0, "output is left");
    require(scene->mem.reactor->zpool->lent == 0, "a zlib stream is left");
    require(scene->mem.reactor->wheel.armed == 0, "a timer is left");
    require(scene->mem.opened == scene->mem.closed, "a session was opened and not closed");
    require(scene->mem.connects == scene->mem.disconnects, "a socket was not disconnected");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct zn_server_options options = { .buffer_max = 4096,
                                                      .header_timeout_ms = 500,
                                                      .message_timeout_ms = 500,
                                                      .overflow = ZN_OVERFLOW_DROP_OLDEST };
    static struct scene scene;
    struct script script = { data, len };
    scene = (struct scene){ 0 };
    mem_server_start(&scene.mem, &options);
    while (script.len > 0)
        step(&scene, &script);
    check_empty(&scene);
    mem_server_stop(&scene.mem);
    return 0;
}
