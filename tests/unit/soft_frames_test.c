// SPDX-License-Identifier: Apache-2.0
// Frames in segments: every cut, every size, every refusal, against a plain receiver and the stream
// codec.
#include "guard.h"
#include "proto/simd.h"
#include "proto/ws.h"
#include "soft_reader.h"
#include "soft_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka's header needs those above.
#include <cmocka.h>

enum { FLOW = 3, ROOM = 1 << 17, SEQ = 0xffffff80, MSS = 1400 };

static struct soft_rig rig;
static struct guard guard;
static struct soft_peer peer;
static struct soft_reader reader;
static uint8_t stream[ROOM], read_bytes[ROOM], packet[4096], pattern[ROOM];
static size_t stream_len;
static uint32_t seed;

static int setup(void **state)
{
    (void)state;
    soft_rig_init(&rig);
    guard_init(&guard, sizeof(packet));
    peer = soft_peer_make(0);
    seed = 6455;
    for (size_t i = 0; i < sizeof(pattern); i++)
        pattern[i] = (uint8_t)soft_random(&seed);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    soft_rig_deinit(&rig);
    guard_deinit(&guard);
    return 0;
}

// The flow from its beginning again, and an empty stream's reader.
static void flow_begin(uint8_t flags, uint32_t max_frame)
{
    struct zn_acc_flow_address address = soft_address(&peer);
    struct zn_acc_command delete = soft_command(ZN_MSG_DELETE, FLOW);
    struct zn_acc_command add = soft_add_command(FLOW, SEQ, 1);
    add.flow_flags = flags;
    add.max_frame = max_frame;
    soft_rig_command(&rig, &delete, &address, sizeof(address));
    soft_rig_clear(&rig);
    soft_rig_command(&rig, &add, &address, sizeof(address));
    assert_int_equal(rig.record[1].reason, ZN_REASON_OK);
    soft_rig_clear(&rig);
    soft_reader_init(&reader, read_bytes, sizeof(read_bytes));
}

// One segment of the stream, [from, to), in memory of just its size. Its payload comes back in
// *payload_out.
static struct zn_acc_rx_annotation segment(const uint8_t *bytes, size_t from, size_t to,
                                           const uint8_t **payload_out)
{
    struct soft_segment s = {
        .seq = (uint32_t)(SEQ + from), .flags = SOFT_ACK, .payload = bytes + from, .len = to - from
    };
    struct zn_acc_rx_annotation annotation;
    size_t len = soft_packet_make(packet, &peer, &s);
    uint8_t *at = guard_copy(&guard, packet, len);
    zn_soft_receive(rig.soft, at, len, false, false, &annotation);
    *payload_out = at + len - s.len;
    return annotation;
}

// The descriptions of an annotation are those of the headers that the reader met since it had
// `before`, in the segment that began at stream offset `from` and had `len` bytes.
static void check_frames(const struct zn_acc_rx_annotation *a, unsigned before, uint64_t from,
                         uint64_t len)
{
    static const struct zn_acc_frame_desc none;
    unsigned met = reader.headers - before;
    assert_int_equal(a->frames, met < 255 ? met : 255);
    for (unsigned i = 0; i < 4; i++) {
        const struct zn_acc_frame_desc *desc = &a->frame[i];
        if (i >= met) {
            assert_memory_equal(desc, &none, sizeof(none));
            continue;
        }
        const struct soft_header *header = &reader.header[(before + i) % SOFT_READER_HEADERS];
        unsigned flags = header->from < from ? ZN_FRAME_SPLIT : 0;
        if (header->payload_at + header->length <= from + len)
            flags |= ZN_FRAME_COMPLETE;
        assert_int_equal(desc->offset, header->payload_at - from);
        assert_int_equal(desc->b0, header->b0);
        assert_int_equal(desc->flags, flags);
        assert_int_equal(desc->length, header->length);
    }
}

// The next segment of the stream is treated, and all that its annotation says is so.
static void pass(size_t from, size_t to)
{
    const uint8_t *payload;
    unsigned before = reader.headers;
    if (from == to)
        return;
    struct zn_acc_ws_state state = soft_reader_state(&reader);
    struct zn_acc_rx_annotation a = segment(stream, from, to, &payload);
    assert_int_equal(a.reason, ZN_REASON_OK);
    assert_int_equal(a.rcv_nxt, (uint32_t)(SEQ + to));
    assert_memory_equal(&a.state, &state, sizeof(state));
    soft_reader_take(&reader, payload, to - from, true);
    check_frames(&a, before, from, to - from);
}

// The payloads that came out are those of the stream codec.
static void check_codec(void)
{
    static const struct zn_ws_limits limits = { .message_max = ROOM,
                                                .fragments_max = 10000,
                                                .deflate = true };
    static uint8_t copy[ROOM], bytes[ROOM];
    struct zn_ws_rx rx = { 0 };
    struct zn_ws_piece piece;
    size_t len = 0;
    unsigned frames = 0;
    memcpy(copy, stream, stream_len);
    for (size_t at = 0; at < stream_len;) {
        ssize_t used = zn__ws_rx_next(&rx, &limits, copy + at, stream_len - at, &piece);
        assert_true(used > 0);
        at += (size_t)used;
        if (piece.flags == 0)
            continue;
        if (piece.flags & ZN_WS_FRAME_FIRST) {
            assert_true(frames < reader.headers);
            assert_int_equal(piece.frame_len, reader.header[frames % SOFT_READER_HEADERS].length);
            frames++;
        }
        if (piece.len > 0)
            memcpy(bytes + len, piece.data, piece.len);
        len += piece.len;
    }
    assert_int_equal(frames, reader.headers);
    assert_int_equal(len, reader.len);
    assert_memory_equal(bytes, reader.bytes, len);
}

static void put(uint8_t first, size_t len)
{
    uint8_t key[4];
    for (unsigned i = 0; i < 4; i++)
        key[i] = (uint8_t)soft_random(&seed);
    assert_true(stream_len + len + 14 <= ROOM);
    stream_len +=
        soft_frame_make(stream + stream_len, first, key, pattern + stream_len % 1000, len);
}

// All lengths' forms, all opcodes, frames without payload, control frames between fragments.
static void put_mixed(void)
{
    stream_len = 0;
    put(0x81, 5);
    put(0x82, 0);
    put(0x01, 1);
    put(0x89, 0);
    put(0x00, 126);
    put(0x8a, 3);
    put(0x80, 2);
    put(0xc1, 7);
    put(0xc2, 0);
    put(0x89, 125);
    put(0x88, 2);
}

static void stream_cut_at_two_places_is_treated(void **state)
{
    (void)state;
    put_mixed();
    for (size_t a = 0; a <= stream_len; a++) {
        for (size_t b = a; b <= stream_len; b++) {
            flow_begin(ZN_FLOW_RECEIVE | ZN_FLOW_DEFLATE, 1000);
            pass(0, a);
            pass(a, b);
            pass(b, stream_len);
            check_codec();
        }
    }
}

static void stream_in_pieces_of_one_size_is_treated(void **state)
{
    (void)state;
    for (int level = 0; level < ZN_SIMD_LEVELS; level++) {
        zn__simd_set((enum zn_simd)level);
        for (size_t size = 1; size < 40; size++) {
            put_mixed();
            flow_begin(ZN_FLOW_RECEIVE | ZN_FLOW_DEFLATE, 1000);
            for (size_t at = 0; at < stream_len; at += size)
                pass(at, at + size < stream_len ? at + size : stream_len);
            check_codec();
        }
    }
    zn__simd_set(zn__simd_best());
}

static void frame_of_each_length_is_treated(void **state)
{
    (void)state;
    static const size_t lengths[] = { 0,    1,     2,     3,     15,    16,    17,    124,   125,
                                      126,  127,   128,   255,   256,   1000,  1393,  1394,  1395,
                                      4096, 32767, 32768, 65534, 65535, 65536, 65537, 100000 };
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        stream_len = 0;
        put(0x82, lengths[i]);
        put(0x81, 9);
        // The first segment ends in each place of a header.
        for (size_t first = 1; first < 20 && first < stream_len; first++) {
            flow_begin(ZN_FLOW_RECEIVE, 1 << 20);
            pass(0, first);
            for (size_t at = first; at < stream_len; at += MSS)
                pass(at, at + MSS < stream_len ? at + MSS : stream_len);
            check_codec();
        }
    }
}

static void frames_without_payload_fill_a_packet(void **state)
{
    (void)state;
    for (size_t frames = 1; frames <= MSS / 6; frames++) {
        stream_len = 0;
        for (size_t i = 0; i < frames; i++)
            put(0x82, 0);
        flow_begin(ZN_FLOW_RECEIVE, 0);
        pass(0, stream_len);
    }
}

static void frames_above_255_are_held(void **state)
{
    (void)state;
    stream_len = 0;
    for (size_t i = 0; i < 300; i++)
        put(0x82, 0);
    flow_begin(ZN_FLOW_RECEIVE, 0);
    uint32_t before = soft_rig_counter(&rig, ZN_COUNTER_RX_FRAMES);
    pass(0, stream_len);
    assert_int_equal(soft_rig_counter(&rig, ZN_COUNTER_RX_FRAMES), before + 255);
}

static void put_random_message(void)
{
    uint8_t opcode = soft_random(&seed) & 1 ? 1 : 2, rsv = soft_random(&seed) & 1 ? 0x40 : 0;
    for (bool first = true, last = false; !last; first = false) {
        last = soft_random(&seed) % 3 > 0;
        size_t len = soft_random(&seed) % (soft_random(&seed) % 8 > 0 ? 20 : 3000);
        put((uint8_t)((last ? 0x80 : 0) | (first ? opcode | rsv : 0)), len);
        if (soft_random(&seed) % 4 == 0)
            put(0x89, soft_random(&seed) % 126);
    }
}

static void random_streams_in_random_pieces_are_treated(void **state)
{
    (void)state;
    seed = 20;
    print_message("# seed %u\n", seed);
    for (unsigned round = 0; round < 500; round++) {
        stream_len = 0;
        while (stream_len < 8000)
            put_random_message();
        flow_begin(ZN_FLOW_RECEIVE | ZN_FLOW_DEFLATE, 1 << 20);
        for (size_t at = 0, to; at < stream_len; at = to) {
            to = at + 1 + soft_random(&seed) % (soft_random(&seed) & 1 ? 30 : MSS);
            to = to < stream_len ? to : stream_len;
            pass(at, to);
        }
        check_codec();
    }
}

// --- Refusals

// The contract's order, written down as it reads.
static enum zn_acc_reason verdict(uint8_t b0, uint8_t b1, uint64_t length, bool deflate,
                                  uint32_t max_frame)
{
    unsigned opcode = b0 & 15;
    bool fin = b0 >> 7, rsv1 = b0 >> 6 & 1, rsv2 = b0 >> 5 & 1, rsv3 = b0 >> 4 & 1;
    if (!(b1 >> 7))
        return ZN_REASON_FRAME_UNMASKED;
    if (rsv2 || rsv3 || (opcode >= 3 && opcode <= 7) || opcode >= 11)
        return ZN_REASON_FRAME_RESERVED;
    if (rsv1 && !(deflate && (opcode == 1 || opcode == 2)))
        return ZN_REASON_FRAME_RESERVED;
    if (opcode >= 8 && ((b1 & 127) > 125 || !fin))
        return ZN_REASON_FRAME_CONTROL;
    if (((b1 & 127) == 126 && length < 126) || ((b1 & 127) == 127 && length < 65536))
        return ZN_REASON_FRAME_LENGTH;
    return length > max_frame ? ZN_REASON_FRAME_TOO_BIG : ZN_REASON_OK;
}

// Writes a header; `length` counts when b1 says that it follows. Returns where it is complete.
static size_t put_header(uint8_t *out, uint8_t b0, uint8_t b1, uint64_t length)
{
    static const uint8_t key[4] = { 1, 2, 3, 4 };
    unsigned bytes = (b1 & 127) == 126 ? 2 : (b1 & 127) == 127 ? 8 : 0;
    out[0] = b0;
    out[1] = b1;
    if (!(b1 & 0x80))
        return 2;
    for (unsigned i = 0; i < bytes; i++)
        out[2 + i] = (uint8_t)(length >> 8 * (bytes - 1 - i));
    memcpy(out + 2 + bytes, key, 4);
    return 6 + bytes;
}

// A header behind `good` bytes of good frames, cut so that its last byte comes alone, and not cut.
static void check_header(size_t good, const uint8_t *header, size_t len, enum zn_acc_reason reason,
                         uint8_t flags, uint32_t max_frame)
{
    uint8_t *bytes = stream;
    const uint8_t *payload;
    memcpy(bytes + good, header, len);
    for (unsigned cut = 0; cut < 2; cut++) {
        size_t from = cut ? good + len - 1 : 0;
        flow_begin(flags, max_frame);
        if (cut)
            pass(0, from);
        struct zn_acc_ws_state before = soft_reader_state(&reader);
        struct zn_acc_rx_annotation a = segment(bytes, from, good + len, &payload);
        if (a.reason != reason)
            fail_msg("%02x %02x: reason %u, not %u", header[0], header[1], a.reason, reason);
        assert_memory_equal(&a.state, &before, sizeof(before));
        if (reason == ZN_REASON_OK)
            continue;
        assert_int_equal(a.frames, 0);
        assert_int_equal(a.frame[0].b0 | a.frame[0].length | a.frame[0].flags, 0);
        assert_int_equal(a.rcv_nxt, (uint32_t)(SEQ + from));
        assert_memory_equal(payload, bytes + from, good + len - from);
        a = segment(bytes, from, good + len, &payload);
        assert_int_equal(a.reason, ZN_REASON_WAIT_RESYNC);
        assert_memory_equal(&a.state, &before, sizeof(before));
    }
}

static void header_of_each_two_bytes_has_its_verdict(void **state)
{
    (void)state;
    static const uint64_t lengths[] = { 0,         125,   126,        1000,       1001,
                                        65535,     65536, UINT32_MAX, 1ull << 32, (1ull << 40) + 7,
                                        1ull << 63 };
    uint8_t header[14];
    for (unsigned first = 0; first < 65536; first++) {
        uint8_t b0 = (uint8_t)first, b1 = (uint8_t)(first >> 8);
        uint64_t length = b1 & 127;
        unsigned flags = ZN_FLOW_RECEIVE | (soft_random(&seed) & 1 ? ZN_FLOW_DEFLATE : 0);
        uint32_t max_frame = soft_random(&seed) & 1 ? 1000 : 100;
        if (length == 126)
            length = lengths[soft_random(&seed) % 6];
        else if (length == 127)
            length = lengths[soft_random(&seed) % 11];
        size_t len = put_header(header, b0, b1, length);
        stream_len = 0;
        check_header(0, header, len, verdict(b0, b1, length, flags & ZN_FLOW_DEFLATE, max_frame),
                     (uint8_t)flags, max_frame);
    }
}

// Small frames that are there as a whole go a way of their own.
static void whole_frame_above_the_limit_is_refused(void **state)
{
    (void)state;
    const uint8_t *payload;
    for (uint32_t max = 0; max < 130; max++) {
        for (size_t len = 0; len < 130; len++) {
            stream_len = 0;
            put(0x82, 0);
            put(0x81, len);
            flow_begin(ZN_FLOW_RECEIVE, max);
            struct zn_acc_rx_annotation a = segment(stream, 0, stream_len, &payload);
            assert_int_equal(a.reason, len <= max ? ZN_REASON_OK : ZN_REASON_FRAME_TOO_BIG);
            assert_int_equal(a.frames, len <= max ? 2 : 0);
        }
    }
}

static void header_with_each_length_has_its_verdict(void **state)
{
    (void)state;
    uint8_t header[14];
    for (unsigned bits = 0; bits <= 64; bits++) {
        for (int near = -1; near <= 1; near++) {
            uint64_t length = (bits == 64 ? 0 : 1ull << bits) + (uint64_t)(int64_t)near;
            size_t len = put_header(header, 0x82, 0xff, length);
            for (unsigned max = 16; max <= 32; max += 4) {
                uint32_t max_frame = max == 32 ? UINT32_MAX - 1 : 1u << max;
                check_header(0, header, len, verdict(0x82, 0xff, length, false, max_frame),
                             ZN_FLOW_RECEIVE, max_frame);
            }
        }
    }
}

// What was unmasked in front of the bad header is as it was.
static void bad_header_behind_frames_leaves_them_masked(void **state)
{
    (void)state;
    uint8_t header[14];
    for (size_t count = 1; count < 40; count++) {
        stream_len = 0;
        for (size_t i = 0; i < count; i++)
            put(0x82, i % 5 == 4 ? 130 : i % 4);
        size_t len = put_header(header, 0x83, 0x80, 0);
        check_header(stream_len, header, len, ZN_REASON_FRAME_RESERVED, ZN_FLOW_RECEIVE, 1000);
        len = put_header(header, 0x82, 0x05, 0);
        check_header(stream_len, header, len, ZN_REASON_FRAME_UNMASKED, ZN_FLOW_RECEIVE, 1000);
    }
}

// The same when the packet begins inside a header and inside payload.
static void bad_header_behind_split_frame_leaves_it_masked(void **state)
{
    (void)state;
    const uint8_t *payload;
    stream_len = 0;
    put(0x82, 300);
    put(0x81, 20);
    size_t good = stream_len;
    stream_len += put_header(stream + stream_len, 0x82, 0xfe, 5);
    for (size_t cut = 1; cut < good; cut++) {
        flow_begin(ZN_FLOW_RECEIVE, 1000);
        pass(0, cut);
        struct zn_acc_ws_state before = soft_reader_state(&reader);
        struct zn_acc_rx_annotation a = segment(stream, cut, stream_len, &payload);
        assert_int_equal(a.reason, ZN_REASON_FRAME_LENGTH);
        assert_memory_equal(payload, stream + cut, stream_len - cut);
        assert_memory_equal(&a.state, &before, sizeof(before));
        assert_int_equal(a.rcv_nxt, (uint32_t)(SEQ + cut));
    }
}

// From any place, in any state, the host can set the flow on its way again.
static void resync_at_each_place_goes_on(void **state)
{
    (void)state;
    put_mixed();
    for (size_t at = 0; at < stream_len; at++) {
        const uint8_t *payload;
        uint8_t bad[2] = { 0x83, 0x00 };
        flow_begin(ZN_FLOW_RECEIVE | ZN_FLOW_DEFLATE, 1000);
        assert_int_equal(segment(bad, 0, 2, &payload).reason, ZN_REASON_FRAME_UNMASKED);
        soft_reader_take(&reader, stream, at, false);
        struct zn_acc_command resync = soft_command(ZN_MSG_RESYNC, FLOW);
        resync.rcv_nxt = (uint32_t)(SEQ + at);
        resync.state = soft_reader_state(&reader);
        soft_rig_command(&rig, &resync, NULL, 0);
        soft_rig_expect(&rig, 0, ZN_RECORD_DONE, ZN_REASON_OK, FLOW, 0, 1, resync.cookie);
        soft_rig_expect(&rig, 1, ZN_RECORD_RX_DONE, ZN_REASON_OK, FLOW, 0, 0, resync.cookie);
        pass(at, stream_len);
        check_codec();
    }
}

int main(void)
{
#define CASE(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(stream_cut_at_two_places_is_treated),
        CASE(stream_in_pieces_of_one_size_is_treated),
        CASE(frame_of_each_length_is_treated),
        CASE(frames_without_payload_fill_a_packet),
        CASE(frames_above_255_are_held),
        CASE(random_streams_in_random_pieces_are_treated),
        CASE(header_of_each_two_bytes_has_its_verdict),
        CASE(whole_frame_above_the_limit_is_refused),
        CASE(header_with_each_length_has_its_verdict),
        CASE(bad_header_behind_frames_leaves_them_masked),
        CASE(bad_header_behind_split_frame_leaves_it_masked),
        CASE(resync_at_each_place_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
