// SPDX-License-Identifier: Apache-2.0
// Engine.IO v4 on the wire: https://socket.io/docs/v4/engine-io-protocol/.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openSocket, Polling, SEPARATOR } from './eio.mjs';
import { require } from './packages.mjs';
import { Peer } from './peer.mjs';
import { chunked, Connection, fetchRaw } from './raw_http.mjs';
import { frame, RawSocket, TEXT } from './raw_ws.mjs';
import { CALM, reference, startServer } from './server.mjs';
import { sleep, until, within } from './wait.mjs';

const { Socket: EngineSocket } = require('engine.io-client');

const PATHS = ['/engine.io/', '/socket.io/'];
const OPEN_KEYS = '["sid","upgrades","pingInterval","pingTimeout","maxPayload"]';
const MAX_PAYLOAD = 1_000_000;

const ERRORS = {
    0: 'Transport unknown',
    1: 'Session ID unknown',
    2: 'Bad handshake method',
    3: 'Bad request',
    5: 'Unsupported protocol version',
};

const at = (path, query) => `${path}?${query}`;

function assertError(answer, code) {
    assert.equal(answer.status, 400, answer.body);
    assert.equal(answer.body, JSON.stringify({ code, message: ERRORS[code] }));
    assert.equal(answer.headers['content-type'], 'application/json');
}

describe('engine.io handshake', () => {
    let server;
    before(async () => {
        server = await startServer();
    });
    after(() => server.stop());

    for (const path of PATHS) {
        test(`polling handshake on ${path} has the five keys and the headers`, async () => {
            const target = at(path, 'EIO=4&transport=polling');
            const answer = await fetchRaw(server.port, { target });
            assert.equal(answer.status, 200);
            assert.equal(answer.headers['content-type'], 'text/plain; charset=UTF-8');
            assert.equal(answer.headers['cache-control'], 'no-store');
            assert.equal(Number(answer.headers['content-length']), answer.bytes.length);
            assert.match(answer.body, new RegExp('^0\\{"sid":"[A-Za-z0-9_-]{20}",' +
                '"upgrades":\\["websocket"\\],"pingInterval":300,"pingTimeout":200,' +
                '"maxPayload":1000000\\}$'));
        });

        test(`websocket handshake on ${path} has no upgrades`, async () => {
            const peer = await openSocket(server, path);
            assert.equal(JSON.stringify(Object.keys(peer.open)), OPEN_KEYS);
            assert.match(peer.open.sid, /^[A-Za-z0-9_-]{20}$/);
            assert.deepEqual(peer.open.upgrades, []);
            assert.equal(peer.open.pingInterval, 300);
            assert.equal(peer.open.pingTimeout, 200);
            assert.equal(peer.open.maxPayload, MAX_PAYLOAD);
            await peer.close();
        });

        const sidQuery = 'EIO=4&transport=polling&sid=';
        const refused = [
            ['no EIO', 'GET', 'transport=polling', 5],
            ['EIO of letters', 'GET', 'EIO=abc&transport=polling', 5],
            ['EIO 3', 'GET', 'EIO=3&transport=polling', 5],
            ['no transport', 'GET', 'EIO=4', 0],
            ['no query', 'GET', '', 0],
            ['unknown transport', 'GET', 'EIO=4&transport=abc', 0],
            ['webtransport', 'GET', 'EIO=4&transport=webtransport', 0],
            ['transport __proto__', 'GET', 'EIO=4&transport=__proto__', 0],
            ['transport constructor', 'GET', 'EIO=4&transport=constructor', 0],
            ['POST without a session', 'POST', 'EIO=4&transport=polling', 2],
            ['PUT without a session', 'PUT', 'EIO=4&transport=polling', 2],
            ['DELETE without a session', 'DELETE', 'EIO=4&transport=polling', 2],
            ['short sid', 'GET', `${sidQuery}zzz`, 1],
            ['unknown sid of the right form', 'GET', `${sidQuery}AAAAAAAAAAAAAAAAAAAA`, 1],
            ['sid __proto__', 'GET', `${sidQuery}__proto__`, 1],
            ['long sid', 'GET', `${sidQuery}${'A'.repeat(4000)}`, 1],
            ['POST to an unknown sid', 'POST', `${sidQuery}zzz`, 1],
            ['websocket without upgrade', 'GET', 'EIO=4&transport=websocket', 3],
        ];
        for (const [what, method, query, code] of refused) {
            test(`handshake on ${path} with ${what} is refused with code ${code}`, async () => {
                const options = { method, target: at(path, query) };
                if (method !== 'GET') {
                    options.body = '';
                }
                assertError(await fetchRaw(server.port, options), code);
            });
        }

        const refusedUpgrades = [
            ['no EIO', 'transport=websocket', 5],
            ['EIO of letters', 'EIO=abc&transport=websocket', 5],
            ['EIO 3', 'EIO=3&transport=websocket', 5],
            ['no transport', 'EIO=4', 0],
            ['unknown transport', 'EIO=4&transport=abc', 0],
            ['transport __proto__', 'EIO=4&transport=__proto__', 0],
            ['unknown sid', 'EIO=4&transport=websocket&sid=nope', 1],
            ['sid __proto__', 'EIO=4&transport=websocket&sid=__proto__', 1],
        ];
        for (const [what, query, code] of refusedUpgrades) {
            // The reference answers 101 and then code 5.
            const skip = reference && code === 5;
            test(`upgrade on ${path} with ${what} gets a plain 400`, { skip }, async () => {
                const raw = await RawSocket.open(server.port, at(path, query), { expect: 400 });
                assert.match(raw.header('content-type'), /^text\/html/);
                assert.equal(raw.header('connection'), 'close');
                assert.equal(Number(raw.header('content-length')), ERRORS[code].length);
                await within(raw.ended, 'the refused connection to end');
                assert.equal(raw.bytesRead, raw.head.length + 4 + ERRORS[code].length);
            });
        }

        test(`websocket on ${path} with a bad EIO or transport closes`, async () => {
            for (const query of ['transport=websocket', 'EIO=abc&transport=websocket', 'EIO=4',
                'EIO=4&transport=abc']) {
                const peer = new Peer(`${server.ws}${at(path, query)}`);
                await peer.whenClosed();
            }
        });
    }

    test('upgrade with transport=polling never opens a session', async () => {
        const peer = new Peer(`${server.ws}/engine.io/?EIO=4&transport=polling`);
        await peer.whenClosed();
        assert.equal(peer.waiting, 0);
    });

    test('unknown query parameters are ignored', async () => {
        const target = '/engine.io/?t=Pabc&EIO=4&x=%22%20&transport=polling&b64=1';
        const answer = await fetchRaw(server.port, { target });
        assert.equal(answer.status, 200);
    });

    test('500 sids are all different and use the whole alphabet', async () => {
        const connection = await Connection.open(server.port);
        const sids = new Set();
        const letters = Array.from({ length: 16 }, () => new Set());
        for (let i = 0; i < 500; i++) {
            const answer = await connection.request({
                target: '/engine.io/?EIO=4&transport=polling' });
            const { sid } = JSON.parse(answer.body.slice(1));
            sids.add(sid);
            letters.forEach((set, k) => set.add(sid[k]));
        }
        connection.destroy();
        assert.equal(sids.size, 500);
        const varied = letters.filter((set) => set.size > 40).length;
        assert.ok(varied >= 15, `only ${varied} of the first 16 characters vary freely`);
    });

    test('connection stays usable after an error answer', async () => {
        const connection = await Connection.open(server.port);
        assertError(await connection.request({ target: '/engine.io/?EIO=4' }), 0);
        const answer = await connection.request({
            target: '/engine.io/?EIO=4&transport=polling' });
        assert.equal(answer.status, 200);
        connection.destroy();
    });

    test('request for another path opens no session', async () => {
        const connection = await Connection.open(server.port);
        const answer = connection.request({ target: '/other?EIO=4&transport=polling' });
        const status = await answer.then((got) => got.status, () => 'closed');
        assert.ok(status === 404 || status === 'closed', `got ${status}`);
        connection.destroy();
    });
});

describe('engine.io CORS', () => {
    let server;
    before(async () => {
        server = await startServer(CALM);
    });
    after(() => server.stop());

    const target = '/engine.io/?EIO=4&transport=polling';

    test('answers on /engine.io/ carry Access-Control-Allow-Origin', async () => {
        const headers = { Origin: 'http://example.org' };
        for (const one of [target, '/engine.io/?EIO=4', `${target}&sid=zzz`]) {
            const answer = await fetchRaw(server.port, { target: one, headers });
            assert.equal(answer.headers['access-control-allow-origin'], '*');
            assert.equal(answer.headers['access-control-allow-credentials'], undefined);
        }
        const session = await Polling.open(server);
        const post = await session.post('4hello', headers);
        assert.equal(post.headers['access-control-allow-origin'], '*');
        const get = await session.get();
        assert.equal(get.headers['access-control-allow-origin'], '*');
    });

    test('preflight on /engine.io/ is answered 204', async () => {
        const answer = await fetchRaw(server.port, { method: 'OPTIONS', target, headers: {
            Origin: 'http://example.org',
            'Access-Control-Request-Method': 'POST',
            'Access-Control-Request-Headers': 'x-token',
        } });
        assert.equal(answer.status, 204);
        assert.equal(answer.bytes.length, 0);
        assert.equal(answer.headers['access-control-allow-origin'], '*');
        assert.equal(answer.headers['access-control-allow-methods'],
            'GET,HEAD,PUT,PATCH,POST,DELETE');
        assert.equal(answer.headers['access-control-allow-headers'], 'x-token');
        assert.match(answer.headers.vary, /Access-Control-Request-Headers/i);
    });

    test('preflight without asked headers is answered 204', async () => {
        const answer = await fetchRaw(server.port, { method: 'OPTIONS', target });
        assert.equal(answer.status, 204);
        assert.equal(answer.headers['access-control-allow-origin'], '*');
        assert.equal(answer.headers['access-control-allow-headers'], undefined);
    });

    test('answers on /socket.io/ carry no CORS header', async () => {
        const answer = await fetchRaw(server.port, {
            target: '/socket.io/?EIO=4&transport=polling',
            headers: { Origin: 'http://example.org' },
        });
        assert.equal(answer.status, 200);
        assert.equal(answer.headers['access-control-allow-origin'], undefined);
    });
});

describe('engine.io long-polling messages', () => {
    let server;
    before(async () => {
        server = await startServer(CALM);
    });
    after(() => server.stop());

    const bodies = [
        ['one text packet', ['4hello']],
        ['several text packets', ['4test1', '4test2', '4test3']],
        ['text and binary packets', ['4hello', 'bAQIDBA==']],
        ['binary packets of every padding', ['bAQ==', 'bAQI=', 'bAQID', 'b/+8=']],
        ['an empty text packet', ['4']],
        ['characters of every width', ['4€ 😀 é \u0000 \u2028', '4ok']],
    ];
    for (const [what, packets] of bodies) {
        test(`payload with ${what} comes back`, async () => {
            const session = await Polling.open(server);
            const body = packets.join(SEPARATOR);
            const post = await session.post(body, { 'Content-Type': 'text/plain' });
            assert.equal(post.status, 200);
            assert.equal(post.body, 'ok');
            assert.equal(post.headers['content-type'], 'text/html');
            assert.equal(post.headers['content-length'], '2');
            assert.equal(post.headers['cache-control'], 'no-store');
            const get = await session.get();
            assert.equal(get.status, 200);
            assert.equal(get.headers['content-type'], 'text/plain; charset=UTF-8');
            assert.equal(get.headers['cache-control'], 'no-store');
            assert.equal(Number(get.headers['content-length']), get.bytes.length);
            assert.equal(get.body, body);
        });
    }

    test('poll waits for a message', async () => {
        const session = await Polling.open(server);
        const { connection, answer } = await session.poll();
        assert.equal((await session.post('4late')).body, 'ok');
        assert.equal((await answer).body, '4late');
        assert.equal((await session.post('4later')).body, 'ok');
        assert.equal((await connection.request({ target: session.target })).body, '4later');
        connection.destroy();
    });

    test('poll gets all that several posts queued', async () => {
        const session = await Polling.open(server);
        for (const part of ['4a', '4b', `4c${SEPARATOR}bAQ==`]) {
            assert.equal((await session.post(part)).body, 'ok');
        }
        assert.equal((await session.get()).body, ['4a', '4b', '4c', 'bAQ=='].join(SEPARATOR));
    });

    test('post and poll share one keep-alive connection', async () => {
        const session = await Polling.open(server);
        const connection = await Connection.open(server.port);
        for (let i = 0; i < 20; i++) {
            const post = await connection.request({ method: 'POST', target: session.target,
                body: `4n${i}` });
            assert.equal(post.body, 'ok');
            const get = await connection.request({ target: session.target });
            assert.equal(get.body, `4n${i}`);
        }
        connection.destroy();
    });

    test('pipelined post and poll are answered in order', async () => {
        const session = await Polling.open(server);
        const connection = await Connection.open(server.port);
        connection.write(`POST ${session.target} HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n` +
            `\r\n4first` + `GET ${session.target} HTTP/1.1\r\nHost: x\r\n\r\n`);
        assert.equal((await connection.response()).body, 'ok');
        assert.equal((await connection.response()).body, '4first');
        connection.destroy();
    });

    test('post body in chunks comes back whole', async () => {
        const session = await Polling.open(server);
        const text = `4${'chunk € '.repeat(5000)}`;
        const connection = await Connection.open(server.port);
        connection.write(`POST ${session.target} HTTP/1.1\r\nHost: x\r\n` +
            'Transfer-Encoding: chunked\r\n\r\n');
        connection.write(chunked(text, 777));
        assert.equal((await connection.response()).body, 'ok');
        assert.equal((await session.get()).body, text);
        connection.destroy();
    });

    test('post that arrives byte by byte comes back whole', async () => {
        const session = await Polling.open(server);
        const connection = await Connection.open(server.port);
        const text = `4slow é${SEPARATOR}bAQIDBA==`;
        const bytes = Buffer.from(`POST ${session.target} HTTP/1.1\r\nHost: x\r\n` +
            `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
        for (const byte of bytes) {
            connection.write(Buffer.from([byte]));
            await new Promise(setImmediate);
        }
        assert.equal((await connection.response()).body, 'ok');
        assert.equal((await session.get()).body, text);
        connection.destroy();
    });

    test('expect: 100-continue is honoured', async () => {
        const session = await Polling.open(server);
        const connection = await Connection.open(server.port);
        connection.write(`POST ${session.target} HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n` +
            'Expect: 100-continue\r\n\r\n');
        assert.equal((await connection.response()).status, 100);
        connection.write('4hello');
        assert.equal((await connection.response()).body, 'ok');
        connection.destroy();
    });

    test('noop packet from the client is ignored', async () => {
        const session = await Polling.open(server);
        assert.equal((await session.post(`6${SEPARATOR}4still here`)).body, 'ok');
        assert.equal((await session.get()).body, '4still here');
    });

    const malformed = [
        ['a letter as type', 'abc'],
        ['an unknown digit as type', '9x'],
        ['an empty body', ''],
        ['a separator alone', SEPARATOR],
        ['an empty packet in front', `${SEPARATOR}4a`],
        ['an empty packet at the end', `4a${SEPARATOR}`],
        ['an empty packet in the middle', `4a${SEPARATOR}${SEPARATOR}4b`],
        ['a ping', '2'],
        ['a bad packet after a good one', `4a${SEPARATOR}x`],
    ];
    for (const [what, body] of malformed) {
        test(`payload with ${what} closes the session`, async () => {
            const session = await Polling.open(server);
            const status = await session.post(body).then((post) => post.status, () => 'closed');
            assert.ok([200, 400, 'closed'].includes(status), `status ${status}`);
            await session.assertGone();
        });
    }

    test('bad packet ends the waiting poll', async () => {
        const session = await Polling.open(server);
        const { connection, answer } = await session.poll();
        await session.post('abc').catch(() => {});
        await within(Promise.race([answer.catch(() => {}), connection.closed]), 'the poll to end');
        await session.assertGone();
        connection.destroy();
    });

    test('octet-stream body is refused and closes the session', async () => {
        const session = await Polling.open(server);
        const post = await session.post(Buffer.from([4, 1, 2]), {
            'Content-Type': 'application/octet-stream' });
        assert.equal(post.status, 400);
        await session.assertGone();
    });

    test('second poll at the same time closes the session', async () => {
        const session = await Polling.open(server);
        const first = await session.poll();
        // A round trip on the first connection's server: the poll is waiting by then.
        await fetchRaw(server.port, { target: '/engine.io/?EIO=4' });
        await sleep(20);
        const second = await fetchRaw(server.port, { target: `${session.target}&t=burst` });
        assert.equal(second.status, 400);
        const answer = await first.answer;
        assert.equal(answer.status, 200);
        assert.equal(answer.body, '1');
        first.connection.destroy();
        await session.assertGone();
    });

    test('second post at the same time closes the session', async () => {
        const session = await Polling.open(server);
        const first = await Connection.open(server.port);
        first.write(`POST ${session.target} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4he`);
        await sleep(50);
        const second = await session.post('4hello');
        assert.equal(second.status, 400);
        await session.assertGone();
        first.destroy();
    });

    test('aborted poll closes the session', async () => {
        for (const how of ['destroy', 'reset', 'end']) {
            const session = await Polling.open(server);
            const { connection } = await session.poll();
            await fetchRaw(server.port, { target: '/engine.io/?EIO=4' });
            await sleep(20);
            connection[how]();
            await sleep(20);
            await session.assertGone();
            connection.destroy();
        }
    });

    test('aborted post closes the session', async () => {
        const session = await Polling.open(server);
        const connection = await Connection.open(server.port);
        connection.write(`POST ${session.target} HTTP/1.1\r\nHost: x\r\n` +
            'Content-Length: 10\r\n\r\n4');
        await sleep(50);
        connection.reset();
        await sleep(50);
        await session.assertGone();
    });

    test('request with another EIO than its session is refused with code 3', async () => {
        const session = await Polling.open(server);
        const target = session.target.replace('EIO=4', 'EIO=3');
        assertError(await fetchRaw(server.port, { target }), 3);
        assertError(await fetchRaw(server.port, { method: 'POST', target, body: '4x' }), 3);
        assert.equal((await session.post('4still')).body, 'ok');
        assert.equal((await session.get()).body, '4still');
    });

    test('plain request with transport=websocket and a sid is refused with code 3', async () => {
        const session = await Polling.open(server);
        const target = session.target.replace('polling', 'websocket');
        assertError(await fetchRaw(server.port, { target }), 3);
    });

    test('other methods on a session do not end it', async () => {
        const session = await Polling.open(server);
        const put = await fetchRaw(server.port, { method: 'PUT', target: session.target,
            body: '4x' });
        assert.ok(put.status >= 400, `status ${put.status}`);
        assert.equal((await session.post('4still')).body, 'ok');
        assert.equal((await session.get()).body, '4still');
    });
});

describe('engine.io payload limit', () => {
    let server;
    before(async () => {
        server = await startServer([...CALM, '--max-payload', '100000']);
    });
    after(() => server.stop());

    // Streams `total` bytes of body after `head` until the answer is there.
    async function stream(session, head, piece, total) {
        const connection = await Connection.open(server.port);
        connection.write(`POST ${session.target} HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n`);
        let answer;
        const answered = connection.response().then(
            (got) => { answer = got; },
            (error) => { answer = { error }; },
        );
        let sent = 0;
        for (; sent < total && !answer; sent += 4096) {
            await connection.push(piece);
            await new Promise(setImmediate);
        }
        await within(answered, 'an answer to the long body');
        connection.destroy();
        return { answer, sent };
    }

    test('body of exactly the limit is taken', async () => {
        const session = await Polling.open(server);
        assert.equal(session.open.maxPayload, 100000);
        const body = `4${'x'.repeat(99_999)}`;
        assert.equal((await session.post(body)).body, 'ok');
        assert.equal((await session.get()).body, body);
    });

    test('body one byte over the limit gets 413', async () => {
        const session = await Polling.open(server);
        const post = await session.post(`4${'x'.repeat(100_000)}`);
        assert.equal(post.status, 413);
    });

    test('long body with Content-Length gets 413 before its end', async () => {
        const session = await Polling.open(server);
        const total = 40_000_000;
        const { answer, sent } = await stream(session, `Content-Length: ${total}`,
            Buffer.alloc(4096, '4'), total);
        assert.equal(answer.status, 413);
        assert.ok(sent < total, 'the whole body was read first');
    });

    test('endless chunked body gets 413 before its end', async () => {
        const session = await Polling.open(server);
        const total = 40_000_000;
        const piece = Buffer.from(`1000\r\n${'4'.repeat(4096)}\r\n`);
        const { answer, sent } = await stream(session, 'Transfer-Encoding: chunked', piece, total);
        assert.equal(answer.status, 413);
        assert.ok(sent < total, 'the whole body was read first');
    });

    test('limit counts bytes, not characters', async () => {
        const session = await Polling.open(server);
        assert.equal((await session.post(`4${'€'.repeat(33_334)}`)).status, 413);
    });

    test('websocket message of exactly the limit is taken, one more closes', async () => {
        const peer = await openSocket(server);
        peer.send(`4${'x'.repeat(99_999)}`);
        assert.equal((await peer.next()).length, 100_000);
        peer.send(`4${'x'.repeat(100_000)}`);
        const { code } = await peer.whenClosed();
        assert.ok(code === 1009 || code === 1006 || code === 1005, `close code ${code}`);
    });
});

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
