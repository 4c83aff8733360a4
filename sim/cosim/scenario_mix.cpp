// SPDX-License-Identifier: Apache-2.0
// Random runs.
#include <algorithm>

#include "noise.h"
#include "scenario.h"

namespace cosim
{

namespace
{

enum { CHAOS_FLOWS = 8, STEPS = 1500, CONNECTIONS_MIN = 6 };

class Mix
{
  public:
    Mix(const Run &run, unsigned fault_percent)
        : world_(run.device(run.seed), run.seed), random_(world_.random()),
          chaos_(world_, CHAOS_FLOWS), fault_(fault_percent)
    {
    }
    void run(unsigned steps);

  private:
    void step();
    void connection_step(Connection &connection);
    void broadcast();
    void members();
    void change();

    World world_;
    Random &random_;
    Chaos chaos_;
    const unsigned fault_;
    Weather weather_;
};

std::vector<uint32_t> ids_random(Random &random, const Params &params, unsigned count)
{
    std::vector<uint32_t> ids(count);
    for (uint32_t &id : ids)
        id = random.percent(97) ? random.below(params.flows) : params.flows + random.below(1000);
    return ids;
}

void Mix::broadcast()
{
    const Params &params = world_.params();
    const bool list = random_.percent(50);
    zn_acc_command command = command_of(list ? ZN_MSG_BROADCAST_LIST : ZN_MSG_BROADCAST_GROUP, 0,
                                        static_cast<uint32_t>(random_.next()));
    Frame frame;
    frame.payload =
        random_.bytes(random_.below(random_.percent(80) ? 300 : params.payload_max - 4));
    const Bytes payload = frame_encode_server(frame);
    command.length = static_cast<uint16_t>(payload.size());
    command.flags = random_.percent(50) ? ZN_CMD_PUSH : 0;
    std::vector<uint32_t> ids;
    if (list) {
        ids = ids_random(random_, params, random_.below(40));
    } else {
        command.flow = random_.below(params.members);
        command.count = random_.below(std::min(params.members - command.flow + 1, 40u));
        ids =
            ids_random(random_, params, random_.percent(50) ? 0 : random_.below(params.skips + 1));
    }
    command.ids = static_cast<uint16_t>(ids.size());
    Message message = message_broadcast(command, payload, ids);
    if (list && !ids.empty() && random_.percent(10))
        message.bytes.resize(message.bytes.size() - 1 -
                             random_.below(4 * static_cast<uint32_t>(ids.size()) - 1));
    world_.push(message);
}

void Mix::members()
{
    const Params &params = world_.params();
    const uint32_t index = random_.below(params.members);
    const uint32_t count = random_.below(std::min(params.members - index, 50u) + 1);
    world_.push(message_members(index, static_cast<uint32_t>(random_.next()),
                                ids_random(random_, params, count), random_.percent(50)));
}

void Mix::connection_step(Connection &connection)
{
    if (connection.stage() == Connection::SOFTWARE && random_.percent(60))
        world_.push(connection.add(random_));
    if (connection.stage() == Connection::UP && random_.percent(1)) {
        world_.close(connection);
        return;
    }
    world_.burst(connection, 1 + random_.below(5), random_.percent(80) ? 300 : 1460, weather_);
    world_.tend(connection);
}

void Mix::change()
{
    weather_ = {};
    if (random_.percent(70)) {
        weather_.lost = random_.below(10);
        weather_.twice = random_.below(10);
        weather_.late = random_.below(15);
        weather_.damaged = random_.below(8);
        weather_.again = random_.below(30);
    }
    if (random_.percent(30))
        stall_none(world_);
    else
        stall_random(world_);
    if (random_.percent(20))
        world_.follower().advance(random_.range(1, 60));
}

void Mix::step()
{
    std::vector<Connection *> live = world_.live();
    const uint32_t what = random_.below(100);
    if (live.size() < CONNECTIONS_MIN || what < 3)
        world_.open_random(fault_, CHAOS_FLOWS);
    else if (what < 70)
        connection_step(*live[random_.below(static_cast<uint32_t>(live.size()))]);
    else if (what < 76)
        world_.push(
            noise_packet(random_, live[0]->client().endpoint(), world_.params().packet_max));
    else if (what < 80)
        chaos_.packet();
    else if (what < 86)
        chaos_.command();
    else if (what < 89)
        chaos_.raw();
    else if (what < 92)
        broadcast();
    else if (what < 94)
        members();
    else if (what < 97)
        world_.push(noise_command(random_, world_.params()));
    else if (what < 98)
        change();
    else
        world_.push(message_of(command_of(
            ZN_MSG_RESYNC, random_.range(CHAOS_FLOWS, world_.params().flows - 1) | 0x20, 1)));
    if (random_.percent(60))
        world_.run(8 * random_.below(40));
}

void Mix::run(unsigned steps)
{
    stall_none(world_);
    for (unsigned i = 0; i < steps; i++)
        step();
    stall_none(world_);
    world_.finish();
}

} // namespace

void stall_none(World &world)
{
    for (int port = 0; port < PORT_COUNT; port++)
        world.device().set_stall(static_cast<Port>(port), {});
}

void stall_random(World &world)
{
    for (int port = 0; port < PORT_COUNT; port++) {
        Random &random = world.random();
        Stall stall;
        if (random.percent(60)) {
            stall.percent = random.range(1, 40);
            stall.longest = random.percent(80) ? random.range(1, 4) : random.range(10, 200);
        }
        world.device().set_stall(static_cast<Port>(port), stall);
    }
}

void scenario_mix(const Run &run)
{
    Mix(run, 0).run(STEPS * run.count);
}

void scenario_breaks(const Run &run)
{
    Mix(run, 4).run(STEPS * run.count);
}

} // namespace cosim
