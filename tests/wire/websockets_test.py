# SPDX-License-Identifier: Apache-2.0
"""Debian's python3-websockets against the plain WebSocket echo at /ws."""

import asyncio
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import unittest

try:
    import websockets
    from websockets.exceptions import ConnectionClosed, ConnectionClosedError
    from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
except ImportError:
    print('python3-websockets is not installed')
    sys.exit(77)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOST = os.environ.get('ZN_HOST', '127.0.0.1')  # where servers are reached
LIMIT = 20
MIB = 1024 * 1024


class Server:
    """The server under test on an ephemeral port; ends by its pid."""

    def __init__(self):
        command = shlex.split(os.environ.get('ZN_CONFORM', f'{ROOT}/build/zapnic-conform'))
        self.process = subprocess.Popen(
            [*command, '--ping-interval', '25000', '--ping-timeout', '20000', '--port', '0'],
            stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for line in self.process.stdout:
            match = re.search(r'listening on (?:port |\S*:)(\d+)', line)
            if match:
                self.port = int(match.group(1))
                return
        raise RuntimeError('the server ended before it listened')

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.process.stdout.close()
        if code != 0:
            raise RuntimeError(f'the server ended with {code}')


def setUpModule():
    global server
    server = Server()


def tearDownModule():
    server.stop()


def connect(**options):
    return websockets.connect(f'ws://{HOST}:{server.port}/ws', max_size=None,
                              ping_interval=None, close_timeout=LIMIT, **options)


class Case(unittest.IsolatedAsyncioTestCase):
    async def recv(self, ws):
        return await asyncio.wait_for(ws.recv(), LIMIT)

    async def echo(self, ws, message):
        await ws.send(message)
        self.assertTrue(await self.recv(ws) == message, 'the echo differs')


class Echo(Case):
    async def sizes(self, compression):
        async with connect(compression=compression) as ws:
            for size in (0, 1, 125, 126, 127, 65535, 65536, MIB):
                await self.echo(ws, 'é' * (size // 2) + 'x' * (size % 2))
                await self.echo(ws, bytes(i & 255 for i in range(size)))

    async def test_sizes_plain_come_back(self):
        await self.sizes(None)

    async def test_sizes_deflated_come_back(self):
        await self.sizes('deflate')

    async def test_large_message_comes_back(self):
        async with connect(compression=None) as ws:
            await self.echo(ws, os.urandom(16 * MIB))

    async def test_many_messages_keep_their_order(self):
        async with connect() as ws:
            for i in range(1000):
                await ws.send(f'{{"n":{i}}}')
            for i in range(1000):
                self.assertEqual(json.loads(await self.recv(ws)), {'n': i})

    async def test_many_clients_get_their_own(self):
        async def one(n):
            async with connect() as ws:
                for i in range(20):
                    await self.echo(ws, f'{n}:{i}')
        await asyncio.wait_for(asyncio.gather(*(one(n) for n in range(50))), 60)


class Fragments(Case):
    async def parts(self, compression):
        async with connect(compression=compression) as ws:
            for parts in (['a', 'b', 'c'], ['é€', '😀' * 1000, ''], [b'\x00', b'\xff' * 70000]):
                await ws.send(parts)
                whole = parts[0][:0].join(parts)
                self.assertEqual(await self.recv(ws), whole)

    async def test_fragments_plain_come_back(self):
        await self.parts(None)

    async def test_fragments_deflated_come_back(self):
        await self.parts('deflate')

    async def test_fragments_many_come_back(self):
        async with connect(compression=None) as ws:
            await ws.send([b'x'] * 5000)
            self.assertEqual(await self.recv(ws), b'x' * 5000)


class Deflate(Case):
    async def test_parameters_of_every_kind_work(self):
        text = json.dumps([{'room': f'room {i % 7}', 'text': 'message ' * (i % 5)}
                           for i in range(1000)])
        for server_bits in (None, 9, 12, 15):
            for client_bits in (True, 9, 15):
                for takeover in (False, True):
                    factory = ClientPerMessageDeflateFactory(
                        server_no_context_takeover=takeover, client_no_context_takeover=takeover,
                        server_max_window_bits=server_bits, client_max_window_bits=client_bits)
                    async with connect(compression=None, extensions=[factory]) as ws:
                        self.assertEqual([e.name for e in ws.extensions], ['permessage-deflate'])
                        for _ in range(3):
                            await self.echo(ws, text)

    async def test_deflate_is_not_used_unasked(self):
        async with connect(compression=None) as ws:
            self.assertEqual(list(ws.extensions), [])
            await self.echo(ws, 'x' * 100000)


class Control(Case):
    async def test_pings_are_answered(self):
        async with connect() as ws:
            for i in range(50):
                pong = await ws.ping(b'x' * (i * 2))
                await asyncio.wait_for(pong, LIMIT)
            latest = [await ws.ping() for _ in range(20)]
            await asyncio.wait_for(asyncio.gather(*latest), LIMIT)

    async def test_close_codes_come_back(self):
        for code in (1000, 1001, 1003, 1007, 1011, 3000, 4999):
            ws = await connect()
            await ws.close(code, 'reason é')
            self.assertEqual(ws.close_code, code)

    async def test_close_keeps_what_was_echoed_before(self):
        ws = await connect()
        await ws.send('last')
        self.assertEqual(await self.recv(ws), 'last')
        await ws.close()
        with self.assertRaises(ConnectionClosed):
            await self.recv(ws)

    async def violate(self, write, code):
        ws = await connect(compression=None)
        await write(ws)
        with self.assertRaises(ConnectionClosedError) as caught:
            await self.recv(ws)
        self.assertEqual(caught.exception.rcvd.code, code)
        await ws.wait_closed()

    async def test_violations_close_with_their_codes(self):
        def raw(data):
            async def write(ws):
                ws.transport.write(data)
            return write
        mask = b'\0\0\0\0'
        await self.violate(raw(b'\x81\x82' + mask + b'\xc0\xaf'), 1007)
        await self.violate(raw(b'\xc1\x80' + mask), 1002)
        await self.violate(raw(b'\x83\x80' + mask), 1002)
        await self.violate(raw(b'\x81\x00'), 1002)
        await self.violate(raw(b'\x80\x80' + mask), 1002)
        await self.violate(raw(b'\x89\xfe\x00\x7e' + mask + b'x' * 126), 1002)


class Handshake(Case):
    @unittest.skipIf(os.environ.get('ZN_REFERENCE') == '1', 'the reference takes the first one')
    async def test_subprotocol_nobody_speaks_is_left_out(self):
        async with connect(subprotocols=['chat', 'superchat']) as ws:
            self.assertIsNone(ws.subprotocol)
            await self.echo(ws, 'hello')

    async def test_origin_and_headers_do_no_harm(self):
        async with connect(origin='http://example.org', extra_headers={'X-A': 'b'}) as ws:
            await self.echo(ws, 'hello')

    async def test_engine_io_speaks_to_a_plain_client(self):
        url = f'ws://{HOST}:{server.port}/socket.io/?EIO=4&transport=websocket'
        async with websockets.connect(url, ping_interval=None) as ws:
            self.assertEqual((await self.recv(ws))[0], '0')
            await ws.send('40{"token":"x"}')
            self.assertTrue((await self.recv(ws)).startswith('40{"sid":"'))
            self.assertEqual(await self.recv(ws), '42["auth",{"token":"x"}]')
            await ws.send('421["message-with-ack","python"]')
            self.assertEqual(await self.recv(ws), '431["python"]')

    async def test_unknown_path_is_refused(self):
        with self.assertRaises((websockets.exceptions.InvalidHandshake, OSError,
                                ConnectionClosed)):
            await websockets.connect(f'ws://{HOST}:{server.port}/nowhere')


if __name__ == '__main__':
    unittest.main()
