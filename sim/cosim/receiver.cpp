// SPDX-License-Identifier: Apache-2.0
#include "receiver.h"

#include <algorithm>
#include <cstring>

#include "checks.h"

namespace cosim
{

namespace
{

bool asks(const Frame &frame)
{
    static const char probe[] = "2probe";
    return frame.b0 == (WS_FIN | OP_PING) ||
           (frame.b0 == (WS_FIN | OP_TEXT) && frame.payload.size() == 6 &&
            !std::memcmp(frame.payload.data(), probe, 6));
}

} // namespace

Receiver::Receiver(const Client &client) : client_(client), reader_(client.agreed(), true)
{
    reader_.on_begin = [this](const FrameReader::Begin &b) { begin(b); };
    reader_.on_payload = [this](const uint8_t *data, size_t len) { payload(data, len); };
    reader_.on_end = [this] { end(); };
}

void Receiver::begin(const FrameReader::Begin &begin)
{
    const Client::Place &place = client_.places().at(place_);
    ZN_CHECK(CHECK_RECOVERED, begin.b0 == place.frame.b0 && begin.length == place.frame.length(),
             "frame %zu begins with 0x%02x and has %llu bytes, not 0x%02x and %llu", place_,
             begin.b0, static_cast<unsigned long long>(begin.length), place.frame.b0,
             static_cast<unsigned long long>(place.frame.length()));
    got_ = 0;
}

void Receiver::payload(const uint8_t *data, size_t len)
{
    const Frame &frame = client_.places().at(place_).frame;
    ZN_CHECK(CHECK_RECOVERED, got_ + len <= frame.payload.size(), "frame %zu is too long", place_);
    check_equal(CHECK_RECOVERED, "payload of a frame", data, len, frame.payload.data() + got_, len);
    got_ += len;
}

void Receiver::end()
{
    const Frame &frame = client_.places().at(place_).frame;
    ZN_CHECK(CHECK_RECOVERED, got_ == frame.payload.size(), "frame %zu has %zu bytes, not %zu",
             place_, got_, frame.payload.size());
    if (asks(frame))
        asking_.push_back(place_);
    place_++;
}

std::vector<size_t> Receiver::take_asking()
{
    return std::move(asking_);
}

// A host would close here; this one knows where the client's next frame begins, and goes on there.
void Receiver::skip_break()
{
    const Client::Place &place = client_.places().at(place_);
    ZN_CHECK(CHECK_RECOVERED, reader_.fault() == place.frame.fault,
             "frame %zu is refused with reason %u, not %u", place_, reader_.fault(),
             place.frame.fault);
    next_ = place.end;
    reader_.set_state({});
    place_++;
    breaks_++;
}

void Receiver::read(uint64_t start, const Piece &piece)
{
    const size_t skip = next_ - start;
    if (piece.treated) {
        FrameReader from(client_.agreed(), true);
        from.set_state(piece.state);
        from.feed(piece.bytes.data(), skip, false);
        ZN_CHECK(CHECK_STATE_AGREES, state_equal(from.state(), reader_.state()),
                 "at offset %llu: fill %u length %u, the host has fill %u length %u",
                 static_cast<unsigned long long>(next_), from.state().fill, from.state().length,
                 reader_.state().fill, reader_.state().length);
    }
    const size_t len = piece.bytes.size() - skip;
    const size_t took = reader_.feed(piece.bytes.data() + skip, len, !piece.treated);
    next_ += took;
    if (reader_.fault()) {
        ZN_CHECK(CHECK_RECOVERED, !piece.treated, "a packet that breaks the protocol was treated");
        skip_break();
    }
}

void Receiver::take(uint64_t offset, const uint8_t *payload, size_t len,
                    const zn_acc_ws_state *state)
{
    Piece piece = { Bytes(payload, payload + len), state != nullptr, {} };
    if (state)
        piece.state = *state;
    pieces_.emplace(offset, std::move(piece));
    for (bool more = true; more;) {
        more = false;
        for (auto at = pieces_.begin(); at != pieces_.end() && at->first <= next_;) {
            if (at->first + at->second.bytes.size() > next_) {
                read(at->first, at->second);
                more = true;
            }
            if (at->first + at->second.bytes.size() <= next_)
                at = pieces_.erase(at);
            else
                break; // cut at a break of the protocol: what is left is read next
        }
    }
}

bool Receiver::state_ahead(uint64_t offset, zn_acc_ws_state &state) const
{
    const zn_acc_ws_state now = reader_.state();
    if (now.fill != ZN_FILL_PAYLOAD || offset <= next_ || offset - next_ >= now.length)
        return false;
    state = now;
    state.length -= static_cast<uint32_t>(offset - next_);
    std::rotate(state.key, state.key + (offset - next_) % 4, state.key + 4);
    return true;
}

} // namespace cosim
