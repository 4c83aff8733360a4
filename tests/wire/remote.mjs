// SPDX-License-Identifier: Apache-2.0
// Clients of --remote-contract: they tell the server what to do with rooms and broadcasts.
import { connected } from './clients.mjs';
import { within } from './wait.mjs';

export const WEBSOCKET = { transports: ['websocket'] };

// A connected client called `who` whose events go to `got` as [name, ...args]; `ask` runs an
// operation on the server and gives its result.
export async function openRemote(server, who, namespace = '/', options = WEBSOCKET) {
    const socket = await connected(server, namespace, { ...options, auth: { who } });
    const got = [];
    socket.onAny((event, ...args) => got.push([event, ...args]));
    return {
        who,
        socket,
        got,
        ask: (query) => within(socket.emitWithAck('do', query), `"${query.op}" to be done`),
        join: (room) => within(socket.emitWithAck('join', room), 'the room to be joined'),
        leave: (room) => within(socket.emitWithAck('leave', room), 'the room to be left'),
        // Everything sent to this client before has come when this returns.
        settle: () => within(socket.emitWithAck('join', 'settled'), 'an answer'),
    };
}
