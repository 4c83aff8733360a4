// SPDX-License-Identifier: Apache-2.0
// HTTP/1.1 over a plain TCP socket: requests byte by byte as the test wants them, responses parsed
// strictly. One Connection is one keep-alive connection.
import net from 'node:net';
import { host } from './server.mjs';
import { Queue, within } from './wait.mjs';

export class Connection {
    #buffer = Buffer.alloc(0);
    #responses = new Queue();
    #socket;

    constructor(socket) {
        this.#socket = socket;
        this.bytesRead = 0;
        this.ended = new Promise((resolve) => {
            socket.on('end', () => resolve('end'));
            socket.on('close', () => resolve('close'));
        });
        this.closed = new Promise((resolve) => socket.on('close', resolve));
        socket.on('error', (error) => {
            this.error = error;
        });
        socket.on('data', (chunk) => {
            this.bytesRead += chunk.length;
            this.#buffer = Buffer.concat([this.#buffer, chunk]);
            this.#parse();
        });
        socket.on('close', () => {
            this.#responses.end(this.error ?? new Error('the server closed the connection'));
        });
    }

    static async open(port, options = {}) {
        const socket = net.connect({ port, host, noDelay: true, ...options });
        await within(
            new Promise((resolve, reject) => socket.on('connect', resolve).on('error', reject)),
            'a TCP connection',
        );
        return new Connection(socket);
    }

    get socket() {
        return this.#socket;
    }

    // Bytes that came after the last complete response.
    get rest() {
        return this.#buffer;
    }

    write(data) {
        return this.#socket.write(data);
    }

    // Writes, and waits until the server has taken most of it or ends the connection.
    async push(data) {
        if (!this.write(data)) {
            await Promise.race([this.ended,
                new Promise((resolve) => this.#socket.once('drain', resolve))]);
        }
    }

    // The next complete response; 100 Continue counts as one.
    response(ms) {
        return this.#responses.take('an HTTP response', ms);
    }

    // Sends a request and waits for its response.
    request(options) {
        this.write(request(options));
        return this.response();
    }

    reset() {
        this.#socket.resetAndDestroy();
    }

    end() {
        this.#socket.end();
    }

    destroy() {
        this.#socket.destroy();
    }

    #parse() {
        for (;;) {
            const head = this.#buffer.indexOf('\r\n\r\n');
            if (head < 0) {
                return;
            }
            const response = parseHead(this.#buffer.toString('latin1', 0, head));
            const body = takeBody(response, this.#buffer.subarray(head + 4));
            if (!body) {
                return;
            }
            response.bytes = body.data;
            response.body = body.data.toString();
            this.#buffer = body.rest;
            this.#responses.push(response);
            if (response.status === 101) {
                return;
            }
        }
    }
}

function parseHead(text) {
    const [line, ...fields] = text.split('\r\n');
    const status = /^HTTP\/1\.1 (\d{3}) /.exec(`${line} `);
    if (!status) {
        throw new Error(`bad status line: ${line}`);
    }
    const headers = {};
    for (const field of fields) {
        const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(field);
        if (!match) {
            throw new Error(`bad header field: ${field}`);
        }
        const name = match[1].toLowerCase();
        headers[name] = name in headers ? `${headers[name]}, ${match[2]}` : match[2];
    }
    return { status: Number(status[1]), line, headers };
}

function takeBody(response, data) {
    const { status, headers } = response;
    if (status < 200 || status === 204 || status === 304) {
        return { data: Buffer.alloc(0), rest: data };
    }
    if (headers['transfer-encoding'] === 'chunked') {
        return takeChunks(data);
    }
    const length = Number(headers['content-length'] ?? 0);
    if (data.length < length) {
        return null;
    }
    return { data: data.subarray(0, length), rest: data.subarray(length) };
}

function takeChunks(data) {
    const parts = [];
    for (let at = 0; ; ) {
        const eol = data.indexOf('\r\n', at);
        if (eol < 0) {
            return null;
        }
        const size = parseInt(data.toString('latin1', at, eol), 16);
        const end = eol + 2 + size;
        if (data.length < end + 2) {
            return null;
        }
        if (size === 0) {
            return { data: Buffer.concat(parts), rest: data.subarray(end + 2) };
        }
        parts.push(data.subarray(eol + 2, end));
        at = end + 2;
    }
}

// The bytes of a request. `body` adds Content-Length unless `headers` says how long it is.
export function request({ method = 'GET', target, headers = {}, body }) {
    const lines = [`${method} ${target} HTTP/1.1`];
    const all = { Host: 'localhost', ...headers };
    const names = Object.keys(all).map((name) => name.toLowerCase());
    if (body !== undefined && !names.includes('content-length') &&
        !names.includes('transfer-encoding')) {
        all['Content-Length'] = Buffer.byteLength(body);
    }
    for (const [name, value] of Object.entries(all)) {
        for (const one of Array.isArray(value) ? value : [value]) {
            lines.push(`${name}: ${one}`);
        }
    }
    return Buffer.concat([
        Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'),
        Buffer.from(body ?? ''),
    ]);
}

// One request on a connection of its own.
export async function fetchRaw(port, options) {
    const connection = await Connection.open(port);
    try {
        return await connection.request(options);
    } finally {
        connection.destroy();
    }
}

// A body in chunked coding, cut at `size` bytes.
export function chunked(body, size = 1000) {
    const data = Buffer.from(body);
    const parts = [];
    for (let at = 0; at < data.length; at += size) {
        const part = data.subarray(at, at + size);
        parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
    }
    parts.push(Buffer.from('0\r\n\r\n'));
    return Buffer.concat(parts);
}
