// SPDX-License-Identifier: Apache-2.0
// socket.io-client sockets that a test file opens and closes together.
import { require } from './packages.mjs';
import { within } from './wait.mjs';

const { io, Manager } = require('socket.io-client');

// The three ways in which a client reaches the server.
export const MODES = [
    ['polling', { transports: ['polling'] }],
    ['websocket', { transports: ['websocket'] }],
    ['upgrade', { transports: ['polling', 'websocket'] }],
];

const open = new Set();
const managers = new Set();

// A client of its own connection; it connects by itself unless told otherwise.
export function client(server, namespace = '/', options = {}) {
    const socket = io(`${server.http}${namespace}`, { forceNew: true, ...options });
    open.add(socket);
    return socket;
}

// A connection for several namespaces; it opens with its first socket.
export function manager(server, options) {
    const one = new Manager(server.http, options);
    managers.add(one);
    return one;
}

// A client that is connected and, in mode upgrade, has left polling.
export async function connected(server, namespace, options = {}) {
    const socket = client(server, namespace, options);
    const { transports } = options;
    await happens(socket, 'connect');
    if (transports?.length === 2 && socket.io.engine.transport.name !== 'websocket') {
        await within(new Promise((resolve) => socket.io.engine.once('upgrade', resolve)),
            'the upgrade');
    }
    return socket;
}

// The arguments of the next `event`.
export function happens(emitter, event, ms) {
    return within(new Promise((resolve) => {
        emitter.once(event, (...args) => resolve(args));
    }), `"${event}"`, ms);
}

export function closeAll() {
    for (const socket of open) {
        socket.disconnect();
        socket.io._close();
    }
    open.clear();
    managers.forEach((one) => one._close());
    managers.clear();
}
