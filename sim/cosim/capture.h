// SPDX-License-Identifier: Apache-2.0
// Recorded traffic: pcap files of clients' packets, and what the clients say they sent.
#ifndef ZN_COSIM_CAPTURE_H
#define ZN_COSIM_CAPTURE_H

#include <string>

#include "packet.h"

namespace cosim
{

// One TCP segment of a recording, in its order. Its packet has right checksums, whatever the
// recording had.
struct CaptureSegment {
    Bytes packet;
    size_t stream; // which of Capture::streams
    uint32_t seq = 0;
    uint32_t payload_at = 0;
    uint32_t payload_len = 0;
};

// What one client sent after its WebSocket handshake.
struct CaptureStream {
    Endpoint end;
    uint32_t seq = 0; // of the first byte after the handshake
    bool websocket = false;
    bool deflate = false; // permessage-deflate was offered
    Bytes bytes;
};

struct Capture {
    std::vector<CaptureSegment> segments;
    std::vector<CaptureStream> streams;
};

// Throws std::runtime_error for a file that is not a pcap of Ethernet packets.
Capture capture_read(const std::string &path);

// The lines of a .messages file for the client at `port`, each without its port.
std::vector<std::string> capture_messages(const std::string &path, uint16_t port);
// Such a line of a message.
std::string capture_line(bool binary, const Bytes &message);

} // namespace cosim

#endif
