// SPDX-License-Identifier: Apache-2.0
#include "cover.h"

#include "model.h"

namespace cosim
{

namespace
{

struct Group {
    const char *name;
    std::vector<uint64_t> counts;
    std::vector<bool> required;
};

Group groups[COVER_GROUP_COUNT];
unsigned beat_bytes;

void group_init(CoverGroup which, const char *name, size_t bins)
{
    groups[which] = { name, std::vector<uint64_t>(bins), std::vector<bool>(bins, true) };
}

// What the rules of the contract allow: reasons of records by kind.
void require_records()
{
    auto bin = [](unsigned kind, unsigned reason) {
        return size_t(kind * COVER_RECORD_REASONS + reason);
    };
    cover_require(
        COVER_RECORD,
        { bin(ZN_RECORD_SENT, ZN_REASON_OK),          bin(ZN_RECORD_SENT, ZN_REASON_NO_FLOW),
          bin(ZN_RECORD_SENT, ZN_REASON_LEFT_OUT),    bin(ZN_RECORD_SENT, ZN_REASON_BLOCKED),
          bin(ZN_RECORD_SENT, ZN_REASON_IN_FRAME),    bin(ZN_RECORD_SENT, ZN_REASON_TOO_LONG),
          bin(ZN_RECORD_SENT, ZN_REASON_NO_GRANT),    bin(ZN_RECORD_REPLY, ZN_REASON_OK),
          bin(ZN_RECORD_REPLY, ZN_REASON_NO_FLOW),    bin(ZN_RECORD_REPLY, ZN_REASON_RATE),
          bin(ZN_RECORD_REPLY, ZN_REASON_IN_FRAME),   bin(ZN_RECORD_REPLY, ZN_REASON_TOO_LONG),
          bin(ZN_RECORD_REPLY, ZN_REASON_NO_GRANT),   bin(ZN_RECORD_HEARTBEAT, ZN_REASON_OK),
          bin(ZN_RECORD_DONE, ZN_REASON_OK),          bin(ZN_RECORD_DONE, ZN_REASON_NO_FLOW),
          bin(ZN_RECORD_DONE, ZN_REASON_BAD_COMMAND), bin(ZN_RECORD_BROADCAST_END, ZN_REASON_OK),
          bin(ZN_RECORD_RX_DONE, ZN_REASON_OK),       bin(ZN_RECORD_RX_DONE, ZN_REASON_TABLE_FULL),
          bin(ZN_RECORD_RX_DONE, ZN_REASON_NO_FLOW) });
}

} // namespace

void cover_init(unsigned bytes)
{
    beat_bytes = bytes;
    group_init(COVER_SPLIT, "header split at every byte and beat phase", 25 * bytes);
    group_init(COVER_HEADER_PHASE, "whole header at every beat phase", 3 * bytes);
    group_init(COVER_CARRIED, "parser state at the start of a packet", 16);
    cover_require(COVER_CARRIED, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15 });
    group_init(COVER_RX_REASON, "reasons of packets", ZN_REASON_FRAME_TOO_BIG + 1);
    group_init(COVER_RECORD, "reasons of records", 8 * COVER_RECORD_REASONS);
    require_records();
    group_init(COVER_GAP, "packets between two of a flow", 16);
    group_init(COVER_GAP_CARRIED, "the same, with a frame carried over", 16);
    group_init(COVER_FRAMES, "frames completed in a packet", 16);
    group_init(COVER_DESC_FLAGS, "flags of frames", 16);
    cover_require(COVER_DESC_FLAGS,
                  { 0, ZN_FRAME_SPLIT, ZN_FRAME_COMPLETE, ZN_FRAME_SPLIT | ZN_FRAME_COMPLETE,
                    ZN_FRAME_COMPLETE | ZN_FRAME_TAKEN, ZN_FRAME_COMPLETE | ZN_FRAME_HEARTBEAT });
    group_init(COVER_FRAME_LENGTH, "edges of frame lengths: 0 1 4 124 125 126 127 65535 65536 more",
               10);
    group_init(COVER_RESYNC_FILL, "parser state of resyncs", 16);
    cover_require(COVER_RESYNC_FILL, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15 });
    group_init(COVER_RESYNC, "resync: taken, after a break, unknown flow, ahead",
               COVER_RESYNC_COUNT);
    group_init(COVER_WRAP, "wrap of sequence numbers: rx inside, rx edge, tx inside, tx edge",
               COVER_WRAP_COUNT);
    group_init(COVER_PAYLOAD_PHASE, "payload's start in a beat", bytes);
    cover_require(COVER_PAYLOAD_PHASE, { 54 % bytes, 58 % bytes, 74 % bytes, 78 % bytes, 66 % bytes,
                                         94 % bytes, 114 % bytes, 118 % bytes });
    group_init(COVER_END_PHASE, "packet's end in a beat", bytes);
    group_init(COVER_HEADERS, "IP version, VLAN tag, TCP options", 4 * 11);
    group_init(COVER_REPLY_LENGTH, "payload of pongs", 126);
    group_init(COVER_COPY_PHASE, "broadcast payload modulo 64", 64);
    group_init(COVER_PRESSURE, "ports that refused a beat", 4);
}

unsigned cover_beat_bytes()
{
    return beat_bytes;
}

void cover_hit(CoverGroup group, size_t bin)
{
    if (bin < groups[group].counts.size())
        groups[group].counts[bin]++;
}

void cover_require(CoverGroup group, const std::vector<size_t> &bins)
{
    groups[group].required.assign(groups[group].counts.size(), false);
    for (size_t bin : bins)
        groups[group].required[bin] = true;
}

uint64_t cover_count(CoverGroup group, size_t bin)
{
    return groups[group].counts[bin];
}

void cover_report(zn::Tap &tap, bool rtl)
{
    for (unsigned g = 0; g < COVER_GROUP_COUNT; g++) {
        if (g == COVER_PRESSURE && !rtl)
            continue;
        size_t hit = 0, required = 0;
        uint64_t total = 0;
        std::string missing;
        for (size_t b = 0; b < groups[g].counts.size(); b++) {
            total += groups[g].counts[b];
            if (!groups[g].required[b])
                continue;
            required++;
            hit += groups[g].counts[b] > 0;
            if (!groups[g].counts[b] && missing.size() < 120)
                missing += " " + std::to_string(b);
        }
        tap.ok(hit == required, std::string("cover: ") + groups[g].name);
        tap.note(zn::text("%zu of %zu bins, %llu hits%s%s", hit, required,
                          static_cast<unsigned long long>(total),
                          hit < required ? "; never hit:" : "", missing.c_str()));
    }
}

size_t cover_split_bin(unsigned header_len, unsigned bytes, unsigned phase)
{
    const unsigned first = header_len == 6 ? 0 : header_len == 8 ? 5 : 12;
    return (first + bytes - 1) * beat_bytes + phase;
}

size_t cover_phase_bin(unsigned header_len, unsigned phase)
{
    return (header_len == 6 ? 0 : header_len == 8 ? 1 : 2) * beat_bytes + phase;
}

} // namespace cosim
