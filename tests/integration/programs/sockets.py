# SPDX-License-Identifier: MIT
"""Talk: socket pairs with selectors, asyncio streams, http.server answered through a pair, urllib, subprocess, pipes, signals."""
from measuring import measure

import asyncio
import http.client
import http.server
import io
import os
import selectors
import signal
import socket
import subprocess
import sys
import urllib.parse

received = []
selector = selectors.SelectSelector()
pairs = [socket.socketpair() for _ in range(6)]


def on_readable(sock, number):
    data = sock.recv(100)
    received.append((number, data))
    return len(data)


for number, (near, far) in enumerate(pairs):
    near.setblocking(False)
    selector.register(near, selectors.EVENT_READ, (on_readable, number))
for turn in range(5):
    for number, (near, far) in enumerate(pairs):
        far.send(b"turn %d to %d" % (turn, number))
    for key, mask in sorted(selector.select(5), key=lambda ready: ready[0].data[1]):
        handler, number = key.data
        handler(key.fileobj, number)
for near, far in pairs[3:]:
    selector.unregister(near)
    near.close()
    far.close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        body = repr(sorted(query.items())).encode()
        received.append({self.path: query})
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        received.append(arguments)


class Pair(socket.socket):
    pass


def ask(path):
    near, far = socket.socketpair()
    connection = http.client.HTTPConnection("localhost")
    connection.sock = near
    connection.request("GET", path, headers={"X-Number": str(len(received))})
    far.shutdown(socket.SHUT_WR) if False else None
    Handler.protocol_version = "HTTP/1.0"
    Handler(far, ("localhost", 1), None)
    far.close()
    response = connection.getresponse()
    answer = response.status, dict(response.getheaders()), response.read()
    connection.close()
    return answer


answers = [ask("/path/%d?a=%d&b=%s" % (number, number, urllib.parse.quote("x y" * number))) for number in range(12)]

output = subprocess.check_output(["sh", "-c", "seq 1 50"]).split()
reading, writing = os.pipe()
os.write(writing, b"x" * 300)
pieces = [os.read(reading, 30) for _ in range(10)]
os.close(reading)
os.close(writing)


def on_signal(number, frame):
    received.append([number, frame.f_code.co_name])


signal.signal(signal.SIGUSR1, on_signal)
for _ in range(10):
    os.kill(os.getpid(), signal.SIGUSR1)
signal.signal(signal.SIGUSR1, signal.SIG_DFL)


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        received.append([type(transport).__name__])

    def data_received(self, data):
        received.append(data[::-1])
        self.transport.write(data[::-1])


async def converse():
    loop = asyncio.get_event_loop()
    left, right = socket.socketpair()
    await loop.create_connection(Echo, sock=left)
    reader, writer = await asyncio.open_connection(sock=right)
    heard = []
    for number in range(8):
        writer.write(b"message %d" % number)
        heard.append(await reader.readexactly(9))
    writer.close()
    return heard


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
heard = loop.run_until_complete(converse())
loop.run_until_complete(asyncio.sleep(0))
loop.close()
text = io.TextIOWrapper(io.BytesIO(), encoding="utf-16", write_through=True)
print(*[[number] for number in range(10)], sep="|", file=text)
written = text.buffer.getvalue()

measure()
