// SPDX-License-Identifier: Apache-2.0
// Starts the server under test on an ephemeral port and stops it by its pid. The command is
// ZN_CONFORM, by default build/zapnic-conform. With ZN_REFERENCE=1 the command is another
// implementation of the same protocols: cases where ours is stricter by intent are then skipped.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { root } from './packages.mjs';

// Where servers are reached.
export const host = process.env.ZN_HOST ?? '127.0.0.1';

// Whether they are on DPDK (tests/nic): one reactor, and their TCP is their own.
export const onNic = process.env.ZN_NIC_DEVICE !== undefined;

export const reference = process.env.ZN_REFERENCE === '1';

// Heartbeats that a busy machine cannot miss, for tests that are not about heartbeats.
export const CALM = ['--ping-interval', '25000', '--ping-timeout', '20000'];

const READY = /listening on (?:port |\S*:)(\d+)/;
const START_MS = 20_000;
const STOP_MS = 15_000;

const started = new Set();
process.on('exit', () => started.forEach((child) => child.kill('SIGKILL')));

class TestServer {
    #child;
    #errors = '';
    #exited;

    constructor(child) {
        this.#child = child;
        this.#exited = once(child, 'exit');
        child.stderr.setEncoding('utf8');
        child.stderr.on('data', (text) => {
            this.#errors = (this.#errors + text).slice(-20_000);
        });
    }

    get pid() {
        return this.#child.pid;
    }

    get errors() {
        return this.#errors;
    }

    get alive() {
        return this.#child.exitCode === null && this.#child.signalCode === null;
    }

    get http() {
        return `http://${host}:${this.port}`;
    }

    get ws() {
        return `ws://${host}:${this.port}`;
    }

    // Whether memory says something: not of other implementations, nor of sanitizers.
    get measurable() {
        return !reference && !/asan|tsan/.test(process.env.ZN_CONFORM ?? '');
    }

    // Resident memory in bytes.
    get rss() {
        const status = readFileSync(`/proc/${this.pid}/status`, 'latin1');
        return Number(/VmRSS:\s+(\d+) kB/.exec(status)[1]) * 1024;
    }

    async ready(port) {
        const lines = createInterface({ input: this.#child.stdout });
        const found = new Promise((resolve) => {
            lines.on('line', (line) => {
                const match = READY.exec(line);
                if (match) {
                    resolve(Number(match[1]));
                }
            });
        });
        const died = this.#exited.then(([code, signal]) => {
            throw new Error(`the server ended early: ${code ?? signal}\n${this.#errors}`);
        });
        died.catch(() => {});
        const timer = setTimeout(() => this.#child.kill('SIGKILL'), START_MS);
        this.port = await Promise.race([found, died]);
        clearTimeout(timer);
        assert.ok(port === 0 || this.port === port, `asked for port ${port}, got ${this.port}`);
    }

    // Ends the server in the orderly way; it has to be alive, and to exit with 0.
    async stop() {
        assert.ok(this.alive, `the server died during the tests\n${this.#errors}`);
        this.#child.kill('SIGTERM');
        const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
        const [code, signal] = await this.#exited;
        clearTimeout(timer);
        assert.equal(code ?? signal, 0, `the server did not stop cleanly\n${this.#errors}`);
    }

    async kill() {
        this.#child.kill('SIGKILL');
        await this.#exited;
    }
}

// Runs `command args --port N` and waits for its "listening on" line.
export async function startCommand(command, args = [], port = 0) {
    const [program, ...rest] = command;
    const child = spawn(program, [...rest, ...args, '--port', String(port)], {
        cwd: root,
        stdio: ['ignore', 'pipe', 'pipe'],
    });
    const failed = new Promise((_, reject) => child.on('error', reject));
    failed.catch(() => {});
    started.add(child);
    child.on('exit', () => started.delete(child));
    const server = new TestServer(child);
    await Promise.race([server.ready(port), failed]);
    return server;
}

// Starts the conformance server with `args`.
export function startServer(args = [], port = 0) {
    const command = (process.env.ZN_CONFORM ?? `${root}/build/zapnic-conform`).split(' ');
    return startCommand(command, args, port);
}
