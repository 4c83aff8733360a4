// SPDX-License-Identifier: Apache-2.0
// A WebSocket of the `ws` package whose events wait in queues until a test takes them.
import { require } from './packages.mjs';
import { Queue, within } from './wait.mjs';

const { WebSocket } = require('ws');

export class Peer {
    #messages = new Queue();

    constructor(url, protocols = [], options = {}) {
        this.ws = new WebSocket(url, protocols, { perMessageDeflate: false, ...options });
        this.opened = new Promise((resolve, reject) => {
            this.ws.on('open', resolve);
            this.ws.on('error', reject);
        });
        this.opened.catch(() => {});
        this.closed = new Promise((resolve) => {
            this.ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
        });
        this.ws.on('error', (error) => {
            this.error = error;
        });
        // Text arrives as a string, binary as a Buffer.
        this.ws.on('message', (data, binary) => {
            this.#messages.push(binary ? data : data.toString());
        });
        this.ws.on('close', () => {
            this.#messages.end(new Error('the WebSocket closed'));
        });
    }

    static async open(url, protocols, options) {
        const peer = new Peer(url, protocols, options);
        await within(peer.opened, 'a WebSocket to open');
        return peer;
    }

    get waiting() {
        return this.#messages.length;
    }

    send(data, options) {
        this.ws.send(data, options);
    }

    next(ms) {
        return this.#messages.take('a WebSocket message', ms);
    }

    close(code, reason) {
        this.ws.close(code, reason);
        return within(this.closed, 'a WebSocket to close');
    }

    whenClosed(ms) {
        return within(this.closed, 'the server to close the WebSocket', ms);
    }

    terminate() {
        this.ws.terminate();
    }
}
