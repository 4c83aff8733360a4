// SPDX-License-Identifier: Apache-2.0
// Two hosts, each a network namespace of its own, with a link between: on one the interface that
// zapnic and the kernel share, on the other the clients. All names carry the process id, and all is
// gone when the process is. Commands run in the namespace of a host, but keep this one's mounts: the
// bpf file system is in sight.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';

const build = resolve(process.env.B ?? 'build');
const server = `zn-xdp-server-${process.pid}`;
const client = `zn-xdp-client-${process.pid}`;
const children = new Set();

export const iface = `zx${process.pid}`;
export const pins = `/sys/fs/bpf/zapnic/${iface}`;
export const address = '10.10.0.1';
export const address6 = 'fd10::1';
export const folder = mkdtempSync(join(tmpdir(), 'zn-xdp-'));
export const dpdk = join(build, 'zapnic-dpdk');

after(() => children.forEach((child) => child.kill('SIGKILL'))); // those of a test that failed

// However this process ends, its end of the pipe closes.
const cleanUp = `trap '' HUP INT TERM
cat
for host in ${server} ${client}; do
    for pid in $(ip netns pids $host); do kill -9 $pid; done
    ip netns del $host
done
rm -rf ${pins} ${folder}`;
const cleaner = spawn('sh', ['-c', cleanUp], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
cleaner.unref();
cleaner.stdin.unref();

export function run(command, ...args) {
    const done = spawnSync(command, args, { encoding: 'utf8' });
    assert.equal(done.status, 0, `${command} ${args.join(' ')}: ${done.error ?? done.stderr}`);
    return done.stdout;
}

const inside = (host, words) => ['nsenter', [`--net=/run/netns/${host}`, ...words]];

// `zapnic xdp ...` on the server: what it said and its exit status.
export function xdp(...args) {
    const done = spawnSync(...inside(server, [join(build, 'zapnic'), 'xdp', ...args]), {
        encoding: 'utf8',
    });
    return { status: done.status, out: done.stdout, err: done.stderr };
}

export function stats() {
    const { status, out, err } = xdp('stats', iface, '--json');
    assert.equal(status, 0, err);
    return JSON.parse(out);
}

export const ip = (...args) => run(...inside(server, ['ip', ...args]).flat());

// The program on the interface, as the kernel tells it: its name, or undefined.
export const program = () => JSON.parse(ip('-j', '-d', 'link', 'show', iface))[0].xdp?.prog?.name;

// Starts a command on the server and waits for a line of its output.
export async function start(ready, ...words) {
    const child = spawn(...inside(server, words), { stdio: ['ignore', 'pipe', 'inherit'] });
    children.add(child);
    for await (const line of createInterface({ input: child.stdout })) {
        if (!ready.test(line)) continue;
        child.stdout.resume();
        return child;
    }
    assert.fail(`${words[0]} ended before it was ready`);
}

export async function stop(child) {
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    const [code] = await exit;
    children.delete(child);
    return code;
}

// A TCP service of the kernel's on both families; every answer is its name.
export const service = (port) =>
    start(
        /ready/,
        process.execPath,
        '-e',
        `require('http').createServer((q, r) => r.end('kernel ${port}')).listen(${port}, '::', () => console.log('ready'))`,
    );

// What a client reads there: the body, or the status when it is not 200.
export const get = (url) =>
    run(
        ...inside(client, [
            process.execPath,
            '-e',
            `fetch('${url}', { signal: AbortSignal.timeout(10000) }).then((r) => r.ok ? r.text() : r.status).then((t) => console.log(t))`,
        ]).flat(),
    ).trim();

// An XDP program that is not ours, as a file.
export function otherProgram() {
    const source = join(folder, 'other.c');
    const object = join(folder, 'other.o');
    writeFileSync(
        source,
        '__attribute__((section("xdp"), used)) int bystander(void *ctx) { return 2; }\n' +
            'char notice[] __attribute__((section("license"), used)) = "Apache-2.0";\n',
    );
    run('clang', '-target', 'bpf', '-O2', '-g', '-c', source, '-o', object);
    return object;
}

for (const host of [server, client]) run('ip', 'netns', 'add', host);
run('ip', '-n', server, 'link', 'add', iface, 'type', 'veth', 'peer', 'name', 'wire', 'netns', client);
for (const [host, name, last] of [[server, iface, 1], [client, 'wire', 2]]) {
    // The link carries packets as a wire does: whole, with their checksums.
    run('ip', 'netns', 'exec', host, 'ethtool', '-K', name, 'tx', 'off', 'gso', 'off', 'tso', 'off', 'gro', 'off');
    run('ip', '-n', host, 'addr', 'add', `10.10.0.${last}/24`, 'dev', name);
    run('ip', '-n', host, 'addr', 'add', `fd10::${last}/64`, 'dev', name, 'nodad');
    run('ip', '-n', host, 'link', 'set', name, 'up');
}
