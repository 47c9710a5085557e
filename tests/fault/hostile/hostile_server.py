"""A server that lies: something in between walcat and a real server, which passes on the truth everywhere but in one place.

One thread runs all of them; each has a port of its own. The lies are those of lies.py; what stands here is how they are
told, and how the places are told apart.
"""

import asyncio
import collections
import contextlib
import re
import socket
import struct
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from lie import Drip, End, Lie, Matter, Part
from wire import Answer, encoded, frame_kind, read_message, read_startup

T = TypeVar("T")

LOCALHOST = "127.0.0.1"
CHUNK_BYTES = 1 << 18
# Of a place, in messages.
MOST_SHOWN = 100
CANCEL_REQUEST = (80877102).to_bytes(4, "big")


@dataclass(frozen=True)
class Place:
    """Where a lie can be told: the end of a login, the answer to one question, or one kind of frame.

    A question is its text without what differs from one run to the next: literals, numbers.
    """

    # Of the session: one that can carry the stream, or one of plain SQL.
    replication: bool
    matter: Matter
    what: str

    def __str__(self) -> str:
        session = "replication" if self.replication else "plain"
        return f"{session} {self.matter.value} {self.what}".strip()[:MOST_SHOWN]


def question(text: str) -> str:
    """What a question is known by."""
    text = re.sub(r"'(?:[^']|'')*'", "?", text)
    text = re.sub(r"\b[0-9A-F]+/[0-9A-F]+\b|\d+", "#", text)
    text = re.sub(r"([?#])(?:\s*,\s*[?#])+", r"\1..", text)
    return " ".join(text.split())


class HostileServer:
    """One listener, one lie, told whenever its place comes by; of the stream's frames once in each session.

    What stood there is noted of each place, the longest of it, in the order in which they came first.
    """

    def __init__(self, lie: Lie | None, place: Place | None, port: int):
        self.lie = lie
        self.place = place
        self.port = port
        self.told = 0
        # Bytes, of what was said in one go.
        self.most_said = 0
        # Whether it has fallen silent, or says a byte now and then.
        self.silent = False
        self.dripping = False
        # Whether the stream has begun, once at least.
        self.streams = False
        self.seen: dict[Place, Answer] = {}
        self.times: collections.Counter[Place] = collections.Counter()

    def lies_of(self, place: Place, truth: Answer) -> list[Part] | None:
        """What is said instead, if this is the place."""
        if place not in self.seen or len(encoded(truth)) > len(encoded(self.seen[place])):
            self.seen[place] = truth
        self.times[place] += 1
        if self.lie is None or place != self.place:
            return None
        parts = self.lie.told(truth)
        self.told += parts is not None
        return parts


class HostileServers:
    """The thread, and the sockets. `target` is the real server's Unix socket. Threads: methods may be called from any."""

    def __init__(self, target: str):
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._listeners: list[asyncio.Server] = []
        self._sessions: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="hostile servers", daemon=True)
        self._thread.start()

    def listen(self, lie: Lie | None = None, place: Place | None = None) -> HostileServer:
        return self._call(self._listen(lie, place))

    def close(self) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    # On the thread.

    async def _listen(self, lie: Lie | None, place: Place | None) -> HostileServer:
        made = HostileServer(lie, place, 0)
        listener = await asyncio.start_server(lambda *ends: self._serve(made, *ends), LOCALHOST, 0)
        self._listeners.append(listener)
        made.port = listener.sockets[0].getsockname()[1]
        return made

    async def _close(self) -> None:
        for listener in self._listeners:
            listener.close()
        sessions = list(self._sessions)
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)

    async def _serve(self, server: HostileServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._sessions.add(asyncio.current_task())
        try:
            writer.transport.set_write_buffer_limits(high=CHUNK_BYTES)
            upstream = await asyncio.open_unix_connection(self._target)
            try:
                await Session(server, Ends(reader, writer), Ends(*upstream)).run()
            finally:
                upstream[1].transport.abort()
        except (ConnectionError, asyncio.IncompleteReadError, EndOfSession, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._sessions.discard(asyncio.current_task())


class EndOfSession(Exception):
    """A lie was the last word."""


@dataclass(frozen=True)
class Ends:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Session:
    """One connection of walcat's: questions and answers in turn, then perhaps the stream."""

    def __init__(self, server: HostileServer, client: Ends, upstream: Ends):
        self._server = server
        self._client = client
        self._upstream = upstream
        self._replication = False
        self._upward: asyncio.Task[None] | None = None
        # Bytes, at the place in hand.
        self._said = 0

    async def run(self) -> None:
        startup = await read_startup(self._client.reader)
        self._replication = b"\0replication\0" in startup
        self._upstream.writer.write(startup)
        if startup[4:8] == CANCEL_REQUEST:
            await self._upstream.writer.drain()
            return
        await self._pass_on(Matter.LOGIN, "", await self._answer())
        while True:
            text = await self._question()
            answer = await self._answer()
            await self._pass_on(Matter.ANSWER, question(text), answer)
            if answer[-1].kind == b"W":
                await self._stream()

    async def _question(self) -> str:
        """Passes on what the client says until it waits for an answer, and returns the statement."""
        text = ""
        while True:
            message = await read_message(self._client.reader)
            self._upstream.writer.write(bytes(message))
            if message.kind == b"X":
                raise EndOfSession
            if message.kind == b"Q":
                return message.content[:-1].decode("utf-8", "replace")
            if message.kind == b"P":
                text = message.content.split(b"\0")[1].decode("utf-8", "replace")
            if message.kind == b"S":
                return text

    async def _answer(self) -> Answer:
        """Until the server waits for the next question, or streams. Last words of the real server are passed on as such."""
        answer: Answer = []
        try:
            while not answer or answer[-1].kind not in (b"Z", b"W"):
                answer.append(await read_message(self._upstream.reader))
        except (ConnectionError, asyncio.IncompleteReadError):
            await self._say(encoded(answer))
            raise
        return answer

    async def _stream(self) -> None:
        """Frame by frame, until either side has enough; then the rest as an answer."""
        self._server.streams = True
        self._upward = asyncio.create_task(self._pass_upward())
        lied = False
        try:
            while True:
                message = await read_message(self._upstream.reader)
                if message.kind != b"d" or lied:
                    await self._say(bytes(message))
                    continue
                before = self._server.told
                await self._pass_on(Matter.FRAME, frame_kind(message), [message])
                lied = self._server.told > before
        finally:
            self._upward.cancel()

    async def _pass_upward(self) -> None:
        try:
            while chunk := await self._client.reader.read(CHUNK_BYTES):
                self._upstream.writer.write(chunk)
        except ConnectionError:
            pass
        self._upstream.writer.transport.abort()
        self._client.writer.transport.abort()

    async def _pass_on(self, matter: Matter, what: str, truth: Answer) -> None:
        parts = self._server.lies_of(Place(self._replication, matter, what), truth)
        self._said = 0
        if parts is None:
            await self._say(encoded(truth))
            return
        for part in parts:
            await self._tell(part)

    async def _tell(self, part: Part) -> None:
        if isinstance(part, End):
            await self._end(part)
        elif isinstance(part, bytes):
            await self._say(part)
        elif isinstance(part, Drip):
            self._server.dripping = part.pause > 0
            for at in range(len(part.data)):
                await self._say(part.data[at : at + 1])
                await asyncio.sleep(part.pause)
        else:
            chunk = part.unit * max(1, CHUNK_BYTES // len(part.unit))
            for _ in range(0, part.most, len(chunk)):
                await self._say(chunk)
                # The others have their turn even if the client takes all at once.
                await asyncio.sleep(0)

    async def _say(self, words: bytes) -> None:
        self._said += len(words)
        self._server.most_said = max(self._server.most_said, self._said)
        self._client.writer.write(words)
        await self._client.writer.drain()

    async def _end(self, end: End) -> None:
        if end == End.SILENCE:
            self._server.silent = True
            if self._upward is not None:
                self._upward.cancel()
                await asyncio.gather(self._upward, return_exceptions=True)
            with contextlib.suppress(ConnectionError):
                while await self._client.reader.read(CHUNK_BYTES):
                    pass
        if end == End.RESET:
            linger = struct.pack("ii", 1, 0)
            self._client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        raise EndOfSession
