// SPDX-License-Identifier: Apache-2.0
// RFC 6455 on the wire, against the plain WebSocket echo at /ws: UTF-8, the end of connections,
// and the client of the ws package.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Peer } from './peer.mjs';
import {
    assertCloses, assertEcho, BINARY, CLOSE, closePayload, frame, PING, RawSocket, TEXT,
} from './raw_ws.mjs';
import { CALM, reference, startServer } from './server.mjs';
import { sleep, within } from './wait.mjs';

const MIB = 1024 * 1024;

let server;
before(async () => {
    server = await startServer(CALM);
});
after(() => server.stop());

const open = (options) => RawSocket.open(server.port, '/ws', options);

const VALID_TEXT = [
    'Hello-µ@ßöäüàá-UTF-8!!', 'κόσμε', '\u0000', '\u007f', '\u0080', '\u07ff', '\u0800', '\ud7ff',
    '\ue000', '\ufffd', '\ufffe', '\uffff', '\u{10000}', '\u{1fffe}', '\u{10fffd}', '\u{10ffff}',
    '\ufeffbom', '日本語テキスト', '👩‍👩‍👧‍👦',
];

// [what, bytes, at which byte count the text is provably bad]
const INVALID_TEXT = [
    ['a lone continuation 80', [0x80], 1],
    ['a lone continuation bf', [0xbf], 1],
    ['a continuation after ASCII', [0x41, 0x80], 2],
    ['two lead bytes', [0xc3, 0xc3, 0xa9], 2],
    ['a lead byte and ASCII', [0xe2, 0x41, 0x41], 2],
    ['an overlong / in two bytes', [0xc0, 0xaf], 1],
    ['an overlong c1', [0xc1, 0xbf], 1],
    ['an overlong in three bytes', [0xe0, 0x9f, 0xbf], 2],
    ['an overlong in four bytes', [0xf0, 0x8f, 0xbf, 0xbf], 2],
    ['the first surrogate', [0xed, 0xa0, 0x80], 2],
    ['the last surrogate', [0xed, 0xbf, 0xbf], 2],
    ['a surrogate pair', [0xed, 0xa1, 0x8c, 0xed, 0xbe, 0xb4], 2],
    ['a code point past 10ffff', [0xf4, 0x90, 0x80, 0x80], 2],
    ['a lead byte f5', [0xf5, 0x80, 0x80, 0x80], 1],
    ['five bytes', [0xf8, 0x88, 0x80, 0x80, 0x80], 1],
    ['six bytes', [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80], 1],
    ['fe', [0xfe], 1],
    ['ff', [0xff], 1],
    ['a bad third byte', [0xe2, 0x82, 0x41], 3],
    ['a bad fourth byte', [0xf0, 0x9f, 0x98, 0x41], 4],
    ['an error after 100 bytes', [...Buffer.alloc(100, 'a'), 0xff], 101],
    ['an error after 63 wide characters', [...Buffer.from('é'.repeat(63)), 0xc0], 127],
];

const CUT_TEXT = [
    ['two', [0xc3]], ['three', [0xe2, 0x82]], ['four', [0xf0, 0x9f, 0x98]],
];

describe('websocket UTF-8', () => {
    test('valid text comes back, whole and cut at every byte', async () => {
        const raw = await open();
        for (const text of VALID_TEXT) {
            const bytes = Buffer.from(text);
            raw.send(TEXT, bytes);
            await assertEcho(raw, TEXT, bytes);
            for (let at = 0; at <= bytes.length; at++) {
                raw.send(TEXT, bytes.subarray(0, at), { fin: false });
                raw.send(0, bytes.subarray(at));
                await assertEcho(raw, TEXT, bytes);
            }
        }
        raw.destroy();
    });

    for (const [what, bytes, bad] of INVALID_TEXT) {
        test(`${what} closes with 1007`, async () => {
            const raw = await open();
            raw.send(TEXT, Buffer.from(bytes));
            await assertCloses(raw, 1007);
        });

        test(`${what} in later fragments closes with 1007`, async () => {
            const raw = await open();
            raw.send(TEXT, 'é€😀', { fin: false });
            for (const byte of bytes) {
                raw.send(0, Buffer.from([byte]), { fin: false });
            }
            raw.send(0, '');
            await assertCloses(raw, 1007);
        });

        // The reference looks at whole messages.
        const skip = reference;
        test(`${what} closes with 1007 before its frame ends`, { skip }, async () => {
            const raw = await open();
            const whole = frame(TEXT, Buffer.from(bytes), { length: 1000 });
            raw.write(whole.subarray(0, whole.length - bytes.length + bad));
            await assertCloses(raw, 1007);
        });

        test(`${what} closes with 1007 before its message ends`, { skip }, async () => {
            const raw = await open();
            for (const byte of bytes.slice(0, bad)) {
                raw.send(raw.begun ? 0 : TEXT, Buffer.from([byte]), { fin: false });
                raw.begun = true;
            }
            await assertCloses(raw, 1007);
        });
    }

    for (const [length, bytes] of CUT_TEXT) {
        test(`text that ends inside a character of ${length} bytes closes with 1007`, async () => {
            for (const parts of [[bytes], [[], bytes], [bytes, []]]) {
                const raw = await open();
                parts.forEach((part, i) => raw.send(i === 0 ? TEXT : 0, Buffer.from(part),
                    { fin: i === parts.length - 1 }));
                await assertCloses(raw, 1007);
            }
        });
    }

    test('binary may hold any bytes', async () => {
        const raw = await open();
        for (const [, bytes] of INVALID_TEXT) {
            raw.send(BINARY, Buffer.from(bytes));
            await assertEcho(raw, BINARY, Buffer.from(bytes));
        }
        raw.destroy();
    });
});

describe('websocket close', () => {
    const valid = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
        3000, 3999, 4000, 4999];
    for (const code of valid) {
        test(`close ${code} is answered in kind and TCP ends`, async () => {
            const raw = await open();
            raw.send(CLOSE, closePayload(code, 'because'));
            await assertCloses(raw, code);
        });
    }

    const invalid = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535];
    for (const code of invalid) {
        test(`close ${code} is answered with 1002`, async () => {
            const raw = await open();
            raw.send(CLOSE, closePayload(code));
            await assertCloses(raw, 1002);
        });
    }

    test('close without a code is answered and TCP ends', async () => {
        const raw = await open();
        raw.send(CLOSE);
        await assertCloses(raw, null, 1000);
    });

    test('close of one byte is answered with 1002', async () => {
        const raw = await open();
        raw.send(CLOSE, 'x');
        await assertCloses(raw, 1002);
    });

    test('close with the longest reason is answered in kind', async () => {
        const raw = await open();
        raw.send(CLOSE, closePayload(1000, 'é'.repeat(61) + 'x'));
        await assertCloses(raw, 1000);
    });

    for (const [what, bytes] of [['broken', [0xff]], ['unfinished', [0xe2, 0x82]],
        ['a surrogate', [0xed, 0xa0, 0x80]]]) {
        test(`close with a reason that is ${what} UTF-8 is answered with 1007`, async () => {
            const raw = await open();
            raw.send(CLOSE, Buffer.concat([closePayload(1000), Buffer.from(bytes)]));
            await assertCloses(raw, 1007);
        });
    }

    test('nothing after a close frame is read', async () => {
        const raw = await open();
        raw.write(Buffer.concat([frame(TEXT, 'before'), frame(CLOSE, closePayload(1000)),
            frame(TEXT, 'after'), frame(PING, 'after'), frame(15, 'bad'),
            frame(CLOSE, closePayload(1001))]));
        await assertEcho(raw, TEXT, 'before');
        const close = await raw.next();
        assert.equal(close.opcode, CLOSE);
        assert.equal(close.payload.readUInt16BE(), 1000);
        await assert.rejects(raw.next());
    });

    test('close inside a fragmented message is answered', async () => {
        const raw = await open();
        raw.send(TEXT, 'unfinished', { fin: false });
        raw.send(CLOSE, closePayload(1001));
        await assertCloses(raw, 1001);
    });

    test('close in single bytes is answered', async () => {
        const raw = await open();
        for (const byte of frame(CLOSE, closePayload(3000, 'slowly'))) {
            raw.write(Buffer.from([byte]));
            await new Promise(setImmediate);
        }
        await assertCloses(raw, 3000);
    });

    test('echo of a big message comes before the close frame', async () => {
        const raw = await open();
        const payload = Buffer.alloc(4 * MIB, 7);
        raw.write(Buffer.concat([frame(BINARY, payload), frame(CLOSE, closePayload(1000))]));
        await assertEcho(raw, BINARY, payload);
        await assertCloses(raw, 1000);
    });

    test('end of TCP without a close frame ends the connection', async () => {
        const raw = await open();
        raw.send(TEXT, 'hello');
        await assertEcho(raw, TEXT, 'hello');
        raw.socket.end();
        await within(raw.ended, 'the server to end its side');
        raw.destroy();
    });

    test('TCP ends even when the client keeps its side open', async () => {
        const raw = await open();
        raw.socket.allowHalfOpen = true;
        raw.send(CLOSE, closePayload(1000));
        await assertCloses(raw, 1000);
    });
});

describe('ws client', () => {
    for (const perMessageDeflate of [false, true]) {
        const how = perMessageDeflate ? 'with' : 'without';
        test(`client ${how} deflate exchanges all sizes`, async () => {
            const peer = await Peer.open(`${server.ws}/ws`, [], { perMessageDeflate });
            assert.equal(peer.ws.extensions !== '', perMessageDeflate);
            for (const size of [0, 1, 125, 126, 1023, 1024, 65_535, 65_536, MIB, 16 * MIB]) {
                const text = 'abcdefgh'.repeat(size / 8 + 1).slice(0, size);
                peer.send(text);
                assert.ok(await peer.next() === text, `text of ${size}`);
                const binary = Buffer.alloc(size, size & 255);
                peer.send(binary);
                assert.ok((await peer.next()).equals(binary), `binary of ${size}`);
            }
            const { code, reason } = await peer.close(4001, 'done');
            assert.equal(code, 4001);
            assert.equal(typeof reason, 'string');
        });
    }

    test('client pings are answered', async () => {
        const peer = await Peer.open(`${server.ws}/ws`);
        const pongs = [];
        const done = new Promise((resolve) => peer.ws.on('pong', (data) => {
            pongs.push(data.toString());
            if (pongs.length === 50) {
                resolve();
            }
        }));
        for (let i = 0; i < 50; i++) {
            peer.ws.ping(`p${i}`);
        }
        await within(done, '50 pongs');
        assert.deepEqual(pongs, Array.from({ length: 50 }, (_, i) => `p${i}`));
        await peer.close();
    });

    test('client fragments are put together', async () => {
        const peer = await Peer.open(`${server.ws}/ws`, [], { perMessageDeflate: true });
        for (const compress of [false, true]) {
            peer.send('frag', { fin: false, compress });
            peer.send('men', { fin: false, compress });
            peer.ws.ping();
            peer.send('ted', { fin: true, compress });
            assert.equal(await peer.next(), 'fragmented');
        }
        await peer.close();
    });

    test('100 clients at once each get their own echoes', async () => {
        const peers = await Promise.all(Array.from({ length: 100 }, () =>
            Peer.open(`${server.ws}/ws`)));
        await Promise.all(peers.map(async (peer, i) => {
            for (let k = 0; k < 20; k++) {
                peer.send(`${i}:${k}`);
            }
            for (let k = 0; k < 20; k++) {
                assert.equal(await peer.next(), `${i}:${k}`);
            }
        }));
        await Promise.all(peers.map((peer) => peer.close()));
    });

    test('client that vanishes leaves the others alone', async () => {
        const peer = await Peer.open(`${server.ws}/ws`);
        for (let i = 0; i < 20; i++) {
            const raw = await open();
            raw.write(frame(BINARY, Buffer.alloc(100_000)).subarray(0, 50_000));
            raw.reset();
        }
        await sleep(20);
        peer.send('still here');
        assert.equal(await peer.next(), 'still here');
        await peer.close();
    });
});
