// SPDX-License-Identifier: Apache-2.0
// What a TLS connection that says nothing costs the server: its records' buffers are lent for as
// long as there is something in them, so that what remains is OpenSSL's own state.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { noOpenssl, writeCertificate } from './certificate.mjs';
import { Peer } from './peer.mjs';
import { CALM, host, reference, startServer } from './server.mjs';

const KIB = 1024;
const BATCH = 50; // handshakes at a time
const FIRST = 100; // what the server sets up once is not counted as theirs
const MANY = 600;
const EACH_MAX = 24 * KIB; // a record is 16 KiB: one that is kept would be too much
const MESSAGE = Buffer.alloc(64 * KIB, 'x'); // fills whole records both ways

let folder;
let server;
before(async () => {
    if (reference || noOpenssl) {
        return;
    }
    folder = mkdtempSync(join(tmpdir(), 'zapnic-'));
    server = await startServer([...CALM, '--threads', '1', ...writeCertificate(folder)]);
});
after(async () => {
    await server?.stop();
    if (folder) {
        rmSync(folder, { recursive: true });
    }
});

// Connections that have been used, and now idle.
async function crowd(count) {
    const peers = [];
    while (peers.length < count) {
        const batch = await Promise.all(Array.from({ length: BATCH }, async () => {
            const peer = await Peer.open(`wss://${host}:${server.port}/ws`, [],
                { rejectUnauthorized: false });
            peer.send(MESSAGE);
            assert.ok((await peer.next()).equals(MESSAGE));
            return peer;
        }));
        peers.push(...batch);
    }
    return peers;
}

describe('idle TLS connection', { skip: reference || noOpenssl }, () => {
    test('holds no record buffers', async (t) => {
        const first = await crowd(FIRST);
        const before = server.rss;
        const peers = await crowd(MANY);
        const each = (server.rss - before) / MANY;
        t.diagnostic(`${(each / KIB).toFixed(1)} KiB a connection`);
        if (server.measurable) {
            assert.ok(each < EACH_MAX, `${(each / KIB).toFixed(1)} KiB a connection`);
        }
        await Promise.all([...first, ...peers].map((peer) => peer.close()));
    });
});
