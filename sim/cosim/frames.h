// SPDX-License-Identifier: Apache-2.0
// WebSocket frames (RFC 6455 section 5.2): made as a client makes them, and read one byte at a time
// by a parser that shares nothing with the accelerator's model.
#ifndef ZN_COSIM_FRAMES_H
#define ZN_COSIM_FRAMES_H

#include <functional>

#include "bytes.h"
#include "model.h"

namespace cosim
{

enum : uint8_t {
    OP_CONTINUE = 0,
    OP_TEXT = 1,
    OP_BINARY = 2,
    OP_CLOSE = 8,
    OP_PING = 9,
    OP_PONG = 10
};
enum : uint8_t { WS_FIN = 0x80, WS_RSV1 = 0x40, WS_MASK = 0x80 };

// What is wrong with a frame, if anything: the reason that its header is refused with.
using Fault = uint8_t;

struct Frame {
    uint8_t b0 = WS_FIN | OP_BINARY;
    Fault fault = ZN_REASON_OK;
    uint64_t claimed = 0; // not 0: the header tells this length, in 64 bits, and no payload follows
    Bytes payload;        // as the application sees it

    uint64_t length() const
    {
        return claimed ? claimed : payload.size();
    }
};

// The frame's bytes as a client sends them: masked with `key`, unless its fault says otherwise.
Bytes frame_encode(const Frame &frame, const uint8_t key[4]);
// As a server sends it.
Bytes frame_encode_server(const Frame &frame);
// Bytes of a client's header for that much payload.
size_t frame_header_len(size_t payload_len);

// What a connection agreed to; the same as the flow's settings.
struct Agreed {
    bool deflate = false;
    uint32_t max_frame = 0xfffffffe;
};

// Reads a stream of frames. `state` is in the contract's form, so that it can be compared with
// annotations.
class FrameReader
{
  public:
    struct Begin {
        uint8_t b0;
        uint64_t length;
        uint32_t header_len;
    };
    FrameReader(Agreed agreed, bool client) : agreed_(agreed), client_(client)
    {
    }
    // Called with each header that is complete and good, and with payload bytes, which may come in
    // pieces.
    std::function<void(const Begin &)> on_begin;
    std::function<void(const uint8_t *, size_t)> on_payload;
    std::function<void()> on_end;

    // Reads bytes; `masked`: payload is still as it was on the wire. Returns how many it took: less
    // than `len` when a header is bad, which fault() then tells; the bad header's bytes up to where
    // it was judged count as taken.
    size_t feed(const uint8_t *data, size_t len, bool masked);
    Fault fault() const
    {
        return fault_;
    }
    bool at_header() const
    {
        return state_.fill == 0;
    }
    const zn_acc_ws_state &state() const
    {
        return state_;
    }
    // Goes on from there, as if nothing was before it.
    void set_state(const zn_acc_ws_state &state);

  private:
    void header_byte(uint8_t byte);
    void header_done();
    Fault judge() const;
    size_t payload(const uint8_t *data, size_t len, bool masked);

    Agreed agreed_;
    bool client_;
    Fault fault_ = ZN_REASON_OK;
    zn_acc_ws_state state_ = {};
};

bool state_equal(const zn_acc_ws_state &a, const zn_acc_ws_state &b);

} // namespace cosim

#endif
