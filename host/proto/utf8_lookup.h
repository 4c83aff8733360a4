// SPDX-License-Identifier: Apache-2.0
// UTF-8 check by table lookup (J. Keiser, D. Lemire, "Validating UTF-8 in less than one instruction
// per byte", 2020). The algorithm for vectors of any width; the file that includes this one has
// defined, before:
//   TARGET            attributes of all functions
//   vec               vector of uint8_t
//   vec_load(p)       unaligned
//   vec_lookup(t, i)  t[i] for each byte i < 16, t[16]
//   vec_less(v, n)    v - n, not below 0
//   vec_shift_in(v, n)  v moved up by n bytes, zeros first
//   vec_any_high(v)   whether a byte has its high bit set
//   vec_any(v)        whether a byte is not 0

// What two bytes in a row can have wrong; an error has its bit in all of the three tables.
enum {
    TOO_SHORT = 1 << 0, // a lead byte, then no continuation
    TOO_LONG = 1 << 1,  // ASCII, then a continuation
    LOW_3 = 1 << 2,     // e0 80..9f: overlong
    TOO_LARGE = 1 << 3, // f4 90..bf, f5..ff 90..bf: above U+10FFFF
    SURROGATE = 1 << 4, // ed a0..bf
    LOW_2 = 1 << 5,     // c0 or c1: overlong
    LOW_4 = 1 << 6,     // f0 80..8f: overlong; f5..ff 80..8f
    TWO_CONTS = 1 << 7, // two continuations: right if a lead of three or four is before them
    ANY_LOW = TOO_SHORT | TOO_LONG | TWO_CONTS,
    ANY_HIGH_LOW = ANY_LOW | TOO_LARGE | LOW_4,
    CONT = TOO_LONG | LOW_2 | TWO_CONTS,
};

static const _Alignas(16) uint8_t first_high[16] = {
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TWO_CONTS,
    TWO_CONTS,
    TWO_CONTS,
    TWO_CONTS,
    TOO_SHORT | LOW_2,
    TOO_SHORT,
    TOO_SHORT | LOW_3 | SURROGATE,
    TOO_SHORT | TOO_LARGE | LOW_4,
};

static const _Alignas(16) uint8_t first_low[16] = {
    ANY_LOW | LOW_2 | LOW_3 | LOW_4,
    ANY_LOW | LOW_2,
    ANY_LOW,
    ANY_LOW,
    ANY_LOW | TOO_LARGE,
    ANY_HIGH_LOW,
    ANY_HIGH_LOW,
    ANY_HIGH_LOW,
    ANY_HIGH_LOW,
    ANY_HIGH_LOW,
    ANY_HIGH_LOW,
    ANY_HIGH_LOW,
    ANY_HIGH_LOW,
    ANY_HIGH_LOW | SURROGATE,
    ANY_HIGH_LOW,
    ANY_HIGH_LOW,
};

static const _Alignas(16) uint8_t second_high[16] = {
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    CONT | LOW_3 | LOW_4,
    CONT | LOW_3 | TOO_LARGE,
    CONT | SURROGATE | TOO_LARGE,
    CONT | SURROGATE | TOO_LARGE,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
};

enum { WIDTH = sizeof(vec), BLOCK = 64 };

// `back1` to `back3`: the bytes one to three places before those of `v`. Not 0 where it is wrong.
TARGET static inline vec wrong(vec v, vec back1, vec back2, vec back3)
{
    vec pair = vec_lookup(first_high, back1 >> 4) & vec_lookup(first_low, back1 & 15) &
               vec_lookup(second_high, v >> 4);
    // The high bit where a third or fourth byte is due: there, and only there, may two
    // continuations be in a row.
    vec due = (vec_less(back2, 0xe0 - 0x80) | vec_less(back3, 0xf0 - 0x80)) & 0x80;
    return pair ^ due;
}

TARGET static inline vec wrong_at(const uint8_t *p)
{
    return wrong(vec_load(p), vec_load(p - 1), vec_load(p - 2), vec_load(p - 3));
}

TARGET static inline bool block_is_ascii(const uint8_t *p)
{
    vec all = vec_load(p);
    for (int i = WIDTH; i < BLOCK; i += WIDTH)
        all |= vec_load(p + i);
    return !vec_any_high(all);
}

TARGET static inline const uint8_t *ascii_skip(const uint8_t *p, const uint8_t *end)
{
    while (end - p >= BLOCK && block_is_ascii(p))
        p += BLOCK;
    return p;
}

// Whether the text may not go on with ASCII at `p`, or end: a character lacks bytes.
static inline bool is_cut(const uint8_t *p)
{
    return p[-1] >= 0xc0 || p[-2] >= 0xe0 || p[-3] >= 0xf0;
}

TARGET static inline bool check(const uint8_t *p, size_t len)
{
    const uint8_t *end = p + len;
    vec v = vec_load(p);
    vec bad = wrong(v, vec_shift_in(v, 1), vec_shift_in(v, 2), vec_shift_in(v, 3));
    p += WIDTH;
    while (end - p >= BLOCK) {
        // Two loops in turn, so that neither loads the constants of the other.
        if (block_is_ascii(p)) {
            if (is_cut(p))
                return false;
            p = ascii_skip(p + BLOCK, end);
        } else {
            do {
                for (int i = 0; i < BLOCK; i += WIDTH)
                    bad |= wrong_at(p + i);
                p += BLOCK;
            } while (end - p >= BLOCK && !block_is_ascii(p));
        }
    }
    for (; end - p >= WIDTH; p += WIDTH)
        bad |= wrong_at(p);
    if (p < end)
        bad |= wrong_at(end - WIDTH);
    return !vec_any(bad) && !is_cut(end);
}
