// SPDX-License-Identifier: Apache-2.0
// Plays one session against the server while tcpdump records it. `node record.mjs`: the names of the sessions;
// `node record.mjs <session> <file>`: writes file.pcap and file.messages.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { require } from '../wire/packages.mjs';
import { startServer } from '../wire/server.mjs';

const WebSocket = require('ws');
const { io } = require('socket.io-client');

// Lines "<client's port> <text or binary> <bytes> <FNV-1a of them>" of whole messages, as sent.
const messages = [];

function fnv1a(bytes) {
    let hash = 0xcbf29ce484222325n;
    for (const byte of bytes) {
        hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
    }
    return hash.toString(16).padStart(16, '0');
}

// All clients here send by the ws package; socket.io-client may have one of its own.
function note(Socket) {
    const { send } = Socket.prototype;
    Socket.prototype.send = function noted(data, options, done) {
        noteMessage(this, data, options);
        return send.call(this, data, options, done);
    };
}

function noteMessage(socket, data, options) {
    const binary = typeof data !== 'string';
    socket.noted = [...(socket.noted ?? []), Buffer.from(data)];
    socket.notedKind ??= binary ? 'binary' : 'text';
    if (options?.fin === false) {
        return;
    }
    const all = Buffer.concat(socket.noted);
    messages.push(`${socket._socket.localPort} ${socket.notedKind} ${all.length} ${fnv1a(all)}`);
    socket.noted = [];
    socket.notedKind = undefined;
}

note(WebSocket);
const inner = createRequire(require.resolve('engine.io-client'))('ws');
if (inner !== WebSocket) {
    note(inner);
}

const bytes = (length, seed = 1) => Buffer.from({ length }, (_, i) => (i * seed * 7 + i / 256) & 255);
const text = (length) => 'Straße, 東京, naïve 😀. '.repeat(length / 20 + 1).slice(0, length);

async function open(server, host, options) {
    const socket = new WebSocket(`ws://${host}:${server.port}/ws`, { perMessageDeflate: false, ...options });
    await once(socket, 'open');
    return socket;
}

async function close(socket) {
    socket.close(1000, 'done');
    await once(socket, 'close');
}

async function socketIo(server, transports) {
    const socket = io(server.http, { transports, forceNew: true, reconnection: false });
    await new Promise((resolve) => socket.on('connect', resolve));
    while (socket.io.engine.transport.name !== 'websocket') {
        await sleep(10);
    }
    for (let i = 0; i < 5; i++) {
        socket.emit('message', i, 'hello', { nested: [true, null, text(60)] });
    }
    socket.emit('message', bytes(3000), text(4000));
    await new Promise((resolve) => socket.emit('message-with-ack', [1, 2], resolve));
    await sleep(700); // two heartbeats
    socket.emit('message', text(9000));
    await new Promise((resolve) => socket.emit('message-with-ack', 'end', resolve));
    socket.close();
    await sleep(100);
}

const sessions = {
    async sio_websocket(server) {
        await socketIo(server, ['websocket']);
    },
    async sio_upgrade(server) {
        await socketIo(server, ['polling', 'websocket']);
    },
    async ws_sizes(server) {
        const sockets = await Promise.all([1, 2, 3].map(() => open(server, '127.0.0.1')));
        for (const length of [0, 1, 4, 124, 125, 126, 127, 1000, 1448, 5000]) {
            sockets.forEach((socket, i) => socket.send(bytes(length + i, i + 1)));
            await sleep(2);
        }
        sockets[0].send(text(65536));
        sockets[1].send(text(300));
        await sleep(50);
        await Promise.all(sockets.map(close));
    },
    async ws_control(server) {
        const socket = await open(server, '127.0.0.1');
        for (const length of [0, 1, 60, 125]) {
            socket.ping(bytes(length));
            socket.send(text(20), { fin: false });
            socket.ping();
            socket.send(text(200), { fin: false });
            socket.pong(bytes(3));
            socket.send('', { fin: true });
        }
        for (let i = 0; i < 40; i++) {
            socket.send(String(i)); // many frames a segment
        }
        await sleep(50);
        await close(socket);
    },
    async ws_deflate(server) {
        const socket = await open(server, '127.0.0.1', { perMessageDeflate: { threshold: 0 } });
        for (const length of [1, 20, 300, 5000, 20]) {
            socket.send(text(length));
            socket.send(bytes(length));
            await sleep(2);
        }
        socket.send(text(8000), { compress: false });
        await sleep(50);
        await close(socket);
    },
};

async function record(session, file) {
    const server = await startServer([]);
    const dump = spawn('tcpdump', ['-i', 'lo', '-U', '--immediate-mode', '-w', `${file}.pcap`, `dst port ${server.port}`],
        { stdio: ['ignore', 'ignore', 'pipe'] });
    await once(dump.stderr, 'data'); // it listens
    await sleep(300);
    await sessions[session](server);
    await sleep(500);
    dump.kill('SIGINT');
    await once(dump, 'exit');
    await server.stop();
    writeFileSync(`${file}.messages`, `${messages.join('\n')}\n`);
}

const [, , session, file] = process.argv;
if (session) {
    await record(session, file);
} else {
    console.log(Object.keys(sessions).join('\n'));
}
