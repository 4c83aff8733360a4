// SPDX-License-Identifier: Apache-2.0
// Engine.IO v4 long-polling on the wire: payloads, overlaps, aborts and the payload limit.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import zlib from 'node:zlib';
import { assertError, openSocket, Polling, SEPARATOR } from './eio.mjs';
import { chunked, Connection, fetchRaw } from './raw_http.mjs';
import { CALM, startServer } from './server.mjs';
import { sleep, within } from './wait.mjs';

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

    for (const [accept, coding, unpack] of [['gzip', 'gzip', zlib.gunzipSync],
        ['deflate', 'deflate', zlib.inflateSync], ['br;q=1, gzip;q=0.5', 'gzip', zlib.gunzipSync],
        ['gzip;q=0', undefined], ['br', undefined], ['identity', undefined]]) {
        test(`long answer to a client that accepts ${accept} is unpacked whole`, async (t) => {
            const session = await Polling.open(server);
            const text = `4${'long polling é '.repeat(1000)}`;
            const get = () => fetchRaw(server.port, { target: session.target,
                headers: { 'Accept-Encoding': accept } });
            await session.post(text);
            const long = await get();
            if (coding && accept !== 'gzip' && !long.headers['content-encoding']) {
                t.diagnostic('not compressed'); // a choice of the server's
            } else {
                assert.equal(long.headers['content-encoding'], coding);
            }
            const bytes = long.headers['content-encoding'] ? unpack(long.bytes) : long.bytes;
            assert.equal(bytes.toString(), text);
            await session.post('4short');
            const short = await get();
            assert.equal(short.headers['content-encoding'], undefined);
            assert.equal(short.body, '4short');
        });
    }

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

    test('session goes on after a body that was too long', async () => {
        const session = await Polling.open(server);
        for (const head of ['Content-Length: 300000', 'Transfer-Encoding: chunked']) {
            const piece = Buffer.from(`1000\r\n${'4'.repeat(4096)}\r\n`);
            const { answer } = await stream(session, head, piece, 300_000);
            assert.equal(answer.status, 413);
            assert.equal((await session.post(`4after ${head}`)).body, 'ok');
            assert.equal((await session.get()).body, `4after ${head}`);
        }
        await session.post('1');
        await session.assertGone();
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
