// SPDX-License-Identifier: Apache-2.0
// Initial sequence numbers (RFC 6528) and SYN cookies (RFC 4987 section 3.6).
//
// A cookie is the sequence number of a SYN-ACK that nothing is remembered of: 24 bits of keyed
// hash, 5 bits of time in units of 64 s, 3 bits of mss. Window scale and SACK are lost with it.
#include <string.h>

#include "core/siphash.h"
#include "tcp/stack.h"

static const uint16_t cookie_mss[8] = { 216, 536, 1024, 1220, 1360, 1420, 1440, 1460 };

uint32_t zn__tcp_isn(const struct zn_tcp *tcp, const struct zn_tuple *tuple)
{
    uint64_t key[2] = { tcp->config.secret[0] ^ 0x69736e, tcp->config.secret[1] };
    return (uint32_t)zn__siphash(key, tuple, sizeof(*tuple)) + (uint32_t)(tcp->now_us / 4);
}

static uint32_t cookie_hash(const struct zn_tcp *tcp, const struct zn_tuple *tuple, uint32_t irs,
                            uint32_t slot)
{
    struct {
        struct zn_tuple tuple;
        uint32_t irs;
        uint32_t slot;
    } input;
    memset(&input, 0, sizeof(input));
    input.tuple = *tuple;
    input.irs = irs;
    input.slot = slot;
    uint64_t key[2] = { tcp->config.secret[0], tcp->config.secret[1] ^ 0x636f6f6b6965 };
    return (uint32_t)(zn__siphash(key, &input, sizeof(input)) & 0xffffff);
}

static uint32_t time_slot(const struct zn_tcp *tcp)
{
    return (uint32_t)(tcp->now_ms >> 16); // 65.5 s
}

uint32_t zn__tcp_cookie_make(const struct zn_tcp *tcp, const struct zn_segment *segment)
{
    uint16_t mss = zn__tcp_mss(tcp, segment);
    uint32_t index = 7;
    while (index > 0 && cookie_mss[index] > mss)
        index--;
    uint32_t slot = time_slot(tcp);
    uint32_t low = (slot & 31) << 3 | index;
    return cookie_hash(tcp, &segment->tuple, segment->seq, slot << 3 | index) << 8 | low;
}

bool zn__tcp_cookie_check(const struct zn_tcp *tcp, const struct zn_segment *segment,
                          uint16_t *mss_out)
{
    uint32_t cookie = segment->ack - 1;
    uint32_t index = cookie & 7;
    uint32_t age = (time_slot(tcp) - (cookie >> 3)) & 31;
    if (age > 1)
        return false;
    uint32_t slot = time_slot(tcp) - age;
    *mss_out = cookie_mss[index];
    return cookie_hash(tcp, &segment->tuple, segment->seq - 1, slot << 3 | index) == cookie >> 8;
}
