// SPDX-License-Identifier: Apache-2.0
// Rooms and broadcasts as socket.io-client 4.8 sees them: who gets what, acks of many, and 200
// clients in 20 rooms with every message accounted for.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { closeAll, happens, MODES } from './clients.mjs';
import { openRemote, WEBSOCKET } from './remote.mjs';
import { CALM, startServer } from './server.mjs';
import { until, within } from './wait.mjs';

const ARGS = ['--remote-contract', '--recovery', '120000', ...CALM];

let server;
before(async () => {
    server = await startServer(ARGS);
});
after(() => server.stop());
afterEach(closeAll);

// The first arguments of all events called `event` at `one`.
const values = (one, event = 'news') => one.got.filter(([name]) => name === event)
    .map(([, value]) => value);

const sorted = (list, order) => [...list].sort(order);

describe('broadcast', () => {
    let [a, b, c, d, admin] = [];
    beforeEach(async () => {
        [a, b, c, d, admin] = await Promise.all([
            openRemote(server, 'a'),
            openRemote(server, 'b', '/', { transports: ['polling'] }),
            openRemote(server, 'c', '/', { transports: ['polling', 'websocket'] }),
            openRemote(server, 'd'),
            openRemote(server, 'admin', '/admin'),
        ]);
        await Promise.all([a.join('r1'), b.join('r1'), b.join('r2'), c.join('r2')]);
    });

    // Who of the five got `news`; everybody's queue is settled first.
    async function receivers() {
        const all = [a, b, c, d, admin];
        await Promise.all(all.map((one) => one.settle()));
        for (const one of all) {
            assert.ok(values(one).length <= 1, `${one.who} got it ${values(one).length} times`);
        }
        return all.filter((one) => values(one).length === 1).map((one) => one.who).join(' ');
    }

    const cases = [
        ['to everybody', {}, 'a b c d'],
        ['to everybody but the sender', { self: true }, 'b c d'],
        ['to a room', { rooms: ['r1'] }, 'a b'],
        ['to a room but the sender', { rooms: ['r1'], self: true }, 'b'],
        ['to two rooms, once each', { rooms: ['r1', 'r2'] }, 'a b c'],
        ['to everybody but a room', { except: ['r1'] }, 'c d'],
        ['to a room but another', { rooms: ['r2'], except: ['r1'] }, 'c'],
        ['to a room but itself', { rooms: ['r1'], except: ['r1'] }, ''],
        ['to everybody but two rooms', { except: ['r1', 'r2'] }, 'd'],
        ['to a room that nobody is in', { rooms: ['r9'] }, ''],
        ['to everybody but a room that nobody is in', { except: ['r9'] }, 'a b c d'],
        ['to rooms of odd names', { rooms: ['', '__proto__', 'constructor', 'é€😀'] }, ''],
        ['to local clients', { flags: { local: true } }, 'a b c d'],
        ['uncompressed', { flags: { compress: false } }, 'a b c d'],
        ['compressed to a room', { flags: { compress: true }, rooms: ['r2'] }, 'b c'],
    ];
    for (const [what, options, expected] of cases) {
        test(`broadcast ${what} reaches "${expected}"`, async () => {
            assert.equal(await a.ask({ op: 'emit', ev: 'news', args: ['x'], ...options }), 'ok');
            assert.equal(await receivers(), expected);
        });
    }

    test('volatile broadcast reaches who can take it at once', async () => {
        await a.ask({ op: 'emit', ev: 'news', args: [1], flags: { volatile: true } });
        // The polling client b may be between two polls.
        assert.match(await receivers(), /^a (b )?c d$/);
    });

    test('broadcast to one socket by its id reaches it alone', async () => {
        await a.ask({ op: 'emit', ev: 'news', args: [1], rooms: [c.socket.id] });
        assert.equal(await receivers(), 'c');
    });

    test('broadcast except one socket by its id spares it', async () => {
        await a.ask({ op: 'emit', ev: 'news', args: [1], except: [c.socket.id] });
        assert.equal(await receivers(), 'a b d');
    });

    test('broadcast in a namespace stays there', async () => {
        await admin.ask({ op: 'emit', ev: 'news', args: [1] });
        assert.equal(await receivers(), 'admin');
    });

    test('rooms of the same name in two namespaces are two rooms', async () => {
        await admin.join('r1');
        await admin.ask({ op: 'emit', ev: 'news', args: [1], rooms: ['r1'] });
        assert.equal(await receivers(), 'admin');
    });

    test('room that was left is not reached', async () => {
        await b.leave('r1');
        await a.ask({ op: 'emit', ev: 'news', args: [1], rooms: ['r1'] });
        assert.equal(await receivers(), 'a');
    });

    test('room joined twice is reached once and left at once', async () => {
        await d.join('r1');
        await d.join('r1');
        await a.ask({ op: 'emit', ev: 'news', args: [1], rooms: ['r1'] });
        assert.equal(await receivers(), 'a b d');
        await d.leave('r1');
        await d.leave('r1');
        await a.ask({ op: 'emit', ev: 'other', args: [1], rooms: ['r1'] });
        await d.settle();
        assert.deepEqual(values(d, 'other'), []);
    });

    test('broadcast keeps all arguments, binary too', async () => {
        const bytes = Buffer.from([0, 255, 1, 254]);
        const args = ['x', 1, null, { deep: [bytes, { b: bytes }] }, 'é€😀'];
        await a.ask({ op: 'emit', ev: 'mixed', args });
        await Promise.all([a, b, c, d].map((one) => one.settle()));
        for (const one of [a, b, c, d]) {
            const [, ...got] = one.got.find(([name]) => name === 'mixed');
            const [text, number, none, { deep }, wide] = got;
            assert.deepEqual([text, number, none, wide], ['x', 1, null, 'é€😀']);
            assert.ok(bytes.equals(Buffer.from(deep[0])));
            assert.ok(bytes.equals(Buffer.from(deep[1].b)));
        }
    });

    test('broadcasts keep their order', async () => {
        for (let i = 0; i < 100; i++) {
            a.socket.emit('do', { op: 'emit', ev: 'news', args: [i] }, () => {});
        }
        await until(() => [a, b, c, d].every((one) => values(one).length === 100), 'all came');
        for (const one of [a, b, c, d]) {
            assert.deepEqual(values(one), Array.from({ length: 100 }, (_, i) => i));
        }
    });

    test('broadcast with acks gives everybody\'s first argument', async () => {
        for (const one of [a, b, c, d]) {
            one.socket.on('ask', (x, answer) => answer(`${one.who}${x}`, 'ignored'));
        }
        const all = await a.ask({ op: 'emitAck', ev: 'ask', args: [1], timeout: 10_000 });
        assert.deepEqual(sorted(all), ['a1', 'b1', 'c1', 'd1']);
        const room = await a.ask({ op: 'emitAck', ev: 'ask', args: [2], timeout: 10_000,
            rooms: ['r2'] });
        assert.deepEqual(sorted(room), ['b2', 'c2']);
        const others = await a.ask({ op: 'emitAck', ev: 'ask', args: [3], timeout: 10_000,
            self: true, except: ['r2'] });
        assert.deepEqual(others, ['d3']);
    });

    test('broadcast with acks to nobody gives an empty list', async () => {
        assert.deepEqual(await a.ask({ op: 'emitAck', ev: 'ask', args: [], timeout: 10_000,
            rooms: ['r9'] }), []);
    });

    test('broadcast with acks carries binary both ways', async () => {
        for (const one of [a, b, c, d]) {
            one.socket.on('ask', (x, answer) => answer(Buffer.concat([Buffer.from(x),
                Buffer.from(one.who)])));
        }
        const all = await a.ask({ op: 'emitAck', ev: 'ask', args: [Buffer.from('x')],
            timeout: 10_000 });
        assert.deepEqual(sorted(all.map((one) => Buffer.from(one).toString())),
            ['xa', 'xb', 'xc', 'xd']);
    });

    test('broadcast with acks ends with an error when somebody is silent', async () => {
        let late;
        for (const one of [a, b, c]) {
            one.socket.on('ask', (answer) => answer(one.who));
        }
        d.socket.on('ask', (answer) => { late = answer; });
        const got = await a.ask({ op: 'emitAck', ev: 'ask', args: [], timeout: 1500 });
        assert.equal(got.error, 'operation has timed out');
        assert.deepEqual(sorted(got.responses), ['a', 'b', 'c']);
        // The late answer changes nothing.
        late('d');
        await d.settle();
        const again = await a.ask({ op: 'emitAck', ev: 'ask', args: [], timeout: 10_000,
            rooms: ['r1'] });
        assert.deepEqual(sorted(again), ['a', 'b']);
    });

    test('sockets join and leave rooms by order of the server', async () => {
        assert.equal(await a.ask({ op: 'socketsJoin', rooms: ['r1'], arg: 'new' }), 'ok');
        assert.equal(await a.ask({ op: 'socketsJoin', rooms: [d.socket.id],
            arg: ['new', 'newer'] }), 'ok');
        await a.ask({ op: 'emit', ev: 'news', args: [1], rooms: ['new'] });
        assert.equal(await receivers(), 'a b d');
        assert.equal(await a.ask({ op: 'socketsLeave', rooms: ['r1'], arg: 'new' }), 'ok');
        await a.ask({ op: 'emit', ev: 'other', args: [1], rooms: ['new'] });
        await Promise.all([a, b, d].map((one) => one.settle()));
        assert.deepEqual([a, b, d].map((one) => values(one, 'other').length), [0, 0, 1]);
    });

    test('fetchSockets shows ids, rooms, data and auth', async () => {
        const found = await a.ask({ op: 'fetchSockets' });
        assert.equal(found.length, 4);
        for (const one of [a, b, c, d]) {
            const remote = found.find(({ id }) => id === one.socket.id);
            assert.equal(remote.data.who, one.who);
            assert.equal(remote.auth.who, one.who);
            assert.ok(remote.rooms.includes(one.socket.id));
        }
        const inRoom = await a.ask({ op: 'fetchSockets', rooms: ['r2'], except: ['r1'] });
        assert.deepEqual(inRoom.map(({ id }) => id), [c.socket.id]);
        assert.deepEqual(sorted(inRoom[0].rooms), sorted([c.socket.id, 'r2']));
        assert.deepEqual(await a.ask({ op: 'fetchSockets', rooms: ['r9'] }), []);
    });

    test('rooms end with their last socket', async () => {
        const rooms = await a.ask({ op: 'allRooms' });
        assert.ok(['r1', 'r2', a.socket.id, d.socket.id].every((room) => rooms.includes(room)));
        const { id } = b.socket;
        b.socket.disconnect();
        c.socket.disconnect();
        await until(async () => {
            const left = await a.ask({ op: 'allRooms' });
            return !left.includes('r2') && !left.includes(id);
        }, 'the empty rooms are gone');
        assert.ok((await a.ask({ op: 'allRooms' })).includes('r1'));
    });

    for (const close of [false, true]) {
        test(`disconnectSockets(${close}) ends the sockets of a room`, async () => {
            const gone = Promise.all([b, c].map((one) => happens(one.socket, 'disconnect')));
            assert.equal(await a.ask({ op: 'disconnectSockets', rooms: ['r2'], arg: close }),
                'ok');
            for (const [reason] of await gone) {
                assert.equal(reason, 'io server disconnect');
            }
            await a.settle();
            assert.ok(a.socket.connected && d.socket.connected);
            if (close) {
                await until(() => !b.socket.io.engine || b.socket.io.engine.readyState === 'closed',
                    'the transport is closed');
            } else {
                b.socket.connect();
                await happens(b.socket, 'connect');
            }
        });
    }

    test('disconnectSockets in one namespace keeps the other', async () => {
        const other = a.socket.io.socket('/admin', { auth: { who: 'both' } });
        await happens(other, 'connect');
        const gone = happens(other, 'disconnect');
        await admin.ask({ op: 'disconnectSockets', rooms: [other.id], arg: false });
        assert.equal((await gone)[0], 'io server disconnect');
        await a.settle();
    });
});

describe('many clients', () => {
    for (const [what, polling] of [['over websocket', 0], ['of every kind', 10]]) {
        test(`200 clients in 20 rooms, ${what}, lose and mix up nothing`, async () => {
            const ROOMS = 20;
            const EACH = 5;
            const modes = [MODES[0][1], MODES[2][1]];
            const all = [];
            // In groups, so that no connection waits long for its turn.
            for (let from = 0; from < 200; from += 50) {
                all.push(...await Promise.all(Array.from({ length: 50 }, (_, k) => {
                    const i = from + k;
                    const how = polling && i % polling < 2 ? modes[i % polling] : WEBSOCKET;
                    return openRemote(server, `c${i}`, '/', how);
                })));
            }
            await Promise.all(all.map((one, i) => one.join(`room ${i % ROOMS}`)));
            await Promise.all(all.map(async (one, i) => {
                for (let n = 0; n < EACH; n++) {
                    await one.ask({ op: 'emit', ev: 'chat', args: [{ from: i, n }],
                        rooms: [`room ${i % ROOMS}`] });
                }
            }));
            const expected = EACH * all.length / ROOMS;
            await until(() => all.every((one) => values(one, 'chat').length >= expected),
                'every message came', 60_000);
            await Promise.all(all.map((one) => one.settle()));
            all.forEach((one, i) => {
                const got = values(one, 'chat');
                assert.equal(got.length, expected, `client ${i} got ${got.length}`);
                const next = new Map();
                for (const { from, n } of got) {
                    assert.equal(from % ROOMS, i % ROOMS, `client ${i} got a stranger's message`);
                    assert.equal(n, next.get(from) ?? 0, `messages of ${from} out of order`);
                    next.set(from, n + 1);
                }
                assert.equal(next.size, all.length / ROOMS);
            });
        });
    }

    test('broadcast with acks gets 200 answers', async () => {
        const all = [];
        for (let from = 0; from < 200; from += 50) {
            all.push(...await Promise.all(Array.from({ length: 50 }, (_, k) =>
                openRemote(server, `c${from + k}`))));
        }
        all.forEach((one, i) => one.socket.on('ask', (answer) => answer(i)));
        const got = await within(all[0].ask({ op: 'emitAck', ev: 'ask', args: [],
            timeout: 20_000 }), '200 acks', 25_000);
        assert.deepEqual(sorted(got, (x, y) => x - y), all.map((_, i) => i));
    });

    test('clients that leave in the middle of broadcasts harm nobody', async () => {
        const all = await Promise.all(Array.from({ length: 60 }, (_, i) =>
            openRemote(server, `c${i}`)));
        const stay = all.filter((_, i) => i % 3 === 0);
        const ends = ['disconnect', 'terminate'];
        for (let n = 0; n < 50; n++) {
            stay[0].socket.emit('do', { op: 'emit', ev: 'news', args: [n] }, () => {});
            const leaver = all[n];
            if (n % 3 !== 0) {
                if (ends[n % 2] === 'disconnect') {
                    leaver.socket.disconnect();
                } else {
                    leaver.socket.io.reconnection(false);
                    leaver.socket.io.engine.transport.ws.terminate();
                }
            }
        }
        await until(() => stay.every((one) => values(one).length === 50), 'all came');
        for (const one of stay) {
            assert.deepEqual(values(one), Array.from({ length: 50 }, (_, i) => i));
        }
    });
});
