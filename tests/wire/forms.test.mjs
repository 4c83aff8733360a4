// SPDX-License-Identifier: Apache-2.0
// One message in every form that it can take on its way: long-polling, plain and deflated frames,
// TLS; over each datapath and from one thread to another.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { noOpenssl, writeCertificate } from './certificate.mjs';
import { closeAll, happens, MODES } from './clients.mjs';
import { openDeflate } from './deflate.mjs';
import { Polling, SEPARATOR } from './eio.mjs';
import { Peer } from './peer.mjs';
import { BINARY, TEXT } from './raw_ws.mjs';
import { openRemote } from './remote.mjs';
import { CALM, host, onNic, reference, startServer } from './server.mjs';
import { until } from './wait.mjs';

const MIB = 1024 * 1024;

const values = (one) => one.got.filter(([name]) => name === 'news').map(([, value]) => value);

// Everybody gets every news exactly once; `clients` [0] sends.
async function assertNews(clients, news) {
    for (const one of clients) {
        one.got.length = 0;
    }
    for (const value of news) {
        await clients[0].ask({ op: 'emit', ev: 'news', args: [value] });
    }
    await until(() => clients.every((one) => values(one).length >= news.length), 'all came');
    await Promise.all(clients.map((one) => one.settle()));
    for (const one of clients) {
        assert.equal(values(one).length, news.length, one.who);
        values(one).forEach((value, i) => {
            if (Buffer.isBuffer(news[i])) {
                assert.ok(news[i].equals(Buffer.from(value)), `${one.who}, binary ${i}`);
            } else {
                assert.deepEqual(value, news[i], `${one.who}, value ${i}`);
            }
        });
    }
}

const NEWS = ['', 'short', 'é€😀'.repeat(500), { a: ['x'.repeat(70_000)] }, 7, null,
    Buffer.from('binary'), Buffer.alloc(100_000, 'abc'), 'last'];

describe('deflate on engine.io', () => {
    let server;
    before(async () => {
        server = await startServer(['--remote-contract', '--recovery', '120000', '--deflate',
            '--deflate-threshold', '100', ...CALM]);
    });
    after(() => server.stop());
    afterEach(closeAll);

    test('broadcast is the same to clients with and without deflate', async () => {
        const websocket = (perMessageDeflate) => ({ transports: ['websocket'],
            transportOptions: { websocket: { perMessageDeflate } } });
        const ways = [websocket(false), websocket({}), websocket({ serverMaxWindowBits: 9 }),
            websocket({ serverNoContextTakeover: true }),
            websocket({ clientNoContextTakeover: true, clientMaxWindowBits: 10 }),
            MODES[0][1], MODES[2][1]];
        const clients = await Promise.all(ways.map((how, i) =>
            openRemote(server, `way ${i}`, '/', how)));
        assert.match(clients[1].socket.io.engine.transport.ws.extensions, /permessage-deflate/);
        await assertNews(clients, NEWS);
        await assertNews(clients, NEWS);
    });

    test('long events are deflated and short ones are not', async () => {
        const raw = await openDeflate(server.port, 'permessage-deflate',
            '/socket.io/?EIO=4&transport=websocket');
        assert.ok(raw.agreed);
        assert.equal((await raw.inflated()).payload[0], 0x30);
        await raw.sendCompressed(TEXT, '40{"who":"raw"}');
        assert.match((await raw.inflated()).payload.toString(), /^40\{"sid":/);
        for (const [length, compressed] of [[10, false], [5000, true], [20, false]]) {
            const query = { op: 'emit', ev: 'news', args: ['y'.repeat(length)] };
            await raw.sendCompressed(TEXT, `421${JSON.stringify(['do', query])}`);
            let seen;
            for (let acked = false; !seen || !acked;) {
                const got = await raw.inflated();
                const text = got.payload.toString();
                if (text.startsWith('431')) {
                    acked = true;
                } else {
                    assert.ok(text.startsWith(`42["news","${'y'.repeat(length)}"`));
                    seen = got;
                }
            }
            // The reference deflates everything while the context is kept.
            if (!reference) {
                assert.equal(seen.compressed, compressed, `${length} bytes`);
            }
        }
        raw.destroy();
    });
});

describe('TLS', { skip: noOpenssl }, () => {
    let folder;
    let server;
    let plain;
    before(async () => {
        folder = mkdtempSync(joinPath(tmpdir(), 'zapnic-tls-'));
        const tls = [...writeCertificate(folder), ...CALM];
        server = await startServer(['--remote-contract', '--recovery', '120000', ...tls]);
        plain = await startServer(tls);
    });
    after(async () => {
        rmSync(folder, { recursive: true });
        await plain.stop();
        await server.stop();
    });
    afterEach(closeAll);

    const secure = () => ({ http: `https://${host}:${server.port}` });

    for (const [mode, how] of MODES) {
        test(`client by ${mode} exchanges all kinds of messages`, async () => {
            const options = { ...how, rejectUnauthorized: false };
            const clients = await Promise.all(['a', 'b'].map((who) =>
                openRemote(secure(), who, '/', options)));
            await assertNews(clients, NEWS);
        });
    }

    test('plain websocket echoes every size', async () => {
        const peer = await Peer.open(`wss://${host}:${plain.port}/ws`, [],
            { rejectUnauthorized: false });
        for (const size of [0, 1, 125, 126, 16_384, 16_385, 65_536, MIB, 8 * MIB]) {
            const data = Buffer.alloc(size, 'tls');
            peer.send(data);
            assert.ok((await peer.next()).equals(data), `${size} bytes`);
        }
        assert.equal((await peer.close(4000)).code, 4000);
    });

    test('client that speaks no TLS harms nobody', async () => {
        const one = await openRemote(secure(), 'one', '/',
            { transports: ['websocket'], rejectUnauthorized: false });
        const stranger = new Peer(`ws://${host}:${server.port}/ws`);
        await stranger.whenClosed();
        await one.settle();
    });
});

// Why a datapath cannot be tested here, or false.
async function missing(datapath) {
    if (reference) {
        return 'another implementation';
    }
    try {
        const server = await startServer(['--datapath', datapath]);
        await server.stop();
        return false;
    } catch {
        return `${datapath} does not start here`;
    }
}

for (const datapath of onNic ? ['dpdk'] : ['epoll', 'uring']) {
    const skip = await missing(datapath);
    for (const threads of onNic ? ['1'] : ['1', '3']) {
        describe(`datapath ${datapath} with ${threads} threads`, { skip }, () => {
            let server;
            let plain;
            const start = (more) => startServer([...more, '--datapath', datapath,
                '--threads', threads, ...CALM]);
            before(async () => {
                server = await start(['--remote-contract', '--recovery', '120000']);
                plain = await start([]);
            });
            after(async () => {
                await plain.stop();
                await server.stop();
            });
            afterEach(closeAll);

            test('clients of every kind get the same', async () => {
                const clients = await Promise.all(Array.from({ length: 12 }, (_, i) =>
                    openRemote(server, `c${i}`, '/', MODES[i % 3][1])));
                await assertNews(clients, NEWS);
            });

            test('polling requests reach their session from any connection', async () => {
                const session = await Polling.open(plain);
                for (let i = 0; i < 40; i++) {
                    const { connection, answer } = await session.poll();
                    assert.equal((await session.post(`4${i}${SEPARATOR}bAQID`)).body, 'ok');
                    assert.match((await answer).body, new RegExp(`^4${i}\\b`));
                    connection.destroy();
                    if (!(await answer).body.includes('bAQID')) {
                        assert.equal((await session.get()).body, 'bAQID');
                    }
                }
                const peer = await session.upgrade(plain);
                peer.send('4over');
                assert.equal(await peer.next(), '4over');
                await peer.close();
            });

            test('plain websockets echo what they are sent', async () => {
                const peers = await Promise.all(Array.from({ length: 12 }, () =>
                    Peer.open(`${plain.ws}/ws`, [], { perMessageDeflate: true })));
                await Promise.all(peers.map(async (peer, n) => {
                    for (const size of [0, 1, 126, 65_536, MIB]) {
                        const data = Buffer.alloc(size, n + 1);
                        peer.send(data);
                        assert.ok((await peer.next()).equals(data));
                    }
                    await peer.close();
                }));
            });

            test('large messages in both directions at once come back', async () => {
                const raw = await openDeflate(plain.port);
                const data = Buffer.alloc(4 * MIB, 'both ways ');
                for (let i = 0; i < 4; i++) {
                    await raw.sendCompressed(BINARY, data);
                    raw.send(BINARY, data);
                }
                for (let i = 0; i < 8; i++) {
                    assert.ok((await raw.inflated()).payload.equals(data));
                }
                raw.destroy();
            });

            test('state is recovered wherever the client comes back', async () => {
                const [one, two] = await Promise.all(['one', 'two'].map((who) =>
                    openRemote(server, who, '/', { ...MODES[1][1], reconnectionDelay: 50 })));
                await one.join('r');
                for (let i = 0; i < 6; i++) {
                    await two.ask({ op: 'emit', ev: 'news', args: [i], rooms: ['r'] });
                    await until(() => values(one).includes(i), `news ${i} came`);
                    const again = happens(one.socket, 'connect');
                    one.socket.io.engine.transport.ws.terminate();
                    await two.ask({ op: 'emit', ev: 'news', args: [`missed ${i}`],
                        rooms: ['r'] });
                    await again;
                    assert.equal(one.socket.recovered, true, `round ${i}`);
                    await until(() => values(one).includes(`missed ${i}`), 'what was missed');
                }
                assert.equal(values(one).length, 12);
            });

            test('server stops with everybody connected', async () => {
                const crowded = await start([]);
                const peers = await Promise.all(Array.from({ length: 10 }, () =>
                    Peer.open(`${crowded.ws}/ws`)));
                const session = await Polling.open(crowded);
                const { connection } = await session.poll();
                await crowded.stop();
                await Promise.all(peers.map((peer) => peer.whenClosed()));
                connection.destroy();
            });
        });
    }
}
