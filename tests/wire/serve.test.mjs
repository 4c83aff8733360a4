// SPDX-License-Identifier: Apache-2.0
// `zapnic serve`: its settings, logs and signals, and the events of the demo's chat rooms.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { noOpenssl, writeCertificate } from './certificate.mjs';
import { client, closeAll, connected, happens } from './clients.mjs';
import { root } from './packages.mjs';
import { startCommand } from './server.mjs';
import { sleep, until } from './wait.mjs';

const COMMAND = [process.env.ZN_ZAPNIC ?? `${root}/build/zapnic`, 'serve'];
const WS = { transports: ['websocket'] };

// Runs the command to its end: its exit status and what it said.
function run(args, env = {}) {
    return new Promise((resolve) => {
        const [program, ...rest] = COMMAND;
        execFile(program, [...rest, ...args], { env: { ...process.env, ...env } },
            (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }));
    });
}

describe('zapnic serve', () => {
    test('tells what is wrong with a setting and exits with 2', async () => {
        const cases = [
            [['--port', 'x'], {}, /--port: takes a number from 0 to 65535, not 'x'/],
            [['--nothing'], {}, /--nothing: there is no such flag/],
            [[], { ZAPNIC_OVERFLOW: 'x' }, /ZAPNIC_OVERFLOW: takes one of disconnect/],
            [['--config', '/nonexistent'], {}, /cannot read the configuration file \/nonexistent/],
            [['--cert', 'a.pem'], {}, /--cert and --key go together/],
        ];
        for (const [args, env, message] of cases) {
            const { code, stderr } = await run(args, env);
            assert.equal(code, 2);
            assert.match(stderr, message);
        }
    });

    test('lists its flags', async () => {
        const { code, stdout } = await run(['--help']);
        assert.equal(code, 0);
        assert.match(stdout, /--ping-interval MS .*\(25000\)/);
    });

    test('says who has the port', async () => {
        const server = await startCommand(COMMAND);
        const { code, stderr } = await run(['--port', String(server.port)]);
        assert.equal(code, 1);
        assert.match(stderr, /port \d+ is in use/);
        await server.stop();
    });

    test('says that a certificate cannot be read', async () => {
        const { code, stderr } = await run(['--cert', '/nonexistent.pem', '--key', '/x.pem']);
        assert.equal(code, 1);
        assert.match(stderr, /nonexistent\.pem/);
    });

    test('takes settings from the environment', async () => {
        process.env.ZAPNIC_PING_INTERVAL = '12345';
        const server = await startCommand(COMMAND);
        delete process.env.ZAPNIC_PING_INTERVAL;
        const response = await fetch(`${server.http}/socket.io/?EIO=4&transport=polling`);
        assert.match(await response.text(), /"pingInterval":12345,/);
        await server.stop();
    });

    test('stops on SIGTERM with clients connected and tells them', async () => {
        const server = await startCommand(COMMAND);
        const sockets = await Promise.all([WS, { transports: ['polling'] }].map((how) =>
            connected(server, '/', { ...how, reconnection: false })));
        const gone = sockets.map((socket) => happens(socket, 'disconnect'));
        await server.stop();
        await Promise.all(gone);
        closeAll();
    });

    test('takes two signals at once for one', async () => {
        const server = await startCommand(COMMAND);
        await connected(server, '/', { ...WS, reconnection: false });
        process.kill(server.pid, 'SIGTERM');
        process.kill(server.pid, 'SIGINT');
        await server.stop();
        closeAll();
    });

    test('serves the page and the client with another path', async () => {
        const server = await startCommand(COMMAND, ['--path', '/live/io']);
        const page = await (await fetch(server.http)).text();
        assert.match(page, /src="\/live\/io\/socket\.io\.js"/);
        assert.equal((await fetch(`${server.http}/live/io/socket.io.js`)).status, 200);
        await server.stop();
    });

    test('serves no page without the demo', async () => {
        const server = await startCommand(COMMAND, ['--demo=no']);
        assert.equal((await fetch(server.http)).status, 404);
        await server.stop();
    });

    test('goes on after SIGHUP', async () => {
        const server = await startCommand(COMMAND);
        process.kill(server.pid, 'SIGHUP');
        await sleep(100);
        assert.equal((await fetch(server.http)).status, 200);
        await server.stop();
    });
});

describe('zapnic serve with TLS', { skip: noOpenssl }, () => {
    let folder;
    before(() => {
        folder = mkdtempSync(join(tmpdir(), 'zapnic-serve-'));
    });
    after(() => rmSync(folder, { recursive: true }));
    afterEach(closeAll);

    // The name in the certificate that a new connection is shown.
    function shownName(port) {
        return new Promise((resolve, reject) => {
            const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false },
                () => {
                    resolve(socket.getPeerCertificate().subject.CN);
                    socket.destroy();
                });
            socket.on('error', reject);
        });
    }

    test('SIGHUP changes the certificate and keeps connections', async () => {
        const server = await startCommand(COMMAND, writeCertificate(folder, 'first'));
        const socket = await connected({ http: `https://127.0.0.1:${server.port}` }, '/',
            { ...WS, rejectUnauthorized: false });
        assert.equal(await shownName(server.port), 'first');
        writeCertificate(folder, 'second');
        process.kill(server.pid, 'SIGHUP');
        await until(async () => await shownName(server.port) === 'second',
            'the new certificate is shown');
        writeFileSync(join(folder, 'cert.pem'), 'no certificate');
        process.kill(server.pid, 'SIGHUP');
        await sleep(100);
        assert.equal(await shownName(server.port), 'second');
        assert.ok(socket.connected);
        await server.stop();
    });
});

for (const threads of ['1', '4']) {
    describe(`chat rooms on ${threads} threads`, () => {
        let server;
        before(async () => {
            server = await startCommand(COMMAND, ['--threads', threads]);
        });
        after(() => server.stop());
        afterEach(closeAll);

        const person = async (name, room) => {
            const socket = await connected(server, '/', WS);
            const answer = await socket.emitWithAck('join', { name, room });
            assert.equal(answer.error, undefined);
            return { socket, answer };
        };

        test('serve a page without inline scripts', async () => {
            for (const [path, type] of [['/', 'text/html'], ['/app.js', 'application/javascript'],
                ['/style.css', 'text/css'], ['/icon.svg', 'image/svg+xml']]) {
                const response = await fetch(server.http + path);
                assert.equal(response.status, 200);
                assert.ok(response.headers.get('content-type').startsWith(type));
                if (path === '/') {
                    const page = await response.text();
                    assert.match(page, /Content-Security-Policy/);
                    assert.doesNotMatch(page, /<script(?![^>]* src=)/);
                    assert.doesNotMatch(page, / on[a-z]+=| style=/);
                }
            }
        });

        test('keep history and presence for who comes later', async () => {
            const { socket: ada, answer } = await person(' Ada ', 'history');
            assert.equal(answer.name, 'Ada');
            assert.deepEqual(answer.people, [{ id: ada.id, name: 'Ada' }]);
            assert.deepEqual(answer.messages, []);
            const text = '<b>"é\\😀\n</b>';
            const own = happens(ada, 'message');
            assert.deepEqual(await ada.emitWithAck('message', { room: 'history', text }), { ok: true });
            const [message] = await own;
            assert.equal(message.text, text);
            assert.equal(message.from, ada.id);

            const seen = happens(ada, 'joined');
            const { socket: grace, answer: second } = await person('Grace', 'history');
            assert.deepEqual(second.messages, [message]);
            assert.deepEqual(second.people.map((p) => p.name).sort(), ['Ada', 'Grace']);
            assert.deepEqual(await seen, [{ room: 'history', id: grace.id, name: 'Grace' }]);

            const left = happens(ada, 'left');
            const { id } = grace;
            grace.disconnect();
            assert.deepEqual(await left, [{ room: 'history', id }]);
        });

        test('tell who is typing to the others only', async () => {
            const { socket: ada } = await person('Ada', 'typing');
            const { socket: grace } = await person('Grace', 'typing');
            let own = 0;
            ada.on('typing', () => own++);
            const typing = happens(grace, 'typing');
            ada.emit('typing', { room: 'typing', on: true });
            assert.deepEqual(await typing, [{ room: 'typing', id: ada.id, name: 'Ada', on: true }]);
            await ada.emitWithAck('latency');
            assert.equal(own, 0);
        });

        test('end with leave', async () => {
            const { socket: ada } = await person('Ada', 'leave');
            const { socket: grace } = await person('Grace', 'leave');
            const left = happens(grace, 'left');
            assert.deepEqual(await ada.emitWithAck('leave', { room: 'leave' }), { ok: true });
            await left;
            const answer = await ada.emitWithAck('message', { room: 'leave', text: 'x' });
            assert.match(answer.error, /Join the room first/);
        });

        test('are listed for everyone', async () => {
            const watcher = await connected(server, '/', WS);
            let rooms = [];
            watcher.on('rooms', (list) => {
                rooms = list;
            });
            await person('Ada', 'listed');
            await until(() => rooms.some((r) => r.room === 'listed' && r.people === 1), 'the room is listed');
            const [stats] = await happens(watcher, 'stats');
            assert.ok(stats.connections >= 2);
            assert.ok(stats.rate >= 0);
        });

        test('refuse what is not allowed', async () => {
            const socket = await connected(server, '/', WS);
            const refused = async (event, value, message) => {
                const answer = await socket.emitWithAck(event, value);
                assert.match(answer.error, message);
            };
            await refused('join', 'x', /An object is missing/);
            await refused('join', null, /An object is missing/);
            await refused('join', { name: 'Ada' }, /Please give a room/);
            await refused('join', { name: '  ', room: 'r' }, /Please give a name/);
            await refused('join', { name: 'x'.repeat(33), room: 'r' }, /up to 32 characters/);
            await refused('join', { name: 'a\u202eb', room: 'r' }, /not allowed/);
            await refused('join', { name: ['Ada'], room: 'r' }, /Please give a name/);
            await refused('join', { name: 'Ada', room: 'a\0b' }, /An object is missing|not allowed/);
            await refused('message', { room: 'r', text: 'x' }, /Join the room first/);
            await socket.emitWithAck('join', { name: 'Ada', room: 'r' });
            await refused('message', { room: 'r', text: 'x'.repeat(1001) }, /up to 1000 characters/);
            await refused('message', { room: 'r', text: ' \n ' }, /Please give a text/);
        });

        test('take no more than eight of one client', async () => {
            const { socket } = await person('Ada', 'many 0');
            for (let i = 1; i < 8; i++) {
                assert.ok((await socket.emitWithAck('join', { name: 'Ada', room: `many ${i}` })).ok);
            }
            const answer = await socket.emitWithAck('join', { name: 'Ada', room: 'many 8' });
            assert.match(answer.error, /many rooms already/);
            assert.ok((await socket.emitWithAck('join', { name: 'Ada', room: 'many 0' })).ok);
        });

        test('slow down who sends too fast, and nobody else', async () => {
            const { socket } = await person('Ada', 'fast');
            const { socket: other } = await person('Grace', 'fast');
            const answers = await Promise.all(Array.from({ length: 60 }, (_, i) =>
                socket.emitWithAck('message', { room: 'fast', text: `${i}` })));
            const taken = answers.filter((answer) => answer.ok).length;
            assert.ok(taken >= 20 && taken < 60, `${taken} were taken`);
            assert.ok((await other.emitWithAck('message', { room: 'fast', text: 'x' })).ok);
        });

        test('cannot be used to listen to another socket', async () => {
            const { socket: ada } = await person('Ada', 'private');
            const spy = await connected(server, '/', WS);
            assert.ok((await spy.emitWithAck('join', { name: 'Eve', room: ada.id })).ok);
            const { socket: grace } = await person('Grace', 'private');
            let heard = 0;
            spy.on('message', () => heard++);
            await grace.emitWithAck('message', { room: 'private', text: 'x' });
            await spy.emitWithAck('latency');
            assert.equal(heard, 0);
        });

        test('carry every message of many people', async () => {
            const people = await Promise.all(Array.from({ length: 20 }, (_, i) => person(`p${i}`, 'crowd')));
            const seen = people.map(() => new Set());
            people.forEach(({ socket }, i) => socket.on('message', (message) => {
                assert.ok(!seen[i].has(message.id));
                seen[i].add(message.id);
            }));
            await Promise.all(people.flatMap(({ socket }) => [1, 2, 3].map((n) =>
                socket.emitWithAck('message', { room: 'crowd', text: `${n}` }))));
            await until(() => seen.every((ids) => ids.size === 60), 'everyone has every message');
            const { answer } = await person('late', 'crowd');
            assert.equal(answer.messages.length, 50);
            assert.equal(answer.people.length, 21);
        });
    });
}

test('a socket recovers its presence', async () => {
    const server = await startCommand(COMMAND, ['--recovery', '60000']);
    const ada = client(server, '/', { ...WS, reconnectionDelay: 50 });
    await happens(ada, 'connect');
    const { id } = ada;
    await ada.emitWithAck('join', { name: 'Ada', room: 'back' });
    await ada.emitWithAck('message', { room: 'back', text: 'so that there is an offset' });
    const again = happens(ada, 'connect');
    ada.io.engine.close();
    await again;
    assert.equal(ada.recovered, true);
    assert.equal(ada.id, id);
    const grace = await connected(server, '/', WS);
    const { people } = await grace.emitWithAck('join', { name: 'Grace', room: 'back' });
    assert.deepEqual(people.map((person) => person.name).sort(), ['Ada', 'Grace']);
    assert.deepEqual(await ada.emitWithAck('message', { room: 'back', text: 'x' }), { ok: true });
    closeAll();
    await server.stop();
});

test('logs are one JSON object a line', async () => {
    const [program, ...rest] = COMMAND;
    const lines = await new Promise((resolve) => {
        const child = execFile(program, [...rest, '--port', '0', '--log-format', 'json'],
            (error, stdout) => resolve(stdout.trim().split('\n')));
        child.stdout.once('data', () => child.kill('SIGTERM'));
    });
    const events = lines.map((line) => JSON.parse(line));
    const listening = events.find((event) => event.event === 'listening');
    assert.equal(listening.level, 'info');
    assert.match(listening.url, /^http:\/\/localhost:\d+$/);
    assert.match(listening.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(events.at(-1).event, 'stopped');
});
