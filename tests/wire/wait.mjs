// SPDX-License-Identifier: Apache-2.0
// Waiting for events with a limit that only a broken server reaches.
export const LIMIT_MS = 15_000;

export function sleep(ms) {
    return new Promise((resolve) => setTimeout(resolve, ms));
}

// `promise`, or an error that says what was waited for.
export function within(promise, what, ms = LIMIT_MS) {
    let timer;
    const limit = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
    });
    return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

// Calls `probe` until it gives something truthy.
export async function until(probe, what, ms = LIMIT_MS) {
    const end = Date.now() + ms;
    for (;;) {
        const value = await probe();
        if (value) {
            return value;
        }
        if (Date.now() > end) {
            throw new Error(`waited ${ms} ms until ${what}`);
        }
        await sleep(10);
    }
}

// Values in the order of their arrival, taken one at a time.
export class Queue {
    #values = [];
    #takers = [];
    #ended;

    get length() {
        return this.#values.length;
    }

    push(value) {
        const taker = this.#takers.shift();
        if (taker) {
            taker.resolve(value);
        } else {
            this.#values.push(value);
        }
    }

    // Whoever waits, now or later, for more than what is there gets this error.
    end(error) {
        this.#ended = error;
        for (const taker of this.#takers.splice(0)) {
            taker.reject(error);
        }
    }

    take(what, ms) {
        if (this.#values.length > 0) {
            return Promise.resolve(this.#values.shift());
        }
        if (this.#ended) {
            return Promise.reject(this.#ended);
        }
        const taken = new Promise((resolve, reject) => this.#takers.push({ resolve, reject }));
        return within(taken, what, ms);
    }
}
