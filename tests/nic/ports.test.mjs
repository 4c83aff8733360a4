// SPDX-License-Identifier: Apache-2.0
// The server on other kinds of ports than the wire tests': the page comes over each.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { host, startCommand } from '../wire/server.mjs';

const COMMAND = [...process.env.ZN_ZAPNIC.split(' '), 'serve'];
const IN_SERVER = COMMAND.slice(0, COMMAND.indexOf('exec') + 2); // ip netns exec <namespace>
const PORT = 3000;
const URL = `http://${host}:${PORT}`;

const startOn = (device) => startCommand([...COMMAND, '--device', device], [], PORT);

function inServer(...words) {
    const [program, ...rest] = [...IN_SERVER, ...words];
    return execFileSync(program, rest, { encoding: 'utf8', timeout: 10_000 });
}

test('AF_XDP port serves the page', async () => {
    const server = await startOn('net_af_xdp0,iface=nic0');
    assert.match(await (await fetch(URL)).text(), /socket\.io\.js/);
    await server.stop();
});

// The client is on the other side of the TAP interface: in the server's own namespace.
test('TAP port serves the page', async () => {
    const server = await startOn('net_tap0,iface=tap0');
    inServer('ip', 'link', 'set', 'tap0', 'up');
    inServer('ip', 'addr', 'add', '10.9.0.3/24', 'dev', 'tap0');
    const fetched = inServer(process.execPath, '-e',
        `fetch('${URL}').then((r) => r.text()).then((t) => console.log(t))`);
    assert.match(fetched, /socket\.io\.js/);
    await server.stop();
});
