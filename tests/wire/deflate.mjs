// SPDX-License-Identifier: Apache-2.0
// RFC 7692 from the client's side: compressed payloads made and read with the agreed parameters.
import { once } from 'node:events';
import zlib from 'node:zlib';
import { RawSocket } from './raw_ws.mjs';

const TAIL = Buffer.from([0, 0, 0xff, 0xff]);

// Turns `permessage-deflate; a; b=9` into { a: true, b: '9' }, or null for an absent header.
export function parseAnswer(header) {
    if (header === undefined) {
        return null;
    }
    const [name, ...params] = header.split(';').map((part) => part.trim());
    if (name !== 'permessage-deflate') {
        throw new Error(`agreed to ${header}`);
    }
    const found = {};
    for (const param of params) {
        const [key, value] = param.split('=').map((part) => part.trim());
        if (key in found) {
            throw new Error(`repeated parameter: ${header}`);
        }
        found[key] = value === undefined ? true : value.replace(/^"(.*)"$/, '$1');
    }
    return found;
}

export class Deflater {
    constructor({ bits = 15, takeover = true, level = 6 } = {}) {
        this.options = { windowBits: bits, level };
        this.takeover = takeover;
    }

    async compress(data) {
        if (!this.takeover || !this.stream) {
            this.stream = zlib.createDeflateRaw(this.options);
        }
        const stream = this.stream;
        const parts = [];
        const take = (part) => parts.push(part);
        stream.on('data', take);
        stream.write(data);
        await new Promise((resolve) => stream.flush(zlib.constants.Z_SYNC_FLUSH, resolve));
        stream.off('data', take);
        return Buffer.concat(parts).subarray(0, -4);
    }
}

export class Inflater {
    constructor({ bits = 15, takeover = true } = {}) {
        this.options = { windowBits: bits };
        this.takeover = takeover;
    }

    async inflate(data) {
        if (!this.takeover || !this.stream) {
            this.stream = zlib.createInflateRaw(this.options);
            this.failed = once(this.stream, 'error').then(([error]) => Promise.reject(error));
            this.failed.catch(() => {});
        }
        const stream = this.stream;
        const parts = [];
        const take = (part) => parts.push(part);
        stream.on('data', take);
        stream.write(data);
        stream.write(TAIL);
        await Promise.race([this.failed, new Promise((resolve) => stream.flush(resolve))]);
        stream.off('data', take);
        return Buffer.concat(parts);
    }
}

// A raw connection with permessage-deflate agreed on `offer`, and both directions' state.
export async function openDeflate(port, offer = 'permessage-deflate', path = '/ws') {
    const raw = await RawSocket.open(port, path, {
        headers: { 'Sec-WebSocket-Extensions': offer },
    });
    raw.agreed = parseAnswer(raw.header('sec-websocket-extensions'));
    if (!raw.agreed) {
        return raw;
    }
    raw.deflater = new Deflater({
        bits: Math.max(9, Number(raw.agreed.client_max_window_bits ?? 15)),
        takeover: !raw.agreed.client_no_context_takeover,
    });
    raw.inflater = new Inflater({
        bits: Number(raw.agreed.server_max_window_bits ?? 15),
        takeover: !raw.agreed.server_no_context_takeover,
    });
    raw.sendCompressed = async (opcode, data, options) =>
        raw.send(opcode, await raw.deflater.compress(Buffer.from(data)), { rsv: 4, ...options });
    // The next message with its payload inflated when RSV1 says that it is compressed.
    raw.inflated = async () => {
        const got = await raw.message();
        if (got.rsv === 4) {
            return { ...got, payload: await raw.inflater.inflate(got.payload), compressed: true };
        }
        return { ...got, compressed: false };
    };
    return raw;
}
