# SPDX-License-Identifier: Apache-2.0
"""Python's websockets: compression off, broadcast() for fan-out, uvloop when it is installed."""
import argparse
import asyncio
import resource

import websockets

try:
    import uvloop
    uvloop.install()
except ImportError:
    pass

clients = set()


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def bcast(socket):
    clients.add(socket)
    try:
        async for message in socket:
            websockets.broadcast(clients, message)
    finally:
        clients.discard(socket)


async def main(args):
    handler = bcast if args.bench == "bcast" else echo
    async with websockets.serve(handler, "127.0.0.1", args.port, compression=None, backlog=4096):
        await asyncio.Future()


parser = argparse.ArgumentParser()
parser.add_argument("--bench", choices=["echo", "bcast"])
parser.add_argument("--port", type=int)
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
asyncio.run(main(parser.parse_args()))
