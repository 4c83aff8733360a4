// SPDX-License-Identifier: Apache-2.0
// Very many messages that are begun and never finished: above the server-wide limit each kind is
// told to try later, those below it go on, and the memory is there again for others.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Bystander } from './bystander.mjs';
import { Polling } from './eio.mjs';
import { Connection } from './raw_http.mjs';
import { assertEcho, BINARY, closePayload, CLOSE, PING, PONG, RawSocket } from './raw_ws.mjs';
import { CALM, onNic, reference, startServer } from './server.mjs';
import { openMain, placeholder } from './sio.mjs';
import { until, within } from './wait.mjs';

const LIMIT = 1_000_000;
const PIECE = Buffer.alloc(60_000, 'x');
const MANY = 40;

let server;
let bystander;
before(async () => {
    if (reference) {
        return;
    }
    server = await startServer([...CALM, '--threads', onNic ? '1' : '2', '--unfinished',
        String(LIMIT)]);
    bystander = await Bystander.open(server);
});
afterEach(() => bystander?.assertWell());
after(async () => {
    await bystander?.close();
    await server?.stop();
});

// A WebSocket that has begun a message, and whether the server has kept it.
async function begin() {
    const raw = await RawSocket.open(server.port);
    raw.send(BINARY, PIECE, { fin: false });
    raw.send(PING, 'kept?');
    let { opcode, payload } = await raw.next();
    if (onNic && opcode === PONG) { // perhaps the accelerator's, ahead of the server
        await bystander.assertWell();
        raw.send(PING, 'kept?');
        ({ opcode, payload } = await raw.next());
    }
    if (opcode === CLOSE) {
        assert.deepEqual(payload, closePayload(1013));
        await within(raw.ended, 'TCP to end');
    } else {
        assert.equal(opcode, PONG);
    }
    return { raw, kept: opcode === PONG };
}

describe('the limit on unfinished messages', { skip: reference && 'an option of ours' }, () => {
    test('fragments over it close with 1013', async () => {
        const all = [];
        for (let i = 0; i < MANY; i++) {
            all.push(await begin());
        }
        const kept = all.filter((one) => one.kept);
        assert.ok(kept.length >= 3 && kept.length * PIECE.length <= LIMIT, `${kept.length} kept`);
        await bystander.assertWell();
        kept.slice(1).forEach(({ raw }) => raw.destroy());
        await until(async () => { // the server has seen them go
            const { raw, kept: room } = await begin();
            raw.destroy();
            return room;
        }, 'room for another message');
        kept[0].raw.send(0, 'y');
        await assertEcho(kept[0].raw, BINARY, Buffer.concat([PIECE, Buffer.from('y')]));
        kept[0].raw.destroy();
    });

    test('a polling body over it is answered with 503', async () => {
        const connections = [];
        const answers = [];
        for (let i = 0; i < MANY; i++) {
            const session = await Polling.open(server);
            const connection = await Connection.open(server.port);
            connection.write(`POST ${session.target} HTTP/1.1\r\nHost: x\r\n` +
                `Content-Length: ${PIECE.length + 1}\r\n\r\n`);
            connection.write(PIECE);
            connections.push(connection);
            answers.push(connection.response());
        }
        const { status } = await Promise.any(answers);
        assert.equal(status, 503);
        await bystander.assertWell();
        connections.forEach((one) => one.destroy());
        await Promise.allSettled(answers);
    });

    test('attachments over it close with 1013', async () => {
        const peers = [];
        for (let i = 0; i < MANY; i++) {
            const peer = await openMain(server);
            peer.send(`452-${JSON.stringify(['message', placeholder(0), placeholder(1)])}`);
            peer.send(PIECE);
            peers.push(peer);
        }
        const { code } = await Promise.race(peers.map((peer) => peer.whenClosed()));
        assert.equal(code, 1013);
        await bystander.assertWell();
        const open = peers.filter((peer) => peer.ws.readyState === peer.ws.OPEN);
        assert.ok(open.length >= 3 && open.length < MANY, `${open.length} are open`);
        await Promise.all(open.map((peer) => peer.close()));
    });
});
