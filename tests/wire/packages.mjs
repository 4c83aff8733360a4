// SPDX-License-Identifier: Apache-2.0
// The client packages that tests/package-lock.json pins, from wherever they are installed:
// ZN_NODE_MODULES, build/node, or beside the lock file.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

const places = [process.env.ZN_NODE_MODULES, `${root}/build/node`, `${root}/tests`];
const home = places.find((place) => place && existsSync(`${place}/node_modules/ws`));
if (!home) {
    throw new Error('the client packages are not installed: run `make deps`');
}

export const require = createRequire(`${home}/package.json`);
