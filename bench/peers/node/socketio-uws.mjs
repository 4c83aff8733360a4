// SPDX-License-Identifier: Apache-2.0
// socket.io attached to uWebSockets.js, the combination that socket.io documents for speed.
import { createRequire } from 'node:module';
import { Server } from 'socket.io';
import { port } from './flags.mjs';
import { attach, options } from './socketio-events.mjs';

const { App } = createRequire(import.meta.url)('uwebsockets');
const app = App();
const io = new Server(options);
io.attachApp(app);
attach(io);
app.listen('127.0.0.1', port, (token) => { if (!token) process.exit(1); });
