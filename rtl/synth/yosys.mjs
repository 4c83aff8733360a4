// SPDX-License-Identifier: Apache-2.0
// Runs a script of Yosys over the RTL: node yosys.mjs [-D folder] <top> [Parameter=value...] -- <script>
// `read` in the script stands for reading <top> with these parameters and all that it instantiates. Files that the script
// writes go to `folder`. Prints Yosys's log; fails when Yosys does.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const packages = new URL('../../build/yosys/node_modules/', import.meta.url);
const { runYosys } = await import(new URL('@yowasp/yosys/gen/bundle.js', packages));

const args = process.argv.slice(2);
let folder = '.';
if (args[0] === '-D') [, folder] = args.splice(0, 2);
const [top, ...rest] = args;
const split = rest.indexOf('--');
const parameters = rest.slice(0, split);
const script = rest.slice(split + 1).join(' ');

// Paths of all sources, and the same as the tree that Yosys sees.
const sources = [];
function load(path) {
    const tree = {};
    for (const entry of readdirSync(path, { withFileTypes: true })) {
        const name = join(path, entry.name);
        if (entry.isDirectory()) tree[entry.name] = load(name);
        else if (name.endsWith('.sv')) {
            tree[entry.name] = readFileSync(name);
            sources.push(name);
        }
    }
    return tree;
}
const files = { rtl: load('rtl') };

const folders = [...new Set(sources.map((name) => name.slice(0, name.lastIndexOf('/'))))];
const read = [
    'read_slang --threads 1 --ignore-assertions --unroll-limit=1000000 --libext .sv',
    `--top ${top}`,
    ...parameters.map((parameter) => `-G ${parameter}`),
    ...folders.map((name) => `-y ${name}`),
    ...sources.filter((name) => name.endsWith('_pkg.sv') || name.endsWith(`/${top}.sv`)),
].join(' ');

// Yosys's log, without colours.
const text = new TextDecoder();
const print = (bytes) => bytes && process.stdout.write(text.decode(bytes, { stream: true }).replace(/\x1b\[[0-9;]*m/g, ''));

try {
    const out = await runYosys(['-p', script.replace(/^read\b/, read)], files, { stdout: print, stderr: print });
    mkdirSync(folder, { recursive: true });
    for (const [name, content] of Object.entries(out))
        if (!(name in files) && (typeof content === 'string' || content instanceof Uint8Array))
            writeFileSync(join(folder, name), content);
} catch (error) {
    console.error(`yosys: ${error}`);
    process.exit(1);
}
