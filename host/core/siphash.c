// SPDX-License-Identifier: Apache-2.0
// SipHash-1-3. See siphash.h.
#include "siphash.h"

#include <endian.h>
#include <string.h>

struct sip_state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t word, unsigned bits)
{
    return word << bits | word >> (64 - bits);
}

static inline void sip_round(struct sip_state *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 = rotate(s->v2, 32);
}

static inline void sip_compress(struct sip_state *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

uint64_t zn__siphash(const uint64_t key[2], const void *data, size_t len)
{
    // The initial words spell "somepseudorandomlygeneratedbytes".
    struct sip_state s = {
        key[0] ^ UINT64_C(0x736f6d6570736575),
        key[1] ^ UINT64_C(0x646f72616e646f6d),
        key[0] ^ UINT64_C(0x6c7967656e657261),
        key[1] ^ UINT64_C(0x7465646279746573),
    };
    const uint8_t *bytes = data;
    size_t rest = len % 8;
    for (const uint8_t *end = bytes + (len - rest); bytes != end; bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        sip_compress(&s, le64toh(word));
    }
    uint64_t last = (uint64_t)len << 56;
    for (size_t i = 0; i < rest; i++)
        last |= (uint64_t)bytes[i] << (8 * i);
    sip_compress(&s, last);
    s.v2 ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
