// SPDX-License-Identifier: Apache-2.0
#include "capture.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace cosim
{

namespace
{

enum {
    FILE_HEADER = 24,
    RECORD_HEADER = 16,
    ETHERNET = 1,
    ETHER_LEN = 14,
    IP4_LEN = 20,
    TCP_LEN = 20
};

uint32_t load32(const Bytes &file, size_t at)
{
    uint32_t value;
    if (at + sizeof value > file.size())
        throw std::runtime_error("a pcap that ends early");
    std::memcpy(&value, &file[at], sizeof value);
    return value;
}

size_t stream_of(Capture &capture, const Endpoint &end)
{
    for (size_t i = 0; i < capture.streams.size(); i++) {
        if (capture.streams[i].end.peer_port == end.peer_port)
            return i;
    }
    CaptureStream stream;
    stream.end = end;
    capture.streams.push_back(stream);
    return capture.streams.size() - 1;
}

// IPv4 and TCP, as the recording script makes them; false: something else.
bool segment_read(Capture &capture, Bytes packet)
{
    if (packet.size() < ETHER_LEN + IP4_LEN + TCP_LEN || get16(&packet[12]) != 0x0800)
        return false;
    const uint8_t *ip = &packet[ETHER_LEN], *tcp = ip + IP4_LEN;
    if (ip[0] != 0x45 || ip[9] != 6)
        return false;
    Endpoint end;
    std::memcpy(end.peer_mac, &packet[6], 6);
    std::memcpy(end.peer, ip + 12, 4);
    std::memcpy(end.local, ip + 16, 4);
    end.peer_port = static_cast<uint16_t>(get16(tcp));
    end.local_port = static_cast<uint16_t>(get16(tcp + 2));
    CaptureSegment segment;
    segment.seq = get32(tcp + 4);
    segment.payload_at = static_cast<uint32_t>(ETHER_LEN + IP4_LEN + (tcp[12] >> 4) * 4);
    segment.payload_len = static_cast<uint32_t>(ETHER_LEN + get16(ip + 2) - segment.payload_at);
    segment.stream = stream_of(capture, end);
    packet_fix_checksums(packet);
    segment.packet = std::move(packet);
    capture.segments.push_back(std::move(segment));
    return true;
}

// The client's bytes in order; a recording of a loopback has no losses.
void stream_read(Capture &capture, size_t which)
{
    CaptureStream &stream = capture.streams[which];
    Bytes all;
    uint32_t next = 0;
    for (const CaptureSegment &segment : capture.segments) {
        if (segment.stream != which || !segment.payload_len)
            continue;
        if (all.empty())
            stream.seq = next = segment.seq;
        if (segment.seq != next)
            continue; // a retransmission
        const auto from = segment.packet.begin() + segment.payload_at;
        all.insert(all.end(), from, from + segment.payload_len);
        next += segment.payload_len;
    }
    const std::string text(all.begin(), all.end());
    const size_t upgrade = text.find("Upgrade: websocket"), end = text.find("\r\n\r\n", upgrade);
    stream.websocket = upgrade != std::string::npos && end != std::string::npos;
    if (!stream.websocket)
        return;
    const size_t offer = text.find("permessage-deflate");
    stream.deflate = offer < end;
    stream.seq += static_cast<uint32_t>(end + 4);
    stream.bytes.assign(all.begin() + static_cast<ptrdiff_t>(end + 4), all.end());
}

} // namespace

Capture capture_read(const std::string &path)
{
    std::ifstream in(path, std::ios::binary);
    const Bytes file((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const uint32_t magic = load32(file, 0);
    if ((magic != 0xa1b2c3d4 && magic != 0xa1b23c4d) || load32(file, 20) != ETHERNET)
        throw std::runtime_error(path + ": not a pcap of Ethernet packets");
    Capture capture;
    for (size_t at = FILE_HEADER; at < file.size();) {
        const size_t len = load32(file, at + 8), from = at + RECORD_HEADER;
        if (from + len > file.size())
            throw std::runtime_error(path + ": ends early");
        segment_read(capture, Bytes(file.begin() + static_cast<ptrdiff_t>(from),
                                    file.begin() + static_cast<ptrdiff_t>(from + len)));
        at = from + len;
    }
    for (size_t i = 0; i < capture.streams.size(); i++)
        stream_read(capture, i);
    return capture;
}

std::vector<std::string> capture_messages(const std::string &path, uint16_t port)
{
    std::ifstream in(path);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) {
        const std::string mine = std::to_string(port) + " ";
        if (line.compare(0, mine.size(), mine) == 0)
            out.push_back(line.substr(mine.size()));
    }
    return out;
}

std::string capture_line(bool binary, const Bytes &message)
{
    uint64_t hash = 0xcbf29ce484222325u; // FNV-1a
    for (uint8_t byte : message)
        hash = (hash ^ byte) * 0x100000001b3u;
    char text[64];
    std::snprintf(text, sizeof text, "%s %zu %016llx", binary ? "binary" : "text", message.size(),
                  static_cast<unsigned long long>(hash));
    return text;
}

} // namespace cosim
