// SPDX-License-Identifier: Apache-2.0
// Connection state recovery: offsets on what may be missed, and what a client gets back.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { closeAll, happens, MODES } from './clients.mjs';
import { openRemote, WEBSOCKET } from './remote.mjs';
import { CALM, reference, startServer } from './server.mjs';
import { join, nextPacket, openSession } from './sio.mjs';
import { sleep, until } from './wait.mjs';

const ID = /^[A-Za-z0-9_-]{20}$/;
const ARGS = ['--remote-contract', ...CALM];

let server;
let driver;
before(async () => {
    server = await startServer([...ARGS, '--recovery', '120000']);
    driver = await openRemote(server, 'driver');
});
after(async () => {
    closeAll();
    await server.stop();
});

// A raw WebSocket session in `nsp`; `answer` is what CONNECT gave.
async function openRaw(auth, nsp) {
    const peer = await openSession(server);
    peer.answer = await join(peer, nsp, auth, true);
    return peer;
}

// Reconnects with what `peer` knew. Gives the packets that came before the answer, and it.
async function reconnect(auth, nsp = '/', target = server) {
    const peer = await openSession(target);
    const prefix = nsp === '/' ? '40' : `40${nsp},`;
    peer.send(`${prefix}${JSON.stringify(auth)}`);
    peer.missed = [];
    for (;;) {
        const packet = await nextPacket(peer);
        if (packet.type === 0) {
            peer.answer = packet.data;
            return peer;
        }
        peer.missed.push(packet);
    }
}

// The peer's TCP ends without a word, and the server knows.
async function drop(peer, by = driver) {
    const { sid } = peer.answer;
    peer.terminate();
    await until(async () => {
        const found = await by.ask({ op: 'fetchSockets' });
        return !found.some(({ id }) => id === sid);
    }, 'the server sees the end');
}

const emit = (ev, args, more = {}) => driver.ask({ op: 'emit', ev, args, ...more });

// Sends one event to `peer` and gives the offset that it carried.
async function offsetOf(peer) {
    await emit('offset', [1], { rooms: [peer.answer.sid] });
    for (;;) {
        const { data } = await nextPacket(peer);
        if (data?.[0] === 'offset') {
            return data.at(-1);
        }
    }
}

async function joinRoom(peer, room) {
    peer.send(`4277["join","${room}"]`);
    for (let packet = {}; packet.type !== 3;) {
        packet = await nextPacket(peer);
    }
}

describe('recovery offsets', () => {
    test('connect gives a sid and another pid', async () => {
        const peer = await openRaw();
        assert.deepEqual(Object.keys(peer.answer), ['sid', 'pid']);
        assert.match(peer.answer.sid, ID);
        assert.match(peer.answer.pid, ID);
        assert.notEqual(peer.answer.sid, peer.answer.pid);
        const admin = await join(peer, '/admin', undefined, true);
        assert.notEqual(admin.pid, peer.answer.pid);
        await peer.close();
    });

    test('events carry an offset as their last argument', async () => {
        const [one, two] = [await openRaw(), await openRaw()];
        await joinRoom(one, 'offsets');
        const seen = new Set();
        const take = async (peer, expected) => {
            const { type, data } = await nextPacket(peer);
            const offset = data.pop();
            assert.deepEqual(data, expected);
            assert.equal(typeof offset, 'string');
            assert.ok(offset.length > 0);
            return { type, offset };
        };
        await emit('all', [1]);
        const first = await take(one, ['all', 1]);
        assert.equal(first.offset, (await take(two, ['all', 1])).offset);
        seen.add(first.offset);
        await emit('room', [{ a: 1 }], { rooms: ['offsets'] });
        seen.add((await take(one, ['room', { a: 1 }])).offset);
        await emit('direct', [], { rooms: [one.answer.sid] });
        seen.add((await take(one, ['direct'])).offset);
        await emit('binary', [Buffer.from([1, 2])]);
        const binary = await take(one, ['binary', Buffer.from([1, 2])]);
        assert.equal(binary.type, 5);
        assert.equal(binary.offset, (await take(two, ['binary', Buffer.from([1, 2])])).offset);
        seen.add(binary.offset);
        assert.equal(seen.size, 4, 'an offset came twice');
        await Promise.all([one.close(), two.close()]);
    });

    test('volatile events and events with an ack id carry none', async () => {
        const peer = await openRaw();
        await emit('volatile', [1], { flags: { volatile: true }, rooms: [peer.answer.sid] });
        assert.deepEqual((await nextPacket(peer)).data, ['volatile', 1]);
        const asked = driver.ask({ op: 'emitAck', ev: 'ask', args: [2], timeout: 10_000,
            rooms: [peer.answer.sid] });
        const { id, data } = await nextPacket(peer);
        assert.deepEqual(data, ['ask', 2]);
        peer.send(`43${id}["back"]`);
        assert.deepEqual(await asked, ['back']);
        await peer.close();
    });
});

describe('recovery', () => {
    test('missed events come first and in order, then the old ids', async () => {
        const peer = await openRaw({ who: 'missing' });
        await joinRoom(peer, 'r1');
        const offset = await offsetOf(peer);
        await drop(peer);
        await emit('missed', ['everybody']);
        await emit('missed', ['room'], { rooms: ['r1'] });
        await emit('other', ['another room'], { rooms: ['r2'] });
        await emit('spared', ['all but the room'], { except: ['r1'] });
        await emit('volatile', [], { flags: { volatile: true } });
        await emit('missed', [Buffer.from([3])]);
        await emit('missed', ['direct'], { rooms: [peer.answer.sid] });
        const back = await reconnect({ pid: peer.answer.pid, offset, who: 'impostor' });
        assert.deepEqual(back.answer, peer.answer);
        assert.deepEqual(back.missed.map(({ data }) => data.slice(0, -1)), [
            ['missed', 'everybody'], ['missed', 'room'], ['missed', Buffer.from([3])],
            ['missed', 'direct'],
        ]);
        // Rooms and data are back too.
        const [found] = await driver.ask({ op: 'fetchSockets', rooms: ['r1'] });
        assert.equal(found.id, peer.answer.sid);
        assert.equal(found.data.who, 'missing');
        await emit('now', [], { rooms: ['r1'] });
        assert.equal((await nextPacket(back)).data[0], 'now');
        await back.close();
    });

    test('session can be recovered again and again', async () => {
        let peer = await openRaw();
        const { sid, pid } = peer.answer;
        for (let i = 0; i < 3; i++) {
            const offset = await offsetOf(peer);
            await drop(peer);
            await emit('missed', [i], { rooms: [sid] });
            peer = await reconnect({ pid, offset });
            assert.deepEqual(peer.answer, { sid, pid });
            assert.deepEqual(peer.missed.map(({ data }) => data[1]), [i]);
        }
        await peer.close();
    });

    test('nothing missed means nothing sent', async () => {
        const peer = await openRaw();
        const offset = await offsetOf(peer);
        await drop(peer);
        const back = await reconnect({ pid: peer.answer.pid, offset });
        assert.deepEqual(back.missed, []);
        assert.deepEqual(back.answer, peer.answer);
        await back.close();
    });

    test('namespace other than the main one is recovered', async () => {
        const admin = await openRemote(server, 'admin driver', '/admin');
        const peer = await openRaw({ who: 'a' }, '/admin');
        await admin.ask({ op: 'emit', ev: 'offset', args: [], rooms: [peer.answer.sid] });
        const offset = (await nextPacket(peer)).data.at(-1);
        await drop(peer, admin);
        await admin.ask({ op: 'emit', ev: 'missed', args: [1] });
        const back = await reconnect({ pid: peer.answer.pid, offset }, '/admin');
        assert.deepEqual(back.answer, peer.answer);
        assert.equal(back.missed[0].data[1], 1);
        await back.close();
    });

    // What a client may ask for in vain: [what, auth of the lost connection and its offset].
    const refused = [
        ['an offset that never was', ({ pid }) => ({ pid, offset: 'nope' })],
        ['no offset', ({ pid }) => ({ pid })],
        ['a number as offset', ({ pid }) => ({ pid, offset: 1 })],
        ['an object as offset', ({ pid }) => ({ pid, offset: {} })],
        ['an unknown pid', (_, offset) => ({ pid: 'AAAAAAAAAAAAAAAAAAAA', offset })],
        ['its sid as pid', ({ sid }, offset) => ({ pid: sid, offset })],
        ['a number as pid', (_, offset) => ({ pid: 1, offset })],
        ['an array as pid', ({ pid }, offset) => ({ pid: [pid], offset })],
        ['__proto__ as pid', (_, offset) => ({ pid: '__proto__', offset })],
        ['an empty pid', (_, offset) => ({ pid: '', offset })],
        ['a long pid', ({ pid }, offset) => ({ pid: pid + 'A'.repeat(5000), offset })],
    ];
    for (const [what, auth] of refused) {
        test(`reconnection with ${what} is a fresh connection`, async () => {
            const peer = await openRaw();
            const offset = await offsetOf(peer);
            await drop(peer);
            const back = await reconnect(auth(peer.answer, offset));
            assert.deepEqual(back.missed, []);
            assert.match(back.answer.sid, ID);
            assert.notEqual(back.answer.sid, peer.answer.sid);
            assert.notEqual(back.answer.pid, peer.answer.pid);
            await back.close();
        });
    }

    test('pid of a living connection recovers nothing', async () => {
        const peer = await openRaw();
        const offset = await offsetOf(peer);
        const thief = await reconnect({ pid: peer.answer.pid, offset });
        assert.notEqual(thief.answer.sid, peer.answer.sid);
        assert.equal(typeof await offsetOf(peer), 'string');
        await Promise.all([peer.close(), thief.close()]);
    });

    // The reference keeps the session until it is too old.
    test('pid is good for one recovery at a time', { skip: reference }, async () => {
        const peer = await openRaw();
        const offset = await offsetOf(peer);
        await drop(peer);
        const auth = { pid: peer.answer.pid, offset };
        const back = await reconnect(auth);
        assert.deepEqual(back.answer, peer.answer);
        const thief = await reconnect(auth);
        assert.notEqual(thief.answer.sid, peer.answer.sid);
        await Promise.all([back.close(), thief.close()]);
    });

    test('pid of one namespace is nothing in another', async () => {
        const peer = await openRaw();
        const offset = await offsetOf(peer);
        await drop(peer);
        const back = await reconnect({ pid: peer.answer.pid, offset }, '/admin');
        assert.notEqual(back.answer.sid, peer.answer.sid);
        await back.close();
    });

    test('client that left is not remembered', async () => {
        const peer = await openRaw();
        const offset = await offsetOf(peer);
        peer.send('41');
        await drop(peer);
        const back = await reconnect({ pid: peer.answer.pid, offset });
        assert.notEqual(back.answer.sid, peer.answer.sid);
        await back.close();
    });

    for (const close of [false, true]) {
        test(`client sent away by disconnectSockets(${close}) is not remembered`, async () => {
            const peer = await openRaw();
            const offset = await offsetOf(peer);
            await driver.ask({ op: 'disconnectSockets', rooms: [peer.answer.sid], arg: close });
            assert.equal(await peer.next(), '41');
            peer.terminate();
            const back = await reconnect({ pid: peer.answer.pid, offset });
            assert.notEqual(back.answer.sid, peer.answer.sid);
            await back.close();
        });
    }
});

describe('recovery time limit', () => {
    test('session that is too old is a fresh connection', async () => {
        const brief = await startServer([...ARGS, '--recovery', '400']);
        const other = await openRemote(brief, 'other');
        const peer = await openSession(brief);
        peer.answer = await join(peer, '/', undefined, true);
        await other.ask({ op: 'emit', ev: 'x', args: [], rooms: [peer.answer.sid] });
        const offset = (await nextPacket(peer)).data.at(-1);
        await drop(peer, other);
        await sleep(900);
        const back = await reconnect({ pid: peer.answer.pid, offset }, '/', brief);
        assert.notEqual(back.answer.sid, peer.answer.sid);
        await back.close();
        other.socket.disconnect();
        await brief.stop();
    });

    test('server without recovery gives no pid and no offsets', async () => {
        const plain = await startServer([...CALM, '--quiet']);
        const peer = await openSession(plain);
        assert.deepEqual(Object.keys(await join(peer, '/', undefined, true)), ['sid']);
        peer.send('42["message",1]');
        assert.equal(await peer.next(), '42["message-back",1]');
        await peer.close();
        await plain.stop();
    });
});

describe('recovery by socket.io-client', () => {
    afterEach(() => driver.settle());

    for (const [mode, how] of MODES) {
        test(`client by ${mode} gets its rooms and what it missed`, async () => {
            const one = await openRemote(server, mode, '/', { ...how, reconnectionDelay: 300,
                randomizationFactor: 0 });
            const room = `room of ${mode}`;
            await one.join(room);
            await emit('before', [0], { rooms: [room] });
            await until(() => one.got.length === 1, 'the first event came');
            const { id } = one.socket;
            const again = happens(one.socket, 'connect');
            const { transport } = one.socket.io.engine;
            if (transport.name === 'websocket') {
                transport.ws.terminate();
            } else {
                one.socket.io.engine.close();
            }
            await until(async () => (await driver.ask({ op: 'fetchSockets', rooms: [room] }))
                .length === 0, 'the server sees the end');
            for (const i of [1, 2, 3]) {
                await emit('while', [i], { rooms: [room] });
            }
            await again;
            assert.equal(one.socket.recovered, true);
            assert.equal(one.socket.id, id);
            await emit('after', [4], { rooms: [room] });
            await until(() => one.got.length === 5, 'all came');
            assert.deepEqual(one.got.map(([, value]) => value), [0, 1, 2, 3, 4]);
            one.socket.disconnect();
        });
    }

    test('client that disconnects by itself starts afresh', async () => {
        const one = await openRemote(server, 'leaver', '/', WEBSOCKET);
        await emit('x', [], { rooms: [one.socket.id] });
        await until(() => one.got.length === 1, 'the event came');
        const { id } = one.socket;
        one.socket.disconnect();
        one.socket.connect();
        await happens(one.socket, 'connect');
        assert.equal(one.socket.recovered, false);
        assert.notEqual(one.socket.id, id);
    });
});
