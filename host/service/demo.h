// SPDX-License-Identifier: Apache-2.0
// The demo that `zapnic serve` comes with: a page at "/" and chat rooms on the namespace "/".
//
// What a client sends (each with an acknowledgement unless it says otherwise; the answer is
// {"ok":true,..} or {"error":".."}):
//   join    {name, room}      -> {ok, room, name, people: [{id, name}], messages: [message]}
//   leave   {room}            -> {ok}
//   message {room, text}      -> {ok}
//   typing  {room, on}        no answer
//   latency                   -> {ok}, for the client to measure the way there and back
// What it gets:
//   rooms   [{room, people}]  the rooms there are, whenever that changes
//   message {id, room, from, name, text, at}, also one's own
//   joined  {room, id, name}, left {room, id}: presence
//   typing  {room, id, name, on}
//   stats   {connections, rate}, every second; rate: messages in and out per second
//
// Thread: create and destroy before and after the server runs.
#ifndef ZN_SERVICE_DEMO_H
#define ZN_SERVICE_DEMO_H

#include <zapnic/zapnic.h>

struct zn_demo;

// After zn_io(). `path` is Socket.IO's path: the page loads the client from there. 0 or negative
// errno.
int zn__demo_create(struct zn_server *server, const char *path, struct zn_demo **demo_out);
void zn__demo_destroy(struct zn_demo *demo); // after zn_server_destroy()

#endif
