// SPDX-License-Identifier: Apache-2.0
// socket.io on Bun through its official engine, @socket.io/bun-engine.
import { Server as Engine } from '@socket.io/bun-engine';
import { Server } from 'socket.io';
import { port } from './flags.mjs';
import { attach } from './socketio-events.mjs';

const io = new Server({ serveClient: false });
const engine = new Engine({ path: '/socket.io/' });
io.bind(engine);
attach(io);
Bun.serve({ hostname: '127.0.0.1', port, idleTimeout: 30, ...engine.handler() });
