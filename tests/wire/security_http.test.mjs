// SPDX-License-Identifier: Apache-2.0
// Hostile HTTP and Engine.IO, a case after each kind of break-in that has worked on servers like
// this one. A bystander with a working session watches through all of it.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Bystander, settled } from './bystander.mjs';
import { openSocket, Polling, SEPARATOR } from './eio.mjs';
import { Connection, fetchRaw } from './raw_http.mjs';
import { frame, RawSocket, TEXT, upgradeRequest } from './raw_ws.mjs';
import { CALM, reference, startServer } from './server.mjs';
import { sleep, within } from './wait.mjs';

const MIB = 1024 * 1024;
const HANDSHAKE = '/engine.io/?EIO=4&transport=polling';

let server;
let bystander;
before(async () => {
    server = await startServer([...CALM, '--connect-timeout', '60000']);
    bystander = await Bystander.open(server);
});
afterEach(() => bystander.assertWell());
after(async () => {
    await bystander.close();
    await server.stop();
});

// What becomes of raw bytes: the statuses of the responses, then whether TCP ended.
async function outcome(bytes, { ms = 3000 } = {}) {
    const connection = await Connection.open(server.port);
    connection.write(bytes);
    const statuses = [];
    const end = within(connection.ended, 'the end', ms).then(() => true, () => false);
    (async () => {
        for (;;) {
            statuses.push((await connection.response(ms * 2)).status);
        }
    })().catch(() => {});
    const ended = await end;
    connection.destroy();
    return { statuses, ended };
}

// Refused: one 4xx or 5xx at most, nothing after it, and TCP ends.
async function assertRefused(bytes, allowed = [400]) {
    const { statuses, ended } = await outcome(bytes);
    assert.ok(ended, `the connection stays open after ${JSON.stringify(statuses)}`);
    assert.ok(statuses.length <= 1, `answered ${JSON.stringify(statuses)}`);
    if (statuses.length === 1) {
        assert.ok(allowed.includes(statuses[0]), `answered ${statuses[0]}`);
    }
}

describe('polling bodies', () => {
    test('line 1: a payload of many tiny packets is read in linear time', async () => {
        const session = await Polling.open(server);
        const body = Array(300_000).fill('6').join(SEPARATOR);
        const start = Date.now();
        const post = await session.post(body);
        assert.ok([200, 400].includes(post.status), `status ${post.status}`);
        assert.ok(Date.now() - start < 5000, `took ${Date.now() - start} ms`);
    });

    test('line 1: a payload of many tiny messages is answered or refused', async () => {
        const session = await Polling.open(server);
        const post = await session.post(Array(200_000).fill('4x').join(SEPARATOR));
        assert.ok([200, 400, 413].includes(post.status), `status ${post.status}`);
    });

    test('line 1: an endless body is cut off at the limit', async () => {
        const session = await Polling.open(server);
        const connection = await Connection.open(server.port);
        connection.write(`POST ${session.target} HTTP/1.1\r\nHost: x\r\n` +
            'Transfer-Encoding: chunked\r\n\r\n');
        const answered = connection.response();
        const piece = Buffer.from(`10000\r\n${'4'.repeat(65536)}\r\n`);
        let done = false;
        answered.then(() => { done = true; }, () => { done = true; });
        let sent = 0;
        for (; !done && sent < 200 * MIB; sent += 65536) {
            await connection.push(piece);
            await new Promise(setImmediate);
        }
        assert.equal((await answered).status, 413);
        assert.ok(sent < 100 * MIB, `${sent} bytes were taken`);
        connection.destroy();
    });

    test('line 2: a large event is parsed in linear time', async () => {
        const session = await Polling.open(server, '/socket.io/');
        await session.post('40');
        await session.packets(2);
        const start = Date.now();
        await session.post(`42["message",[${Array(400_000).fill(1)}]]`);
        const [back] = await session.packets(1);
        assert.ok(back.length > 800_000);
        assert.ok(Date.now() - start < 5000, `took ${Date.now() - start} ms`);
    });

    test('line 12: an octet-stream body leaves no response open', async () => {
        for (let i = 0; i < 20; i++) {
            const session = await Polling.open(server);
            const post = await session.post(Buffer.from([4, 65]), {
                'Content-Type': 'application/octet-stream' });
            assert.equal(post.status, 400);
            await session.assertGone();
        }
    });

    test('line 19: payloads of every malformed kind end the session or are taken', async () => {
        const bodies = [
            'b', 'b=', 'b====', 'bA', 'bAA', 'bAAA', 'b!!!!', 'bAQ=I', 'b\u00ff\u00ff',
            `4a${SEPARATOR}b`, `b4AAA${SEPARATOR}4a`, `4${'\u0000'}`, '\u001e\u001e\u001e',
            Buffer.from([0x34, 0xff, 0xfe]), Buffer.from([0x34, 0xed, 0xa0, 0x80]),
            Buffer.from([0xff]), '10:4hello', '1:2', '0{"sid":"x"}', '5', '5probe', '2probe',
            '3probe', 'b'.repeat(1000),
        ];
        for (const body of bodies) {
            const session = await Polling.open(server);
            const post = await session.post(body);
            assert.ok([200, 400].includes(post.status), `status ${post.status}`);
        }
    });

    test('line 18: a burst of polls on one session ends it alone', async () => {
        const session = await Polling.open(server);
        const all = await settled(Array.from({ length: 20 }, () => session.get()));
        const statuses = all.map(({ value }) => value?.status);
        assert.ok(statuses.includes(400) && statuses.includes(200), String(statuses));
        assert.ok(statuses.filter((status) => status === 200).length === 1);
        await session.assertGone();
    });

    test('line 18: a burst of posts on one session harms nobody', async () => {
        const session = await Polling.open(server);
        const all = await settled(Array.from({ length: 50 }, (_, i) => session.post(`4${i}`)));
        assert.ok(all.every(({ value }) => !value || [200, 400].includes(value.status)));
    });

    test('line 22: answers cannot be taken for a page', { skip: reference }, async () => {
        const session = await Polling.open(server);
        const post = await session.post('4<script>alert(1)</script>');
        assert.equal(post.body, 'ok');
        assert.equal(post.headers['x-content-type-options'], 'nosniff');
        const get = await session.get();
        assert.match(get.headers['content-type'], /^text\/plain/);
        assert.equal(get.headers['x-content-type-options'], 'nosniff');
    });

    test('line 22: no answer repeats what the request said', async () => {
        const evil = '%3Cscript%3Ealert(1)%3C/script%3E';
        for (const target of [`/engine.io/?EIO=4&transport=${evil}`, `${HANDSHAKE}&sid=${evil}`,
            `${HANDSHAKE}&j=${evil}`, `/engine.io/?EIO=${evil}&transport=polling`]) {
            const answer = await fetchRaw(server.port, { target });
            assert.ok(!/script/i.test(answer.body), answer.body);
        }
    });
});

describe('sessions', () => {
    test('line 5: odd transports are refused, upgrade or not', async () => {
        const odd = ['', 'abc', 'Websocket', 'websocket%00', '__proto__', 'constructor',
            'webtransport', 'polling,websocket', 'toString', 'hasOwnProperty', '%', '%zz'];
        for (const transport of odd) {
            const query = `/engine.io/?EIO=4&transport=${transport}`;
            const answer = await fetchRaw(server.port, { target: query });
            assert.equal(answer.status, 400, transport);
            const { statuses, ended } = await outcome(upgradeRequest(query));
            assert.deepEqual(statuses, [400], transport);
            assert.ok(ended);
        }
    });

    test('line 5: repeated query keys never confuse', async () => {
        for (const query of ['EIO=4&EIO=3&transport=polling', 'EIO=3&EIO=4&transport=polling',
            'EIO=4&transport=polling&transport=websocket', 'EIO[]=4&transport[]=polling',
            'EIO=4&transport=polling&sid=a&sid=b', '&&&=&=4&EIO', 'EIO=4&transport=polling&sid=']) {
            const answer = await fetchRaw(server.port, { target: `/engine.io/?${query}` });
            assert.ok([200, 400].includes(answer.status), `${query}: ${answer.status}`);
        }
    });

    test('line 13: sids of every odd form are unknown', async () => {
        const sids = ['__proto__', 'constructor', 'x', 'A'.repeat(19), 'A'.repeat(21),
            'A'.repeat(10_000), '%00'.repeat(20), '%41'.repeat(20), '../../etc/passwd12',
            '%F0%9F%98%80'.repeat(5), '-_'.repeat(10), '+'.repeat(20), "'%20OR%201=1--%20aaaaaa"];
        for (const sid of sids) {
            const answer = await fetchRaw(server.port, { target: `${HANDSHAKE}&sid=${sid}` });
            assert.equal(answer.status, 400, sid);
            assert.equal(answer.body, '{"code":1,"message":"Session ID unknown"}');
        }
    });

    test('line 14: a request with another EIO does not touch its session', async () => {
        const session = await Polling.open(server);
        for (const EIO of ['3', '5', '44', '04', '4.0', '', 'abc']) {
            const target = session.target.replace('EIO=4', `EIO=${EIO}`);
            const answer = await fetchRaw(server.port, { target: `${target}&EIOX`, method: 'POST',
                body: '1' });
            assert.ok(answer.status === 400 || reference, `EIO=${EIO}: ${answer.status}`);
        }
        if (!reference) {
            await session.post('4still');
            assert.equal((await session.get()).body, '4still');
        }
    });

    test('line 16: foreign origins get no permission on /socket.io/', async () => {
        for (const origin of ['http://evil.example', 'null', 'http://localhost.evil.example']) {
            const answer = await fetchRaw(server.port, {
                target: '/socket.io/?EIO=4&transport=polling', headers: { Origin: origin } });
            for (const name of Object.keys(answer.headers)) {
                assert.ok(!name.startsWith('access-control-'), name);
            }
        }
    });

    test('line 17: sids do not repeat or count', async () => {
        const sids = [];
        const connection = await Connection.open(server.port);
        for (let i = 0; i < 300; i++) {
            const answer = await connection.request({ target: HANDSHAKE });
            sids.push(JSON.parse(answer.body.slice(1)).sid);
        }
        connection.destroy();
        assert.equal(new Set(sids.map((sid) => sid.slice(0, 12))).size, 300);
    });

    test('line 18: abandoned polls and upgrades hold no session', async () => {
        for (const stage of ['polling', 'request', 'socket', 'probe']) {
            const session = await Polling.open(server);
            const { connection } = await session.poll();
            if (stage === 'request') {
                const half = await Connection.open(server.port);
                half.write(upgradeRequest(session.target.replace('polling', 'websocket'))
                    .slice(0, -10));
                half.reset();
            } else if (stage !== 'polling') {
                const peer = await session.socket(server);
                if (stage === 'probe') {
                    peer.send('2probe');
                    assert.equal(await peer.next(), '3probe');
                }
                peer.terminate();
            }
            await fetchRaw(server.port, { target: '/engine.io/' });
            await sleep(30);
            connection.reset();
            await sleep(30);
            if (stage !== 'probe') {
                await session.assertGone();
            }
        }
    });

    test('line 50: colliding-looking names cost no more than others', async () => {
        const took = async (name) => {
            const connection = await Connection.open(server.port);
            const start = process.hrtime.bigint();
            for (let i = 0; i < 1500; i++) {
                await connection.request({ target: `${HANDSHAKE}&sid=${name(i)}` });
            }
            connection.destroy();
            return Number(process.hrtime.bigint() - start) / 1e6;
        };
        const plain = await took((i) => `sid${String(i).padStart(17, '0')}`);
        const pairs = await took((i) => [...Array(10)].map((_, k) => (i >> k) & 1 ? 'Aa' : 'BB')
            .join(''));
        assert.ok(pairs < plain * 5 + 500, `${pairs} ms against ${plain} ms`);
    });
});

describe('upgrades', () => {
    test('line 3: a bad frame right after the upgrade closes that connection', async () => {
        const session = await Polling.open(server);
        for (const path of [HANDSHAKE.replace('polling', 'websocket'),
            session.target.replace('polling', 'websocket')]) {
            for (const rsv of [1, 2, 3]) {
                const raw = await RawSocket.open(server.port, path, {
                    early: frame(TEXT, 'x', { rsv }) });
                const { code } = await raw.closing();
                assert.ok(code === 1002 || code === undefined || code === null, `code ${code}`);
                await within(raw.ended, 'TCP to end', 3000);
                raw.destroy();
            }
        }
    });

    test('line 4: resets in every state of the handshake harm nobody', async () => {
        const whole = upgradeRequest(HANDSHAKE.replace('polling', 'websocket'));
        for (let cut = 1; cut <= whole.length; cut += 7) {
            const connection = await Connection.open(server.port);
            connection.write(whole.slice(0, cut));
            if (cut % 3 === 0) {
                await new Promise(setImmediate);
            }
            connection.reset();
        }
        for (let i = 0; i < 50; i++) {
            const session = await Polling.open(server);
            const connection = await Connection.open(server.port);
            connection.write(upgradeRequest(session.target.replace('polling', 'websocket')));
            connection.write(frame(TEXT, '2probe'));
            if (i & 1) {
                await new Promise(setImmediate);
            }
            connection.reset();
        }
    });

    test('line 11: 300 connections that never speak leave the server quick', async () => {
        const idle = await Promise.all(Array.from({ length: 300 }, () =>
            Connection.open(server.port)));
        const start = Date.now();
        await bystander.assertWell();
        assert.ok(Date.now() - start < 2000);
        idle.forEach((connection) => connection.reset());
    });

    test('line 42: refused upgrades free what they held', async () => {
        const path = '/engine.io/?EIO=4&transport=websocket&sid=nope';
        for (let i = 0; i < 200; i++) {
            const raw = await RawSocket.open(server.port, path, { expect: 400,
                early: frame(TEXT, 'early frame that nobody reads') });
            raw.destroy();
        }
    });

    test('line 30: more headers than allowed are refused', async () => {
        for (const count of [200, 3000]) {
            const headers = Object.fromEntries(Array.from({ length: count },
                (_, i) => [`X-Header-${i}`, 'x']));
            const { statuses, ended } = await outcome(
                upgradeRequest(HANDSHAKE.replace('polling', 'websocket'), headers));
            if (count === 200 && reference) {
                continue;
            }
            assert.ok(ended);
            assert.ok(statuses.every((status) => [400, 431].includes(status)), `${statuses}`);
        }
    });
});

describe('request heads', () => {
    const get = (lines, target = HANDSHAKE) =>
        [`GET ${target} HTTP/1.1`, ...lines, '', ''].join('\r\n');
    const post = (lines, body) =>
        [`POST ${HANDSHAKE} HTTP/1.1`, 'Host: x', ...lines, '', body].join('\r\n');
    const next = `GET /engine.io/?smuggled HTTP/1.1\r\nHost: x\r\n\r\n`;

    const smuggling = [
        ['content-length with transfer-encoding',
            post(['Content-Length: 6', 'Transfer-Encoding: chunked'], `0\r\n\r\n${next}`)],
        ['transfer-encoding with content-length',
            post(['Transfer-Encoding: chunked', 'Content-Length: 6'], `0\r\n\r\n${next}`)],
        ['two content-lengths that differ',
            post(['Content-Length: 0', 'Content-Length: 5'], `hello${next}`)],
        ['two content-lengths alike', post(['Content-Length: 5', 'Content-Length: 5'], 'hello')],
        ['a list of content-lengths', post(['Content-Length: 5, 5'], 'hello')],
        ['a content-length with a sign', post(['Content-Length: +5'], 'hello')],
        ['a negative content-length', post(['Content-Length: -5'], 'hello')],
        ['a hexadecimal content-length', post(['Content-Length: 0x5'], 'hello')],
        ['an empty content-length', post(['Content-Length:'], '')],
        ['a content-length with a space inside', post(['Content-Length: 5 5'], 'hello')],
        ['a content-length of 2^64 + 5', post(['Content-Length: 18446744073709551621'], 'hello')],
        ['a content-length of letters', post(['Content-Length: five'], 'hello')],
        ['a folded header', post(['X-A: b', ' c', 'Content-Length: 0'], '')],
        ['a folded first header', get([' Host: x'])],
        ['a space before the colon', post(['Content-Length : 5'], 'hello')],
        ['a tab before the colon', post(['Content-Length\t: 5'], 'hello')],
        ['a header without a colon', get(['Host: x', 'Nothing'])],
        ['a header without a name', get(['Host: x', ': value'])],
        ['a name with a bracket', get(['Host: x', 'X[0]: value'])],
        ['a bare LF after the request line', `GET ${HANDSHAKE} HTTP/1.1\nHost: x\r\n\r\n`],
        ['bare LFs all over', `GET ${HANDSHAKE} HTTP/1.1\nHost: x\n\n`],
        ['a bare CR in a value', get(['Host: x', 'X-A: b\rX-B: c'])],
        ['a bare LF in a value', get(['Host: x', 'X-A: b\nContent-Length: 5'])],
        ['a NUL in a value', get(['Host: x', 'X-A: b\0c'])],
        ['a control character in a value', get(['Host: x', 'X-A: b\x01c'])],
        ['no Host', get([])],
        ['two Hosts', get(['Host: a', 'Host: b'])],
        ['two Hosts alike', get(['Host: a', 'Host: a'])],
        ['a Host with a space', get(['Host: a b'])],
        ['transfer-encoding identity', post(['Transfer-Encoding: identity'], ''), [400, 501]],
        ['transfer-encoding gzip, chunked', post(['Transfer-Encoding: gzip, chunked'],
            '0\r\n\r\n'), [400, 501]],
        ['transfer-encoding chunked, gzip', post(['Transfer-Encoding: chunked, gzip'],
            '0\r\n\r\n'), [400, 501]],
        ['transfer-encoding chunked twice', post(['Transfer-Encoding: chunked',
            'Transfer-Encoding: chunked'], '0\r\n\r\n')],
        ['transfer-encoding xchunked', post(['Transfer-Encoding: xchunked'], '0\r\n\r\n'),
            [400, 501]],
        ['transfer-encoding "chunked"', post(['Transfer-Encoding: "chunked"'], '0\r\n\r\n'),
            [400, 501]],
        ['transfer-encoding after a vertical tab', post(['Transfer-Encoding: \x0bchunked'],
            '0\r\n\r\n'), [400, 501]],
        ['transfer-encoding on HTTP/1.0',
            post(['Transfer-Encoding: chunked'], '0\r\n\r\n').replace('1.1', '1.0')],
        ['two spaces in the request line', get(['Host: x']).replace(' HTTP', '  HTTP')],
        ['a tab in the request line', get(['Host: x']).replace('GET ', 'GET\t')],
        ['HTTP/1.2', get(['Host: x']).replace('1.1', '1.2'), [400, 505]],
        ['HTTP/2.0', get(['Host: x']).replace('1.1', '2.0'), [400, 505]],
        ['HTTP/0.9', `GET ${HANDSHAKE}\r\n\r\n`, [400, 505]],
        ['http in lower case', get(['Host: x']).replace('HTTP', 'http'), [400, 505]],
        ['a target without a slash', get(['Host: x'], 'engine.io')],
        ['a target with a space', get(['Host: x'], '/engine io')],
        ['a target with a fragment', get(['Host: x'], `${HANDSHAKE}#x`)],
        ['a method with a bracket', get(['Host: x']).replace('GET', 'G[T'), [400, 501]],
        ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400, 505]],
        ['a TLS hello', Buffer.from('160301020001000001fc0303', 'hex')],
        ['a PROXY line from nobody', `PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n${get(['Host: x'])}`],
    ];
    for (const [what, bytes, allowed] of smuggling) {
        // Node's parser is laxer in places.
        test(`line 40: a request with ${what} is refused`, { skip: reference }, () =>
            assertRefused(bytes, allowed));
    }

    const chunks = [
        ['a size that is no number', 'x\r\nhello\r\n0\r\n\r\n'],
        ['a size with a sign', '+5\r\nhello\r\n0\r\n\r\n'],
        ['a size with 0x', '0x5\r\nhello\r\n0\r\n\r\n'],
        ['a size of 17 digits', '10000000000000005\r\nhello\r\n0\r\n\r\n'],
        ['a size of 2^63', '8000000000000000\r\nhello\r\n0\r\n\r\n'],
        ['an empty size', '\r\nhello\r\n0\r\n\r\n'],
        ['a space before its size', ' 5\r\nhello\r\n0\r\n\r\n'],
        ['a bare LF after its size', '5\nhello\r\n0\r\n\r\n'],
        ['a bare CR after its size', '5\rhello\r\n0\r\n\r\n'],
        ['more data than its size', '5\r\nhello!\r\n0\r\n\r\n'],
        ['a bare LF after its data', '5\r\nhello\n0\r\n\r\n'],
        ['endless extensions', `5;${'a=b;'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`],
        ['a bare LF in its extension', '5;a\n\r\nhello\r\n0\r\n\r\n'],
        ['endless trailers', `0\r\n${'X-A: b\r\n'.repeat(20_000)}\r\n`],
        ['a bare LF in its trailer', '0\r\nX: y\n\r\n'],
    ];
    for (const [what, body] of chunks) {
        test(`line 40: a chunk with ${what} is refused`, { skip: reference }, async () => {
            const session = await Polling.open(server);
            await assertRefused(`POST ${session.target} HTTP/1.1\r\nHost: x\r\n` +
                `Transfer-Encoding: chunked\r\n\r\n${body}`, [400, 413, 431]);
        });
    }

    test('line 40: a chunk with an extension and a trailer is taken', async () => {
        const session = await Polling.open(server);
        const connection = await Connection.open(server.port);
        connection.write(`POST ${session.target} HTTP/1.1\r\nHost: x\r\n` +
            'Transfer-Encoding: chunked\r\n\r\n' +
            '3;a=b;c="d e"\r\n4he\r\n003\r\nllo\r\n0\r\nX-Sum: 1\r\n\r\n');
        assert.equal((await connection.response()).body, 'ok');
        assert.equal((await session.get()).body, '4hello');
        connection.destroy();
    });

    test('line 40: what follows a refused request is not answered', async () => {
        for (const bad of [post(['Content-Length: 5', 'Content-Length: 6'], 'hello'),
            get(['Host: a', 'Host: b'])]) {
            const { statuses, ended } = await outcome(bad + get(['Host: x']).repeat(5));
            assert.ok(ended || reference);
            assert.ok(statuses.length <= 1 || reference, `answered ${statuses}`);
        }
    });

    test('line 41: a head that never ends is refused at its limit', async () => {
        const connection = await Connection.open(server.port);
        connection.write(`GET ${HANDSHAKE} HTTP/1.1\r\nHost: x\r\n`);
        let ended = false;
        connection.ended.then(() => { ended = true; });
        let sent = 0;
        for (; !ended && sent < 8 * MIB; sent += 1010) {
            connection.write(`X-${sent}: ${'y'.repeat(1000)}\r\n`);
            await new Promise(setImmediate);
        }
        assert.ok(ended, `${sent} bytes of head were taken`);
        connection.destroy();
    });

    test('line 41: a target that never ends is refused at its limit', async () => {
        const connection = await Connection.open(server.port);
        connection.write('GET /');
        let ended = false;
        connection.ended.then(() => { ended = true; });
        let sent = 0;
        for (; !ended && sent < 8 * MIB; sent += 1000) {
            connection.write('x'.repeat(1000));
            await new Promise(setImmediate);
        }
        assert.ok(ended, `${sent} bytes of target were taken`);
        connection.destroy();
    });

    test('line 41: a long head in single bytes costs linear time', async () => {
        const bytes = Buffer.from(get(['Host: x', ...Array.from({ length: 30 }, (_, i) =>
            `X-Header-${i}: ${'v'.repeat(200)}`)]));
        const connection = await Connection.open(server.port);
        const start = Date.now();
        for (let at = 0; at < bytes.length; at++) {
            connection.write(bytes.subarray(at, at + 1));
            if (at % 8 === 0) {
                await new Promise(setImmediate);
            }
        }
        assert.equal((await connection.response()).status, 200);
        assert.ok(Date.now() - start < 8000, `took ${Date.now() - start} ms`);
        connection.destroy();
    });

    test('line 46: nothing of the request can split an answer', async () => {
        const evil = ['%0d%0aX-Evil:%201', '%0aX-Evil:1', 'a%0d%0a%0d%0aHTTP/1.1%20200%20OK'];
        for (const one of evil) {
            for (const target of [`${HANDSHAKE}&x=${one}`, `/${one}`, `/engine.io/${one}`,
                `/engine.io/?EIO=4&transport=${one}`]) {
                const connection = await Connection.open(server.port);
                const got = await connection.request({ target, headers: {
                    Origin: 'http://a', 'Access-Control-Request-Headers': 'x' } })
                    .catch(() => null);
                assert.equal(got?.headers['x-evil'], undefined);
                assert.equal(connection.rest.length, 0);
                connection.destroy();
            }
        }
        const raw = await RawSocket.open(server.port, '/ws', { headers: {
            'Sec-WebSocket-Protocol': 'a\tX-Evil: 1' } }).catch((error) => error);
        assert.ok(raw instanceof Error || !/x-evil/i.test(raw.head));
        raw.destroy?.();
    });

    test('pipelined requests beyond reason are answered or cut off', async () => {
        const connection = await Connection.open(server.port);
        const one = get(['Host: x'], '/engine.io/?EIO=4');
        connection.write(one.repeat(5000));
        let answers = 0;
        try {
            for (; answers < 5000; answers++) {
                assert.equal((await connection.response(5000)).status, 400);
            }
        } catch {
            await within(connection.ended, 'the end', 1000);
        }
        assert.ok(answers > 0);
        connection.destroy();
    });

    test('websocket session on a connection that polled before works', async () => {
        const connection = await Connection.open(server.port);
        assert.equal((await connection.request({ target: HANDSHAKE })).status, 200);
        connection.write(upgradeRequest('/ws'));
        assert.equal((await connection.response()).status, 101);
        connection.destroy();
        const peer = await openSocket(server);
        await peer.close();
    });
});
