// SPDX-License-Identifier: Apache-2.0
// How Engine.IO v4 sessions begin, and how they are refused, on the wire:
// https://socket.io/docs/v4/engine-io-protocol/.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertError, ERRORS, openSocket, PATHS, Polling } from './eio.mjs';
import { Peer } from './peer.mjs';
import { Connection, fetchRaw } from './raw_http.mjs';
import { RawSocket } from './raw_ws.mjs';
import { CALM, reference, startServer } from './server.mjs';
import { within } from './wait.mjs';

const OPEN_KEYS = '["sid","upgrades","pingInterval","pingTimeout","maxPayload"]';

const at = (path, query) => `${path}?${query}`;

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
            assert.equal(peer.open.maxPayload, 1_000_000);
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
