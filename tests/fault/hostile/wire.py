"""PostgreSQL's wire protocol, as far as a server that lies needs it: messages, answers made of them, and the stream's frames.

Source: PostgreSQL manual, protocol-message-formats, protocol-replication and protocol-logicalrep-message-formats.
"""

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

Value = bytes | None
Row = list[Value]

XLOG_HEADER_BYTES = 24


@dataclass(frozen=True)
class Message:
    """One message: its kind, a byte, and what stands behind its length."""

    kind: bytes
    content: bytes = b""

    def __bytes__(self) -> bytes:
        return self.with_length(len(self.content) + 4)

    def with_length(self, length: int) -> bytes:
        """The message with another length than its own."""
        return self.kind + struct.pack("!I", length & 0xFFFFFFFF) + self.content


Answer = list[Message]

# Between transactions: the end of a login, and of every answer.
READY = Message(b"Z", b"I")


async def read_message(stream: asyncio.StreamReader) -> Message:
    head = await stream.readexactly(5)
    return Message(head[:1], await stream.readexactly(int.from_bytes(head[1:], "big") - 4))


async def read_startup(stream: asyncio.StreamReader) -> bytes:
    """A client's first packet, which has no kind; whole."""
    length = await stream.readexactly(4)
    return length + await stream.readexactly(int.from_bytes(length, "big") - 4)


def encoded(messages: Answer) -> bytes:
    return b"".join(bytes(message) for message in messages)


# Rows.


def row_of(message: Message) -> Row:
    row: Row = []
    at = 2
    for _ in range(int.from_bytes(message.content[:2], "big")):
        (length,) = struct.unpack_from("!i", message.content, at)
        at += 4
        row.append(message.content[at : at + length] if length >= 0 else None)
        at += max(length, 0)
    return row


def row_message(row: Row) -> Message:
    values = [b"\xff\xff\xff\xff" if value is None else struct.pack("!i", len(value)) + value for value in row]
    return Message(b"D", struct.pack("!H", len(row)) + b"".join(values))


def columns_of(message: Message) -> list[bytes]:
    """The columns of a RowDescription, each as it stands there."""
    columns = []
    at = 2
    for _ in range(int.from_bytes(message.content[:2], "big")):
        end = message.content.index(b"\0", at) + 1 + 18
        columns.append(message.content[at:end])
        at = end
    return columns


def columns_message(columns: list[bytes]) -> Message:
    return Message(b"T", struct.pack("!H", len(columns)) + b"".join(columns))


def has(answer: Answer, kind: bytes) -> bool:
    return any(message.kind == kind for message in answer)


def rows_of(answer: Answer) -> list[Row]:
    return [row_of(message) for message in answer if message.kind == b"D"]


def with_rows(answer: Answer, rows: list[Row]) -> Answer:
    """The answer with other rows where its own stand, or behind their description."""
    made: Answer = []
    for message in answer:
        if message.kind != b"D":
            made.append(message)
        if message.kind == b"T":
            made += [row_message(row) for row in rows]
    return made


def with_columns(answer: Answer, change: Callable[[list[bytes]], list[bytes]]) -> Answer:
    """The answer with another description of its rows."""
    return [columns_message(change(columns_of(it))) if it.kind == b"T" else it for it in answer]


# The stream.


@dataclass(frozen=True)
class Frame:
    """XLogData: three numbers and a message of pgoutput, whose first byte is its kind."""

    start: int
    end: int
    time: int
    body: bytes

    @staticmethod
    def of(message: Message) -> "Frame | None":
        if message.kind != b"d" or message.content[:1] != b"w" or len(message.content) <= XLOG_HEADER_BYTES + 1:
            return None
        return Frame(*struct.unpack_from("!QQq", message.content, 1), message.content[1 + XLOG_HEADER_BYTES :])

    def message(self) -> Message:
        return Message(b"d", b"w" + struct.pack("!QQq", self.start, self.end, self.time) + self.body)

    def with_body(self, body: bytes) -> Message:
        return replace(self, body=body).message()


def frame_kind(message: Message) -> str:
    """What a CopyData of the stream carries: keepalive, or the letter of pgoutput's message."""
    frame = Frame.of(message)
    if frame is not None:
        return frame.body[:1].decode("latin-1")
    return "keepalive" if message.content[:1] == b"k" else "other"


def keepalive(end: int, asks: bool) -> Message:
    return Message(b"d", b"k" + struct.pack("!Qq", end & (2**64 - 1), 0) + (b"\1" if asks else b"\0"))


# Complaints.


def complaint(kind: bytes, *fields: bytes, terminator: bytes = b"\0") -> Message:
    """An ErrorResponse (E) or a NoticeResponse (N). A field is its letter and its text."""
    return Message(kind, b"".join(field + b"\0" for field in fields) + terminator)
