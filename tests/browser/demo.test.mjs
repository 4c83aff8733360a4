// SPDX-License-Identifier: Apache-2.0
// `zapnic serve` and its demo page in headless Chromium: people in tabs of their own chat, see each
// other come, write and go, and find their rooms again after the server was restarted.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, afterEach, before, describe, test } from 'node:test';
import { require, root } from '../wire/packages.mjs';
import { startCommand } from '../wire/server.mjs';

const { chromium } = require('playwright-core');

const COMMAND = [...(process.env.ZN_ZAPNIC ?? `${root}/build/zapnic`).split(' '), 'serve'];
const HOST = process.env.ZN_HOST ?? 'localhost';
const BROWSER = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome'].find((path) => path && existsSync(path));
const LIMIT_MS = 20_000;

describe('demo page', { skip: BROWSER ? false : 'there is no chromium' }, () => {
    let browser;
    let server;
    let tabs = [];
    before(async () => {
        server = await startCommand(COMMAND);
        browser = await chromium.launch({
            executablePath: BROWSER,
            args: ['--disable-background-networking', '--disable-component-update',
                '--disable-sync', '--no-first-run'],
        });
    });
    after(async () => {
        await browser?.close();
        await server?.stop();
    });
    afterEach(async () => {
        const faults = tabs.flatMap((tab) => tab.faults);
        await Promise.all(tabs.map((tab) => tab.context.close()));
        tabs = [];
        assert.deepEqual(faults, []);
    });

    // A tab with a profile of its own, on the page and connected. What its console complains
    // about is a fault, unless `offline` says that the server is away.
    async function openTab() {
        const context = await browser.newContext();
        context.setDefaultTimeout(LIMIT_MS);
        const page = await context.newPage();
        const tab = { context, page, faults: [], offline: false };
        page.on('pageerror', (error) => tab.faults.push(String(error)));
        page.on('console', (line) => {
            if (line.type() === 'error' && !tab.offline) {
                tab.faults.push(line.text());
            }
        });
        tabs.push(tab);
        await page.goto(`http://${HOST}:${server.port}/`);
        await shows(tab, '#status', 'Connected');
        // A tab that closes in the middle of its upgrade is counted until its heartbeat is due.
        await shows(tab, '#transport', 'websocket');
        return tab;
    }

    // A tab whose person has joined `room`.
    async function openPerson(name, room) {
        const tab = await openTab();
        await tab.page.fill('#name', name);
        await enter(tab, room);
        await lists(tab, '#people', name);
        return tab;
    }

    async function enter({ page }, room) {
        await page.fill('#room', room);
        await page.click('#join');
        await page.waitForFunction(() => !document.querySelector('#send').disabled);
    }

    async function say({ page }, text) {
        await page.fill('#text', text);
        await page.click('#send');
    }

    // Waits until the element's text contains `text`.
    function shows({ page }, selector, text) {
        return page.waitForFunction(([where, what]) =>
            document.querySelector(where).textContent.includes(what), [selector, text]);
    }

    const itemTexts = ({ page }, selector) => page.locator(`${selector} > li`).allTextContents();

    // Waits until an item of the list contains `text` or, with `there` false, until none does.
    async function lists(tab, selector, text, there = true) {
        try {
            await tab.page.waitForFunction(([where, what, wanted]) =>
                [...document.querySelectorAll(`${where} > li`)]
                    .some((item) => item.textContent.includes(what)) === wanted,
            [selector, text, there]);
        } catch (error) {
            const found = JSON.stringify(await itemTexts(tab, selector));
            throw new Error(`${selector} ${there ? 'lacks' : 'keeps'} "${text}": ${found}`,
                { cause: error });
        }
    }

    const number = async ({ page }, selector) =>
        Number((await page.textContent(selector)).replace(/[^\d.]/g, '') || 'NaN');

    test('page is served whole and connects', async () => {
        const { page } = await openTab(); // and its upgrade from polling is done
        assert.match(await page.title(), /zapnic/);
        for (const id of ['name', 'join', 'room', 'rooms', 'messages', 'text', 'send', 'people',
            'typing', 'status', 'panel-connections', 'panel-rate', 'panel-latency']) {
            assert.equal(await page.locator(`#${id}`).count(), 1, `#${id}`);
        }
    });

    test('two people chat', async () => {
        const ada = await openPerson('Ada', 'chat');
        const bob = await openPerson('Bob', 'chat');
        await lists(ada, '#people', 'Bob');
        await lists(bob, '#people', 'Ada');
        const lines = [[ada, 'hello from Ada'], [bob, 'hello from Bob'], [ada, 'é€😀 日本語'],
            [bob, '<b>not bold</b> & <script>alert(1)</script>'], [ada, '"quotes" \\ {}']];
        for (const [tab, text] of lines) {
            await say(tab, text);
            await Promise.all([ada, bob].map((one) => lists(one, '#messages', text)));
        }
        for (const tab of [ada, bob]) {
            const got = await itemTexts(tab, '#messages');
            assert.equal(got.length, lines.length);
            lines.forEach(([, text], i) => assert.ok(got[i].includes(text), got[i]));
            assert.equal(await tab.page.locator('#messages b, #messages script').count(), 0);
        }
        assert.ok((await itemTexts(bob, '#messages'))[0].includes('Ada'));
        assert.equal(await ada.page.inputValue('#text'), '');
    });

    test('quick messages of both arrive once each and in order', async () => {
        const [ada, bob] = [await openPerson('Ada', 'quick'), await openPerson('Bob', 'quick')];
        await lists(ada, '#people', 'Bob');
        await Promise.all([ada, bob].map(async (tab, k) => {
            for (let i = 0; i < 15; i++) {
                await say(tab, `${k ? 'bob' : 'ada'}-${i};`);
            }
        }));
        for (const tab of [ada, bob]) {
            await tab.page.waitForFunction(() =>
                document.querySelectorAll('#messages > li').length >= 30);
        }
        for (const tab of [ada, bob]) {
            const said = (await itemTexts(tab, '#messages'))
                .map((text) => /(ada|bob)-\d+;/.exec(text)[0]);
            assert.equal(said.length, 30);
            // Between two people on two threads of the server there is no order.
            for (const who of ['ada', 'bob']) {
                assert.deepEqual(said.filter((text) => text.startsWith(who)),
                    Array.from({ length: 15 }, (_, i) => `${who}-${i};`));
            }
        }
    });

    test('presence follows those who come and go', async () => {
        const ada = await openPerson('Ada', 'presence');
        const bob = await openPerson('Bob', 'presence');
        const cyd = await openPerson('Cyd', 'presence');
        for (const name of ['Ada', 'Bob', 'Cyd']) {
            await Promise.all([ada, bob, cyd].map((tab) => lists(tab, '#people', name)));
        }
        await bob.page.close();
        await Promise.all([ada, cyd].map((tab) => lists(tab, '#people', 'Bob', false)));
        await cyd.page.reload();
        await lists(ada, '#people', 'Cyd', false);
        await shows(cyd, '#transport', 'websocket');
        assert.equal((await itemTexts(ada, '#people')).length, 1);
    });

    test('typing is seen and ends', async () => {
        const [ada, bob] = [await openPerson('Ada', 'typing'), await openPerson('Bob', 'typing')];
        await lists(ada, '#people', 'Bob');
        await ada.page.locator('#text').pressSequentially('hel');
        await shows(bob, '#typing', 'Ada');
        assert.equal((await ada.page.textContent('#typing')).trim(), '');
        await ada.page.click('#send');
        await lists(bob, '#messages', 'hel');
        const silent = () => document.querySelector('#typing').textContent.trim() === '';
        await bob.page.waitForFunction(silent);
        // Somebody who stops in the middle is not typing for ever.
        await ada.page.locator('#text').pressSequentially('x');
        await shows(bob, '#typing', 'Ada');
        await bob.page.waitForFunction(silent);
    });

    test('rooms are kept apart and listed for all', async () => {
        const [ada, bob] = [await openPerson('Ada', 'red'), await openPerson('Bob', 'blue')];
        await Promise.all([ada, bob].flatMap((tab) =>
            ['red', 'blue'].map((room) => lists(tab, '#rooms', room))));
        await say(ada, 'only for red');
        await say(bob, 'only for blue');
        await lists(ada, '#messages', 'only for red');
        await lists(bob, '#messages', 'only for blue');
        await lists(ada, '#people', 'Bob', false);
        // A click on the room in the list joins it.
        await bob.page.locator('#rooms > li', { hasText: 'red' }).locator('button').first()
            .click();
        await lists(bob, '#people', 'Ada');
        await lists(ada, '#people', 'Bob');
        await say(bob, 'blue says hello');
        await lists(ada, '#messages', 'blue says hello');
        assert.ok(!(await itemTexts(ada, '#messages')).join().includes('only for blue'));
        await bob.page.locator('#rooms > li', { hasText: 'blue' }).locator('button').first()
            .click();
        await lists(bob, '#messages', 'only for blue');
        await lists(bob, '#messages', 'blue says hello', false);
    });

    test('panel shows connections, rate and latency', async () => {
        const [ada, bob] = [await openPerson('Ada', 'panel'), await openPerson('Bob', 'panel')];
        await lists(ada, '#people', 'Bob');
        await ada.page.waitForFunction(() =>
            Number(document.querySelector('#panel-connections').textContent) === 2);
        await bob.page.waitForFunction(() =>
            /\d/.test(document.querySelector('#panel-latency').textContent));
        assert.ok(await number(bob, '#panel-latency') < 10_000);
        let talking = true;
        const talk = (async () => {
            for (let i = 0; talking; i++) {
                await say(ada, `message ${i}`);
            }
        })();
        await bob.page.waitForFunction(() =>
            Number(document.querySelector('#panel-rate').textContent.replace(/\D/g, '')) > 0);
        talking = false;
        await talk;
        await bob.page.close();
        await ada.page.waitForFunction(() =>
            Number(document.querySelector('#panel-connections').textContent) === 1);
    });

    test('people are back in their room after the server restarted', async () => {
        const [ada, bob] = [await openPerson('Ada', 'restart'), await openPerson('Bob', 'restart')];
        await say(ada, 'before');
        await lists(bob, '#messages', 'before');
        ada.offline = bob.offline = true;
        const { port } = server;
        await server.stop();
        for (const { page } of [ada, bob]) {
            await page.waitForFunction(() =>
                !document.querySelector('#status').textContent.includes('Connected'));
        }
        server = await startCommand(COMMAND, [], port);
        await Promise.all([ada, bob].map((tab) => shows(tab, '#status', 'Connected')));
        await lists(ada, '#people', 'Bob');
        await lists(bob, '#people', 'Ada');
        await say(bob, 'after');
        await lists(ada, '#messages', 'after');
    });
});
