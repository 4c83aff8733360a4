// SPDX-License-Identifier: Apache-2.0
// Unmodified socket.io-client 4.8 against the server of --client-contract, over long-polling, over
// WebSocket, and moving from the one to the other.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { client, closeAll, connected, happens, manager, MODES } from './clients.mjs';
import { host, onNic, startServer } from './server.mjs';
import { until, within } from './wait.mjs';

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let server;
before(async () => {
    server = await startServer(['--client-contract']);
});
after(() => server.stop());
afterEach(closeAll);

for (const [mode, how] of MODES) {
    describe(`socket.io-client by ${mode}`, () => {
        test('emits what it sends and gets it back', async () => {
            const socket = await connected(server, '/', how);
            const transport = how.transports.at(-1);
            assert.equal(socket.io.engine.transport.name, transport);
            socket.emit('hi');
            const extra = await happens(socket, 'hi');
            // Recovery adds an offset to what may have to be sent again.
            assert.ok(extra.length === 1 && typeof extra[0] === 'string');
        });

        test('asks for acks with any JSON', async () => {
            const socket = await connected(server, '/', how);
            const deep = { a: [1, 'é€😀', { b: null }], 'c d': false, e: 1e-7 };
            for (const value of ['', 'x', 0, -1.5, true, null, [], {}, deep, 'x'.repeat(100_000)]) {
                assert.deepEqual(await socket.emitWithAck('echo', value), value);
            }
        });

        test('asks for acks with binary', async () => {
            const socket = await connected(server, '/', how);
            const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
            const back = await socket.emitWithAck('echo', bytes);
            assert.ok(bytes.equals(Buffer.from(back)));
            const mixed = await socket.emitWithAck('echo', { a: [bytes, { b: bytes }], c: 'x' });
            assert.ok(bytes.equals(Buffer.from(mixed.a[0])));
            assert.ok(bytes.equals(Buffer.from(mixed.a[1].b)));
            assert.equal(mixed.c, 'x');
            const large = Buffer.alloc(700_000, 5);
            assert.ok(large.equals(Buffer.from(await socket.emitWithAck('echo', large))));
        });

        test('answers acks of the server', async () => {
            const socket = await connected(server, '/', how);
            socket.on('ack', (answer) => answer(5, { test: true }));
            socket.emit('ack');
            await happens(socket, 'got it');
        });

        test('gets dates', async () => {
            const socket = await connected(server, '/', how);
            assert.match(await socket.emitWithAck('getAckDate', { test: true }), ISO);
            socket.emit('getDate');
            assert.match((await happens(socket, 'takeDate'))[0], ISO);
            socket.emit('getDateObj');
            const [{ date }] = await happens(socket, 'takeDateObj');
            assert.match(date, ISO);
            assert.ok(Math.abs(Date.parse(date) - Date.now()) < 60_000);
        });

        test('gets characters of every width', async () => {
            const socket = await connected(server, '/', how);
            const got = [];
            socket.on('takeUtf8', (text) => got.push(text));
            socket.emit('getUtf8');
            await until(() => got.length === 5, 'five texts came');
            assert.deepEqual(got, ['てすと', 'Я Б Г Д Ж Й', 'Ä ä Ü ü ß', 'utf8 — string',
                'utf8 — string']);
        });

        test('gets false', async () => {
            const socket = await connected(server, '/', how);
            socket.emit('false');
            assert.equal((await happens(socket, 'false'))[0], false);
        });

        test('gets binary', async () => {
            const socket = await connected(server, '/', how);
            for (const [asked, event] of [['doge', 'doge'], ['getbin', 'takebin']]) {
                socket.emit(asked);
                const [data] = await happens(socket, event);
                assert.equal(Buffer.from(data).toString(), 'asdfasdf');
            }
        });

        test('sends binary alone, in JSON and in order', async () => {
            const socket = await connected(server, '/', how);
            socket.emit('buffa', Buffer.from('asdfasdf'));
            await happens(socket, 'buffack');
            socket.emit('jsonbuff', { hello: 'lol', message: Buffer.from('howdy'),
                goodbye: 'gotcha' });
            await happens(socket, 'jsonbuff-ack');
            socket.emit('abuff1', Buffer.from('abuff1'));
            socket.emit('abuff2', Buffer.from('abuff2'));
            await happens(socket, 'abuff2-ack');
        });

        test('has the id that the server knows', async () => {
            for (const namespace of ['/', '/foo']) {
                const socket = await connected(server, namespace, how);
                assert.equal(await socket.emitWithAck('getId'), socket.id);
                assert.match(socket.id, /^[A-Za-z0-9_-]{20}$/);
                assert.notEqual(socket.id, socket.io.engine.id);
            }
        });

        test('shows its query, auth and headers in the handshake', async () => {
            const socket = await connected(server, '/?c=d', { ...how, auth: { t: [1, 'é'] },
                extraHeaders: { 'X-Custom': 'abc' } });
            const handshake = await socket.emitWithAck('getHandshake');
            assert.equal(handshake.query.c, 'd');
            assert.equal(handshake.query.EIO, '4');
            assert.equal(handshake.query.transport, how.transports[0]);
            assert.deepEqual(handshake.auth, { t: [1, 'é'] });
            assert.equal(handshake.headers['x-custom'], 'abc');
            assert.equal(handshake.headers.host, `${host}:${server.port}`);
            assert.match(handshake.url, /^\/socket\.io\/\?/);
        });

        const queries = [
            ['an object', '/abc', { query: { a: 'b' } }, { a: 'b' }],
            ['a string', '/abc?b=c&d=e', {}, { b: 'c', d: 'e' }],
            ['characters to escape', '/abc', { query: { '&a': '&=?a é+ %41' } },
                { '&a': '&=?a é+ %41' }],
        ];
        for (const [what, namespace, options, expected] of queries) {
            test(`query as ${what} reaches a namespace`, async () => {
                const socket = client(server, namespace, { ...how, ...options });
                const [handshake] = await happens(socket, 'handshake');
                for (const [key, value] of Object.entries(expected)) {
                    assert.equal(handshake.query[key], value);
                }
            });
        }

        test('auth as an object or a function reaches a namespace', async () => {
            for (const auth of [{ e: 'f' }, (done) => done({ e: 'f' })]) {
                const socket = client(server, '/abc', { ...how, auth });
                const [handshake] = await happens(socket, 'handshake');
                assert.deepEqual(handshake.auth, { e: 'f' });
                assert.equal(handshake.query.e, undefined);
            }
        });

        const refusals = [
            ['/no', {}, 'Auth failed (custom namespace)'],
            ['/', { query: { fail: 'true' } }, 'Auth failed (main namespace)'],
            ['/nowhere', {}, 'Invalid namespace'],
        ];
        for (const [namespace, options, message] of refusals) {
            test(`refusal "${message}" is a connect_error`, async () => {
                const socket = client(server, namespace, { ...how, ...options });
                const [error] = await happens(socket, 'connect_error');
                assert.ok(error instanceof Error);
                assert.equal(error.message, message);
                assert.equal(error.data, undefined);
                assert.equal(socket.connected, false);
                assert.equal(socket.active, false);
            });
        }

        test('joins every namespace over one connection', async () => {
            const shared = manager(server, how);
            const names = ['/', '/foo', '/abc', '/timeout_socket', '/valid', '/asd'];
            const sockets = names.map((name) => shared.socket(name));
            await Promise.all(sockets.map((socket) => happens(socket, 'connect')));
            assert.equal(new Set(sockets.map((socket) => socket.id)).size, names.length);
            sockets[1].disconnect();
            assert.equal(await sockets[0].emitWithAck('echo', 'still'), 'still');
            const foo = shared.socket('/foo'); // connects again
            await happens(foo, 'connect');
            assert.equal(await foo.emitWithAck('getId'), foo.id);
        });

        test('keeps the order of 300 acks', async () => {
            const socket = await connected(server, '/', how);
            const order = [];
            for (let i = 0; i < 300; i++) {
                socket.emit('echo', i, (value) => order.push(value));
            }
            await until(() => order.length === 300, 'all acks came');
            assert.deepEqual(order, Array.from({ length: 300 }, (_, i) => i));
        });

        test('sends what it buffered before the connection', async () => {
            const socket = client(server, '/', { ...how, autoConnect: false });
            const order = [];
            socket.volatile.emit('echo', 'volatile', () => order.push('volatile'));
            socket.emit('echo', 'first', (value) => order.push(value));
            socket.on('connect', () => socket.emit('echo', 'second', (v) => order.push(v)));
            socket.connect();
            await until(() => order.includes('second'), 'both acks came');
            assert.deepEqual(order, ['first', 'second']);
        });

        test('loses its id when it disconnects and gets another', async () => {
            const socket = await connected(server, '/', how);
            const { id } = socket;
            const gone = happens(socket, 'disconnect');
            socket.disconnect();
            assert.equal((await gone)[0], 'io client disconnect');
            assert.equal(socket.id, undefined);
            socket.connect();
            await happens(socket, 'connect');
            assert.notEqual(socket.id, id);
            assert.equal(await socket.emitWithAck('echo', 1), 1);
        });

        test('reconnects when its transport ends', async () => {
            const socket = await connected(server, '/', { ...how, reconnectionDelay: 10 });
            const again = happens(socket.io, 'reconnect');
            socket.io.engine.close();
            await again;
            assert.equal(await socket.emitWithAck('echo', 'again'), 'again');
        });

        test('recovers its state when its transport ends', async () => {
            const socket = await connected(server, '/', { ...how, reconnectionDelay: 10 });
            assert.equal(socket.recovered, false);
            socket.emit('hi'); // gives the client its first offset
            await happens(socket, 'hi');
            const { id } = socket;
            const again = happens(socket, 'connect');
            socket.io.engine.close();
            await again;
            assert.equal(socket.id, id);
            assert.equal(socket.recovered, true);
            assert.equal(await socket.emitWithAck('getId'), id);
        });

        test('time-outs of acks are the client\'s own', async () => {
            const socket = await connected(server, '/', how);
            await assert.rejects(socket.timeout(50).emitWithAck('unknown'), /timed out/);
            assert.equal(await socket.timeout(10_000).emitWithAck('echo', 42), 42);
        });

        test('retries keep their order', async () => {
            const socket = client(server, '/', { ...how, retries: 1, ackTimeout: 10_000 });
            const order = [];
            for (const i of [1, 2, 3]) {
                socket.emit('echo', i, (error, value) => order.push([error, value]));
            }
            await until(() => order.length === 3, 'three acks came');
            assert.deepEqual(order, [[null, 1], [null, 2], [null, 3]]);
        });

        test('event that is never answered is sent once a try', async () => {
            const socket = client(server, '/', { ...how, retries: 3, ackTimeout: 100 });
            let count = 0;
            socket.on('ack', () => count++);
            const failed = new Promise((resolve) => socket.emit('ack', resolve));
            assert.ok((await within(failed, 'the last try')) instanceof Error);
            await until(() => count === 4, 'four tries arrived');
        });

        test('catch-all listeners see events', async () => {
            const socket = client(server, '/abc', how);
            const [event, handshake] = await within(new Promise((resolve) => {
                socket.onAny((...args) => resolve(args));
            }), 'any event');
            assert.equal(event, 'handshake');
            assert.equal(typeof handshake, 'object');
        });

        test('compression can be switched off for an event', async () => {
            const socket = await connected(server, '/', { ...how, perMessageDeflate: {} });
            const text = 'compress me '.repeat(1000);
            for (const compress of [false, true]) {
                const got = new Promise((resolve) =>
                    socket.compress(compress).emit('echo', text, resolve));
                assert.equal(await within(got, 'the ack'), text);
            }
        });
    });
}

describe('socket.io-client and a server that goes away', () => {
    for (const [mode, how] of MODES) {
        // A process that is killed takes its own TCP with it: nobody tells the clients.
        for (const end of onNic ? ['stop'] : ['stop', 'kill']) {
            test(`client by ${mode} is back after the server's ${end}`, async () => {
                let mortal = await startServer(['--client-contract']);
                const { port } = mortal;
                const socket = await connected(mortal, '/', { ...how, reconnectionDelay: 50,
                    reconnectionDelayMax: 200 });
                const gone = happens(socket, 'disconnect');
                await mortal[end]();
                const [reason] = await gone;
                assert.ok(['transport close', 'transport error'].includes(reason), reason);
                const again = happens(socket, 'connect', 20_000);
                socket.emit('echo', 'meanwhile', () => socket.emit('hi'));
                mortal = await startServer(['--client-contract'], port);
                await again;
                await happens(socket, 'hi');
                assert.equal(await socket.emitWithAck('echo', 'back'), 'back');
                socket.disconnect();
                await mortal.stop();
            });
        }

        test(`client by ${mode} notices a server that hangs`, async () => {
            const hung = await startServer(['--client-contract', '--ping-interval', '300',
                '--ping-timeout', '700']);
            const socket = await connected(hung, '/', { ...how, reconnection: false });
            const gone = happens(socket, 'disconnect');
            process.kill(hung.pid, 'SIGSTOP');
            const [reason] = await gone;
            process.kill(hung.pid, 'SIGCONT');
            assert.equal(reason, 'ping timeout');
            socket.disconnect();
            await hung.stop();
        });
    }
});
