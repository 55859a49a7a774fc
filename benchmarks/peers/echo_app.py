# mypy: ignore-errors
"""Ceiling: the right next question through the fake API with no other work at all.

State in memory, nothing stored: this measures what driver and fake API can take.
"""

import asyncio
import json
import os
import re
from typing import ClassVar

import httptools
import uvloop

from benchmarks.questions import prompt

state, tasks, ID = {}, set(), re.compile(rb'"chat": \{"id": (\d+)')
API_PORT = int(os.environ["API"].rsplit(":", 1)[1])


class Pipe(asyncio.Protocol):
    idle: ClassVar[list] = []

    def connection_made(self, tr):
        self.tr = tr

    def data_received(self, data):
        Pipe.idle.append(self)


async def send(body):
    if Pipe.idle:
        c = Pipe.idle.pop()
    else:
        _, c = await asyncio.get_running_loop().create_connection(Pipe, "127.0.0.1", API_PORT)
    c.tr.write(
        b"POST /bot1/sendMessage HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )


class Echo(asyncio.Protocol):
    def connection_made(self, tr):
        self.tr, self.p = tr, httptools.HttpRequestParser(self)

    def data_received(self, d):
        self.p.feed_data(d)

    def on_body(self, b):
        m = int(ID.search(b).group(1))
        step = 0 if b'"/start"' in b else state.get(m, 0)
        state[m] = step + 1
        body = json.dumps({"method": "sendMessage", "chat_id": m, "text": prompt(step)}).encode()
        task = asyncio.ensure_future(send(body))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        self.tr.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


async def main():
    s = await asyncio.get_running_loop().create_server(
        Echo, "127.0.0.1", int(os.environ["PORT"]), backlog=4096
    )
    await s.serve_forever()


uvloop.run(main())
