"""The baseline: the least that a Python server can do for the same workshop, on picows.

It acknowledges votes and broadcasts their number at most ten times a second. No storage, no authentication, no
templates. `python -m workshops.operations.loadtest.reference PORT`.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sys

from picows import WSListener, WSMsgType, ws_create_server

from . import pictures

TICK_SECONDS = 0.1
AT_A_TIME = 100  # sends before the event loop runs other tasks
HELLO = pictures.text({"t": "hello", "now": 0}).encode()
MINE = pictures.text({"t": "mine", "papers": []}).encode()
PONG = pictures.text({"t": "pong"}).encode()
STAGE = pictures.stage(1).encode()


class Votes:
    """Connected screens and the connections that have voted, in memory."""

    def __init__(self) -> None:
        # walls and phones, in the order in which they came
        self.screens: dict[bool, dict] = {True: {}, False: {}}
        self.voted: set = set()
        self.changed = asyncio.Event()

    def picture(self, wall: bool) -> bytes:
        return pictures.tally(len(self.voted), len(self.screens[False]), wall=wall).encode()

    async def tick(self) -> None:
        while True:
            await self.changed.wait()
            self.changed.clear()
            for wall, screens in self.screens.items():
                await self._send(self.picture(wall), list(screens))
            await asyncio.sleep(TICK_SECONDS)

    async def _send(self, picture: bytes, screens: list) -> None:
        for number, transport in enumerate(screens, start=1):
            transport.send(WSMsgType.TEXT, picture)
            if number % AT_A_TIME == 0:
                await asyncio.sleep(0)


class Screen(WSListener):
    def __init__(self, votes: Votes, wall: bool) -> None:
        self.votes, self.wall = votes, wall

    def on_ws_connected(self, transport):
        self.votes.screens[self.wall][transport] = None

    def on_ws_disconnected(self, transport):
        self.votes.screens[self.wall].pop(transport, None)

    def on_ws_frame(self, transport, frame):
        if frame.msg_type != WSMsgType.TEXT:
            return transport.disconnect() if frame.msg_type == WSMsgType.CLOSE else None
        data = json.loads(frame.get_payload_as_utf8_text())
        if data["t"] == "vote":
            self._vote(transport, data)
        elif data["t"] == "hello":
            for text in (HELLO, MINE, STAGE, self.votes.picture(self.wall)):
                transport.send(WSMsgType.TEXT, text)
        else:
            transport.send(WSMsgType.TEXT, PONG)
        return None

    def _vote(self, transport, data: dict) -> None:
        self.votes.voted.add(transport)
        answer = pictures.ack(data["op"], data["poll"], data["seq"], data["fields"]["choice"][0])
        transport.send(WSMsgType.TEXT, answer.encode())
        self.votes.changed.set()


async def serve(port: int) -> None:
    votes = Votes()
    server = await ws_create_server(
        lambda request: Screen(votes, request.path.startswith(b"/live/wall")), "127.0.0.1", port, backlog=2048
    )
    ticking = asyncio.ensure_future(votes.tick())
    try:
        await server.serve_forever()
    finally:
        ticking.cancel()


def main() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    gc.set_threshold(50_000, 20, 1000)
    try:
        import uvloop
    except ImportError:
        asyncio.run(serve(int(sys.argv[1])))
    else:
        uvloop.run(serve(int(sys.argv[1])))


if __name__ == "__main__":
    main()
