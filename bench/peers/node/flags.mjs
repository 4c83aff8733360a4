// SPDX-License-Identifier: Apache-2.0
// The command line that every peer on Node and Bun shares: --bench echo|bcast --port N.
const value = (name) => process.argv[process.argv.indexOf(name) + 1];
export const bcast = value('--bench') === 'bcast';
export const port = Number(value('--port'));
