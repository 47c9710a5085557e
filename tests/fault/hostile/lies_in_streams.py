"""Lies in the stream: frames that are no frames, positions that are none, and rows that do not fit what was described."""

import struct
from collections.abc import Callable
from dataclasses import replace

from lie import FRAME, End, Flood, Lie, Part, Tell
from lies_in_messages import EVIL, FLOOD, HUGE, MIB, NO_TEXT
from wire import XLOG_HEADER_BYTES, Answer, Frame, Message, encoded, keepalive

ALL_ONES = b"\xff" * 8


def frame_is(change: Callable[[Frame], Frame | list[Message] | None], kinds: str = "") -> Tell:
    """Of XLogData, of pgoutput's messages of these kinds only, if any are named."""

    def told(truth: Answer) -> list[Part] | None:
        frame = Frame.of(truth[0])
        if frame is None or (kinds and frame.body[:1].decode("latin-1") not in kinds):
            return None
        changed = change(frame)
        if changed is None:
            return None
        return [encoded([changed.message()] if isinstance(changed, Frame) else changed)]

    return told


def body_is(change: Callable[[bytes], bytes | None], kinds: str = "") -> Tell:
    def changed(frame: Frame) -> Frame | None:
        body = change(frame.body)
        return None if body is None else replace(frame, body=body)

    return frame_is(changed, kinds)


def bytes_at(offset: int, new: bytes) -> Callable[[bytes], bytes | None]:
    """Other bytes from an offset of the body on, if there are as many."""
    return lambda body: body[:offset] + new + body[offset + len(new) :] if offset + len(new) <= len(body) else None


def payload_is(change: Callable[[bytes], bytes]) -> Tell:
    return lambda truth: [bytes(Message(b"d", change(truth[0].content)))]


def flood_of(change: Callable[[Frame], bytes], kinds: str, most: int = FLOOD) -> Tell:
    def told(truth: Answer) -> list[Part] | None:
        frame = Frame.of(truth[0])
        if frame is None or frame.body[:1].decode("latin-1") not in kinds:
            return None
        return [encoded(truth), Flood(change(frame), most), End.SILENCE]

    return told


def relation(oid: int, columns: int, claimed: int | None = None, schema: bytes = b"public", table: bytes = b"evil") -> bytes:
    """A description of a relation with so many columns, or so many claimed."""
    column = b"\0c\0" + struct.pack("!Ii", 23, -1)
    count = columns if claimed is None else claimed
    return b"R" + struct.pack("!I", oid) + schema + b"\0" + table + b"\0d" + struct.pack("!H", count) + column * columns


def many_relations(frame: Frame) -> bytes:
    """Wide ones, each another."""
    return encoded([frame.with_body(relation(1_000_000 + n, 200)) for n in range(2000)])


def renamed(body: bytes, schema: bytes | None, table: bytes | None) -> bytes:
    """A description with other names."""
    end_of_schema = body.index(b"\0", 5)
    end_of_table = body.index(b"\0", end_of_schema + 1)
    schema = body[5:end_of_schema] if schema is None else schema
    table = body[end_of_schema + 1 : end_of_table] if table is None else table
    return body[:5] + schema + b"\0" + table + body[end_of_table:]


def first_column_renamed(body: bytes, name: bytes) -> bytes:
    """The first column behind the flags byte; names, identity and the number of columns stand before."""
    at = body.index(b"\0", body.index(b"\0", 5) + 1) + 1 + 1 + 2 + 1
    return body[:at] + name + body[body.index(b"\0", at) :]


def with_count(body: bytes, at: int, count: int) -> bytes:
    return body[:at] + struct.pack("!H", count & 0xFFFF) + body[at + 2 :]


# Where a new tuple's number of columns stands: behind the kind, the relation and N.
TUPLE_AT = 1 + 4 + 1
COLUMN = b"t" + struct.pack("!i", 1) + b"x"


def row_with(change: Callable[[bytes], bytes]) -> Tell:
    """Of inserts: what stands from the number of columns on."""
    return body_is(lambda body: body[:TUPLE_AT] + change(body[TUPLE_AT:]), "I")


def fewer_columns(values: bytes) -> bytes:
    return struct.pack("!H", 1) + COLUMN


def more_columns(values: bytes) -> bytes:
    count = int.from_bytes(values[:2], "big")
    return struct.pack("!H", count + 3) + values[2:] + COLUMN * 3


def block(xid: int, frame: Frame) -> bytes:
    """A transaction that is sent while it runs, begun and never ended."""
    return encoded(
        [
            frame.with_body(b"S" + struct.pack("!IB", xid, 1)),
            frame.with_body(b"M" + struct.pack("!IBQ", xid, 1, 1) + b"x\0" + struct.pack("!I", 1000) + b"y" * 1000),
            frame.with_body(b"E"),
        ]
    )


def many_blocks(frame: Frame) -> bytes:
    return b"".join(block(1000 + n, frame) for n in range(2000))


ORIGIN = b"O" + b"\0" * 8 + EVIL + b"\0"
# Its schema has no end.
TYPE = b"Y" + b"\0\1\0\0" + EVIL


LIES = [
    Lie("a frame of unknown kind", FRAME, payload_is(lambda content: b"\x1b" + content[1:])),
    Lie("an empty frame", FRAME, payload_is(lambda content: b"")),
    Lie("a frame of one byte", FRAME, payload_is(lambda content: content[:1])),
    Lie("a frame without its last byte", FRAME, payload_is(lambda content: content[:-1])),
    Lie("half a frame", FRAME, payload_is(lambda content: content[: len(content) // 2])),
    Lie("a frame's header alone", FRAME, payload_is(lambda content: content[: 1 + XLOG_HEADER_BYTES])),
    Lie("a frame with a byte more", FRAME, payload_is(lambda content: content + b"\0")),
    Lie("a frame that goes on for 4 MiB", FRAME, payload_is(lambda content: content + HUGE)),
    Lie("a frame of zeros", FRAME, payload_is(lambda content: content[:1] + b"\0" * (len(content) - 1))),
    Lie("a frame of ones", FRAME, payload_is(lambda content: content[:1] + b"\xff" * (len(content) - 1))),
    Lie("a frame twice", FRAME, lambda truth: [encoded(truth * 2)], believed=True),
    Lie("a frame too few", FRAME, lambda truth: [b""], believed=True),
    Lie("a message of unknown kind", FRAME, body_is(lambda body: b"\x1b" + body[1:])),
    Lie("a header of nothing", FRAME, frame_is(lambda frame: replace(frame, start=0, end=0, time=0))),
    Lie("a header beyond all", FRAME, frame_is(lambda frame: replace(frame, start=2**64 - 1, end=2**64 - 1, time=-1))),
    # Begin: final LSN, time, xid. Commit: flags, LSN, end LSN, time.
    Lie("Begin at 0", FRAME, body_is(bytes_at(1, b"\0" * 8), "B")),
    Lie("Begin beyond all", FRAME, body_is(bytes_at(1, ALL_ONES), "B")),
    Lie("Begin at the end of time", FRAME, body_is(bytes_at(9, b"\x7f" + b"\xff" * 7), "B"), believed=True),
    Lie("Begin before time", FRAME, body_is(bytes_at(9, b"\x80" + b"\0" * 7), "B"), believed=True),
    Lie("Commit of another transaction", FRAME, body_is(bytes_at(2, b"\0" * 7 + b"\1"), "C")),
    Lie("Commit that ends at 0", FRAME, body_is(bytes_at(10, b"\0" * 8), "C"), believed=True),
    Lie("Commit that ends beyond all", FRAME, body_is(bytes_at(10, ALL_ONES), "C"), believed=True),
    Lie("Commit with flags", FRAME, body_is(bytes_at(1, b"\xff"), "C"), believed=True),
    Lie("keepalives beyond all", FRAME, lambda truth: [encoded([keepalive(-1, True), *truth])], believed=True),
    Lie("keepalives at 0", FRAME, lambda truth: [encoded([keepalive(0, True), *truth])]),
    Lie("1000 keepalives that ask", FRAME, lambda truth: [bytes(keepalive(1, True)) * 1000 + encoded(truth)]),
    Lie("a keepalive too short", FRAME, lambda truth: [bytes(Message(b"d", b"k\0\0")) + encoded(truth)]),
    Lie("endless keepalives that ask", FRAME, lambda truth: [Flood(bytes(keepalive(1, True)), FLOOD // 256), End.SILENCE]),
    Lie("endless empty frames", FRAME, lambda truth: [Flood(bytes(Message(b"d")), FLOOD // 16), End.SILENCE]),
    Lie("a relation that claims 65535 columns", FRAME, body_is(lambda body: relation(1, 1, claimed=65535), "R")),
    Lie("a relation of 65535 columns", FRAME, frame_is(lambda it: [it.with_body(relation(1, 65535)), it.message()], "R")),
    Lie("relations by the thousand", FRAME, flood_of(many_relations, "R", most=1)),
    Lie("a relation of no columns", FRAME, body_is(lambda body: relation(int.from_bytes(body[1:5], "big"), 0), "R")),
    Lie("a schema with control characters", FRAME, body_is(lambda body: renamed(body, EVIL, None), "R"), believed=True),
    Lie("a table with control characters", FRAME, body_is(lambda body: renamed(body, None, EVIL), "R"), believed=True),
    Lie("a table that is no text", FRAME, body_is(lambda body: renamed(body, None, NO_TEXT), "R"), believed=True),
    Lie("a table without a name", FRAME, body_is(lambda body: renamed(body, None, b""), "R"), believed=True),
    Lie("a table whose name has 4 MiB", FRAME, body_is(lambda body: renamed(body, None, HUGE), "R"), believed=True),
    Lie("a column with control characters", FRAME, body_is(lambda body: first_column_renamed(body, EVIL), "R"), believed=True),
    Lie("a column that is no text", FRAME, body_is(lambda body: first_column_renamed(body, NO_TEXT), "R"), believed=True),
    Lie("a column whose name has 4 MiB", FRAME, body_is(lambda body: first_column_renamed(body, HUGE), "R"), believed=True),
    Lie("a relation whose number is 0", FRAME, body_is(bytes_at(1, b"\0" * 4), "R")),
    Lie("a row of an unknown relation", FRAME, body_is(bytes_at(1, b"\xff" * 4), "IUDT")),
    Lie("a row of no columns", FRAME, row_with(lambda values: b"\0\0")),
    Lie("a row of fewer columns", FRAME, row_with(fewer_columns)),
    Lie("a row of more columns", FRAME, row_with(more_columns)),
    Lie("a row that claims 65535 columns", FRAME, row_with(lambda values: with_count(values, 0, 65535))),
    Lie("a row of 65535 columns", FRAME, row_with(lambda values: b"\xff\xff" + COLUMN * 65535)),
    Lie("a row of another kind", FRAME, body_is(bytes_at(5, b"\x1b"), "IUD")),
    Lie("a value of unknown kind", FRAME, row_with(lambda values: values[:2] + b"\x1b" + values[3:])),
    Lie("a value in binary", FRAME, row_with(lambda values: values[:2] + b"b" + values[3:])),
    Lie("a value that was not sent", FRAME, row_with(lambda values: values[:2] + b"u" + values[2 + 1 + 4 + 1 :])),
    Lie("a value of 2 GiB", FRAME, row_with(lambda values: values[:3] + b"\x7f\xff\xff\xff" + values[7:])),
    Lie("a value of -1 bytes", FRAME, row_with(lambda values: values[:3] + b"\xff\xff\xff\xff" + values[7:])),
    Lie("a truncate of 4 billion", FRAME, body_is(bytes_at(1, b"\xff" * 4), "T")),
    Lie(
        "a truncate of one table a million times",
        FRAME,
        body_is(lambda body: b"T" + struct.pack("!IB", 1_000_000, 0) + body[6:10] * 1_000_000, "T"),
        believed=True,
    ),
    Lie("a message whose content has 4 GiB", FRAME, body_is(lambda body: b"M\1" + b"\0" * 8 + b"p\0" + b"\xff" * 4, "BCIMR")),
    Lie("a message without an end of its prefix", FRAME, body_is(lambda body: b"M\1" + b"\0" * 8 + b"p" * 1000, "BCIMR")),
    Lie("endless inserts", FRAME, flood_of(lambda frame: bytes(frame.message()), "I", most=FLOOD // 16)),
    Lie("endless descriptions", FRAME, flood_of(lambda frame: bytes(frame.message()), "RY", most=MIB // 16)),
    Lie("endless Begins", FRAME, flood_of(lambda frame: bytes(frame.message()), "B")),
    Lie("endless Commits", FRAME, flood_of(lambda frame: bytes(frame.message()), "C")),
    Lie("blocks by the thousand", FRAME, flood_of(many_blocks, "BC", most=1)),
    Lie("a block within a transaction", FRAME, frame_is(lambda it: [it.message(), it.with_body(b"S\0\0\0\1\1")], "B")),
    Lie("a block's end without its beginning", FRAME, frame_is(lambda it: [it.with_body(b"E"), it.message()])),
    Lie("a block's commit out of nothing", FRAME, body_is(lambda body: b"c" + struct.pack("!IBQQq", 7, 0, 1, 2, 0), "BC")),
    Lie("a block's abort out of nothing", FRAME, body_is(lambda body: b"A" + struct.pack("!II", 7, 7), "BC")),
    Lie("a prepared transaction out of nothing", FRAME, body_is(lambda body: b"b" + b"\0" * 28 + b"gid\0", "BC")),
    Lie("a prepared transaction's commit out of nothing", FRAME, body_is(lambda body: b"K" + b"\0" * 29 + b"gid\0", "BC")),
    Lie("an origin with control characters", FRAME, frame_is(lambda it: [it.message(), it.with_body(ORIGIN)], "B")),
    Lie("a type with control characters", FRAME, frame_is(lambda it: [it.with_body(TYPE + b"\0" + EVIL + b"\0"), it.message()])),
    Lie("a type without an end", FRAME, frame_is(lambda it: [it.with_body(TYPE), it.message()])),
]
