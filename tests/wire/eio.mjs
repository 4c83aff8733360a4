// SPDX-License-Identifier: Apache-2.0
// Engine.IO v4 sessions, packet by packet.
import assert from 'node:assert/strict';
import { Peer } from './peer.mjs';
import { Connection, fetchRaw } from './raw_http.mjs';

export const PATHS = ['/engine.io/', '/socket.io/'];

export const ERRORS = {
    0: 'Transport unknown',
    1: 'Session ID unknown',
    2: 'Bad handshake method',
    3: 'Bad request',
    5: 'Unsupported protocol version',
};

export function assertError(answer, code) {
    assert.equal(answer.status, 400, answer.body);
    assert.equal(answer.body, JSON.stringify({ code, message: ERRORS[code] }));
    assert.equal(answer.headers['content-type'], 'application/json');
}

export const SEPARATOR = '\x1e';

// A long-polling session; every request goes over a connection of its own unless told otherwise.
export class Polling {
    static async open(server, path = '/engine.io/', query = '') {
        const session = new Polling();
        session.port = server.port;
        const target = `${path}?EIO=4&transport=polling${query}`;
        const answer = await fetchRaw(server.port, { target });
        assert.equal(answer.status, 200, answer.body);
        session.open = JSON.parse(answer.body.slice(1));
        session.sid = session.open.sid;
        session.path = path;
        session.target = `${path}?EIO=4&transport=polling&sid=${session.sid}`;
        return session;
    }

    get() {
        return fetchRaw(this.port, { target: this.target });
    }

    post(body, headers = {}) {
        return fetchRaw(this.port, { method: 'POST', target: this.target, body, headers });
    }

    // A poll whose connection the test holds: { connection, answer }.
    async poll(options) {
        const connection = await Connection.open(this.port, options);
        const answer = connection.request({ target: this.target });
        answer.catch(() => {});
        return { connection, answer };
    }

    // Polls until all `count` packets have come; pings and noops are left out.
    async packets(count) {
        const found = [];
        while (found.length < count) {
            const answer = await this.get();
            assert.equal(answer.status, 200, answer.body);
            found.push(...answer.body.split(SEPARATOR).filter((one) => one !== '2' && one !== '6'));
        }
        return found;
    }

    // A poll of a session that is no more.
    async assertGone() {
        const answer = await this.get();
        assert.equal(answer.status, 400, `the session is still there: ${answer.body}`);
        assert.equal(answer.body, '{"code":1,"message":"Session ID unknown"}');
    }

    // The server ends this session: at most one poll more, which gets the close packet.
    async assertEnds() {
        const answer = await this.get();
        if (answer.status === 200) {
            assert.match(answer.body, /(^|\x1e)1$/);
            await this.assertGone();
        } else {
            assert.equal(answer.body, '{"code":1,"message":"Session ID unknown"}');
        }
    }

    // A WebSocket with this session's id; its upgrade is not yet asked for.
    socket(server) {
        return Peer.open(`${server.ws}${this.path}?EIO=4&transport=websocket&sid=${this.sid}`);
    }

    // The whole upgrade, up to and including the `5`.
    async upgrade(server) {
        const peer = await this.socket(server);
        peer.send('2probe');
        assert.equal(await peer.next(), '3probe');
        peer.send('5');
        return peer;
    }
}

// A session over WebSocket alone; `peer.open` holds the handshake.
export async function openSocket(server, path = '/engine.io/', query = '') {
    const peer = await Peer.open(`${server.ws}${path}?EIO=4&transport=websocket${query}`);
    const first = await peer.next();
    assert.equal(first[0], '0');
    peer.open = JSON.parse(first.slice(1));
    return peer;
}
