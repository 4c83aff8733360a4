// SPDX-License-Identifier: Apache-2.0
// Socket.IO v5 packets over a raw WebSocket session.
import assert from 'node:assert/strict';
import { openSocket } from './eio.mjs';

export const placeholder = (num) => ({ _placeholder: true, num });

// A session over WebSocket that has not sent CONNECT yet.
export function openSession(server, query) {
    return openSocket(server, '/socket.io/', query);
}

// Joins namespace `nsp` and takes the answer and, unless `quiet`, the `auth` event.
// Returns the answer's payload, { sid } or { sid, pid }.
export async function join(peer, nsp = '/', auth, quiet = false) {
    const prefix = nsp === '/' ? '' : `${nsp},`;
    peer.send(`40${prefix}${auth === undefined ? '' : JSON.stringify(auth)}`);
    const answer = await peer.next();
    assert.ok(answer.startsWith(`40${prefix}{`), answer);
    if (!quiet) {
        assert.equal(await peer.next(), `42${prefix}${JSON.stringify(['auth', auth ?? {}])}`);
    }
    return JSON.parse(answer.slice(2 + prefix.length));
}

// A session over WebSocket that is in the main namespace.
export async function openMain(server, auth, quiet) {
    const peer = await openSession(server);
    peer.answer = await join(peer, '/', auth, quiet);
    return peer;
}

// All that was sent before has been handled when this returns.
export async function settle(peer) {
    peer.send('40/nowhere');
    assert.equal(await peer.next(), '44/nowhere,{"message":"Invalid namespace"}');
}

// Splits a packet into { type, attachments, nsp, id, data }; `data` is parsed.
export function parsePacket(text) {
    const match = /^4(\d)(?:(\d+)-)?(?:(\/[^,]*),?)?(\d+)?(.*)$/s.exec(text);
    assert.ok(match, `not a packet: ${text}`);
    const [, type, attachments, nsp = '/', id, json] = match;
    return {
        type: Number(type),
        attachments: attachments === undefined ? 0 : Number(attachments),
        nsp,
        id: id === undefined ? undefined : Number(id),
        data: json === '' ? undefined : JSON.parse(json),
    };
}

// The next packet with its attachments put in the place of their placeholders.
export async function nextPacket(peer) {
    const packet = parsePacket(await peer.next());
    const parts = [];
    while (parts.length < packet.attachments) {
        const part = await peer.next();
        assert.ok(Buffer.isBuffer(part), `expected an attachment, got ${part}`);
        parts.push(part);
    }
    packet.data = fill(packet.data, parts);
    return packet;
}

function fill(value, parts) {
    if (Array.isArray(value)) {
        return value.map((one) => fill(one, parts));
    }
    if (value && typeof value === 'object') {
        if (value._placeholder === true) {
            assert.ok(Number.isInteger(value.num) && value.num in parts, 'a stray placeholder');
            return parts[value.num];
        }
        return Object.fromEntries(Object.entries(value).map(([key, one]) =>
            [key, fill(one, parts)]));
    }
    return value;
}
