// SPDX-License-Identifier: Apache-2.0
#include "zn_rx_front/cases.h"

namespace zn
{

namespace
{

// Every shape of headers: IP version, VLAN tag, length of TCP options.
template <class Do> void each_shape(Random &random, const Do &act)
{
    for (const bool v6 : { false, true })
        for (const bool tagged : { false, true })
            for (const unsigned options : { 0, 1, 5, 10 }) {
                Recipe recipe;
                recipe.tuple = random_tuple(random, v6);
                if (tagged)
                    recipe.tags = { 0x8100 };
                recipe.tcp_options = options;
                recipe.seq = static_cast<uint32_t>(random.bits());
                act(recipe);
            }
}

// A good packet is BAD_LENGTH up to its last byte; the IP length says so.
void cuts(Tap &tap, Front &front, Random &random)
{
    std::string wrong;
    each_shape(random, [&](Recipe &recipe) {
        recipe.payload = 5;
        const size_t whole = build(recipe, random).size();
        for (size_t cut = 1; cut <= whole; cut++) {
            recipe.cut = static_cast<int>(cut);
            const Bytes packet = build(recipe, random);
            const unsigned reason = judge(packet, false, BENCH_PacketMax).reason;
            if (reason != (cut < whole ? ZN_REASON_BAD_LENGTH : ZN_REASON_OK))
                wrong = text("the reference says %u at %zu of %zu bytes", reason, cut, whole);
            front.send(packet, false);
        }
    });
    expect_drained(tap, front, "packet_cut_at_every_byte_is_bad_length" + because(wrong));
    tap.ok(wrong.empty(), "packet_cut_at_every_byte_agrees_with_the_list" + because(wrong));
}

// The IP packet itself ends early, and says so; with and without padding behind it.
void short_segments(Tap &tap, Front &front, Random &random)
{
    for (const unsigned padding : { 0, 1, 46 }) {
        each_shape(random, [&](Recipe &recipe) {
            recipe.payload = 3;
            recipe.padding = padding;
            for (unsigned missing = 0; missing <= 23 + 4 * recipe.tcp_options; missing++) {
                recipe.tcp_missing = missing;
                front.send(recipe);
            }
        });
        expect_drained(tap, front,
                       text("segment_of_every_short_length_with_padding_%u_is_judged", padding));
    }
}

void data_offsets(Tap &tap, Front &front, Random &random)
{
    each_shape(random, [&](Recipe &recipe) {
        for (recipe.payload = 0; recipe.payload < 50; recipe.payload += 7)
            for (recipe.data_offset = 0; recipe.data_offset < 16; recipe.data_offset++)
                front.send(recipe);
    });
    expect_drained(tap, front, "data_offset_of_every_value_is_judged");
}

void payloads(Tap &tap, Front &front, Random &random)
{
    each_shape(random, [&](Recipe &recipe) {
        for (recipe.payload = 0; recipe.payload < 3 * beat_bytes + 8; recipe.payload++) {
            recipe.padding =
                static_cast<unsigned>(random.below(3)) * static_cast<unsigned>(random.below(8));
            front.send(recipe);
        }
    });
    expect_drained(tap, front, "payload_of_every_length_is_judged");
}

// Around PacketMax, and around what a beat holds there.
void longest(Tap &tap, Front &front, Random &random)
{
    each_shape(random, [&](Recipe &recipe) {
        recipe.payload = 0;
        const size_t headers = build(recipe, random).size();
        for (int more = -3; more <= 3; more++) {
            recipe.payload =
                static_cast<unsigned>(BENCH_PacketMax - static_cast<int>(headers) + more);
            recipe.fill = more & 1 ? 0xff : -1; // the largest sum
            front.send(recipe);
        }
    });
    expect_drained(tap, front, "packet_around_packet_max_is_judged");
}

// Long enough for every counter of lengths to stop or wrap.
void huge(Tap &tap, Front &front, Random &random)
{
    for (const size_t size : { 65535u, 65536u, 65537u, 65600u, 131072u + 60u, 200000u }) {
        Bytes packet = build({}, random);
        while (packet.size() < size)
            packet.push_back(static_cast<uint8_t>(random.bits()));
        front.send(packet, false);
        front.send(Recipe());
    }
    expect_drained(tap, front, "packet_beyond_64_kib_is_bad_length");
}

} // namespace

void length_cases(Tap &tap, Front &front)
{
    Random random(22);
    cuts(tap, front, random);
    short_segments(tap, front, random);
    data_offsets(tap, front, random);
    payloads(tap, front, random);
    longest(tap, front, random);
    huge(tap, front, random);
}

} // namespace zn
