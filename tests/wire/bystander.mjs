// SPDX-License-Identifier: Apache-2.0
// A client that minds its own business while others attack: it keeps one Socket.IO session and one
// plain WebSocket for the whole file, and both have to answer between any two cases.
import assert from 'node:assert/strict';
import { Peer } from './peer.mjs';
import { openMain } from './sio.mjs';

// How long an answer may take on a machine that is busy with the attack itself.
const ANSWER_MS = 5000;

export class Bystander {
    #count = 0;

    static async open(server) {
        const one = new Bystander();
        one.session = await openMain(server);
        one.echo = await Peer.open(`${server.ws}/ws`);
        return one;
    }

    // An ack and an echo come back, and nothing that the bystander did not ask for.
    async assertWell() {
        const n = ++this.#count;
        this.session.send(`42${n}["message-with-ack","well",${n}]`);
        assert.equal(await this.#answer(), `43${n}["well",${n}]`);
        this.echo.send(`well ${n}`);
        assert.equal(await this.echo.next(ANSWER_MS), `well ${n}`);
        while (this.session.waiting > 0) {
            assert.equal(await this.session.next(), '2', 'something came unasked');
            this.session.send('3');
        }
        assert.equal(this.echo.waiting, 0, 'something came unasked');
    }

    // The next packet of the session but heartbeats, which are due where the machine is slow.
    async #answer() {
        for (;;) {
            const packet = await this.session.next(ANSWER_MS);
            if (packet !== '2') {
                return packet;
            }
            this.session.send('3');
        }
    }

    async close() {
        await this.session.close();
        await this.echo.close();
    }
}

// Every promise's { value } or { error }.
export function settled(promises) {
    return Promise.all(promises.map((promise) => promise.then(
        (value) => ({ value }), (error) => ({ error }))));
}
