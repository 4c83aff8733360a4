// SPDX-License-Identifier: Apache-2.0
// RFC 6455 from the client's side over a plain TCP socket: any byte sequence can be sent, every
// frame of the server is checked for form and handed out as it came.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { host } from './server.mjs';
import { Queue, within } from './wait.mjs';

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

// Bytes of one client frame. `length` overrides the declared length, `wide` its encoding (7, 16
// or 64 bits), `first` the whole first byte, `masked` the masking.
export function frame(opcode, payload = '', options = {}) {
    const { fin = true, rsv = 0, masked = true, mask = randomBytes(4) } = options;
    const data = Buffer.from(payload);
    const length = options.length ?? data.length;
    const wide = options.wide ?? (length < 126 ? 7 : length < 65536 ? 16 : 64);
    const head = [options.first ?? ((fin ? 0x80 : 0) | (rsv << 4) | opcode)];
    const bit = masked ? 0x80 : 0;
    if (wide === 7) {
        head.push(bit | length);
    } else if (wide === 16) {
        head.push(bit | 126, length >> 8, length & 255);
    } else {
        const eight = Buffer.alloc(8);
        eight.writeBigUInt64BE(BigInt(length));
        head.push(bit | 127, ...eight);
    }
    if (!masked) {
        return Buffer.concat([Buffer.from(head), data]);
    }
    return Buffer.concat([Buffer.from(head), mask, xor(data, mask)]);
}

export function xor(data, mask) {
    const out = Buffer.allocUnsafe(data.length);
    for (let i = 0; i < data.length; i++) {
        out[i] = data[i] ^ mask[i & 3];
    }
    return out;
}

export function closePayload(code, reason = '') {
    const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
    payload.writeUInt16BE(code);
    payload.write(reason, 2);
    return payload;
}

export function upgradeRequest(path, headers = {}) {
    const all = {
        Host: 'localhost',
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
    };
    const lines = [`GET ${path} HTTP/1.1`];
    for (const [name, value] of Object.entries(all)) {
        for (const one of value === undefined ? [] : [value].flat()) {
            lines.push(`${name}: ${one}`);
        }
    }
    return `${lines.join('\r\n')}\r\n\r\n`;
}

export class RawSocket {
    #chunks = [];
    #have = 0;
    #frames = new Queue();
    #socket;
    #upgraded;

    constructor(socket) {
        this.#socket = socket;
        this.#upgraded = new Promise((resolve, reject) => {
            this.resolveHead = resolve;
            this.rejectHead = reject;
        });
        this.#upgraded.catch(() => {});
        this.bytesRead = 0;
        this.ended = new Promise((resolve) => {
            socket.on('end', () => resolve());
            socket.on('close', () => resolve());
        });
        socket.on('error', (error) => {
            this.error = error;
        });
        socket.on('data', (chunk) => {
            this.bytesRead += chunk.length;
            this.#chunks.push(chunk);
            this.#have += chunk.length;
            this.#parse();
        });
        socket.on('close', () => this.#finish());
        socket.on('end', () => this.#finish());
    }

    // Connects and does the opening handshake; `early` goes out in the same segment.
    static async open(port, path = '/ws', { headers, early = '', expect = 101 } = {}) {
        const socket = net.connect({ port, host, noDelay: true });
        const raw = new RawSocket(socket);
        socket.write(Buffer.concat([Buffer.from(upgradeRequest(path, headers)),
            Buffer.from(early)]));
        const head = await within(raw.#upgraded, 'the opening handshake');
        raw.status = Number(head.split(' ')[1]);
        raw.head = head;
        if (raw.status !== expect) {
            throw new Error(`expected ${expect}: ${head}`);
        }
        return raw;
    }

    get socket() {
        return this.#socket;
    }

    // The value of a response header, or undefined.
    header(name) {
        const line = this.head.split('\r\n').find((one) =>
            one.toLowerCase().startsWith(`${name.toLowerCase()}:`));
        return line?.slice(name.length + 1).trim();
    }

    write(data) {
        return this.#socket.write(data);
    }

    send(opcode, payload, options) {
        return this.write(frame(opcode, payload, options));
    }

    // The next frame: { fin, rsv, opcode, payload }.
    next(ms) {
        return this.#frames.take('a WebSocket frame', ms);
    }

    // The next whole message, its frames put together: { opcode, rsv, payload }.
    async message(ms) {
        const first = await this.next(ms);
        const parts = [first.payload];
        for (let last = first; !last.fin; ) {
            last = await this.next(ms);
            parts.push(last.payload);
        }
        return { opcode: first.opcode, rsv: first.rsv, payload: Buffer.concat(parts) };
    }

    // Reads on until a close frame or the end of the stream. The close code is null when
    // the frame had none, undefined when the stream ended without a close frame.
    async closing(ms) {
        for (;;) {
            let next;
            try {
                next = await this.next(ms);
            } catch (error) {
                if (error !== this.gone) {
                    throw error;
                }
                return { code: undefined, reason: '' };
            }
            if (next.opcode === CLOSE) {
                const { payload } = next;
                return {
                    code: payload.length >= 2 ? payload.readUInt16BE() : null,
                    reason: payload.toString('utf8', 2),
                };
            }
        }
    }

    reset() {
        this.#socket.resetAndDestroy();
    }

    destroy() {
        this.#socket.destroy();
    }

    #finish() {
        this.gone ??= this.error ?? new Error('the server closed the connection');
        this.#frames.end(this.gone);
        this.rejectHead(this.gone);
    }

    #take(length) {
        if (this.#chunks.length > 1) {
            this.#chunks = [Buffer.concat(this.#chunks)];
        }
        const out = this.#chunks[0].subarray(0, length);
        this.#chunks = [this.#chunks[0].subarray(length)];
        this.#have -= length;
        return out;
    }

    #peek(length) {
        if (this.#chunks[0]?.length < length) {
            this.#chunks = [Buffer.concat(this.#chunks)];
        }
        return this.#chunks[0].subarray(0, length);
    }

    #parse() {
        if (!this.upgradeSeen) {
            const all = this.#peek(this.#have);
            const end = all.indexOf('\r\n\r\n');
            if (end < 0) {
                return;
            }
            this.upgradeSeen = true;
            this.resolveHead(this.#take(end + 4).toString('latin1').trimEnd());
        }
        while (this.#parseFrame());
    }

    #parseFrame() {
        if (this.#have < 2) {
            return false;
        }
        const seven = this.#peek(2)[1] & 127;
        const headLength = seven < 126 ? 2 : seven === 126 ? 4 : 10;
        if (this.#have < headLength) {
            return false;
        }
        const head = this.#peek(headLength);
        const length = seven < 126 ? seven
            : seven === 126 ? head.readUInt16BE(2) : Number(head.readBigUInt64BE(2));
        if (this.#have < headLength + length) {
            return false;
        }
        if (head[1] & 128) {
            throw new Error('the server masked a frame');
        }
        if ((headLength === 4 && length < 126) || (headLength === 10 && length < 65536)) {
            throw new Error(`the server spread length ${length} over ${headLength} bytes`);
        }
        const whole = this.#take(headLength + length);
        this.#frames.push({
            fin: (whole[0] & 128) !== 0,
            rsv: (whole[0] >> 4) & 7,
            opcode: whole[0] & 15,
            payload: whole.subarray(headLength),
        });
        return true;
    }
}

const TCP_END_MS = 1500; // a second, and what a busy machine adds

// The connection ends with a close frame of one of `codes` (null: without a code, undefined: no
// such frame), and then TCP ends.
export async function assertCloses(raw, ...codes) {
    const { code } = await raw.closing();
    assert.ok(codes.includes(code), `closed with ${code}, expected ${codes.join(' or ')}`);
    await within(raw.ended, 'TCP to end', TCP_END_MS);
    raw.destroy();
}

// The next message is `payload`, uncompressed.
export async function assertEcho(raw, opcode, payload) {
    const got = await raw.message();
    assert.equal(got.opcode, opcode);
    assert.equal(got.rsv, 0);
    assert.equal(got.payload.length, Buffer.byteLength(payload));
    assert.ok(got.payload.equals(Buffer.from(payload)), 'the echo differs');
}
