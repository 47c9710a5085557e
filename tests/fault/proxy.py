"""A TCP proxy between walcat and a server, which breaks what goes through it: when told to, and as told.

One thread runs it; the methods may be called from any other and return when the fault is in place. Connections made
after a cut or a half-opening are sound again; slowness lasts until heal().
"""

import asyncio
import enum
import socket
import struct
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

from server_messages import Place, ServerMessages

T = TypeVar("T")

CHUNK_BYTES = 65536
# How often a throttled direction moves on, seconds.
THROTTLE_STEP = 0.05
LOCALHOST = "127.0.0.1"
# ReadyForQuery, between transactions: the end of a login, and of every answer.
READY = b"Z\0\0\0\x05I"


class Direction(enum.Enum):
    FROM_SERVER = "from server"
    FROM_CLIENT = "from client"


BOTH = frozenset(Direction)


@dataclass(frozen=True)
class Slowness:
    """How chunks travel: after `delay` seconds, at most `rate` bytes a second (0: at once), each byte by itself."""

    delay: float = 0.0
    rate: int = 0
    dribbled: bool = False


class Link:
    """One connection of a client, and the one to the server behind it."""

    def __init__(self, client: socket.socket, server: socket.socket):
        self._ends = {Direction.FROM_CLIENT: (client, server), Direction.FROM_SERVER: (server, client)}
        self.messages = ServerMessages()
        # In these directions nothing arrives any more, not even the end.
        self.swallowed: frozenset[Direction] = frozenset()
        self.tasks: list[asyncio.Task[None]] = []

    def ends(self, direction: Direction) -> tuple[socket.socket, socket.socket]:
        """From where to where."""
        return self._ends[direction]

    def close(self, reset: bool) -> None:
        """Ends both connections at once: by a reset, or by an end that looks orderly to TCP."""
        for task in self.tasks:
            task.cancel()
        for end in self._ends[Direction.FROM_CLIENT]:
            if reset:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()


class Proxy:
    """Listens on a port of its own and passes everything on to `target`, a port of this host."""

    def __init__(self, target: int):
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._links: list[Link] = []
        self._slowness = Slowness()
        self._corruption: Place | None = None
        self._mutes_login = False
        # Bytes that were changed, and connections that were asked for, since the beginning.
        self.corrupted = 0
        self.accepted = 0
        # Bytes from the server that were passed on.
        self.brought = 0
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self.port = 0
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.accept()

    def __enter__(self) -> "Proxy":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self.refuse()
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # Faults.

    def cut(self, reset: bool = True) -> int:
        """Ends all connections and returns how many there were."""
        return self._call(self._cut(reset))

    def half_open(self, directions: frozenset[Direction] = BOTH) -> int:
        """Present connections swallow what they get for good; both ends believe that they stand. Returns how many."""
        return self._call(self._half_open(directions))

    def mute_login(self) -> None:
        """The server of the connection that is logged in next is never heard again after that."""
        self._mutes_login = True

    def refuse(self) -> None:
        """Nobody listens any more. Connections that stand are left alone."""
        self._call(self._refuse())

    def accept(self) -> None:
        """Listens again, on the same port."""
        self._call(self._accept())

    def delay(self, seconds: float) -> None:
        """Each chunk travels for `seconds`, and the next one waits for it."""
        self._slowness = Slowness(delay=seconds)

    def throttle(self, bytes_per_second: int) -> None:
        """Each connection gets so much in each direction."""
        self._slowness = Slowness(rate=bytes_per_second)

    def dribble(self) -> None:
        """Every byte travels by itself."""
        self._slowness = Slowness(dribbled=True)

    def corrupt(self, place: Place) -> None:
        """Changes one byte, at `place` of the next message from the server that has such a place."""
        self._corruption = place

    def heal(self) -> None:
        """Takes back what lasts. Connections that swallow bytes stay broken, as their streams have holes."""
        self._slowness = Slowness()
        self._corruption = None
        self._mutes_login = False
        self.accept()

    # On the proxy's thread.

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    async def _cut(self, reset: bool) -> int:
        links, self._links = self._links, []
        for link in links:
            link.close(reset)
        return len(links)

    async def _half_open(self, directions: frozenset[Direction]) -> int:
        for link in self._links:
            link.swallowed |= directions
        return len(self._links)

    async def _refuse(self) -> None:
        if self._listener is None:
            return
        self._accepting.cancel()
        self._listener.close()
        self._listener = None

    async def _accept(self) -> None:
        if self._listener is not None:
            return
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((LOCALHOST, self.port))
        self.port = self._listener.getsockname()[1]
        self._listener.listen()
        self._listener.setblocking(False)
        self._accepting = self._loop.create_task(self._serve(self._listener))

    async def _serve(self, listener: socket.socket) -> None:
        while True:
            client, _ = await self._loop.sock_accept(listener)
            self.accepted += 1
            await self._join(client)

    async def _join(self, client: socket.socket) -> None:
        server = socket.socket()
        for end in (client, server):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await self._loop.sock_connect(server, (LOCALHOST, self._target))
        except OSError:
            client.close()
            server.close()
            return
        link = Link(client, server)
        self._links.append(link)
        link.tasks = [self._loop.create_task(self._pump(link, direction)) for direction in Direction]

    async def _pump(self, link: Link, direction: Direction) -> None:
        source, target = link.ends(direction)
        try:
            while chunk := await self._loop.sock_recv(source, CHUNK_BYTES):
                if direction == Direction.FROM_SERVER:
                    chunk = self._examine(link, chunk)
                await self._pass_on(link, direction, target, chunk)
                if self._mutes_login and direction == Direction.FROM_SERVER and chunk.endswith(READY):
                    self._mutes_login = False
                    link.swallowed |= {direction}
        except OSError:
            pass
        if direction in link.swallowed:
            return
        if link in self._links:
            self._links.remove(link)
        link.close(reset=False)

    async def _pass_on(self, link: Link, direction: Direction, target: socket.socket, chunk: bytes) -> None:
        slowness = self._slowness
        step, pause = len(chunk), 0.0
        if slowness.dribbled:
            step = 1
        elif slowness.rate:
            step, pause = max(1, int(slowness.rate * THROTTLE_STEP)), THROTTLE_STEP
        await asyncio.sleep(slowness.delay)
        for begin in range(0, len(chunk), step):
            if direction in link.swallowed:
                return
            await self._loop.sock_sendall(target, chunk[begin : begin + step])
            if direction == Direction.FROM_SERVER:
                self.brought += min(step, len(chunk) - begin)
            await asyncio.sleep(pause)

    def _examine(self, link: Link, chunk: bytes) -> bytes:
        """Follows the server's messages and changes a byte where it is asked for."""
        at = link.messages.follow(chunk, self._corruption)
        if at is None:
            return chunk
        self._corruption = None
        self.corrupted += 1
        changed = bytearray(chunk)
        changed[at] ^= 0x80
        return bytes(changed)
