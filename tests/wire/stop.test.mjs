// SPDX-License-Identifier: Apache-2.0
// SIGTERM with output under way: what is queued still arrives, and who does not read delays the end
// no longer than the time to drain.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Peer } from './peer.mjs';
import { CALM, startServer } from './server.mjs';
import { sleep, until, within } from './wait.mjs';

const MIB = 1024 * 1024;
const DRAIN_MS = 1000; // the conformance server's

// A client that has asked for an echo of `size` bytes and stops reading when it begins to come.
async function stalled(server, size) {
    const peer = await Peer.open(`${server.ws}/ws`);
    const begun = new Promise((resolve) => peer.ws._socket.once('data', resolve));
    peer.send(Buffer.alloc(size, 'q'));
    await within(begun, 'the echo to begin');
    peer.ws.pause();
    return peer;
}

test('queued output arrives before the end', async () => {
    const server = await startServer(['--buffer', String(64 * MIB), ...CALM]);
    const peer = await stalled(server, 16 * MIB);
    process.kill(server.pid, 'SIGTERM');
    await sleep(200);
    assert.ok(server.alive, 'it did not wait for its output to leave');
    peer.ws.resume();
    assert.equal((await peer.next()).length, 16 * MIB);
    assert.equal((await peer.whenClosed()).code, 1001);
    await until(() => !server.alive, 'the server ends');
});

test('client that does not read delays the end by the time to drain', async () => {
    const server = await startServer(['--buffer', String(64 * MIB), ...CALM]);
    const peer = await stalled(server, 16 * MIB);
    const begin = performance.now();
    await server.stop();
    const took = performance.now() - begin;
    assert.ok(took > DRAIN_MS - 200 && took < DRAIN_MS + 4000, `it took ${took} ms`);
    peer.terminate();
});

test('no more connections are taken while it drains', async () => {
    const server = await startServer(['--buffer', String(64 * MIB), ...CALM]);
    const peer = await stalled(server, 16 * MIB);
    process.kill(server.pid, 'SIGTERM');
    await sleep(200);
    assert.ok(server.alive);
    await assert.rejects(fetch(server.http));
    peer.terminate();
    await until(() => !server.alive, 'the server ends');
});
