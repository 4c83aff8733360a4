// SPDX-License-Identifier: Apache-2.0
#include "bench/stream.h"

#include <algorithm>
#include <cassert>

namespace zn
{

void Port::set(const Bytes &value)
{
    assert(value.size() <= size_);
    memset(bytes_, 0, size_);
    if (!value.empty())
        memcpy(bytes_, value.data(), value.size());
}

uint64_t Port::number() const
{
    uint64_t value = 0;
    memcpy(&value, bytes_, std::min(size_, sizeof value));
    return value;
}

void Port::set_number(uint64_t value)
{
    memset(bytes_, 0, size_);
    memcpy(bytes_, &value, std::min(size_, sizeof value));
}

const char *pause_name(Pause pause)
{
    switch (pause) {
    case Pause::never:
        return "never";
    case Pause::every_other:
        return "every_other";
    case Pause::mostly:
        return "mostly";
    case Pause::sometimes:
        return "sometimes";
    case Pause::bursts:
        return "bursts";
    }
    return "";
}

bool Pacer::paused()
{
    cycle_++;
    switch (pause_) {
    case Pause::never:
        return false;
    case Pause::every_other:
        return cycle_ & 1;
    case Pause::mostly:
        return random_.chance(75);
    case Pause::sometimes:
        return random_.chance(25);
    case Pause::bursts:
        if (cycle_ >= change_) {
            burst_ = !burst_;
            change_ = cycle_ + random_.range(1, 40);
        }
        return burst_;
    }
    return false;
}

void Source::send_packet(const Bytes &packet, const std::vector<Bytes> &side)
{
    const size_t width = stream_.data.size();
    assert(!packet.empty());
    for (size_t at = 0; at < packet.size(); at += width) {
        const size_t n = std::min(width, packet.size() - at);
        Beat beat;
        beat.data.assign(packet.begin() + at, packet.begin() + at + n);
        beat.keep = n == 64 ? ~uint64_t{ 0 } : (uint64_t{ 1 } << n) - 1;
        beat.last = at + n == packet.size();
        beat.side = side;
        send(std::move(beat));
    }
}

void Source::drive()
{
    const bool paused = pacer_.paused();
    shown_ = !beats_.empty() && (shown_ || !paused);
    stream_.valid.set_number(shown_);
    if (!shown_)
        return;
    const Beat &beat = beats_.front();
    stream_.data.set(beat.data);
    if (stream_.keep.size())
        stream_.keep.set_number(beat.keep);
    if (stream_.last.size())
        stream_.last.set_number(beat.last);
    for (size_t i = 0; i < beat.side.size(); i++)
        stream_.side[i].set(beat.side[i]);
}

void Source::sample()
{
    if (!shown_ || !stream_.ready.number())
        return;
    beats_.pop_front();
    shown_ = false;
    taken_++;
}

void Sink::drive()
{
    stream_.ready.set_number(!pacer_.paused());
}

Beat Sink::look() const
{
    Beat beat;
    beat.data = stream_.data.get();
    beat.keep = stream_.keep.size() ? stream_.keep.number() : 0;
    beat.last = stream_.last.size() ? stream_.last.number() : false;
    for (const Port &port : stream_.side)
        beat.side.push_back(port.get());
    return beat;
}

void Sink::check(const Beat &beat)
{
    if (held_ && !(beat == held_beat_))
        breach_ = text("a beat changed before it was taken, after %llu beats",
                       (unsigned long long)taken_);
    if (!stream_.keep.size())
        return;
    const size_t width = stream_.data.size();
    const uint64_t all = width == 64 ? ~uint64_t{ 0 } : (uint64_t{ 1 } << width) - 1;
    if (beat.keep == 0 || (beat.keep & (beat.keep + 1)) != 0 || (!beat.last && beat.keep != all))
        breach_ = text("keep is %#llx%s, after %llu beats", (unsigned long long)beat.keep,
                       beat.last ? " in a last beat" : "", (unsigned long long)taken_);
}

void Sink::sample()
{
    if (!stream_.valid.number()) {
        if (held_ && breach_.empty())
            breach_ = text("valid went away before the beat was taken, after %llu beats",
                           (unsigned long long)taken_);
        held_ = false;
        return;
    }
    Beat beat = look();
    if (breach_.empty())
        check(beat);
    held_ = !stream_.ready.number();
    if (held_) {
        held_beat_ = std::move(beat);
        return;
    }
    beats.push_back(std::move(beat));
    taken_++;
}

bool Sink::fetch_packet(Bytes *packet, std::vector<Bytes> *side)
{
    const auto end =
        std::find_if(beats.begin(), beats.end(), [](const Beat &beat) { return beat.last; });
    if (end == beats.end())
        return false;
    packet->clear();
    for (auto beat = beats.begin(); beat <= end; ++beat)
        for (size_t i = 0; i < beat->data.size(); i++)
            if (beat->keep >> i & 1)
                packet->push_back(beat->data[i]);
    if (side)
        *side = end->side;
    beats.erase(beats.begin(), end + 1);
    return true;
}

} // namespace zn
