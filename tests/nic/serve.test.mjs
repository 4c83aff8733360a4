// SPDX-License-Identifier: Apache-2.0
// `zapnic serve` on a port of DPDK: its own settings, and the chat over IPv4 and IPv6.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { afterEach, describe, test } from 'node:test';
import { client, closeAll, connected, happens, MODES } from '../wire/clients.mjs';
import { host, startCommand } from '../wire/server.mjs';
import { within } from '../wire/wait.mjs';

const COMMAND = [...process.env.ZN_ZAPNIC.split(' '), 'serve'];
const PORT = 3000;
const V6 = process.env.ZN_NIC_ADDRESS.split(',')[1];

const startOnNic = () => startCommand(COMMAND, [], PORT);

// Runs the command to its end: its exit status and what it said.
function run(args) {
    return new Promise((resolve) => {
        const [program, ...rest] = COMMAND;
        execFile(program, [...rest, ...args], (error, stdout, stderr) =>
            resolve({ code: error?.code ?? 0, stderr }));
    });
}

describe('zapnic serve on a NIC', () => {
    afterEach(closeAll);

    test('says what is wrong with the port', async () => {
        const cases = [
            [['--address', '10.9.0.x'], /needs --address/],
            [['--device', 'net_nothing0'], /--device net_nothing0: No such/],
            [['--', '--no-such-argument'], /DPDK did not start/],
        ];
        for (const [args, message] of cases) {
            const { code, stderr } = await run(args);
            assert.equal(code, 1, stderr);
            assert.match(stderr, message);
        }
    });

    // The client's long-polling takes no addresses of IPv6.
    for (const [name, address, modes] of [['IPv4', host, MODES],
        ['IPv6', `[${V6}]`, MODES.slice(1, 2)]]) {
        test(`page and chat over ${name} work`, async () => {
            const server = await startOnNic();
            const http = `http://${address}:${PORT}`;
            const page = await fetch(http);
            assert.equal(page.status, 200);
            assert.match(await page.text(), /socket\.io\.js/);
            for (const [, how] of modes) {
                const socket = await connected({ http }, '/', how);
                assert.ok(socket.connected);
                socket.disconnect();
            }
            await server.stop();
        });
    }

    test('port that nobody listens on refuses', async () => {
        const server = await startOnNic();
        const socket = connect({ port: PORT + 1, host });
        const refused = new Promise((resolve) => socket.on('error', resolve));
        assert.equal((await within(refused, 'the refusal')).code, 'ECONNREFUSED');
        await server.stop();
    });

    test('client hears of the orderly end', async () => {
        const server = await startOnNic();
        const socket = client(server, '/', { transports: ['websocket'], reconnection: false });
        await happens(socket, 'connect');
        const gone = happens(socket, 'disconnect');
        await server.stop();
        assert.ok((await gone)[0].startsWith('transport') || (await gone)[0].startsWith('io server'));
    });
});
