// SPDX-License-Identifier: Apache-2.0
// ws on Node: compression off (its default), bufferutil installed as its README recommends. A broadcast
// walks server.clients, as the README's example does.
import { WebSocketServer } from 'ws';
import { bcast, port } from './flags.mjs';

const server = new WebSocketServer({ host: '127.0.0.1', port, backlog: 4096, clientTracking: bcast });
server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => {
    if (!bcast) socket.send(data, { binary: isBinary });
    else for (const client of server.clients) client.send(data, { binary: isBinary });
  });
});
