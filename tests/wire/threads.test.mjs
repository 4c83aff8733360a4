// SPDX-License-Identifier: Apache-2.0
// Several reactors as socket.io-client 4.8 sees them: it does not. Whoever sends, everybody gets
// it once and, with recovery on, in the same order even when connections are cut.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { closeAll, MODES } from './clients.mjs';
import { openRemote, WEBSOCKET } from './remote.mjs';
import { CALM, reference, startServer } from './server.mjs';
import { join, nextPacket, openSession } from './sio.mjs';
import { until } from './wait.mjs';

const CLIENTS = 24;
const ROUNDS = 60;
const THREADS = reference ? [] : ['--threads', '3'];
// As fast as a client can, whether or not the reactor that had it has seen it go.
const QUICK_RETURN = { ...WEBSOCKET, reconnectionDelay: 0, reconnectionDelayMax: 1 };

const news = (one) => one.got.filter(([name]) => name === 'news').map(([, value]) => value);
const everyone = { op: 'emit', rooms: ['all'], ev: 'news' };

// Clients in room `all`, every other one in `odd` too.
async function crowd(server, optionsOf) {
    const all = await Promise.all(Array.from({ length: CLIENTS }, (_, i) => (
        openRemote(server, `c${i}`, '/', optionsOf(i)))));
    await Promise.all(all.map((one) => one.join('all')));
    await Promise.all(all.filter((_, i) => i % 2 === 1).map((one) => one.join('odd')));
    return all;
}

describe('three reactors', () => {
    let server;
    before(async () => {
        server = await startServer(['--remote-contract', ...THREADS, ...CALM]);
    });
    after(() => server.stop());
    afterEach(closeAll);

    test('every broadcast reaches every client once', async () => {
        const all = await crowd(server, (i) => MODES[i % 3][1]);
        for (let round = 0; round < ROUNDS; round++) {
            await Promise.all([0, 1, 2].map((k) => (
                all[(round + 7 * k) % CLIENTS].ask({ ...everyone, args: [3 * round + k] }))));
        }
        const sent = Array.from({ length: 3 * ROUNDS }, (_, n) => n);
        for (const one of all) {
            await until(() => news(one).length >= sent.length, `${one.who} has got all`);
            assert.deepEqual([...news(one)].sort((x, y) => x - y), sent, one.who);
        }
    });

    test('questions are answered by all of them', async () => {
        const all = await crowd(server, () => WEBSOCKET);
        all.forEach((one, i) => one.socket.on('q', (x, answer) => answer(x + i)));
        const odd = all.filter((_, i) => i % 2 === 1);
        const found = await all[0].ask({ op: 'fetchSockets', rooms: ['odd'] });
        assert.deepEqual(found.map(({ id }) => id).sort(),
            odd.map(({ socket }) => socket.id).sort());
        const rooms = await all[1].ask({ op: 'allRooms' });
        assert.equal(rooms.length, CLIENTS + 2);
        const answers = await all[2].ask({
            op: 'emitAck', rooms: ['odd'], ev: 'q', args: [100], timeout: 10_000,
        });
        assert.deepEqual(answers.sort(), odd.map((_, i) => 101 + 2 * i).sort());
        await all[4].ask({ op: 'disconnectSockets', rooms: ['odd'], arg: true });
        await Promise.all(odd.map(({ socket }) => until(() => !socket.connected, 'it is out')));
        assert.ok(all[0].socket.connected);
    });
});

describe('three reactors with recovery', () => {
    let server;
    before(async () => {
        server = await startServer(['--remote-contract', '--recovery', '120000', ...THREADS,
            ...CALM]);
    });
    after(() => server.stop());
    afterEach(closeAll);

    test('clients that are cut off miss nothing and see one order', async () => {
        const all = await crowd(server, () => QUICK_RETURN);
        const back = [];
        all.forEach(({ socket }) => socket.on('connect', () => back.push(socket.recovered)));
        let sent = 0;
        for (let round = 0; round < ROUNDS; round++) {
            if (round % 5 === 2) {
                all[(round * 5 + 1) % CLIENTS].socket.io.engine.close();
            }
            const senders = all.filter((one, i) => one.socket.connected && i % 8 === round % 8);
            await Promise.all(senders.map((one) => one.ask({ ...everyone, args: [sent++] })));
        }
        for (const one of all) {
            await until(() => news(one).length >= sent, `${one.who} has got all`);
            assert.deepEqual(news(one), news(all[0]), one.who);
        }
        assert.equal(new Set(news(all[0])).size, sent);
        assert.equal(back.length, ROUNDS / 5);
        assert.ok(back.every(Boolean), 'all of them recovered');
    });

    // The reference has one thread, which reads the end of the old connection first.
    test('client that is back in the same moment is recovered', { skip: reference }, async () => {
        const driver = await openRemote(server, 'driver');
        for (let round = 0; round < ROUNDS; round++) {
            const peer = await openSession(server);
            const { sid, pid } = await join(peer, '/', {}, true);
            await driver.ask({ op: 'emit', rooms: [sid], ev: 'news', args: [round] });
            const offset = (await nextPacket(peer)).data.at(-1);
            const back = await openSession(server);
            peer.terminate();
            await peer.closed;
            back.send(`40${JSON.stringify({ pid, offset })}`);
            assert.deepEqual((await nextPacket(back)).data, { sid, pid }, `round ${round}`);
            await back.close();
        }
    });
});
