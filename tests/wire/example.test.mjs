// SPDX-License-Identifier: Apache-2.0
// The program that shows the API, host/examples/chat.c, as its page uses it.
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { closeAll, connected, happens, MODES } from './clients.mjs';
import { root } from './packages.mjs';
import { startCommand } from './server.mjs';

const FOLDER = dirname(process.env.ZN_ZAPNIC ?? `${root}/build/zapnic`);

describe('example chat', () => {
    let server;
    before(async () => {
        server = await startCommand([`${FOLDER}/examples/chat`]);
    });
    after(() => server.stop());
    afterEach(closeAll);

    test('page and its script are served', async () => {
        for (const [path, type] of [['/', 'text/html'], ['/chat.js', 'application/javascript']]) {
            const answer = await fetch(`${server.http}${path}`);
            assert.equal(answer.status, 200);
            assert.ok(answer.headers.get('content-type').startsWith(type));
        }
    });

    for (const [mode, how] of MODES) {
        test(`two people chat by ${mode}`, async () => {
            const ada = await connected(server, '/', how);
            const bob = await connected(server, '/', how);
            assert.equal(await ada.emitWithAck('join', 'lobby', 'Ada'), 'welcome');
            const came = happens(ada, 'came');
            assert.equal(await bob.emitWithAck('join', 'lobby', 'Bob "B"'), 'welcome');
            assert.deepEqual(await came, ['Bob "B"']);
            const typing = happens(ada, 'typing');
            const keys = setInterval(() => bob.emit('typing'), 20).unref(); // some are lost
            assert.deepEqual(await typing, ['Bob "B"']);
            clearInterval(keys);
            const said = [happens(ada, 'said'), happens(bob, 'said')];
            bob.emit('say', 'é\n"');
            for (const one of said) {
                assert.deepEqual(await one, ['Bob "B"', 'é\n"']);
            }
            const left = happens(ada, 'left');
            bob.disconnect();
            assert.deepEqual(await left, ['Bob "B"']);
        });
    }

    test('arguments of other kinds are refused', async () => {
        const eve = await connected(server, '/', MODES[1][1]);
        for (const args of [[], ['lobby'], [1, 2], ['x'.repeat(40), 'Eve'], [null, {}]]) {
            assert.equal(await eve.emitWithAck('join', ...args), 'a room and a name, please');
        }
    });
});
