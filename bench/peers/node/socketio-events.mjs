// SPDX-License-Identifier: Apache-2.0
// The same application on every Socket.IO server: echo `msg`, or send it to the room that all have joined.
import { bcast } from './flags.mjs';

export const options = { serveClient: false, perMessageDeflate: false };

export function attach(io) {
  io.on('connection', (socket) => {
    if (bcast) {
      socket.join('room');
      socket.on('msg', (data) => io.to('room').emit('msg', data));
    } else {
      socket.on('msg', (data) => socket.emit('msg', data));
    }
  });
}
