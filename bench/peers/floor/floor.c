// SPDX-License-Identifier: Apache-2.0
// The floor: a bare epoll loop that does the least that the kernel's TCP allows and still answers
// in WebSocket. No checks, no limits, no timers, blocking on nothing but epoll; not a server for
// anyone.
//   floor --bench echo|bcast --port N
// echo turns the frames of one read round in place and sends them with one call. bcast sends each
// message to each connection with a call of its own: what unbatched sending costs.
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 1 << 20, EVENTS = 512 };

struct peer {
    int fd;
    int index;     // in peers[]
    bool open;     // handshake done
    uint32_t held; // bytes of an unfinished frame
    uint8_t *hold;
};

static struct peer **peers;
static int peer_count, peer_cap;
static int epfd;
static bool bcast;
static uint8_t in[2 * BUFFER], out[2 * BUFFER];

static void drop(struct peer *p)
{
    close(p->fd);
    peers[p->index] = peers[--peer_count];
    peers[p->index]->index = p->index;
    free(p->hold);
    free(p);
}

static void accept_all(int listener)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        struct peer *p = calloc(1, sizeof(*p));
        if (!p)
            abort();
        if (peer_count == peer_cap) {
            int cap = peer_cap ? peer_cap * 2 : 1024;
            struct peer **more = realloc(peers, (size_t)cap * sizeof(struct peer *));
            if (!more)
                abort();
            peers = more;
            peer_cap = cap;
        }
        p->fd = fd;
        p->index = peer_count;
        peers[peer_count++] = p;
        struct epoll_event ev = { .events = EPOLLIN, .data.ptr = p };
        epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev);
    }
}

static void handshake(struct peer *p, const char *request)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    static const char name[] = "Sec-WebSocket-Key: ";
    const char *key = strstr(request, name);
    char text[24 + sizeof(guid)];
    unsigned char digest[SHA_DIGEST_LENGTH], value[32];
    if (!key || !strstr(request, "\r\n\r\n"))
        return;
    memcpy(text, key + sizeof(name) - 1, 24);
    memcpy(text + 24, guid, sizeof(guid));
    SHA1((const unsigned char *)text, 24 + sizeof(guid) - 1, digest);
    EVP_EncodeBlock(value, digest, SHA_DIGEST_LENGTH);
    char answer[256];
    int n = snprintf(answer, sizeof(answer),
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                     (char *)value);
    p->open = send(p->fd, answer, (size_t)n, MSG_NOSIGNAL) == n;
}

// Turns the masked frame at src (src_len bytes there) into an unmasked one at dst. Returns the
// bytes taken, or 0 when the frame is not complete.
static size_t turn(const uint8_t *src, size_t src_len, uint8_t *dst, size_t *dst_len)
{
    size_t head = 6, len = src_len >= 2 ? src[1] & 0x7f : 0;
    if (src_len < head)
        return 0;
    if (len == 126) {
        head = 8;
        len = (size_t)src[2] << 8 | src[3];
    } else if (len == 127) {
        if (src_len < 14)
            return 0;
        head = 14;
        len = 0;
        for (int i = 2; i < 10; i++)
            len = len << 8 | src[i];
    }
    if (src_len < head || src_len - head < len)
        return 0;
    memcpy(dst, src, head - 4);
    dst[1] &= 0x7f;
    uint64_t mask = 0;
    uint32_t key;
    memcpy(&key, src + head - 4, 4);
    mask = (uint64_t)key << 32 | key;
    uint8_t *to = dst + head - 4;
    const uint8_t *from = src + head;
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        uint64_t word;
        memcpy(&word, from + i, 8);
        word ^= mask;
        memcpy(to + i, &word, 8);
    }
    for (; i < len; i++)
        to[i] = from[i] ^ ((const uint8_t *)&mask)[i & 7];
    *dst_len = head - 4 + len;
    return head + len;
}

// Sends all of it, waiting for the reader when it must: a benchmark's reader always comes.
static bool send_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return false;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return true;
}

// One call a connection; who does not take it all is cut off.
static void publish(const uint8_t *frame, size_t len)
{
    for (int i = 0; i < peer_count; i++)
        if (peers[i]->open && send(peers[i]->fd, frame, len, MSG_NOSIGNAL) != (ssize_t)len)
            shutdown(peers[i]->fd, SHUT_RDWR);
}

static bool readable(struct peer *p)
{
    if (p->held > 0)
        memcpy(in, p->hold, p->held);
    ssize_t n = recv(p->fd, in + p->held, BUFFER, 0);
    if (n <= 0)
        return n < 0 && errno == EAGAIN;
    size_t len = p->held + (size_t)n, at = 0, out_len = 0, taken, made;
    if (!p->open) {
        in[len] = '\0';
        handshake(p, (const char *)in);
        return p->open;
    }
    while ((taken = turn(in + at, len - at, out + out_len, &made)) > 0) {
        if ((in[at] & 0x0f) == 8)
            return false;
        if (bcast)
            publish(out, made);
        else
            out_len += made;
        at += taken;
    }
    p->held = (uint32_t)(len - at);
    if (p->held > 0) {
        p->hold = realloc(p->hold, p->held);
        if (!p->hold)
            abort();
        memcpy(p->hold, in + at, p->held);
    }
    return out_len == 0 || send_all(p->fd, out, out_len);
}

static int listen_on(uint16_t port)
{
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 || listen(fd, 4096) != 0) {
        perror("floor");
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: floor --bench echo|bcast --port N\n", stderr);
        return 2;
    }
    bcast = strcmp(argv[2], "bcast") == 0;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    int listener = listen_on((uint16_t)atoi(argv[4]));
    struct epoll_event events[EVENTS], ev = { .events = EPOLLIN };
    epfd = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epfd, EPOLL_CTL_ADD, listener, &ev);
    for (;;) {
        int n = epoll_wait(epfd, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct peer *p = events[i].data.ptr;
            if (!p)
                accept_all(listener);
            else if (!readable(p))
                drop(p);
        }
    }
}
