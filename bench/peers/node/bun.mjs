// SPDX-License-Identifier: Apache-2.0
// Bun.serve with its own publish/subscribe, compression off (its default).
import { bcast, port } from './flags.mjs';

const server = Bun.serve({
  hostname: '127.0.0.1',
  port,
  fetch(request, self) { return self.upgrade(request) ? undefined : new Response('', { status: 400 }); },
  websocket: {
    maxPayloadLength: 16 * 1024 * 1024,
    backpressureLimit: 64 * 1024 * 1024,
    idleTimeout: 120,
    publishToSelf: true,
    open(socket) { if (bcast) socket.subscribe('room'); },
    message(socket, data) {
      if (bcast) server.publish('room', data);
      else socket.send(data);
    },
  },
});
