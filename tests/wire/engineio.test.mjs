// SPDX-License-Identifier: Apache-2.0
// Engine.IO v4 on the wire: WebSocket messages, heartbeat, close and upgrade, and its own client.
// https://socket.io/docs/v4/engine-io-protocol/.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertError, openSocket, PATHS, Polling, SEPARATOR } from './eio.mjs';
import { require } from './packages.mjs';
import { Peer } from './peer.mjs';
import { fetchRaw } from './raw_http.mjs';
import { frame, RawSocket, TEXT } from './raw_ws.mjs';
import { CALM, reference, startServer } from './server.mjs';
import { sleep, until, within } from './wait.mjs';

const { Socket: EngineSocket } = require('engine.io-client');

describe('engine.io websocket messages', () => {
    let server;
    before(async () => {
        server = await startServer(CALM);
    });
    after(() => server.stop());

    test('text and binary come back as they went', async () => {
        const peer = await openSocket(server);
        peer.send('4hello');
        assert.equal(await peer.next(), '4hello');
        peer.send(Buffer.from([1, 2, 3, 4]));
        assert.deepEqual(await peer.next(), Buffer.from([1, 2, 3, 4]));
        peer.send('4');
        assert.equal(await peer.next(), '4');
        await peer.close();
    });

    test('1000 messages of both kinds come back in order', async () => {
        const peer = await openSocket(server);
        for (let i = 0; i < 1000; i++) {
            peer.send(i % 3 ? `4text ${i}` : Buffer.from(`binary ${i}`));
        }
        for (let i = 0; i < 1000; i++) {
            const got = await peer.next();
            assert.equal(Buffer.isBuffer(got), i % 3 === 0);
            assert.equal(got.toString(), i % 3 ? `4text ${i}` : `binary ${i}`);
        }
        await peer.close();
    });

    test('messages of every length class come back', async () => {
        const peer = await openSocket(server);
        for (const length of [1, 124, 125, 126, 127, 65_534, 65_535, 65_536, 999_999]) {
            const text = `4${'é'.repeat(length >> 1)}${'x'.repeat(length & 1)}`;
            peer.send(text);
            assert.equal(await peer.next(), text);
            const binary = Buffer.alloc(length, length & 255);
            peer.send(binary);
            assert.deepEqual(await peer.next(), binary);
        }
        await peer.close();
    });

    for (const [what, packet] of [['a letter as type', 'abc'], ['no bytes', ''],
        ['an unknown digit', '9'], ['a ping', '2']]) {
        test(`packet with ${what} closes the websocket`, async () => {
            const peer = await openSocket(server);
            peer.send(packet);
            await peer.whenClosed();
        });
    }

    test('noop and unasked pong from the client are ignored', async () => {
        const peer = await openSocket(server);
        peer.send('6');
        peer.send('3');
        peer.send('4still');
        assert.equal(await peer.next(), '4still');
        await peer.close();
    });

    test('close frame of the client is answered in kind', async () => {
        const peer = await openSocket(server);
        const { code } = await peer.close(1000, 'bye');
        assert.ok(code === 1000 || code === 1005, `close code ${code}`);
    });
});

// The tests wait at the same time; each has its own session.
describe('engine.io heartbeat', { concurrency: true }, () => {
    let server;
    before(async () => {
        server = await startServer(['--connect-timeout', '30000']);
    });
    after(() => server.stop());

    for (const path of PATHS) {
        test(`polling session on ${path} lives on pongs`, async () => {
            const session = await Polling.open(server, path);
            for (let i = 0; i < 3; i++) {
                const get = await session.get();
                assert.equal(get.status, 200);
                assert.equal(get.body, '2');
                assert.equal((await session.post('3')).status, 200);
            }
        });

        test(`websocket session on ${path} lives on pongs`, async () => {
            const peer = await openSocket(server, path);
            let last = Date.now();
            for (let i = 0; i < 3; i++) {
                assert.equal(await peer.next(), '2');
                const now = Date.now();
                assert.ok(now - last >= 280, `ping ${now - last} ms after the last pong`);
                last = now;
                peer.send('3');
            }
            await peer.close();
        });

        test(`silent websocket session on ${path} ends in time`, async () => {
            const peer = await openSocket(server, path);
            const start = Date.now();
            await peer.whenClosed();
            const lived = Date.now() - start;
            assert.ok(lived >= 480 && lived < 2000, `lived ${lived} ms`);
        });

        // A busy machine may be late, a server that is always late is wrong.
        test(`silent polling session on ${path} is gone after 500 ms`, async () => {
            let gone;
            for (let i = 0; i < 8 && gone !== 400; i++) {
                const session = await Polling.open(server, path);
                await sleep(500);
                gone = (await session.get()).status;
            }
            assert.equal(gone, 400);
        });
    }
});

describe('engine.io heartbeat deadline', { concurrency: true }, () => {
    let server;
    before(async () => {
        server = await startServer(['--ping-interval', '200', '--ping-timeout', '1500']);
    });
    after(() => server.stop());

    test('another packet extends a running deadline once', async () => {
        const peer = await openSocket(server);
        assert.equal(await peer.next(), '2');
        await sleep(900);
        const first = Date.now();
        peer.send('4one');
        assert.equal(await peer.next(), '4one');
        await sleep(900);
        peer.send('4two');
        assert.equal(await peer.next(), '4two');
        await peer.whenClosed();
        const lived = Date.now() - first;
        assert.ok(lived >= 1450, `closed ${lived} ms after the first packet`);
        assert.ok(lived < 2300, `closed ${lived} ms after the first packet`);
    });

    test('unanswered ping ends a session that never spoke', async () => {
        const peer = await openSocket(server);
        assert.equal(await peer.next(), '2');
        const start = Date.now();
        await peer.whenClosed();
        const lived = Date.now() - start;
        assert.ok(lived >= 1450 && lived < 4000, `closed ${lived} ms after the ping`);
    });
});

describe('engine.io close', () => {
    let server;
    before(async () => {
        server = await startServer(CALM);
    });
    after(() => server.stop());

    for (const path of PATHS) {
        test(`close packet by post on ${path} ends the waiting poll with a noop`, async () => {
            const session = await Polling.open(server, path);
            const { connection, answer } = await session.poll();
            await fetchRaw(server.port, { target: '/engine.io/?EIO=4' });
            await sleep(20);
            assert.equal((await session.post('1')).status, 200);
            const got = await answer;
            assert.equal(got.status, 200);
            assert.equal(got.body, '6');
            connection.destroy();
            await session.assertGone();
        });

        // The reference waits for the client's close frame.
        test(`close packet over websocket on ${path} closes it`, { skip: reference }, async () => {
            const peer = await openSocket(server, path);
            peer.send('1');
            await peer.whenClosed();
        });
    }

    test('close packet without a waiting poll ends the session', async () => {
        const session = await Polling.open(server);
        assert.equal((await session.post('1')).status, 200);
        await session.assertGone();
    });
});

describe('engine.io upgrade', () => {
    let server;
    before(async () => {
        server = await startServer([...CALM, '--connect-timeout', '60000']);
    });
    after(() => server.stop());

    for (const path of PATHS) {
        test(`session on ${path} moves to websocket`, async () => {
            const session = await Polling.open(server, path);
            const peer = await session.socket(server);
            peer.send('2probe');
            assert.equal(await peer.next(), '3probe');
            const get = await session.get();
            assert.equal(get.status, 200);
            assert.equal(get.body, '6');
            peer.send('5');
            if (path === '/engine.io/') {
                peer.send('4hello');
                assert.equal(await peer.next(), '4hello');
            }
            await peer.close();
        });

        test(`poll on ${path} after the upgrade is refused`, async () => {
            const session = await Polling.open(server, path);
            const peer = await session.upgrade(server);
            await until(async () => (await session.get()).status === 400, 'polls are refused');
            assertError(await session.get(), 3);
            assertError(await session.post('4x'), 3);
            if (path === '/engine.io/') {
                peer.send('4hello');
                assert.equal(await peer.next(), '4hello');
            }
            await peer.close();
        });

        test(`second websocket on ${path} with the sid is closed`, async () => {
            const session = await Polling.open(server, path);
            const peer = await session.upgrade(server);
            const second = new Peer(`${server.ws}${path}?EIO=4&transport=websocket` +
                `&sid=${session.sid}`);
            await second.whenClosed();
            if (path === '/engine.io/') {
                peer.send('4hello');
                assert.equal(await peer.next(), '4hello');
            }
            await peer.close();
        });
    }

    test('waiting poll is ended by a noop during the probe', async () => {
        const session = await Polling.open(server);
        const { connection, answer } = await session.poll();
        const peer = await session.socket(server);
        peer.send('2probe');
        assert.equal(await peer.next(), '3probe');
        const got = await answer;
        assert.equal(got.body, '6');
        connection.destroy();
        peer.send('5');
        peer.send('4hello');
        assert.equal(await peer.next(), '4hello');
        await peer.close();
    });

    test('what was queued on polling is flushed over websocket', async () => {
        const session = await Polling.open(server);
        const peer = await session.socket(server);
        peer.send('2probe');
        assert.equal(await peer.next(), '3probe');
        await session.post(`4one${SEPARATOR}bAQI=`);
        peer.send('5');
        assert.equal(await peer.next(), '4one');
        assert.deepEqual(await peer.next(), Buffer.from([1, 2]));
        await peer.close();
    });

    test('probe and upgrade in the segment of the handshake are understood', async () => {
        const session = await Polling.open(server);
        const early = Buffer.concat([frame(TEXT, '2probe'), frame(TEXT, '5'),
            frame(TEXT, '4early')]);
        const raw = await RawSocket.open(server.port,
            `/engine.io/?EIO=4&transport=websocket&sid=${session.sid}`, { early });
        assert.equal((await raw.next()).payload.toString(), '3probe');
        assert.equal((await raw.next()).payload.toString(), '4early');
        raw.destroy();
    });

    test('second websocket during a probe is closed and the first goes on', async () => {
        const session = await Polling.open(server);
        const first = await session.socket(server);
        first.send('2probe');
        assert.equal(await first.next(), '3probe');
        const second = new Peer(`${server.ws}/engine.io/?EIO=4&transport=websocket` +
            `&sid=${session.sid}`);
        await second.whenClosed();
        first.send('5');
        first.send('4hello');
        assert.equal(await first.next(), '4hello');
        await first.close();
    });

    test('websocket that ends after its probe leaves the session on polling', async () => {
        const session = await Polling.open(server);
        const peer = await session.socket(server);
        peer.send('2probe');
        assert.equal(await peer.next(), '3probe');
        await peer.close();
        await session.post('4still');
        assert.deepEqual(await session.packets(1), ['4still']);
    });

    test('websocket that starts with another packet leaves the session on polling', async () => {
        const session = await Polling.open(server);
        const peer = await session.socket(server);
        peer.send('4hello');
        await peer.whenClosed();
        await session.post('4still');
        assert.equal((await session.get()).body, '4still');
    });

    test('session can upgrade after a failed attempt', async () => {
        const session = await Polling.open(server);
        const failed = await session.socket(server);
        failed.send('2probe');
        assert.equal(await failed.next(), '3probe');
        failed.terminate();
        const peer = await until(async () => {
            const next = await session.socket(server);
            next.send('2probe');
            return (await next.next().catch(() => '')) === '3probe' ? next : null;
        }, 'a new attempt is let in');
        peer.send('5');
        peer.send('4hello');
        assert.equal(await peer.next(), '4hello');
        await peer.close();
    });

    test('upgrade with another EIO than its session is refused', async () => {
        const session = await Polling.open(server);
        await RawSocket.open(server.port,
            `/engine.io/?EIO=3&transport=websocket&sid=${session.sid}`, { expect: 400 });
        await session.post('4still');
        assert.equal((await session.get()).body, '4still');
    });

    test('session closed during a probe closes the websocket', async () => {
        const session = await Polling.open(server);
        const peer = await session.socket(server);
        peer.send('2probe');
        assert.equal(await peer.next(), '3probe');
        await session.post('1');
        await peer.whenClosed();
        await session.assertGone();
    });
});

describe('engine.io upgrade time limit', () => {
    let server;
    before(async () => {
        server = await startServer(CALM);
    });
    after(() => server.stop());

    test('upgrade that never completes ends and the session stays', async () => {
        const session = await Polling.open(server);
        const [silent, probing] = [await session.socket(server), await Polling.open(server)];
        const probed = await probing.socket(server);
        probed.send('2probe');
        assert.equal(await probed.next(), '3probe');
        const start = Date.now();
        await Promise.all([silent.whenClosed(14_000), probed.whenClosed(14_000)]);
        const lived = Date.now() - start;
        assert.ok(lived > 8000, `closed after ${lived} ms`);
        await session.post('4still');
        assert.equal((await session.get()).body, '4still');
    });
});

describe('engine.io-client', () => {
    let server;
    before(async () => {
        server = await startServer();
    });
    after(() => server.stop());

    for (const [mode, transports] of [['polling', ['polling']], ['websocket', ['websocket']],
        ['upgrade', ['polling', 'websocket']]]) {
        test(`client in mode ${mode} exchanges text and binary`, async () => {
            const socket = new EngineSocket(server.http, { path: '/engine.io/', transports });
            const got = [];
            socket.on('message', (data) => got.push(data));
            await within(new Promise((resolve) => socket.on('open', resolve)), 'open');
            if (mode === 'upgrade') {
                await within(new Promise((resolve) => socket.on('upgrade', resolve)), 'upgrade');
            }
            const binary = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
            const sent = ['hello', binary, 'é€😀', Buffer.alloc(0), 'x'.repeat(50_000)];
            sent.forEach((data) => socket.send(data));
            await until(() => got.length === sent.length, 'all came back');
            sent.forEach((data, i) => {
                assert.equal(Buffer.from(got[i]).compare(Buffer.from(data)), 0, `message ${i}`);
                assert.equal(typeof got[i], typeof data);
            });
            // Three heartbeats pass.
            let pings = 0;
            socket.on('ping', () => pings++);
            await until(() => pings >= 3, 'three pings');
            assert.equal(socket.readyState, 'open');
            socket.close();
        });
    }
});
