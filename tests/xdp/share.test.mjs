// SPDX-License-Identifier: Apache-2.0
// `zapnic xdp` on an interface: what it refuses, that the kernel keeps its services, that a server on
// AF_XDP gets its port, and what is counted.
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as lab from './lab.mjs';

const { iface, address, address6, pins, xdp } = lab;

function refused({ status, err }, expected, code = 1) {
    assert.match(err, expected);
    assert.equal(status, code);
}

test('words_that_make_no_sense_are_refused', () => {
    refused(xdp(), /usage/, 2);
    refused(xdp('attach', iface), /needs --port/, 2);
    refused(xdp('attach', '--port', '80'), /usage/, 2);
    refused(xdp('attach', iface, '--port', '0'), /--port takes a number from 1 to 65535, not '0'/, 2);
    refused(xdp('attach', iface, '--port', '80x'), /--port takes a number/, 2);
    refused(xdp('attach', iface, '--port', '80', '--address', '10.0.0'), /--address takes an IP address/, 2);
    refused(xdp('attach', iface, '--port', '80', '--syn-rate', '-1'), /--syn-rate takes a number/, 2);
    refused(xdp('attach', iface, '--port', '80', '--mode', 'fast'), /--mode takes auto, native or generic/, 2);
    refused(xdp('detach', iface, '--port', '80'), /no such flag/, 2);
    const nine = Array.from({ length: 9 }, (_, i) => ['--port', `${i + 1}`]).flat();
    refused(xdp('attach', iface, ...nine), /8 ports at most/, 2);
    assert.equal(lab.program(), undefined);
});

test('interface_without_our_program_is_left_alone', () => {
    refused(xdp('attach', 'nowhere0', '--port', '3000'), /nowhere0: there is no such interface/);
    refused(xdp('detach', iface), /zapnic's program is not attached there/);
    refused(xdp('stats', iface), /zapnic's program is not attached there/);
    lab.ip('link', 'set', 'dev', iface, 'xdp', 'obj', lab.otherProgram(), 'sec', 'xdp');
    refused(xdp('attach', iface, '--port', '3000'), /another XDP program is there \('bystander'\)/);
    refused(xdp('detach', iface), /zapnic's program is not attached there/);
    assert.equal(lab.program(), 'bystander');
    lab.ip('link', 'set', 'dev', iface, 'xdp', 'off');
    assert.equal(existsSync(pins), false);
});

for (const mode of ['native', 'generic']) {
    test(`attached_${mode}_shares_and_detach_restores`, async () => {
        const ssh = await lab.service(8022);
        const idle = await lab.service(3000);
        assert.equal(xdp('attach', iface, '--port', '3000', '--mode', mode).status, 0);
        refused(xdp('attach', iface, '--port', '3001'), /zapnic's program is there already/);
        for (const map of ['xsks_map', 'zn_config', 'zn_counters', 'zn_sources'])
            assert.ok(statSync(join(pins, map)).isFile());
        assert.equal(lab.program(), 'zn_steer');

        assert.equal(lab.get(`http://${address}:8022/`), 'kernel 8022');
        assert.equal(lab.get(`http://[${address6}]:8022/`), 'kernel 8022');
        assert.equal(lab.stats().no_socket, 0);
        // Nobody serves the port by AF_XDP: its packets are the kernel's after all.
        assert.equal(lab.get(`http://${address}:3000/`), 'kernel 3000');
        const is = lab.stats();
        assert.equal(is.mode, mode);
        assert.equal(is.interface, iface);
        assert.ok(is.no_socket >= 4, `no_socket ${is.no_socket}`);
        assert.ok(is.other >= 8, `other ${is.other}`);
        assert.deepEqual(
            [is.redirected, is.packet_limited, is.syn_limited, is.fragment, is.malformed],
            [0, 0, 0, 0, 0],
        );
        assert.match(xdp('stats', iface).out, new RegExp(`^${iface}, ${mode} mode, port 3000\n`));

        assert.equal(xdp('detach', iface).status, 0);
        assert.equal(lab.program(), undefined);
        assert.equal(existsSync(pins), false);
        refused(xdp('detach', iface), /zapnic's program is not attached there/);
        assert.equal(lab.get(`http://${address}:8022/`), 'kernel 8022');
        await lab.stop(ssh);
        await lab.stop(idle);
    });
}

test('detach_clears_what_others_left', () => {
    assert.equal(xdp('attach', iface, '--port', '3000', '--mode', 'native').status, 0);
    lab.ip('link', 'set', 'dev', iface, 'xdp', 'off');
    assert.ok(existsSync(pins));
    refused(xdp('stats', iface), /zapnic's program is not attached there/);
    refused(xdp('detach', iface), /zapnic's program is not attached there/);
    assert.equal(existsSync(pins), false);
});

test('stats_find_a_renamed_interface', () => {
    assert.equal(xdp('attach', iface, '--port', '3000', '--mode', 'generic').status, 0);
    const alias = `${iface}x`;
    const rename = (from, to) => {
        lab.ip('link', 'set', from, 'down');
        lab.ip('link', 'set', from, 'name', to, 'up');
    };
    rename(iface, alias);
    assert.equal(JSON.parse(xdp('stats', alias, '--json').out).interface, alias);
    rename(alias, iface);
    lab.ip('addr', 'replace', `${address6}/64`, 'dev', iface, 'nodad'); // lost on the way
    assert.equal(xdp('detach', iface).status, 0);
});

test('server_on_af_xdp_beside_the_kernel', async (t) => {
    if (!existsSync(lab.dpdk)) return t.skip('no zapnic-dpdk: run "make dpdk"');
    const file = join(lab.folder, 'steer.o');
    const addresses = ['--address', address, '--address', address6];
    assert.equal(xdp('program', file, '--port', '3000', ...addresses).status, 0);
    const ssh = await lab.service(8022);
    for (let round = 0; round < 2; round++) {
        // The second one is a restart.
        const server = await lab.start(
            /listening on/, lab.dpdk, 'serve', '--datapath', 'dpdk', '--threads', '1', '--port', '3000',
            '--device', `net_af_xdp${round},iface=${iface},xdp_prog=${file}`, '--address', `${address},${address6}`, '--shared-address',
        );
        assert.equal(lab.program(), 'zn_steer');
        assert.match(lab.get(`http://${address}:3000/`), /<html/i);
        assert.match(lab.get(`http://[${address6}]:3000/`), /<html/i);
        assert.equal(lab.get(`http://${address}:8022/`), 'kernel 8022');
        assert.equal(lab.get(`http://[${address6}]:8022/`), 'kernel 8022');
        const is = lab.stats();
        assert.ok(is.redirected >= 8, `redirected ${is.redirected}`);
        assert.ok(is.other >= 8, `other ${is.other}`);
        assert.deepEqual([is.no_socket, is.packet_limited, is.syn_limited, is.malformed], [0, 0, 0, 0]);
        refused(xdp('attach', iface, '--port', '3000'), /zapnic's program is there already/);
        assert.equal(await lab.stop(server), 0);
        assert.equal(lab.program(), undefined);
    }
    await lab.stop(ssh);
});
