// SPDX-License-Identifier: Apache-2.0
// Socket.IO v5 packets on the wire: https://socket.io/docs/v4/socket-io-protocol/.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Polling, SEPARATOR } from './eio.mjs';
import { Peer } from './peer.mjs';
import { CALM, reference, startServer } from './server.mjs';
import {
    join, nextPacket, openMain, openSession, parsePacket, placeholder, settle,
} from './sio.mjs';

const SID = /^[A-Za-z0-9_-]{20}$/;

let server;
before(async () => {
    server = await startServer([...CALM, '--connect-timeout', '30000']);
});
after(() => server.stop());

// The event `message` comes back with the same arguments, so this connection is well.
async function assertWorks(peer) {
    peer.send('42["message","well?"]');
    assert.equal(await peer.next(), '42["message-back","well?"]');
}

describe('socket.io connect', () => {
    test('connect to the main namespace gets a sid and the auth event', async () => {
        const peer = await openSession(server);
        const answer = await join(peer);
        assert.deepEqual(Object.keys(answer), ['sid']);
        assert.match(answer.sid, SID);
        assert.notEqual(answer.sid, peer.open.sid);
        await peer.close();
    });

    const payloads = [{ token: '123' }, {}, { a: { b: [1, null, 'é€😀', { c: false }] } },
        { 'key with "quotes"': '\n\t\\' }, { n: 1e-7, m: -0.5, big: 123456789012345 }];
    for (const payload of payloads) {
        test(`connect payload ${JSON.stringify(payload)} reaches the server`, async () => {
            const peer = await openSession(server);
            await join(peer, '/', payload);
            await join(peer, '/custom', payload);
            await peer.close();
        });
    }

    for (const packet of ['40/custom,', '40/custom']) {
        test(`connect by ${packet} joins the namespace`, async () => {
            const peer = await openSession(server);
            peer.send(packet);
            const answer = await peer.next();
            assert.match(answer, /^40\/custom,\{"sid":"[A-Za-z0-9_-]{20}"\}$/);
            assert.equal(await peer.next(), '42/custom,["auth",{}]');
            await peer.close();
        });
    }

    for (const nsp of ['/random', '/Custom', '/custom/', '//', '/customs', '/a/b/c', '/é']) {
        test(`connect to unknown namespace ${nsp} is refused`, async () => {
            const peer = await openSession(server);
            for (const packet of [`40${nsp}`, `40${nsp},`, `40${nsp},{"a":1}`]) {
                peer.send(packet);
                assert.equal(await peer.next(), `44${nsp},{"message":"Invalid namespace"}`);
            }
            await join(peer);
            await assertWorks(peer);
            await peer.close();
        });
    }

    test('two namespaces share one transport with sids of their own', async () => {
        const peer = await openSession(server);
        const main = await join(peer);
        const custom = await join(peer, '/custom');
        assert.notEqual(main.sid, custom.sid);
        await assertWorks(peer);
        await peer.close();
    });

    test('namespace can be joined without the main one', async () => {
        const peer = await openSession(server);
        await join(peer, '/custom');
        await settle(peer);
        await peer.close();
    });

    const refused = [
        ['a letter as type', '4abc'],
        ['an array as payload', '40["x"]'],
        ['a string as payload', '40"x"'],
        ['null as payload', '40null'],
        ['true as payload', '40true'],
        ['broken JSON', '40{"a"'],
        ['something after the JSON', '40{"a":1}x'],
        ['an event first', '42["message"]'],
        ['an ack first', '430[]'],
        ['a disconnect first', '41'],
        ['a connect error', '44{"message":"x"}'],
        ['binary first', Buffer.from([1, 2, 3])],
        ['an event to another namespace', '42/custom,["x"]'],
    ];
    for (const [what, packet] of refused) {
        test(`session that begins with ${what} is closed`, async () => {
            const peer = await openSession(server);
            peer.send(packet);
            await peer.whenClosed();
        });
    }

    test('second connect to the same namespace closes', async () => {
        const peer = await openMain(server);
        peer.send('40');
        await peer.whenClosed();
    });
});

describe('socket.io connect timeout', { concurrency: true }, () => {
    let quick;
    before(async () => {
        quick = await startServer(CALM);
    });
    after(() => quick.stop());

    test('session without a connect is closed after a second', async () => {
        const peer = await openSession(quick);
        const start = Date.now();
        await peer.whenClosed();
        const lived = Date.now() - start;
        assert.ok(lived > 900 && lived < 4000, `lived ${lived} ms`);
    });

    test('session refused by a namespace is closed after a second', async () => {
        const peer = await openSession(quick);
        await settle(peer);
        await peer.whenClosed();
    });

    test('polling session without a connect is gone after a second', async () => {
        const session = await Polling.open(quick, '/socket.io/');
        const { connection, answer } = await session.poll();
        await Promise.race([answer.catch(() => {}), connection.closed]);
        await session.assertGone();
        connection.destroy();
    });

    test('session with a connect stays', async () => {
        const peer = await openSession(quick);
        await join(peer, '/custom');
        const other = await openSession(quick);
        await other.whenClosed();
        await join(peer);
        await assertWorks(peer);
        await peer.close();
    });
});

describe('socket.io disconnect', () => {
    test('disconnect keeps the transport and connect gives a new sid', async () => {
        const peer = await openMain(server);
        peer.send('41');
        await settle(peer);
        const again = await join(peer);
        assert.notEqual(again.sid, peer.answer.sid);
        await assertWorks(peer);
        await peer.close();
    });

    for (const packet of ['41/custom', '41/custom,']) {
        test(`${packet} leaves the namespace alone`, async () => {
            const peer = await openMain(server);
            await join(peer, '/custom');
            peer.send(packet);
            await assertWorks(peer);
            await join(peer, '/custom');
            await peer.close();
        });
    }

    test('disconnect from the main namespace leaves the other one', async () => {
        const peer = await openMain(server);
        await join(peer, '/custom');
        peer.send('41');
        await settle(peer);
        await join(peer);
        peer.send('41/custom');
        await settle(peer);
        await join(peer, '/custom');
        await peer.close();
    });

    test('event after a disconnect closes', async () => {
        const peer = await openMain(server);
        peer.send('41');
        await settle(peer);
        peer.send('42["message"]');
        await peer.whenClosed();
    });
});

describe('socket.io events', () => {
    const args = [
        '', '1', '"2"', '{"3":[true]}', '1,"2",{"3":[true]}', 'null', 'false,true', '[]', '{}',
        '""', '"é€😀"', '"\\"\\\\\\n\\t\\b\\f\\r"', '-1.5', '1e+21', '123456789012345680000',
        '{"a":{"b":{"c":[1,[2,[3,[]]]]}}}', '"<\\u0000>"', '{"_placeholder":false}',
        '{"":""}', '[[],[[]],[[[]]]]', '"[\\"not an array\\"]"', '"a,b","c]d","e}f"',
    ];
    for (const list of args) {
        test(`arguments ${list || 'of nothing'} come back`, async () => {
            const peer = await openMain(server);
            const tail = list && `,${list}`;
            peer.send(`42["message"${tail}]`);
            assert.equal(await peer.next(), `42["message-back"${tail}]`);
            peer.send(`4217["message-with-ack"${tail}]`);
            assert.equal(await peer.next(), `4317[${list}]`);
            await peer.close();
        });
    }

    const loose = [
        ['white space', '42[ "message" ,\t1 ,\n{ "a" : [ 1 , 2 ] } ]'],
        ['an escaped event name', '42["mess\\u0061ge","\\u00e9\\ud83d\\ude00\\/"]'],
        ['numbers of many forms', '42["message",1.0,1E3,-0,0.1e-2]'],
        ['repeated keys', '42["message",{"a":1,"a":2}]'],
        ['keys of prototypes', '42["message",{"constructor":1,"toString":2}]'],
    ];
    for (const [what, packet] of loose) {
        test(`JSON with ${what} means the same when it comes back`, async () => {
            const peer = await openMain(server);
            peer.send(packet);
            const got = parsePacket(await peer.next());
            const [, ...sent] = JSON.parse(packet.slice(2));
            assert.deepEqual(JSON.stringify(got.data), JSON.stringify(['message-back', ...sent]));
            await peer.close();
        });
    }

    for (const name of ['error', 'unknown', 'toString', 'hasOwnProperty', '__proto__',
        'constructor', '', 'CONNECT', 'ping', 'message ', 'connection']) {
        test(`event named "${name}" is an ordinary event`, async () => {
            const peer = await openMain(server);
            peer.send(`42${JSON.stringify([name, { a: 1 }])}`);
            await assertWorks(peer);
            await peer.close();
        });
    }

    test('event with a number for a name is ignored', async () => {
        const peer = await openMain(server);
        peer.send('42[1,2]');
        await assertWorks(peer);
        await peer.close();
    });

    test('events keep their order', async () => {
        const peer = await openMain(server);
        for (let i = 0; i < 500; i++) {
            peer.send(`42["message",${i},"${'x'.repeat(i)}"]`);
        }
        for (let i = 0; i < 500; i++) {
            assert.equal(await peer.next(), `42["message-back",${i},"${'x'.repeat(i)}"]`);
        }
        await peer.close();
    });

    test('event for one namespace does not reach the other', async () => {
        const peer = await openMain(server);
        await join(peer, '/custom');
        peer.send('42/custom,["message",1]');
        peer.send('42["message",2]');
        assert.equal(await peer.next(), '42["message-back",2]');
        await peer.close();
    });

    test('event of nearly the payload limit comes back', async () => {
        const peer = await openMain(server);
        const text = 'x'.repeat(999_000);
        peer.send(`42["message","${text}"]`);
        assert.ok(await peer.next() === `42["message-back","${text}"]`);
        await peer.close();
    });

    test('quiet server sends no auth event', async () => {
        const quiet = await startServer([...CALM, '--quiet']);
        const peer = await openMain(quiet, { a: 1 }, true);
        await assertWorks(peer);
        await peer.close();
        await quiet.stop();
    });
});

describe('socket.io acks', () => {
    for (const id of [0, 1, 9, 10, 456, 4_294_967_296, Number.MAX_SAFE_INTEGER]) {
        test(`ack id ${id} comes back`, async () => {
            const peer = await openMain(server);
            peer.send(`42${id}["message-with-ack",1,"2",{"3":[false]}]`);
            assert.equal(await peer.next(), `43${id}[1,"2",{"3":[false]}]`);
            await peer.close();
        });
    }

    test('ack without arguments is an empty list', async () => {
        const peer = await openMain(server);
        peer.send('425["message-with-ack"]');
        assert.equal(await peer.next(), '435[]');
        await peer.close();
    });

    test('server asks for acks and passes them on', async () => {
        const peer = await openMain(server);
        const ids = new Set();
        for (let i = 0; i < 20; i++) {
            peer.send(`42["emit-with-ack",${i},"x"]`);
            const asked = parsePacket(await peer.next());
            assert.equal(asked.type, 2);
            assert.deepEqual(asked.data, ['emit-with-ack', i, 'x']);
            assert.ok(Number.isSafeInteger(asked.id) && !ids.has(asked.id), `id ${asked.id}`);
            ids.add(asked.id);
            peer.send(`43${asked.id}["answer",${i}]`);
            assert.equal(await peer.next(), `42["emit-with-ack","answer",${i}]`);
        }
        await peer.close();
    });

    test('acks may come in any order', async () => {
        const peer = await openMain(server);
        const ids = [];
        for (let i = 0; i < 10; i++) {
            peer.send(`42["emit-with-ack",${i}]`);
            ids.push(parsePacket(await peer.next()).id);
        }
        for (const i of [9, 0, 5, 1, 8, 2, 7, 3, 6, 4]) {
            peer.send(`43${ids[i]}[${i}]`);
            assert.equal(await peer.next(), `42["emit-with-ack",${i}]`);
        }
        await peer.close();
    });

    test('unknown and repeated acks are ignored', async () => {
        const peer = await openMain(server);
        peer.send('4399[1]');
        peer.send(`43${Number.MAX_SAFE_INTEGER}[1]`);
        peer.send('42["emit-with-ack",1]');
        const { id } = parsePacket(await peer.next());
        peer.send(`43${id}["once"]`);
        assert.equal(await peer.next(), '42["emit-with-ack","once"]');
        peer.send(`43${id}["twice"]`);
        await assertWorks(peer);
        await peer.close();
    });

    test('ack of another connection is not taken', async () => {
        const [one, two] = [await openMain(server), await openMain(server)];
        one.send('42["emit-with-ack","mine"]');
        const { id } = parsePacket(await one.next());
        two.send(`43${id}["stolen"]`);
        await assertWorks(two);
        one.send(`43${id}["own"]`);
        assert.equal(await one.next(), '42["emit-with-ack","own"]');
        await Promise.all([one.close(), two.close()]);
    });
});

describe('socket.io binary', () => {
    const P0 = JSON.stringify(placeholder(0));
    const P1 = JSON.stringify(placeholder(1));
    const [ONE, TWO] = [Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6])];

    test('event with two attachments comes back byte for byte', async () => {
        const peer = await openMain(server);
        peer.send(`452-["message",${P0},${P1}]`);
        peer.send(ONE);
        peer.send(TWO);
        assert.equal(await peer.next(), `452-["message-back",${P0},${P1}]`);
        assert.deepEqual(await peer.next(), ONE);
        assert.deepEqual(await peer.next(), TWO);
        await peer.close();
    });

    test('ack with two attachments comes back byte for byte', async () => {
        const peer = await openMain(server);
        peer.send(`452-789["message-with-ack",${P0},${P1}]`);
        peer.send(ONE);
        peer.send(TWO);
        assert.equal(await peer.next(), `462-789[${P0},${P1}]`);
        assert.deepEqual(await peer.next(), ONE);
        assert.deepEqual(await peer.next(), TWO);
        await peer.close();
    });

    const shapes = [
        ['nested ones', `452-["message",{"a":[${P0},{"b":${P1}}]},"x"]`, [ONE, TWO],
            [{ a: [ONE, { b: TWO }] }, 'x']],
        ['the numbers swapped', `452-["message",${P1},${P0}]`, [ONE, TWO], [TWO, ONE]],
        ['an empty one', `451-["message",${P0}]`, [Buffer.alloc(0)], [Buffer.alloc(0)]],
        ['a long one', `451-["message",${P0}]`, [Buffer.alloc(900_000, 7)],
            [Buffer.alloc(900_000, 7)]],
        ['keys in another order', '451-["message",{"num":0,"_placeholder":true}]', [ONE], [ONE]],
        ['text that looks like one', `451-["message",{"_placeholder":"true","num":5},${P0}]`,
            [ONE], [{ _placeholder: 'true', num: 5 }, ONE]],
    ];
    for (const [what, text, parts, expected] of shapes) {
        test(`attachments with ${what} arrive`, async () => {
            const peer = await openMain(server);
            peer.send(text);
            parts.forEach((part) => peer.send(part));
            const got = await nextPacket(peer);
            assert.equal(got.type, 5);
            assert.deepEqual(got.data, ['message-back', ...expected]);
            await peer.close();
        });
    }

    test('ten attachments are allowed, eleven are not', async () => {
        const peer = await openMain(server);
        const parts = Array.from({ length: 11 }, (_, i) => Buffer.from([i]));
        const marks = parts.map((_, i) => placeholder(i));
        peer.send(`4510-${JSON.stringify(['message', ...marks.slice(0, 10)])}`);
        parts.slice(0, 10).forEach((part) => peer.send(part));
        const got = await nextPacket(peer);
        assert.deepEqual(got.data, ['message-back', ...parts.slice(0, 10)]);
        peer.send(`4511-${JSON.stringify(['message', ...marks])}`);
        await peer.whenClosed();
    });

    test('server asks for an ack with attachments and takes one', async () => {
        const peer = await openMain(server);
        peer.send(`451-["emit-with-ack",${P0}]`);
        peer.send(ONE);
        const asked = await nextPacket(peer);
        assert.equal(asked.type, 5);
        assert.deepEqual(asked.data, ['emit-with-ack', ONE]);
        peer.send(`461-${asked.id}[${P0}]`);
        peer.send(TWO);
        assert.deepEqual((await nextPacket(peer)).data, ['emit-with-ack', TWO]);
        await peer.close();
    });

    test('attachments over long-polling arrive', async () => {
        const session = await Polling.open(server, '/socket.io/');
        await session.post('40');
        await session.packets(2);
        await session.post([`452-["message",${P0},${P1}]`, 'bAQID', 'bBAUG'].join(SEPARATOR));
        assert.deepEqual(await session.packets(3),
            [`452-["message-back",${P0},${P1}]`, 'bAQID', 'bBAUG']);
        // One packet a request is the same.
        for (const part of [`451-["message",${P0}]`, 'b/w==']) {
            await session.post(part);
        }
        assert.deepEqual(await session.packets(2), [`451-["message-back",${P0}]`, 'b/w==']);
    });
});

describe('socket.io malformed packets', () => {
    const ph = (num) => `{"_placeholder":true,"num":${num}}`;
    const malformed = [
        ['an empty message', '4'],
        ['a letter as type', '4x'],
        ['type 7', '47'],
        ['type 9', '49["message"]'],
        ['an object as event', '42{}'],
        ['a string as event', '42"message"'],
        ['an empty array', '42[]'],
        ['an object as event name', '42[{}]'],
        ['an object with a name as event name', '42[{"toString":"foo"}]'],
        ['null as event name', '42[null]'],
        ['true as event name', '42[true]'],
        ['an array as event name', '42[["message"]]'],
        ['letters before the array', '42abc["message"]'],
        ['an array that does not end', '42["message"'],
        ['a comma too many', '42["message",]'],
        ['a comma too few', '42["message" 1]'],
        ['something after the array', '42["message"]x'],
        ['two arrays', '42["message"]["message"]'],
        ['single quotes', "42['message']"],
        ['a bare word', '42[message]'],
        ['NaN', '42["message",NaN]'],
        ['a leading zero', '42["message",01]'],
        ['a bare sign', '42["message",-]'],
        ['a number that ends in a point', '42["message",1.]'],
        ['a control character in a string', '42["message","a\u0001b"]'],
        ['a bad escape', '42["message","\\x41"]'],
        ['a short unicode escape', '42["message","\\u12"]'],
        ['a key without quotes', '42["message",{a:1}]'],
        ['a comment', '42["message"/**/]'],
        ['a namespace without a comma', '42/custom["message"]'],
        ...['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener',
            'removeListener'].map((name) => [`reserved name ${name}`, `42["${name}"]`]),
        ['an escaped reserved name', '42["\\u0063onnect"]'],
        ['a reserved name with an ack id', '421["disconnect"]'],
        ['an object as ack', '430{}'],
        ['a string as ack', '430"x"'],
        ['a payload in a disconnect', '41{}'],
        ['a connect error', '44{"message":"x"}'],
        ['no attachment count', '45["message"]'],
        ['a count without a dash', `451["message",${ph(0)}]`],
        ['zero attachments', '450-["message"]'],
        ['zero attachments in an ack', '460-0[]'],
        ['eleven attachments', `4511-["message",${ph(0)}]`],
        ['a million attachments', '451000000-["message"]'],
        ['a huge attachment count', '4599999999999999999999-["message"]'],
        ['a fraction of an attachment', '451.5-["message"]'],
        ['a negative count', '45-1-["message"]'],
        ['letters as count', '45a-["message"]'],
        ['a reserved name with attachments', `451-["disconnect",${ph(0)}]`],
        ['an object with attachments', `451-{"a":${ph(0)}}`],
    ];
    for (const [what, packet] of malformed) {
        test(`packet with ${what} closes`, async () => {
            const peer = await openMain(server);
            peer.send(packet);
            await peer.whenClosed();
        });
    }

    for (const num of ['1', '-1', '10', '0.5', '"0"', 'null', 'true', '1e99', '{}', '[0]',
        '"__proto__"', '"length"']) {
        // The reference takes a fraction within the range.
        const skip = reference && num === '0.5';
        test(`placeholder number ${num} closes`, { skip }, async () => {
            const peer = await openMain(server);
            peer.send(`451-["message",${ph(num)}]`);
            peer.send(Buffer.from([1]));
            await peer.whenClosed();
        });
    }

    test('placeholder without a number closes', async () => {
        const peer = await openMain(server);
        peer.send('451-["message",{"_placeholder":true}]');
        peer.send(Buffer.from([1]));
        await peer.whenClosed();
    });

    test('binary that nobody announced closes', async () => {
        const peer = await openMain(server);
        peer.send(Buffer.from([1]));
        await peer.whenClosed();
    });

    test('one attachment too many closes', async () => {
        const peer = await openMain(server);
        peer.send(`451-["message",${ph(0)}]`);
        peer.send(Buffer.from([1]));
        assert.equal((await nextPacket(peer)).type, 5);
        peer.send(Buffer.from([2]));
        await peer.whenClosed();
    });

    test('text in the place of an attachment closes', async () => {
        const peer = await openMain(server);
        peer.send(`451-["message",${ph(0)}]`);
        peer.send('42["message"]');
        await peer.whenClosed();
    });

    test('malformed packet over long-polling closes the session', async () => {
        const session = await Polling.open(server, '/socket.io/');
        await session.post('40');
        await session.packets(2);
        await session.post('42{}');
        await session.assertEnds();
    });

    test('malformed packet for one namespace ends all of the connection', async () => {
        const peer = await openMain(server);
        await join(peer, '/custom');
        peer.send('42/custom,{}');
        await peer.whenClosed();
    });

    test('namespace with a query is an unknown one', async () => {
        const peer = await openMain(server);
        peer.send('40/custom?a=b,');
        assert.equal(await peer.next(), '44/custom?a=b,{"message":"Invalid namespace"}');
        await peer.close();
    });
});

describe('socket.io over long-polling', () => {
    test('connect and events go through posts and polls', async () => {
        const session = await Polling.open(server, '/socket.io/');
        assert.equal((await session.post('40{"token":"é"}')).body, 'ok');
        const [answer, auth] = await session.packets(2);
        assert.match(answer, /^40\{"sid":"[A-Za-z0-9_-]{20}"\}$/);
        assert.equal(auth, '42["auth",{"token":"é"}]');
        await session.post(['42["message",1]', '42["message",2]', '427["message-with-ack",3]']
            .join(SEPARATOR));
        assert.deepEqual(await session.packets(3),
            ['42["message-back",1]', '42["message-back",2]', '437[3]']);
        await session.post('41');
        await session.post('40/custom,');
        assert.match((await session.packets(2))[0], /^40\/custom,\{"sid":/);
    });

    test('connection survives the upgrade with its packets in order', async () => {
        const session = await Polling.open(server, '/socket.io/');
        await session.post('40');
        await session.packets(2);
        const peer = await session.socket(server);
        peer.send('2probe');
        assert.equal(await peer.next(), '3probe');
        await session.post('42["message","queued"]');
        peer.send('5');
        peer.send('42["message","new"]');
        assert.equal(await peer.next(), '42["message-back","queued"]');
        assert.equal(await peer.next(), '42["message-back","new"]');
        await peer.close();
    });
});

describe('socket.io with foreign websockets', () => {
    test('malformed packets of one client leave the others alone', async () => {
        const bystander = await openMain(server);
        for (const packet of ['4abc', '42{}', '450-["x"]', Buffer.from([1])]) {
            const peer = await openMain(server);
            peer.send(packet);
            await peer.whenClosed();
            await assertWorks(bystander);
        }
        await bystander.close();
    });

    test('websocket subprotocol and deflate offers do no harm', async () => {
        const peer = await Peer.open(`${server.ws}/socket.io/?EIO=4&transport=websocket`,
            ['chat'], { perMessageDeflate: true }).catch((error) => error);
        // A client of the ws package refuses an answer without its subprotocol.
        assert.ok(peer instanceof Error || (await peer.next())[0] === '0');
        const plain = await Peer.open(`${server.ws}/socket.io/?EIO=4&transport=websocket`, [],
            { perMessageDeflate: true });
        assert.equal((await plain.next())[0], '0');
        await join(plain);
        await assertWorks(plain);
        await plain.close();
    });
});
