// SPDX-License-Identifier: Apache-2.0
// Synthesises the modules that the file `modules` names for UltraScale+ and prints a table of what they take. Nothing is
// placed, so levels (LUTs and carry cells between registers) tell more about timing than anything else here.
//   node synth.mjs          writes what it measured into bench/results/synth.json
//   node synth.mjs check    compares with it instead; fails if anything grew: LUTs or flip-flops by more than 2 %,
//                           memories or levels at all
// ONLY=text: only modules whose name has it. Results are kept in build/synth as long as the sources stay as they are.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const table = 'bench/results/synth.json';
const kept = 'build/synth';
const slack = 1.02;

// LUTs that a memory or shift register of distributed RAM takes.
const lutsOf = { RAM32M16: 8, RAM32M: 4, RAM64M: 4, RAM64M8: 8, RAM32X1D: 2, RAM64X1D: 2, RAM128X1D: 4, RAM256X1D: 8, SRL16E: 1, SRLC32E: 1 };

function modules(only = process.env.ONLY ?? '') {
    return readFileSync('rtl/synth/modules', 'utf8')
        .split('\n')
        .filter((line) => line && !line.startsWith('#') && line.includes(only))
        .map((line) => line.split(/\s+/))
        .map(([name, ...parameters]) => ({ name, parameters }));
}

// The sources that a module can depend on: its own folder's, the primitives, the packages.
function fingerprint({ name, parameters }) {
    const folders = ['rtl', 'rtl/pkg', 'rtl/prim', 'rtl/rx', 'rtl/tx'];
    const own = folders.find((folder) => existsSync(`${folder}/${name}.sv`));
    const hash = createHash('sha256').update(parameters.join(' ')).update(readFileSync('rtl/synth/synth.mjs'));
    for (const folder of new Set(['rtl/pkg', 'rtl/prim', own]))
        for (const file of readdirSync(folder).filter((entry) => entry.endsWith('.sv')).sort())
            hash.update(readFileSync(`${folder}/${file}`));
    return hash.digest('hex');
}

const script = (name) => `read; scratchpad -set abc9.verify false;
    synth_xilinx -family xcup -flatten -noiopad -noclkbuf -uram -abc9 -top ${name};
    tee -o cells.json stat -json;
    select -set comb * t:FD* %d t:RAM* %d t:URAM* %d t:SRL* %d; tee -o path.txt ltp @comb`;

function synthesise({ name, parameters }) {
    const folder = `${kept}/${name}`;
    mkdirSync(folder, { recursive: true });
    return new Promise((resolve, reject) => {
        const options = { maxBuffer: 1 << 30 };
        execFile('rtl/synth/yosys', ['-D', folder, name, ...parameters, '--', script(name)], options, (error, log) => {
            writeFileSync(`${folder}/log`, log);
            if (error) reject(new Error(`${name}: see ${folder}/log`));
            else resolve(folder);
        });
    });
}

function result({ name, parameters }, folder) {
    const stat = readFileSync(`${folder}/cells.json`, 'utf8');
    const cells = JSON.parse(stat.slice(stat.indexOf('{'))).design.num_cells_by_type;
    const path = readFileSync(`${folder}/path.txt`, 'utf8');
    const count = (pattern) =>
        Object.entries(cells).reduce((sum, [type, n]) => sum + (pattern.test(type) ? n : 0), 0);
    const memoryLuts = Object.entries(lutsOf).reduce((sum, [type, luts]) => sum + luts * (cells[type] ?? 0), 0);
    return {
        module: name,
        parameters: parameters.join(' '),
        lut: count(/^LUT[1-6]$/) + memoryLuts,
        ff: count(/^FD/),
        bram36: count(/^RAMB36/) + count(/^RAMB18/) / 2,
        uram: count(/^URAM288/),
        levels: Number(/length=(\d+)/.exec(path)?.[1] ?? 0),
    };
}

async function measure(module) {
    const key = fingerprint(module);
    const file = `${kept}/${module.name}.json`;
    if (existsSync(file)) {
        const before = JSON.parse(readFileSync(file, 'utf8'));
        if (before.key === key) return before.result;
    }
    const measured = result(module, await synthesise(module));
    writeFileSync(file, JSON.stringify({ key, result: measured }));
    return measured;
}

async function measureAll(list) {
    const results = new Array(list.length);
    let next = 0;
    const worker = async () => {
        while (next < list.length) {
            const at = next++;
            results[at] = await measure(list[at]).catch((error) => {
                console.error(error.message);
                process.exitCode = 1;
            });
        }
    };
    // The longest are named last and are begun first.
    list.reverse();
    await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker));
    return results.reverse().filter(Boolean);
}

const columns = ['module', 'parameters', 'lut', 'ff', 'bram36', 'uram', 'levels'];

function print(results) {
    const widths = columns.map((column) => Math.max(column.length, ...results.map((row) => String(row[column]).length)));
    for (const row of [Object.fromEntries(columns.map((column) => [column, column])), ...results])
        console.log(columns.map((column, i) => i < 2 ? String(row[column]).padEnd(widths[i]) : String(row[column]).padStart(widths[i])).join('  '));
}

// What grew, as lines.
function worse(results, committed) {
    const lines = [];
    for (const row of results) {
        const before = committed.find((other) => other.module === row.module);
        if (!before) lines.push(`${row.module} is not in ${table}`);
        for (const column of columns.slice(2))
            if (before && row[column] > before[column] * (column === 'lut' || column === 'ff' ? slack : 1))
                lines.push(`${row.module}: ${column} was ${before[column]}, is ${row[column]}`);
    }
    return lines;
}

mkdirSync(kept, { recursive: true });
const results = await measureAll(modules());
print(results);
if (process.argv[2] === 'check') {
    const lines = worse(results, JSON.parse(readFileSync(table, 'utf8')).modules);
    for (const line of lines) console.error(line);
    if (lines.length) process.exitCode = 1;
} else {
    const note = 'make synth: Yosys synth_xilinx -family xcup; levels: LUTs and carry cells between registers';
    const before = existsSync(table) ? JSON.parse(readFileSync(table, 'utf8')).modules : [];
    const rows = modules('')
        .map(({ name }) => [...results, ...before].find((row) => row.module === name))
        .filter(Boolean);
    writeFileSync(table, `${JSON.stringify({ command: note, modules: rows }, null, 2)}\n`);
}
