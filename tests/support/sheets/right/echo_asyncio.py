"""A TCP echo server: asyncio's streams."""

import asyncio
import socket
import sys


async def serve(reader, writer):
    try:
        while data := await reader.read(10000):
            writer.write(data)
            await writer.drain()
        writer.close()
        await writer.wait_closed()
    except OSError as error:
        print("lost a client:", error)
        writer.close()


async def main():
    listener = socket.create_server(
        ("", int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True, backlog=100
    )
    server = await asyncio.start_server(serve, sock=listener)
    await server.serve_forever()


asyncio.run(main())
