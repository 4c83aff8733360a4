// SPDX-License-Identifier: Apache-2.0
// socket.io on Node and ws, set up as its performance page says: bufferutil for ws, and the reference
// to the first HTTP request dropped to save memory.
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { port } from './flags.mjs';
import { attach, options } from './socketio-events.mjs';

const http = createServer();
const io = new Server(http, options);
io.engine.on('connection', (raw) => { raw.request = null; });
attach(io);
http.listen({ host: '127.0.0.1', port, backlog: 4096 });
