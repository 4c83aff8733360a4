// SPDX-License-Identifier: Apache-2.0
// A server and its clients on one datapath, in one thread: what the contract tests of the
// datapaths share. The server echoes; clients are the far ends of mem, or sockets, with OpenSSL
// on them where the datapath speaks TLS.
#ifndef ZN_DATAPATH_RIG_H
#define ZN_DATAPATH_RIG_H

#include "datapath/datapath.h"

#include <openssl/ssl.h>

struct backend {
    const char *name;
    const struct zn_dp_ops *ops;
    bool tls;
};

// The back ends that every scenario runs over.
enum { BACKENDS = 6 };
extern struct backend backends[BACKENDS];

// The server's bytes of a stream.
struct session {
    uint64_t magic;
    struct zn_stream *stream;
    struct session *next, *prev; // of the rig's
    uint8_t *out;                // given to send() and not reported yet, or to be given
    size_t out_start, out_len;
    uint8_t *later; // echoed while `out` is pinned
    size_t later_len;
    size_t received, sent;
    unsigned recvs, sents, eofs, errors;
    int err;
    bool waiting; // for SENT
};

struct rig {
    const struct backend *backend;
    struct zn_dp_config config;
    struct zn_tls *tls;
    struct zn_dp *dp;
    struct session *sessions;
    unsigned sessions_len;
    struct session *ghosts; // ended, with bytes in flight
    unsigned accepts, gones, ends, errors, detaches, adoptions;
    size_t received;
    struct zn_dp_handle handle; // of the last DETACHED
    uint8_t *handle_data;
    size_t handle_data_len;
    void *cookie;
    struct session *last; // accepted or adopted
    struct sockaddr_storage peer;
    struct sockaddr_in address;
    bool mute;       // keeps what it receives to itself
    bool keep;       // does not end streams by itself
    unsigned max;    // events of one poll()
    bool answer_bye; // says "bye" and releases on the first byte
};

struct client {
    struct rig *rig;
    struct zn_mem_peer *mem;
    int fd;
    SSL *ssl;
};

// A self-signed certificate with that serial number, and its key.
void certificate_write(const char *cert_path, const char *key_path, long serial);

// Runs each scenario over each back end, as <back end>_<scenario>; argv[1] is a filter of names.
struct scenario {
    const char *name;
    void (*run)(void **state); // *state: a struct backend
};
#define SCENARIO(name)                                                                             \
    {                                                                                              \
#name, name                                                                                \
    }
int rig_run(const struct scenario *scenarios, size_t len, int argc, char **argv);

// `len` bytes that repeat late, to be freed.
uint8_t *pattern_new(size_t len);

extern const struct zn_dp_config plain_config; // without user bytes, for very many streams

void rig_open(struct rig *rig, const struct backend *backend, const struct zn_dp_config *config);
void rig_close(struct rig *rig);
// The datapath is one of those in memory.
bool rig_in_memory(const struct rig *rig);
// One turn of the server that waits a millisecond at the most; returns the number of events.
int rig_turn(struct rig *rig);
// Turns until nothing has happened for some milliseconds.
void rig_settle(struct rig *rig);
void session_send(struct rig *rig, struct session *session, const void *data, size_t len);
void session_end(struct rig *rig, struct session *session, enum zn_dp_end how);

struct client *client_open(struct rig *rig);
// How much went out; all of it with mem.
size_t client_write(struct client *client, const void *data, size_t len);
// Bytes, 0: none now, -EPIPE: the server's end, -ECONNRESET: a reset.
ssize_t client_read(struct client *client, void *buf, size_t cap);
void client_fin(struct client *client);
void client_reset(struct client *client);
// A client that has been answered: with TLS, after its handshake.
struct client *client_greeted(struct rig *rig);
void client_free(struct client *client);
// Reads with turns of the rig in between, until `len` bytes are there, an end, or 10 s passed.
ssize_t client_expect(struct client *client, void *buf, size_t len);
// That text, or that end, comes.
void client_expect_text(struct client *client, const char *text);
void client_expect_end(struct client *client, ssize_t end);

#endif
