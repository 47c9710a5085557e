"""Lies of the start-up: how walcat is to prove itself, and what the server says it is."""

import struct
from collections.abc import Callable

from lie import LOGIN, End, Flood, Lie, Part, Tell
from lies_in_messages import EVIL, FLOOD, HUGE, NO_TEXT, NOTICE, NOTIFICATION, STATUS
from wire import Answer, Message, encoded


def asks_for(method: int, data: bytes = b"") -> Tell:
    """An authentication request in place of its success."""
    return lambda truth: [bytes(Message(b"R", struct.pack("!I", method & 0xFFFFFFFF) + data)), End.SILENCE]


def without(kind: bytes) -> Tell:
    return lambda truth: [encoded([message for message in truth if message.kind != kind])]


def parameter_is(name: bytes, value: bytes | None) -> Tell:
    """None: it is not told."""

    def told(truth: Answer) -> list[Part]:
        others = [it for it in truth if not (it.kind == b"S" and it.content.startswith(name + b"\0"))]
        mine = [] if value is None else [Message(b"S", name + b"\0" + value + b"\0")]
        return [encoded([*others[:1], *mine, *others[1:]])]

    return told


def in_front(*messages: Message) -> Tell:
    return lambda truth: [encoded([*messages, *truth])]


def many_parameters(truth: Answer) -> list[Part]:
    made = [Message(b"S", f"parameter_{n}\0{n}\0".encode()) for n in range(100_000)]
    return [encoded([*truth[:1], *made, *truth[1:]])]


def replaced(kind: bytes, change: Callable[[Message], list[Message]]) -> Tell:
    return lambda truth: [encoded([made for it in truth for made in (change(it) if it.kind == kind else [it])])]


def endless_behind_success(message: Message) -> Tell:
    """The client is in, and hears of nothing else: before the server is ready libpq keeps what it is told."""
    return lambda truth: [bytes(truth[0]), Flood(bytes(message), FLOOD), End.SILENCE]


def one_without_end(kind: bytes) -> Tell:
    """A message of 512 MiB."""
    head = kind + struct.pack("!I", 512 << 20)
    return lambda truth: [bytes(truth[0]) + head, Flood(b"x" * 65536, FLOOD), End.SILENCE]


def negotiation(newest: int, options: int, *names: bytes) -> Message:
    return Message(b"v", struct.pack("!II", newest & 0xFFFFFFFF, options & 0xFFFFFFFF) + b"".join(it + b"\0" for it in names))


PASSWORD = Message(b"R", struct.pack("!I", 3))
LONG_STATUS = Message(b"S", b"application_name\0" + b"x" * 20_000 + b"\0")

LIES = [
    *(
        Lie(f"authentication by {name}", LOGIN, asks_for(method, data))
        for name, method, data in [
            ("Kerberos 5", 2, b""),
            ("password", 3, b""),
            ("MD5", 5, b"salt"),
            ("MD5 without salt", 5, b""),
            ("SCM", 6, b""),
            ("GSS", 7, b""),
            ("GSS's next word", 8, b"x" * 100),
            ("SSPI", 9, b""),
            ("SASL", 10, b"SCRAM-SHA-256\0\0"),
            ("SASL's unknown mechanism", 10, b"\x1b[2J\0\0"),
            ("SASL without mechanisms", 10, b"\0"),
            ("SASL's names without an end", 10, b"SCRAM-SHA-256"),
            ("SASL's second word", 11, b"r=x,s=x,i=1"),
            ("SASL's last word", 12, b"v=x"),
            ("unknown", 99, EVIL),
            ("nothing known", -1, b""),
        ]
    ),
    Lie("an authentication request without a method", LOGIN, lambda truth: [bytes(Message(b"R")), End.SILENCE]),
    Lie("no authentication", LOGIN, without(b"R")),
    Lie("success twice", LOGIN, replaced(b"R", lambda it: [it, it])),
    Lie("no parameters", LOGIN, without(b"S")),
    *(
        Lie(f"server_version {'missing' if value is None else value[:20]}", LOGIN, parameter_is(b"server_version", value))
        for value in (None, b"", b"0", b"9.6.24", b"10", b"99.0", b"-1.-1", b"99999999999999", b"fifteen", EVIL, NO_TEXT)
    ),
    *(
        Lie(f"server_encoding {'missing' if value is None else value[:20]}", LOGIN, parameter_is(b"server_encoding", value))
        for value in (None, b"", b"SQL_ASCII", b"LATIN1", b"KLINGON", EVIL, HUGE)
    ),
    *(
        Lie(f"{name.decode()} {value[:20]}", LOGIN, parameter_is(name, value))
        for name, value in [
            (b"client_encoding", b"LATIN1"),
            (b"client_encoding", b"KLINGON"),
            (b"client_encoding", b"BIG5"),
            (b"standard_conforming_strings", b"off"),
            (b"integer_datetimes", b"off"),
            (b"in_hot_standby", b"on"),
            (b"default_transaction_read_only", b"on"),
            (b"session_authorization", EVIL),
            (b"session_authorization", HUGE),
        ]
    ),
    Lie("100,000 parameters", LOGIN, many_parameters),
    Lie("a parameter without an end", LOGIN, in_front(Message(b"S", b"server_version"))),
    Lie("no backend's key", LOGIN, without(b"K")),
    Lie("a backend's key of two bytes", LOGIN, replaced(b"K", lambda it: [Message(b"K", b"12")])),
    Lie("a backend's key of 4 MiB", LOGIN, replaced(b"K", lambda it: [Message(b"K", HUGE)])),
    Lie("the backend's key twice", LOGIN, replaced(b"K", lambda it: [it, it])),
    Lie("no readiness", LOGIN, lambda truth: [encoded(truth[:-1]), End.SILENCE]),
    Lie("negotiation of an older protocol", LOGIN, in_front(negotiation(2 << 16, 0))),
    Lie("negotiation of a newer protocol", LOGIN, in_front(negotiation(-1, 0))),
    Lie("negotiation of no option of ours", LOGIN, in_front(negotiation(3 << 16, 1, b"_pq_." + EVIL))),
    Lie("negotiation of -1 options", LOGIN, in_front(negotiation(3 << 16, -1))),
    Lie("negotiation without an end", LOGIN, in_front(Message(b"v", b"\0"))),
    Lie("endless requests", LOGIN, lambda truth: [Flood(bytes(truth[0]), FLOOD), End.SILENCE]),
    Lie("endless requests for a password", LOGIN, lambda truth: [Flood(bytes(PASSWORD), FLOOD), End.SILENCE]),
    *(
        Lie(f"endless {name} before it is ready", LOGIN, endless_behind_success(message))
        for name, message in [("notifications", NOTIFICATION), ("parameters", STATUS), ("notices", NOTICE)]
    ),
    Lie("endless parameters of 20 KB before it is ready", LOGIN, endless_behind_success(LONG_STATUS)),
    *(
        Lie(f"a {name} without end before it is ready", LOGIN, one_without_end(kind))
        for name, kind in [("notification", b"A"), ("notice", b"N"), ("error", b"E")]
    ),
    Lie("an old server's error", LOGIN, lambda truth: [b"EFATAL:  " + EVIL + b"\n\0", End.CLOSE]),
    Lie("an old server's error without an end", LOGIN, lambda truth: [b"E" + b"x" * 40_000, End.SILENCE]),
]
