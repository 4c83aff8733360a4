// SPDX-License-Identifier: Apache-2.0
#include "zn_rx_front/cases.h"

namespace zn
{

namespace
{

struct Case {
    const char *name;
    unsigned reason;
    void (*change)(Recipe &);
};

// For both versions of IP, with and without a VLAN tag. The packet has 33 bytes of payload and two
// words of TCP options.
const Case both[] = {
    { "good", ZN_REASON_OK, [](Recipe &) {} },
    { "padded", ZN_REASON_OK, [](Recipe &r) { r.padding = 7; } },
    { "push", ZN_REASON_OK, [](Recipe &r) { r.flags = 0x18; } },
    { "ece_cwr", ZN_REASON_OK, [](Recipe &r) { r.flags = 0xd0; } },
    { "bad", ZN_REASON_BAD_PACKET, [](Recipe &r) { r.bad = true; } },
    { "bad_and_cut", ZN_REASON_BAD_PACKET, [](Recipe &r) { r.bad = true, r.cut = 9; } },
    { "one_byte", ZN_REASON_BAD_LENGTH, [](Recipe &r) { r.cut = 1; } },
    { "13_bytes", ZN_REASON_BAD_LENGTH, [](Recipe &r) { r.cut = 13; } },
    { "too_long", ZN_REASON_BAD_LENGTH, [](Recipe &r) { r.payload = BENCH_PacketMax; } },
    { "too_long_and_bad", ZN_REASON_BAD_LENGTH,
      [](Recipe &r) { r.payload = BENCH_PacketMax, r.bad = true; } },
    { "too_long_by_padding", ZN_REASON_BAD_LENGTH, [](Recipe &r) { r.padding = BENCH_PacketMax; } },
    { "arp", ZN_REASON_NOT_TCP, [](Recipe &r) { r.ethertype = 0x0806; } },
    { "arp_of_14_bytes", ZN_REASON_NOT_TCP,
      [](Recipe &r) { r.tags.clear(), r.ethertype = 0x0806, r.cut = 14; } },
    { "type_almost_ip", ZN_REASON_NOT_TCP,
      [](Recipe &r) { r.ethertype = r.tuple.v6 ? 0x86dc : 0x0801; } },
    { "two_tags", ZN_REASON_NOT_TCP,
      [](Recipe &r) {
          r.tags = { 0x8100, 0x8100 };
      } },
    { "service_tag", ZN_REASON_NOT_TCP, [](Recipe &r) { r.tags = { 0x88a8 }; } },
    { "tag_cut", ZN_REASON_BAD_LENGTH, [](Recipe &r) { r.tags = { 0x8100 }, r.cut = 17; } },
    { "version_0", ZN_REASON_NOT_TCP, [](Recipe &r) { r.version = 0; } },
    { "version_other", ZN_REASON_NOT_TCP, [](Recipe &r) { r.version = r.tuple.v6 ? 4 : 6; } },
    { "udp", ZN_REASON_NOT_TCP, [](Recipe &r) { r.protocol = 17; } },
    { "ip_beyond_packet", ZN_REASON_BAD_LENGTH, [](Recipe &r) { r.total_more = 1; } },
    { "ip_beyond_packet_and_udp", ZN_REASON_BAD_LENGTH,
      [](Recipe &r) { r.total_more = 1, r.protocol = 17; } },
    { "ip_far_beyond_packet", ZN_REASON_BAD_LENGTH,
      [](Recipe &r) { r.total_more = 0xff00 - 200; } },
    { "ip_into_padding", ZN_REASON_BAD_TCP_CHECKSUM,
      [](Recipe &r) { r.total_more = 4, r.padding = 4; } },
    { "version_bad_and_ip_beyond", ZN_REASON_BAD_LENGTH,
      [](Recipe &r) { r.version = 5, r.total_more = 1; } },
    { "tcp_of_19_bytes", ZN_REASON_BAD_LENGTH, [](Recipe &r) { r.tcp_missing = 33 + 8 + 1; } },
    { "tcp_of_0_bytes", ZN_REASON_BAD_LENGTH, [](Recipe &r) { r.tcp_missing = 33 + 8 + 20; } },
    { "tcp_of_19_bytes_padded", ZN_REASON_BAD_LENGTH,
      [](Recipe &r) { r.tcp_missing = 33 + 8 + 1, r.padding = 50; } },
    { "data_offset_4", ZN_REASON_BAD_LENGTH, [](Recipe &r) { r.data_offset = 4; } },
    { "data_offset_0", ZN_REASON_BAD_LENGTH, [](Recipe &r) { r.data_offset = 0; } },
    { "data_offset_beyond_ip", ZN_REASON_BAD_LENGTH,
      [](Recipe &r) { r.payload = 0, r.data_offset = 8; } },
    { "data_offset_beyond_ip_padded", ZN_REASON_BAD_LENGTH,
      [](Recipe &r) { r.payload = 3, r.data_offset = 8, r.padding = 9; } },
    { "data_offset_in_payload", ZN_REASON_OK, [](Recipe &r) { r.data_offset = 15; } },
    { "tcp_checksum", ZN_REASON_BAD_TCP_CHECKSUM, [](Recipe &r) { r.tcp_sum_flip = 1; } },
    { "tcp_checksum_high", ZN_REASON_BAD_TCP_CHECKSUM, [](Recipe &r) { r.tcp_sum_flip = 0x8000; } },
    { "tcp_checksum_and_syn", ZN_REASON_BAD_TCP_CHECKSUM,
      [](Recipe &r) { r.tcp_sum_flip = 0x100, r.flags = 0x12; } },
    { "offset_and_tcp_checksum", ZN_REASON_BAD_LENGTH,
      [](Recipe &r) { r.tcp_sum_flip = 0x100, r.data_offset = 1; } },
    { "no_ack", ZN_REASON_TCP_FLAGS, [](Recipe &r) { r.flags = 0x08; } },
    { "fin", ZN_REASON_TCP_FLAGS, [](Recipe &r) { r.flags = 0x11; } },
    { "syn", ZN_REASON_TCP_FLAGS, [](Recipe &r) { r.flags = 0x12; } },
    { "rst", ZN_REASON_TCP_FLAGS, [](Recipe &r) { r.flags = 0x14; } },
    { "urg", ZN_REASON_TCP_FLAGS, [](Recipe &r) { r.flags = 0x30; } },
    { "syn_without_payload", ZN_REASON_TCP_FLAGS,
      [](Recipe &r) { r.flags = 0x12, r.payload = 0; } },
    { "no_payload", ZN_REASON_NO_PAYLOAD, [](Recipe &r) { r.payload = 0; } },
    { "no_payload_padded", ZN_REASON_NO_PAYLOAD, [](Recipe &r) { r.payload = 0, r.padding = 6; } },
    { "no_payload_by_offset", ZN_REASON_NO_PAYLOAD,
      [](Recipe &r) { r.payload = 16, r.data_offset = 11; } },
};

const Case only_ipv4[] = {
    { "header_length_0", ZN_REASON_BAD_LENGTH, [](Recipe &r) { r.ihl = 0; } },
    { "header_length_4", ZN_REASON_BAD_LENGTH, [](Recipe &r) { r.ihl = 4; } },
    { "header_length_4_and_udp", ZN_REASON_BAD_LENGTH,
      [](Recipe &r) { r.ihl = 4, r.protocol = 17; } },
    { "total_below_20", ZN_REASON_BAD_LENGTH, [](Recipe &r) { r.total_more = -62; } },
    { "total_0", ZN_REASON_BAD_LENGTH, [](Recipe &r) { r.total_more = -81; } },
    { "total_below_header", ZN_REASON_BAD_LENGTH,
      [](Recipe &r) { r.ihl = 15, r.payload = 0, r.total_more = -1; } },
    { "options", ZN_REASON_IP_OPTIONS, [](Recipe &r) { r.ip_options = 1; } },
    { "options_most", ZN_REASON_IP_OPTIONS, [](Recipe &r) { r.ip_options = 10; } },
    { "options_and_fragment", ZN_REASON_IP_OPTIONS,
      [](Recipe &r) { r.ip_options = 2, r.fragment = 0x2000; } },
    { "options_and_checksum", ZN_REASON_IP_OPTIONS,
      [](Recipe &r) { r.ip_options = 2, r.ip_sum_flip = 2; } },
    { "options_and_udp", ZN_REASON_NOT_TCP, [](Recipe &r) { r.ip_options = 2, r.protocol = 17; } },
    { "more_fragments", ZN_REASON_FRAGMENT, [](Recipe &r) { r.fragment = 0x2000; } },
    { "fragment_offset_low", ZN_REASON_FRAGMENT, [](Recipe &r) { r.fragment = 0x0001; } },
    { "fragment_offset_high", ZN_REASON_FRAGMENT, [](Recipe &r) { r.fragment = 0x1000; } },
    { "fragment_and_checksum", ZN_REASON_FRAGMENT,
      [](Recipe &r) { r.fragment = 0x6000, r.ip_sum_flip = 1; } },
    { "may_fragment", ZN_REASON_OK, [](Recipe &r) { r.fragment = 0; } },
    { "evil_bit", ZN_REASON_OK, [](Recipe &r) { r.fragment = 0xc000; } },
    { "ip_checksum", ZN_REASON_BAD_IP_CHECKSUM, [](Recipe &r) { r.ip_sum_flip = 1; } },
    { "ip_checksum_high", ZN_REASON_BAD_IP_CHECKSUM, [](Recipe &r) { r.ip_sum_flip = 0x8000; } },
    { "ip_and_tcp_checksum", ZN_REASON_BAD_IP_CHECKSUM,
      [](Recipe &r) { r.ip_sum_flip = 4, r.tcp_sum_flip = 4; } },
    { "ip_checksum_and_tcp_cut", ZN_REASON_BAD_IP_CHECKSUM,
      [](Recipe &r) { r.ip_sum_flip = 4, r.tcp_missing = 50; } },
};

void add_case(Front &front, const Recipe &recipe, unsigned reason, std::string &wrong,
              const char *name, Random &random)
{
    const Bytes packet = build(recipe, random);
    // The list's reason is given here by hand, so that it does not come from the reference alone.
    const unsigned judged = judge(packet, recipe.bad, BENCH_PacketMax).reason;
    if (judged != reason && wrong.empty())
        wrong = text("the reference says %u of %s, not %u", judged, name, reason);
    front.send(packet, recipe.bad);
}

void extension_case(Tap &tap, Front &front, Random &random)
{
    std::string wrong;
    for (unsigned next = 0; next < 256; next++) {
        Recipe recipe;
        recipe.tuple = random_tuple(random, true);
        recipe.payload = 5;
        recipe.protocol = static_cast<uint8_t>(next);
        front.send(recipe);
    }
    const std::string why = front.drain();
    tap.ok(why.empty(), "ipv6_every_next_header_gets_its_reason" + because(why));
}

} // namespace

void reason_cases(Tap &tap, Front &front)
{
    Random random(21);
    const auto run = [&](const Case &c, bool v6) {
        std::string wrong;
        for (const bool tagged : { false, true }) {
            Recipe recipe;
            recipe.tuple = random_tuple(random, v6);
            if (tagged)
                recipe.tags = { 0x8100 };
            recipe.payload = 33;
            recipe.tcp_options = 2;
            recipe.seq = static_cast<uint32_t>(random.bits());
            c.change(recipe);
            add_case(front, recipe, c.reason, wrong, c.name, random);
        }
        const std::string why = front.drain();
        tap.ok(why.empty() && wrong.empty(),
               text("ipv%d_%s_gets_reason_%u", v6 ? 6 : 4, c.name, c.reason) + because(why) +
                   because(wrong));
    };
    for (const bool v6 : { false, true })
        for (const Case &c : both)
            run(c, v6);
    for (const Case &c : only_ipv4)
        run(c, false);
    extension_case(tap, front, random);
}

} // namespace zn
