// SPDX-License-Identifier: Apache-2.0
// Where the codec says that its parser stands is where the accelerator's model stands: a stream is
// cut at every byte, the codec reads what is before the cut, and the model, told the codec's place,
// reads on and agrees.
#include "proto/ws.h"
#include "soft_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

// cmocka's header needs those above.
#include <cmocka.h>

enum { STREAM_MAX = 1400, FLOW = 3, RCV_NXT = 5000, SND_NXT = 9000 };

static size_t put_frame(uint8_t *out, uint8_t first, size_t len, unsigned length_bytes)
{
    size_t at = 0;
    out[at++] = first;
    out[at++] = (uint8_t)(0x80 | (length_bytes == 0 ? len : length_bytes == 2 ? 126 : 127));
    for (unsigned i = length_bytes; i-- > 0;)
        out[at++] = (uint8_t)(len >> 8 * i);
    for (uint8_t i = 0; i < 4; i++)
        out[at++] = (uint8_t)(0x11 * (i + 1));
    for (size_t i = 0; i < len; i++)
        out[at++] = (uint8_t)(i ^ (0x11 * ((i & 3) + 1)));
    return at;
}

static size_t make_stream(uint8_t *out)
{
    size_t len = put_frame(out, 0x82, 0, 0);
    len += put_frame(out + len, 0x82, 5, 0);
    len += put_frame(out + len, 0x02, 200, 2);
    len += put_frame(out + len, 0x89, 3, 0);
    len += put_frame(out + len, 0x80, 7, 0);
    return len + put_frame(out + len, 0x82, 0, 0);
}

// Reads `stream[0, cut)` in place, and says where that ends.
static struct zn_ws_where read_until(uint8_t *stream, size_t cut, bool unmasked)
{
    const struct zn_ws_limits limits = { .message_max = 1 << 20,
                                         .fragments_max = 100,
                                         .unmasked = unmasked };
    struct zn_ws_rx rx = { 0 };
    struct zn_ws_where where;
    for (size_t at = 0; at < cut;) {
        struct zn_ws_piece piece;
        ssize_t used = zn__ws_rx_next(&rx, &limits, stream + at, cut - at, &piece);
        assert_true(used > 0);
        at += (size_t)used;
    }
    assert_true(zn__ws_rx_where(&rx, &where));
    return where;
}

static void cut_anywhere_model_goes_on(void **state)
{
    (void)state;
    uint8_t stream[STREAM_MAX], plain[STREAM_MAX], copy[STREAM_MAX], packet[STREAM_MAX + 200];
    size_t len = make_stream(stream);
    memcpy(plain, stream, len);
    read_until(plain, len, false);
    const struct soft_peer peer = soft_peer_make(0);
    const struct zn_acc_flow_address address = soft_address(&peer);
    for (size_t cut = 0; cut < len; cut++) {
        memcpy(copy, stream, cut);
        struct zn_ws_where where = read_until(copy, cut, false);
        struct zn_ws_where again = read_until(copy, cut, true); // heads are as they were
        assert_memory_equal(&where, &again, sizeof(where));
        static struct soft_rig rig;
        soft_rig_init(&rig);
        struct zn_acc_command add = soft_add_command(FLOW, RCV_NXT, SND_NXT);
        add.state.fill = where.fill;
        add.state.b0 = where.b0;
        add.state.b1 = where.b1;
        add.state.length = where.length;
        memcpy(add.state.key, where.key, sizeof(where.key));
        soft_rig_command(&rig, &add, &address, sizeof(address));
        struct soft_segment rest = {
            .seq = RCV_NXT, .flags = SOFT_ACK, .payload = stream + cut, .len = len - cut
        };
        struct zn_acc_rx_annotation annotation;
        size_t size = soft_packet_make(packet, &peer, &rest);
        zn_soft_receive(rig.soft, packet, size, false, false, &annotation);
        assert_int_equal(annotation.reason, ZN_REASON_OK);
        assert_memory_equal(packet + annotation.payload_offset, plain + cut, len - cut);
        soft_rig_deinit(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(cut_anywhere_model_goes_on) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
