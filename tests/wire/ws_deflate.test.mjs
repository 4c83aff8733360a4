// SPDX-License-Identifier: Apache-2.0
// RFC 7692 permessage-deflate on the wire, against the plain WebSocket echo at /ws.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import zlib from 'node:zlib';
import { Deflater, openDeflate } from './deflate.mjs';
import { Peer } from './peer.mjs';
import { assertCloses, BINARY, CLOSE, frame, PING, PONG, TEXT } from './raw_ws.mjs';
import { CALM, reference, startServer } from './server.mjs';

const MIB = 1024 * 1024;

let server;
before(async () => {
    server = await startServer(CALM);
});
after(() => server.stop());

const PLAIN = 'permessage-deflate';

// Text like a chat's: it shrinks, and what repeats lies at many distances.
function chatter(size) {
    const words = ['room', 'message', 'typing', 'presence', 'user', '"id":', 'été', 'latency'];
    let seed = 12345;
    let text = '';
    while (text.length < size) {
        seed = (seed * 1103515245 + 12345) & 0x7fffffff;
        text += `${words[seed % words.length]} ${seed % 1000} `;
    }
    const bytes = Buffer.from(text).subarray(0, size);
    while (bytes.length > 0 && bytes[bytes.length - 1] >= 0x80) {
        bytes[bytes.length - 1] = 0x2e;
        if (bytes.length > 1 && bytes[bytes.length - 2] >= 0xc0) {
            bytes[bytes.length - 2] = 0x2e;
        }
    }
    return bytes;
}

async function exchange(raw, opcode, data) {
    await raw.sendCompressed(opcode, data);
    const got = await raw.inflated();
    assert.equal(got.opcode, opcode);
    assert.ok(got.payload.equals(Buffer.from(data)), `${data.length} bytes came back otherwise`);
    return got;
}

describe('deflate negotiation', () => {
    const bits = [9, 10, 11, 12, 13, 14, 15];
    const accepted = [
        PLAIN,
        `${PLAIN}; client_max_window_bits`,
        `${PLAIN}; client_no_context_takeover`,
        `${PLAIN}; server_no_context_takeover`,
        `${PLAIN}; client_no_context_takeover; server_no_context_takeover`,
        ...bits.map((n) => `${PLAIN}; client_max_window_bits=${n}`),
        ...bits.map((n) => `${PLAIN}; server_max_window_bits=${n}`),
        `${PLAIN}; server_max_window_bits="10"`,
        `${PLAIN}; server_max_window_bits=12; client_max_window_bits=11; ` +
            'server_no_context_takeover; client_no_context_takeover',
        `${PLAIN};server_max_window_bits=10;client_max_window_bits`,
        `  ${PLAIN}\t ; \t server_max_window_bits = 10 `,
    ];
    for (const offer of accepted) {
        // The reference does not know white space around "=".
        const skip = reference && offer.includes(' = ');
        test(`offer "${offer}" is agreed to and works`, { skip }, async () => {
            const raw = await openDeflate(server.port, offer);
            assert.ok(raw.agreed, 'no deflate');
            assertLegal(offer, raw.agreed);
            for (let i = 0; i < 3; i++) {
                const got = await exchange(raw, TEXT, chatter(70_000));
                assert.ok(got.compressed, 'a long text came back uncompressed');
                assert.ok(got.payload.length === 70_000);
            }
            await exchange(raw, BINARY, randomBytes(5000));
            raw.destroy();
        });
    }

    for (const offer of [`${PLAIN}; server_max_window_bits=8`,
        `${PLAIN}; client_max_window_bits=8`]) {
        test(`offer "${offer}" is declined or kept to`, async () => {
            const raw = await openDeflate(server.port, offer);
            if (raw.agreed) {
                assertLegal(offer, raw.agreed);
                // zlib makes no windows of 8 bits; short texts need none.
                await raw.send(TEXT, chatter(200));
                const got = await raw.inflated();
                assert.ok(got.payload.equals(chatter(200)));
                raw.send(TEXT, chatter(70_000));
                assert.ok((await raw.inflated()).payload.equals(chatter(70_000)));
            } else {
                raw.send(TEXT, 'plain');
                assert.equal((await raw.next()).payload.toString(), 'plain');
            }
            raw.destroy();
        });
    }

    const bad = [
        'server_max_window_bits=7', 'server_max_window_bits=16', 'server_max_window_bits',
        'server_max_window_bits=', 'server_max_window_bits=abc', 'server_max_window_bits=-9',
        'server_max_window_bits=010', 'server_max_window_bits=1e1',
        'server_max_window_bits=99999999999999999999',
        'client_max_window_bits=7', 'client_max_window_bits=16', 'client_max_window_bits=x',
        'server_no_context_takeover=1', 'client_no_context_takeover=true',
        'server_no_context_takeover; server_no_context_takeover',
        'server_max_window_bits=10; server_max_window_bits=10',
        'client_max_window_bits; client_max_window_bits=10',
        'unknown', 'unknown=1', 'constructor', '__proto__=1',
    ];
    // The reference refuses the handshake because of one bad offer.
    for (const parameter of bad) {
        test(`offer with ${parameter} is declined`, { skip: reference }, async () => {
            const raw = await openDeflate(server.port, `${PLAIN}; ${parameter}`);
            assert.equal(raw.agreed, null);
            raw.send(TEXT, 'plain');
            const got = await raw.next();
            assert.equal(got.rsv, 0);
            assert.equal(got.payload.toString(), 'plain');
            raw.destroy();
        });

        test(`offer after one with ${parameter} is taken`, { skip: reference }, async () => {
            for (const headers of [`${PLAIN}; ${parameter}, ${PLAIN}; server_max_window_bits=11`,
                [`${PLAIN}; ${parameter}`, `${PLAIN};server_max_window_bits=11`]]) {
                const raw = await openDeflate(server.port, headers);
                assert.equal(raw.agreed?.server_max_window_bits, '11');
                await exchange(raw, TEXT, chatter(5000));
                raw.destroy();
            }
        });
    }

    const lists = [
        ['another extension first', 'x-other, permessage-deflate', undefined],
        ['no spaces', 'x-other,permessage-deflate;server_max_window_bits=12', '12'],
        ['the first of two', 'permessage-deflate; server_max_window_bits=10, permessage-deflate',
            '10'],
        ['two header lines', ['x-other; a=1', 'permessage-deflate; server_max_window_bits=13'],
            '13'],
        ['a quoted comma', 'x-other; a="b\\, permessage-deflate", permessage-deflate', undefined],
    ];
    for (const [what, offer, windowBits] of lists) {
        const skip = reference && what === 'a quoted comma';
        test(`list with ${what} is understood`, { skip }, async () => {
            const raw = await openDeflate(server.port, offer);
            assert.ok(raw.agreed);
            assert.equal(raw.agreed.server_max_window_bits, windowBits);
            await exchange(raw, TEXT, chatter(5000));
            raw.destroy();
        });
    }

    test('deflate is not used when nobody offers it', async () => {
        const raw = await openDeflate(server.port, 'x-webkit-deflate-frame');
        assert.equal(raw.agreed, null);
        raw.send(TEXT, chatter(70_000));
        assert.equal((await raw.message()).rsv, 0);
        raw.destroy();
    });

    // What the server may answer to an offer (RFC 7692 section 7.1).
    function assertLegal(offer, agreed) {
        const asked = new Map(offer.split(';').slice(1).map((part) => {
            const [key, value] = part.split('=').map((one) => one.trim().replace(/"/g, ''));
            return [key, value];
        }));
        for (const key of Object.keys(agreed)) {
            assert.ok(['server_no_context_takeover', 'client_no_context_takeover',
                'server_max_window_bits', 'client_max_window_bits'].includes(key), key);
        }
        if (asked.has('server_no_context_takeover')) {
            assert.equal(agreed.server_no_context_takeover, true);
        }
        if (asked.has('server_max_window_bits')) {
            assert.ok(Number(agreed.server_max_window_bits) <=
                Number(asked.get('server_max_window_bits')));
        }
        if (agreed.client_max_window_bits !== undefined) {
            assert.ok(asked.has('client_max_window_bits'), 'client_max_window_bits unasked');
            assert.ok(Number(agreed.client_max_window_bits) <=
                Number(asked.get('client_max_window_bits') ?? 15));
        }
    }
});

describe('deflate messages', () => {
    const offers = [
        PLAIN,
        `${PLAIN}; client_max_window_bits; server_no_context_takeover`,
        `${PLAIN}; client_no_context_takeover; server_no_context_takeover`,
        `${PLAIN}; client_no_context_takeover; client_max_window_bits=9; ` +
            'server_max_window_bits=9',
    ];
    const sizes = [0, 1, 16, 64, 125, 126, 256, 1023, 1024, 4096, 8192, 16_384, 32_768, 65_535,
        65_536, 131_072, MIB];
    for (const offer of offers) {
        test(`messages of all sizes come back under "${offer}"`, async () => {
            const raw = await openDeflate(server.port, offer);
            for (const size of sizes) {
                await exchange(raw, TEXT, chatter(size));
                await exchange(raw, BINARY, randomBytes(size));
                await exchange(raw, BINARY, Buffer.alloc(size));
            }
            raw.destroy();
        });

        test(`300 small messages come back in order under "${offer}"`, async () => {
            const raw = await openDeflate(server.port, offer);
            for (let i = 0; i < 300; i++) {
                await raw.sendCompressed(TEXT, `{"message":${i},"room":"lobby"}`);
            }
            for (let i = 0; i < 300; i++) {
                const got = await raw.inflated();
                assert.equal(got.payload.toString(), `{"message":${i},"room":"lobby"}`);
            }
            raw.destroy();
        });
    }

    test('context of the client is kept over messages', async (t) => {
        const raw = await openDeflate(server.port, PLAIN);
        if (raw.agreed.client_no_context_takeover) {
            raw.destroy();
            t.skip('the server asked for no context takeover');
            return;
        }
        const secret = randomBytes(8000);
        await exchange(raw, BINARY, secret);
        const again = await raw.deflater.compress(secret);
        assert.ok(again.length < 200, 'the test has to lean on the context');
        raw.send(BINARY, again, { rsv: 4 });
        assert.ok((await raw.inflated()).payload.equals(secret));
        raw.destroy();
    });

    test('uncompressed and compressed messages mix', async () => {
        const raw = await openDeflate(server.port);
        for (let i = 0; i < 20; i++) {
            if (i & 1) {
                raw.send(TEXT, `plain ${i}`);
            } else {
                await raw.sendCompressed(TEXT, `packed ${i}`);
            }
            const got = await raw.inflated();
            assert.equal(got.payload.toString(), i & 1 ? `plain ${i}` : `packed ${i}`);
        }
        raw.destroy();
    });

    test('compressed message in fragments with pings between comes back', async () => {
        const raw = await openDeflate(server.port);
        const text = chatter(20_000);
        for (const piece of [1, 7, 1000, 100_000]) {
            const packed = await raw.deflater.compress(text);
            const frames = [];
            const count = Math.max(2, Math.ceil(packed.length / piece));
            for (let i = 0; i < count; i++) {
                frames.push(frame(i === 0 ? TEXT : 0, packed.subarray(i * piece, (i + 1) * piece),
                    { rsv: i === 0 ? 4 : 0, fin: i === count - 1 }));
                if (i === 0) {
                    frames.push(frame(PING, 'between'));
                }
            }
            raw.write(Buffer.concat(frames));
            const pong = await raw.next();
            assert.equal(pong.opcode, PONG);
            assert.equal(pong.rsv, 0);
            assert.ok((await raw.inflated()).payload.equals(text));
        }
        raw.destroy();
    });

    test('compressed message that arrives byte by byte comes back', async () => {
        const raw = await openDeflate(server.port);
        const bytes = frame(TEXT, await raw.deflater.compress(chatter(600)), { rsv: 4 });
        for (const byte of bytes) {
            raw.write(Buffer.from([byte]));
            await new Promise(setImmediate);
        }
        assert.ok((await raw.inflated()).payload.equals(chatter(600)));
        raw.destroy();
    });

    // Examples of RFC 7692 section 7.2.3.
    const examples = [
        ['one block', 'f248cdc9c90700'],
        ['a shared window', 'f200110000'],
        ['a stored block', '000500faff48656c6c6f00'],
        ['a final block', 'f348cdc9c9070000'],
        ['two blocks', 'f248050000 00ffffcac9c907 00'],
    ];
    test('"Hello" in every shape of the RFC is read', async () => {
        const raw = await openDeflate(server.port);
        for (const [what, hex] of examples) {
            raw.send(TEXT, Buffer.from(hex.replace(/ /g, ''), 'hex'), { rsv: 4 });
            const got = await raw.inflated();
            assert.equal(got.payload.toString(), 'Hello', what);
        }
        raw.destroy();
    });

    test('empty compressed message is read', async () => {
        const raw = await openDeflate(server.port);
        raw.send(TEXT, Buffer.from([0]), { rsv: 4 });
        assert.equal((await raw.inflated()).payload.length, 0);
        await exchange(raw, TEXT, 'after');
        raw.destroy();
    });

    test('every compression level of the client is read', async () => {
        const raw = await openDeflate(server.port, `${PLAIN}; client_no_context_takeover`);
        for (let level = 0; level <= 9; level++) {
            raw.deflater = new Deflater({ level, takeover: false });
            await exchange(raw, TEXT, chatter(30_000));
        }
        raw.destroy();
    });

    test('compressed text that is not UTF-8 closes with 1007', async () => {
        const raw = await openDeflate(server.port);
        await raw.sendCompressed(TEXT, Buffer.from([0x41, 0xff]));
        await assertCloses(raw, 1007);
    });

    test('compressed text cut inside a character closes with 1007', async () => {
        const raw = await openDeflate(server.port);
        await raw.sendCompressed(TEXT, Buffer.from([0x41, 0xe2, 0x82]));
        await assertCloses(raw, 1007);
    });

    for (const [what, payload] of [['noise', [0x07, 0xff, 0xff, 0xff, 0xff]],
        ['a reserved block type', [0x06, 0, 0]],
        ['a distance before the beginning', [...zlib.deflateRawSync(Buffer.alloc(900, 'ab'), {
            dictionary: Buffer.alloc(500, 'ab') })]]]) {
        test(`compressed payload with ${what} closes`, async () => {
            const raw = await openDeflate(server.port);
            raw.send(BINARY, Buffer.from(payload), { rsv: 4 });
            await assertCloses(raw, 1007, 1002);
        });
    }

    for (const [what, bytes] of [
        ['RSV1 on a ping', frame(PING, 'x', { rsv: 4 })],
        ['RSV1 on a close', frame(CLOSE, '', { rsv: 4 })],
        ['RSV1 on a continuation', Buffer.concat([frame(TEXT, '', { rsv: 4, fin: false }),
            frame(0, '', { rsv: 4 })])],
        ['RSV2 on a text', frame(TEXT, 'x', { rsv: 2 })],
        ['RSV3 on a text', frame(TEXT, 'x', { rsv: 1 })],
        ['RSV1 and RSV2 on a text', frame(TEXT, 'x', { rsv: 6 })]]) {
        test(`${what} closes with 1002`, async () => {
            const raw = await openDeflate(server.port);
            raw.write(bytes);
            await assertCloses(raw, 1002);
        });
    }

    test('message of 16 MiB in a compressed form comes back', async () => {
        const raw = await openDeflate(server.port);
        const big = Buffer.alloc(16 * MIB, chatter(50_000));
        await exchange(raw, BINARY, big);
        raw.destroy();
    });
});

describe('deflate with the ws client', () => {
    const settings = [
        { serverNoContextTakeover: true },
        { clientNoContextTakeover: true },
        { serverMaxWindowBits: 10 },
        { clientMaxWindowBits: 10 },
        { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true,
            serverMaxWindowBits: 9, clientMaxWindowBits: 9 },
    ];
    for (const perMessageDeflate of settings) {
        test(`client set to ${JSON.stringify(perMessageDeflate)} is served`, async () => {
            const peer = await Peer.open(`${server.ws}/ws`, [], { perMessageDeflate });
            assert.match(peer.ws.extensions, /permessage-deflate/);
            for (let i = 0; i < 20; i++) {
                const text = chatter(i * 997).toString();
                peer.send(text);
                assert.ok(await peer.next() === text);
            }
            await peer.close();
        });
    }
});
