// SPDX-License-Identifier: Apache-2.0
// RFC 6455 on the wire, against the plain WebSocket echo at /ws: handshake and frames.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Connection, fetchRaw } from './raw_http.mjs';
import {
    assertCloses, assertEcho, BINARY, CLOSE, closePayload, frame, PING, PONG, RawSocket, TEXT,
    upgradeRequest,
} from './raw_ws.mjs';
import { CALM, reference, startServer } from './server.mjs';

const MIB = 1024 * 1024;
const MESSAGE_MAX = 64 * MIB;

let server;
before(async () => {
    server = await startServer(CALM);
});
after(() => server.stop());

const open = (options) => RawSocket.open(server.port, '/ws', options);

describe('websocket opening handshake', () => {
    test('sample key of the RFC gets the sample accept value', async () => {
        const raw = await open();
        assert.equal(raw.header('sec-websocket-accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
        assert.equal(raw.header('upgrade').toLowerCase(), 'websocket');
        assert.equal(raw.header('connection').toLowerCase(), 'upgrade');
        assert.equal(raw.header('sec-websocket-protocol'), undefined);
        assert.equal(raw.header('sec-websocket-extensions'), undefined);
        raw.destroy();
    });

    const accepted = [
        ['a list in Connection', { Connection: 'keep-alive, Upgrade' }],
        ['other case', { Connection: 'uPGRADE', Upgrade: 'WebSocket' }],
        ['a subprotocol nobody speaks', { 'Sec-WebSocket-Protocol': 'chat, superchat' }],
        ['an extension nobody speaks', { 'Sec-WebSocket-Extensions': 'x-foo; bar=1, x-bar' }],
        ['cookies and an origin', { Cookie: 'a=b; c=d', Origin: 'http://example.org' }],
    ];
    for (const [what, headers] of accepted) {
        test(`handshake with ${what} is accepted`, async () => {
            const raw = await open({ headers });
            raw.send(TEXT, 'hello');
            await assertEcho(raw, TEXT, 'hello');
            raw.destroy();
        });
    }

    test('handshake for a path with a query is accepted', async () => {
        const raw = await RawSocket.open(server.port, '/ws?room=1&x=%20');
        raw.destroy();
    });

    const refused = [
        ['no key', { 'Sec-WebSocket-Key': undefined }],
        ['an empty key', { 'Sec-WebSocket-Key': '' }],
        ['a short key', { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZQ==' }],
        ['a long key', { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZSBhbmQgbW9yZQ==' }],
        ['a key that is not base64', { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25j!!==' }],
        ['version 12', { 'Sec-WebSocket-Version': '12' }],
        ['no version', { 'Sec-WebSocket-Version': undefined }],
        ['another protocol to upgrade to', { Upgrade: 'h2c' }],
    ];
    for (const [what, headers] of refused) {
        test(`handshake with ${what} is refused`, async () => {
            const answer = await refusal(upgradeRequest('/ws', headers));
            assert.match(answer, /^(4\d\d|closed)/, answer);
        });
    }

    test('handshake by POST is refused', async () => {
        const answer = await refusal(upgradeRequest('/ws').replace('GET', 'POST'));
        assert.match(answer, /^4\d\d/);
    });

    test('handshake over HTTP/1.0 is refused', { skip: reference }, async () => {
        assert.match(await refusal(upgradeRequest('/ws').replace('1.1', '1.0')), /^4\d\d/);
    });

    test('handshake with two keys is refused', { skip: reference }, async () => {
        const key = 'dGhlIHNhbXBsZSBub25jZQ==';
        assert.match(await refusal(upgradeRequest('/ws', { 'Sec-WebSocket-Key': [key, key] })),
            /^400/);
    });

    test('wrong version is answered with the versions spoken', async () => {
        const answer = await fetchRaw(server.port, { target: '/ws', headers: {
            Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '9',
            'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' } });
        assert.ok([400, 426].includes(answer.status));
        assert.match(answer.headers['sec-websocket-version'], /\b13\b/);
    });

    test('plain GET is refused', async () => {
        const answer = await fetchRaw(server.port, { target: '/ws' });
        assert.ok(answer.status >= 400, `status ${answer.status}`);
    });

    test('frames in the segment of the handshake are taken', async () => {
        const raw = await open({ early: Buffer.concat([frame(TEXT, 'one'), frame(PING, 'two')]) });
        await assertEcho(raw, TEXT, 'one');
        const pong = await raw.next();
        assert.equal(pong.opcode, PONG);
        assert.equal(pong.payload.toString(), 'two');
        raw.destroy();
    });

    // The status of the answer to a whole request, or `closed`.
    async function refusal(bytes) {
        const connection = await Connection.open(server.port);
        connection.write(bytes);
        const status = await connection.response().then((got) => String(got.status),
            () => 'closed');
        connection.destroy();
        return status;
    }
});

describe('websocket framing', () => {
    for (const opcode of [TEXT, BINARY]) {
        const kind = opcode === TEXT ? 'text' : 'binary';
        for (const size of [0, 1, 125, 126, 127, 128, 65_535, 65_536, 65_537, MIB, 16 * MIB]) {
            test(`${kind} of ${size} bytes comes back`, async () => {
                const raw = await open();
                const text = opcode === TEXT ? wide(size) : Buffer.alloc(size, '\x00\xff\x80');
                raw.send(opcode, text);
                await assertEcho(raw, opcode, text);
                raw.send(opcode, 'after');
                await assertEcho(raw, opcode, 'after');
                raw.destroy();
            });
        }
    }

    // `size` bytes of characters of every width.
    function wide(size) {
        const some = Buffer.from('aé€😀');
        const whole = Math.floor(size / some.length) * some.length;
        return Buffer.concat([Buffer.alloc(whole, some), Buffer.alloc(size - whole, '.')]);
    }

    for (const piece of [1, 2, 3, 7]) {
        test(`frames that arrive ${piece} bytes at a time come back`, async () => {
            const raw = await open();
            const texts = ['', 'a', 'é€😀', 'x'.repeat(125), 'y'.repeat(130)];
            const bytes = Buffer.concat(texts.map((text) => frame(TEXT, text)));
            for (let at = 0; at < bytes.length; at += piece) {
                raw.write(bytes.subarray(at, at + piece));
                await new Promise(setImmediate);
            }
            for (const text of texts) {
                await assertEcho(raw, TEXT, text);
            }
            raw.destroy();
        });
    }

    for (const piece of [997, 1460, 65_536]) {
        test(`MiB that arrives ${piece} bytes at a time comes back`, async () => {
            const raw = await open();
            const payload = Buffer.alloc(MIB);
            for (let i = 0; i < MIB; i += 4) {
                payload.writeUInt32LE((i * 2654435761) >>> 0, i);
            }
            const bytes = frame(BINARY, payload);
            for (let at = 0; at < bytes.length; at += piece) {
                raw.write(bytes.subarray(at, at + piece));
                if (at % 16 === 0) {
                    await new Promise(setImmediate);
                }
            }
            await assertEcho(raw, BINARY, payload);
            raw.destroy();
        });
    }

    test('3000 frames in one write come back in order', async () => {
        const raw = await open();
        const frames = [];
        for (let i = 0; i < 3000; i++) {
            frames.push(frame(i & 1 ? TEXT : BINARY, 'x'.repeat(i % 140) + i));
        }
        raw.write(Buffer.concat(frames));
        for (let i = 0; i < 3000; i++) {
            await assertEcho(raw, i & 1 ? TEXT : BINARY, 'x'.repeat(i % 140) + i);
        }
        raw.destroy();
    });

    test('masks of all kinds are undone', async () => {
        const raw = await open();
        for (const mask of [[0, 0, 0, 0], [255, 255, 255, 255], [1, 2, 3, 4], [0, 0, 0, 128]]) {
            for (let size = 0; size < 70; size++) {
                raw.send(BINARY, Buffer.alloc(size, 0xa5), { mask: Buffer.from(mask) });
                await assertEcho(raw, BINARY, Buffer.alloc(size, 0xa5));
            }
        }
        raw.destroy();
    });

    const violations = [
        ...[1, 2, 3, 4, 5, 6, 7].map((rsv) => [`RSV ${rsv} on text`, frame(TEXT, 'x', { rsv })]),
        ...[1, 2, 4].map((rsv) => [`RSV ${rsv} on a ping`, frame(PING, 'x', { rsv })]),
        ...[1, 2, 4].map((rsv) => [`RSV ${rsv} on a close`,
            frame(CLOSE, closePayload(1000), { rsv })]),
        ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) =>
            [`reserved opcode ${opcode}`, frame(opcode, '')]),
        ['a reserved opcode with payload', frame(3, 'payload')],
        ['an unmasked text', frame(TEXT, 'hello', { masked: false })],
        ['an unmasked empty text', frame(TEXT, '', { masked: false })],
        ['an unmasked ping', frame(PING, '', { masked: false })],
        ['an unmasked close', frame(CLOSE, closePayload(1000), { masked: false })],
        ['a ping of 126 bytes', frame(PING, 'x'.repeat(126))],
        ['a pong of 126 bytes', frame(PONG, 'x'.repeat(126))],
        ['a close of 126 bytes', frame(CLOSE, closePayload(1000, 'x'.repeat(124)))],
        ['a fragmented ping', frame(PING, 'x', { fin: false })],
        ['a fragmented pong', frame(PONG, 'x', { fin: false })],
        ['a fragmented close', frame(CLOSE, closePayload(1000), { fin: false })],
        ['a continuation of nothing', frame(0, 'x')],
        ['an unfinished continuation of nothing', frame(0, 'x', { fin: false })],
        ['a text inside a message', Buffer.concat([frame(TEXT, 'a', { fin: false }),
            frame(TEXT, 'b')])],
        ['a binary inside a message', Buffer.concat([frame(TEXT, 'a', { fin: false }),
            frame(BINARY, 'b', { fin: false })])],
        ['a continuation after a finished message', Buffer.concat([
            frame(TEXT, '', { fin: false }), frame(0, ''), frame(0, '')]), 1],
    ];
    for (const [what, bytes, echoes = 0] of violations) {
        test(`${what} closes with 1002`, async () => {
            const raw = await open();
            raw.write(Buffer.concat([frame(TEXT, 'good'), bytes]));
            await assertEcho(raw, TEXT, 'good');
            for (let i = 0; i < echoes; i++) {
                await assertEcho(raw, TEXT, '');
            }
            await assertCloses(raw, 1002);
        });

        test(`${what} closes with 1002 when it arrives in bytes`, async () => {
            const raw = await open();
            for (const byte of bytes.subarray(0, 40)) {
                raw.write(Buffer.from([byte]));
                await new Promise(setImmediate);
            }
            raw.write(bytes.subarray(40));
            for (let i = 0; i < echoes; i++) {
                await assertEcho(raw, TEXT, '');
            }
            await assertCloses(raw, 1002);
        });
    }

    for (const [what, wide, length] of [['16 bits for 125', 16, 125], ['64 bits for 125', 64, 125],
        ['64 bits for 65535', 64, 65_535], ['64 bits for 0', 64, 0]]) {
        test(`length in ${what} closes with 1002`, { skip: reference }, async () => {
            const raw = await open();
            raw.send(BINARY, Buffer.alloc(length), { wide });
            await assertCloses(raw, 1002);
        });
    }

    test('length with its top bit set closes at once', async () => {
        const raw = await open();
        raw.write(Buffer.from([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1]));
        await assertCloses(raw, 1002, 1009);
    });

    for (const length of [BigInt(MESSAGE_MAX) + 1n, 1n << 40n, (1n << 62n) + 3n]) {
        test(`frame that declares ${length} bytes closes with 1009 at its header`, async () => {
            const raw = await open();
            const head = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
            head.writeBigUInt64BE(length, 2);
            raw.write(head);
            await assertCloses(raw, 1009);
        });
    }

    test('fragments that declare too much together close with 1009 at the header', async () => {
        const raw = await open();
        raw.send(BINARY, Buffer.alloc(1000), { fin: false });
        const head = Buffer.from([0x80, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
        head.writeBigUInt64BE(BigInt(MESSAGE_MAX), 2);
        raw.write(head);
        await assertCloses(raw, 1009);
    });
});

describe('websocket control frames', () => {
    test('ping of every length is answered with its payload', async () => {
        const raw = await open();
        // In small batches: more than 60 pongs that wait end the connection.
        for (let from = 0; from <= 125; from += 42) {
            for (let size = from; size < from + 42; size++) {
                raw.send(PING, Buffer.alloc(size, size));
            }
            for (let size = from; size < from + 42; size++) {
                const pong = await raw.next();
                assert.equal(pong.opcode, PONG);
                assert.ok(pong.fin);
                assert.ok(pong.payload.equals(Buffer.alloc(size, size)), `pong ${size}`);
            }
        }
        raw.destroy();
    });

    test('unasked pong is ignored', async () => {
        const raw = await open();
        raw.send(PONG, 'unasked');
        raw.send(PONG, '');
        raw.send(TEXT, 'hello');
        await assertEcho(raw, TEXT, 'hello');
        raw.destroy();
    });

    test('pings between the fragments of a message are answered first', async () => {
        const raw = await open();
        raw.write(Buffer.concat([
            frame(TEXT, 'a', { fin: false }), frame(PING, '1'),
            frame(0, 'b', { fin: false }), frame(PING, '2'), frame(PONG, 'x'),
            frame(0, 'c'), frame(PING, '3'),
        ]));
        for (const payload of ['1', '2']) {
            const pong = await raw.next();
            assert.equal(pong.opcode, PONG);
            assert.equal(pong.payload.toString(), payload);
        }
        await assertEcho(raw, TEXT, 'abc');
        assert.equal((await raw.next()).payload.toString(), '3');
        raw.destroy();
    });

    test('pongs and echoes keep the order of what they answer', async () => {
        const raw = await open();
        const frames = [];
        for (let i = 0; i < 80; i++) {
            frames.push(frame(i & 1 ? PING : TEXT, String(i)));
        }
        raw.write(Buffer.concat(frames));
        const got = [];
        for (let i = 0; i < 80; i++) {
            got.push(await raw.next());
        }
        const of = (opcode) => got.filter((one) => one.opcode === opcode)
            .map((one) => Number(one.payload.toString()));
        const ascending = (list) => list.every((n, i) => i === 0 || n > list[i - 1]);
        assert.equal(of(PONG).length, 40);
        assert.equal(of(TEXT).length, 40);
        assert.ok(ascending(of(PONG)) && ascending(of(TEXT)));
        raw.destroy();
    });
});

describe('websocket fragmentation', () => {
    const cases = [
        ['two parts', ['hel', 'lo']],
        ['an empty first part', ['', 'hello']],
        ['an empty last part', ['hello', '']],
        ['empty parts only', ['', '', '']],
        ['characters cut apart', [Buffer.from([0xf0, 0x9f]), Buffer.from([0x98]),
            Buffer.from([0x80, 0xe2]), '', Buffer.from([0x82, 0xac])]],
        ['long parts', ['x'.repeat(70_000), 'y'.repeat(126), 'z'.repeat(65_535)]],
    ];
    for (const [what, parts] of cases) {
        test(`message in ${what} comes back`, async () => {
            const raw = await open();
            const whole = Buffer.concat(parts.map((part) => Buffer.from(part)));
            for (const first of [TEXT, BINARY]) {
                parts.forEach((part, i) => raw.send(i === 0 ? first : 0, part,
                    { fin: i === parts.length - 1 }));
                await assertEcho(raw, first, whole);
            }
            raw.destroy();
        });
    }

    for (const [count, size] of [[65_536, 1], [65_536, 256], [16_384, 0]]) {
        test(`message of ${count} fragments of ${size} bytes comes back`, async () => {
            const raw = await open();
            const mask = Buffer.from([1, 2, 3, 4]);
            const part = Buffer.alloc(size, 'a');
            const middle = frame(0, part, { fin: false, mask });
            raw.send(TEXT, part, { fin: false });
            const batch = Buffer.concat(Array(1024).fill(middle));
            let left = count - 2;
            for (; left >= 1024; left -= 1024) {
                if (!raw.write(batch)) {
                    await new Promise((resolve) => raw.socket.once('drain', resolve));
                }
            }
            raw.write(Buffer.concat(Array(left).fill(middle)));
            raw.send(0, part);
            await assertEcho(raw, TEXT, Buffer.alloc(count * size, 'a'));
            raw.destroy();
        });
    }
});
