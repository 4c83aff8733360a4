// SPDX-License-Identifier: Apache-2.0
// Recorded sessions of real clients (tests/vectors/record), packet by packet.
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include <dirent.h>
#include <zlib.h>

#include "capture.h"
#include "scenario.h"

namespace cosim
{

namespace
{

// Whole messages, out of frames as the host read them (RFC 6455 section 5.4, RFC 7692
// section 7.2.2).
class Messages
{
  public:
    Messages()
    {
        if (inflateInit2(&z_, -15) != Z_OK)
            throw std::runtime_error("zlib");
    }
    ~Messages()
    {
        inflateEnd(&z_);
    }
    Messages(const Messages &) = delete;
    Messages &operator=(const Messages &) = delete;

    std::vector<std::string> lines;

    void frame(const Frame &frame)
    {
        const uint8_t op = frame.b0 & 15;
        if (op >= OP_CLOSE)
            return;
        if (op != OP_CONTINUE) {
            binary_ = op == OP_BINARY;
            deflated_ = frame.b0 & WS_RSV1;
            message_.clear();
        }
        append(message_, frame.payload);
        if (frame.b0 & WS_FIN)
            lines.push_back(capture_line(binary_, deflated_ ? inflated() : message_));
    }

  private:
    Bytes inflated()
    {
        message_.insert(message_.end(), { 0, 0, 0xff, 0xff });
        Bytes out(1 << 20);
        z_.next_in = message_.data();
        z_.avail_in = static_cast<uInt>(message_.size());
        z_.next_out = out.data();
        z_.avail_out = static_cast<uInt>(out.size());
        const int result = inflate(&z_, Z_SYNC_FLUSH);
        ZN_CHECK(CHECK_RECOVERED, result == Z_OK, "a deflated message: zlib says %d", result);
        out.resize(out.size() - z_.avail_out);
        return out;
    }

    z_stream z_ = {};
    bool binary_ = false;
    bool deflated_ = false;
    Bytes message_;
};

std::vector<std::string> capture_names()
{
    const char *folder = getenv("VECTORS");
    const std::string where = folder ? folder : "tests/vectors";
    std::vector<std::string> out;
    DIR *dir = opendir(where.c_str());
    if (!dir)
        throw std::runtime_error(where + " is not there");
    while (const dirent *entry = readdir(dir)) {
        const std::string name = entry->d_name;
        if (name.size() > 5 && name.compare(name.size() - 5, 5, ".pcap") == 0)
            out.push_back(where + "/" + name.substr(0, name.size() - 5));
    }
    closedir(dir);
    return out;
}

Connection *open_stream(World &world, const CaptureStream &stream, uint32_t flow)
{
    Settings settings;
    settings.flags = static_cast<uint8_t>(ZN_FLOW_RECEIVE | ZN_FLOW_ANSWER | ZN_FLOW_ENGINE |
                                          (stream.deflate ? ZN_FLOW_DEFLATE : 0));
    settings.isn = stream.seq;
    Connection &connection = world.open(stream.end, settings, Taste(), flow);
    connection.client().adopt(stream.bytes);
    return &connection;
}

// The first stream is known to the core from the start; of the others some packets are read in
// software before.
void replay(World &world, const Capture &capture, std::vector<Connection *> &connections)
{
    for (const CaptureSegment &segment : capture.segments) {
        Connection *connection = connections[segment.stream];
        Sent sent;
        sent.bytes = segment.packet;
        sent.payload_at = segment.payload_at;
        const CaptureStream &stream = capture.streams[segment.stream];
        const auto offset = static_cast<int32_t>(segment.seq - stream.seq);
        if (connection && offset >= 0 && segment.payload_len) {
            sent.connection = static_cast<int>(connection->flow());
            sent.offset = static_cast<uint64_t>(offset);
            sent.payload_len = segment.payload_len;
            connection->client().skip_to(sent.offset + sent.payload_len);
        }
        world.push(std::move(sent));
        const bool soon = segment.stream == 0 || world.random().percent(50);
        if (connection && connection->stage() == Connection::SOFTWARE && soon)
            world.push(connection->add(world.random()));
        if (connection && connection->needs_resync())
            world.push(connection->resync(world.random(), false));
        world.run(world.random().below(300));
    }
}

void replay_file(const Run &run, const std::string &name)
{
    const Capture capture = capture_read(name + ".pcap");
    World world(run.device(run.seed), run.seed);
    std::vector<Connection *> connections;
    uint32_t flow = 0;
    stall_none(world);
    for (const CaptureStream &stream : capture.streams)
        connections.push_back(stream.websocket ? open_stream(world, stream, flow++) : nullptr);
    ZN_CHECK(CHECK_RECOVERED, flow > 0, "%s: no WebSocket", name.c_str());
    replay(world, capture, connections);
    world.finish();
    uint64_t treated = 0;
    for (Connection *connection : connections) {
        if (!connection)
            continue;
        // Every byte of these frames was compared with what came through the core.
        Messages messages;
        for (const Client::Place &place : connection->client().places())
            messages.frame(place.frame);
        const uint16_t port = connection->client().endpoint().peer_port;
        const auto want = capture_messages(name + ".messages", port);
        ZN_CHECK(CHECK_RECOVERED, !want.empty() && messages.lines == want,
                 "%s: port %u: %zu messages are not the %zu that the client sent", name.c_str(),
                 port, messages.lines.size(), want.size());
        treated += connection->treated();
    }
    ZN_CHECK(CHECK_RECOVERED, treated > 0, "%s: nothing was treated", name.c_str());
}

} // namespace

void scenario_captures(const Run &run)
{
    const std::vector<std::string> names = capture_names();
    ZN_CHECK(CHECK_RECOVERED, !names.empty(), "no recordings");
    for (const std::string &name : names)
        replay_file(run, name);
}

} // namespace cosim
