// SPDX-License-Identifier: Apache-2.0
// The client's bundle under the path: every file of the package, byte for byte, as browsers and
// caches ask for it; and nothing at all with no_client.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { require } from './packages.mjs';
import { fetchRaw } from './raw_http.mjs';
import { CALM, reference, startServer } from './server.mjs';
import { openMain } from './sio.mjs';

const manifest = require.resolve('socket.io-client/package.json');
const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
const dist = join(dirname(manifest), 'dist');
const files = readdirSync(dist);

let server;
before(async () => {
    server = await startServer(CALM);
});
after(() => server.stop());

function get(name, headers = {}, method = 'GET') {
    return fetchRaw(server.port, { method, target: `/socket.io/${name}`, headers });
}

describe('served client', () => {
    test('the package has the files that pages ask for', () => {
        for (const name of ['socket.io.js', 'socket.io.min.js', 'socket.io.esm.min.js',
            'socket.io.msgpack.min.js']) {
            assert.ok(files.includes(name) && files.includes(`${name}.map`), name);
        }
    });

    for (const name of files) {
        const bytes = readFileSync(join(dist, name));

        test(`${name} comes byte for byte`, async () => {
            const answer = await get(name);
            assert.equal(answer.status, 200);
            assert.match(answer.headers['content-type'], name.endsWith('.map') ?
                /^application\/json/ : /^(application|text)\/javascript; charset=utf-8$/);
            assert.equal(answer.headers['content-encoding'], undefined);
            assert.equal(answer.headers.etag.replace(/^W\//, ''), `"${version}"`);
            assert.ok(answer.bytes.equals(bytes), 'other bytes than the package has');
        });

        test(`${name} comes with gzip to who takes that`, { skip: reference }, async () => {
            const answer = await get(name, { 'Accept-Encoding': 'br, gzip' });
            assert.equal(answer.status, 200);
            assert.equal(answer.headers['content-encoding'], 'gzip');
            assert.match(answer.headers.vary, /accept-encoding/i);
            assert.ok(answer.bytes.length < bytes.length / 2);
            assert.ok(gunzipSync(answer.bytes).equals(bytes), 'other bytes than the package has');
            const refused = await get(name, { 'Accept-Encoding': 'gzip;q=0, br' });
            assert.ok(refused.bytes.equals(bytes));
        });

        test(`${name} is not sent again to who has it`, async () => {
            for (const tags of [`"${version}"`, `W/"${version}"`, `"x", "${version}"`]) {
                const answer = await get(name, { 'If-None-Match': tags });
                assert.equal(answer.status, 304, tags);
                assert.equal(answer.bytes.length, 0);
                assert.equal(answer.headers.etag.replace(/^W\//, ''), `"${version}"`);
            }
            const answer = await get(name, { 'If-None-Match': '"0.0.1"' });
            assert.equal(answer.status, 200);
        });
    }

    test('a HEAD has the length and no body', { skip: reference }, async () => {
        const answer = await fetch(`${server.http}/socket.io/socket.io.js`, {
            method: 'HEAD', headers: { 'Accept-Encoding': 'identity' } });
        assert.equal(answer.status, 200);
        const { length } = readFileSync(join(dist, 'socket.io.js'));
        assert.equal(answer.headers.get('content-length'), String(length));
        assert.equal((await answer.arrayBuffer()).byteLength, 0);
    });

    test('only reading is allowed', { skip: reference }, async () => {
        const answer = await get('socket.io.js', {}, 'DELETE');
        assert.equal(answer.status, 405);
        assert.equal(answer.headers.allow, 'GET, HEAD');
    });

    test('other names are not files', async () => {
        for (const name of ['package.json', 'socket.io.js.gz', 'SOCKET.IO.JS', 'socket.io.js/',
            'socket.io.j', '../package.json', '%2e%2e/package.json', 'socket.io%2ejs']) {
            const answer = await get(name);
            assert.ok([400, 404].includes(answer.status), `${name}: ${answer.status}`);
        }
    });

    test('the plain Engine.IO path has none', { skip: reference }, async () => {
        const answer = await fetchRaw(server.port, { target: '/engine.io/socket.io.js' });
        assert.equal(answer.status, 400);
    });
});

describe('served client switched off', { skip: reference && 'an option of ours' }, () => {
    let bare;
    before(async () => {
        bare = await startServer([...CALM, '--no-client']);
    });
    after(() => bare.stop());

    for (const name of files) {
        test(`${name} is not there`, async () => {
            const answer = await fetchRaw(bare.port, { target: `/socket.io/${name}` });
            assert.equal(answer.status, 400);
            assert.equal(answer.body, '{"code":0,"message":"Transport unknown"}');
        });
    }

    test('clients connect as ever', async () => {
        const peer = await openMain(bare);
        await peer.close();
    });
});
