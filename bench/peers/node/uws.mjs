// SPDX-License-Identifier: Apache-2.0
// uWebSockets.js: compression off, publish by topic, sender included as the bench asks.
import { createRequire } from 'node:module';
import { bcast, port } from './flags.mjs';

const { App, DISABLED } = createRequire(import.meta.url)('uwebsockets');
const app = App();
app.ws('/*', {
  compression: DISABLED,
  maxPayloadLength: 16 * 1024 * 1024,
  maxBackpressure: 64 * 1024 * 1024,
  idleTimeout: 120,
  open(socket) { if (bcast) socket.subscribe('room'); },
  message(socket, data, isBinary) {
    if (bcast) app.publish('room', data, isBinary);
    else socket.send(data, isBinary);
  },
}).listen('127.0.0.1', port, (token) => { if (!token) process.exit(1); });
