"""Lies that need to know nothing of what is asked: messages that are cut, slow, too many, of the wrong kind or length."""

import struct

from lie import ANSWER, ANYTHING, Drip, End, Flood, Lie, Matter, Part, Tell
from wire import READY, Answer, Message, complaint, encoded

MIB = 1 << 20
# More than walcat may take of anything.
FLOOD = 300 * MIB
MANY = 300_000
HUGE = b"x" * (4 * MIB)
# A terminal's title, a cleared screen, a line that was never logged, C1's CSI, a right-to-left override.
EVIL = "\x1b]0;owned\x07\x1b[2J\r\n2026-01-01 error [good] all is lost \"'\\ \x7f\u009b31m\u202e".encode()
NO_TEXT = b"\xff\xfe\xc3\x28\xed\xa0\x80"
SEVERITY = (b"SERROR", b"VERROR")


def cut(end: End, of: float) -> Tell:
    def told(truth: Answer) -> list[Part]:
        whole = encoded(truth)
        return [whole[: max(1, int(len(whole) * of))], end]

    return told


def instead(*parts: Part) -> Tell:
    """These words, whatever the truth is."""
    return lambda truth: list(parts)


def before(*messages: Message) -> Tell:
    """These words, then the truth."""
    return lambda truth: [encoded(list(messages) + truth)]


def behind(*messages: Message) -> Tell:
    """The truth, then these words: the next answer, for whoever believes it."""
    return lambda truth: [encoded(truth + list(messages))]


def with_first_length(length: int) -> Tell:
    return lambda truth: [truth[0].with_length(length) + encoded(truth[1:]), End.SILENCE]


def failing(name: str, *fields: bytes, terminator: bytes = b"\0") -> Lie:
    """An error instead of an answer, after which the server is ready again."""
    error = complaint(b"E", *fields, terminator=terminator)
    return Lie(f"error {name}", ANSWER, instead(bytes(error) + bytes(READY)))


def flooding(name: str, message: Message, about: frozenset[Matter] = ANYTHING) -> Lie:
    """Each of these may cost a line of the log, or some words of libpq."""
    whole = bytes(message)
    return Lie(f"endless {name}", about, instead(Flood(whole, min(FLOOD, len(whole) * MANY)), End.SILENCE))


def unexpected(name: str, message: Message) -> list[Lie]:
    """A message where none of its kind may come: as the last word, and in front of the truth."""
    return [
        Lie(f"{name}, then silence", ANYTHING, instead(bytes(message), End.SILENCE)),
        Lie(f"{name} in front", ANYTHING, before(message)),
    ]


ERROR = complaint(b"E", *SEVERITY, b"CXX000", b"M" + EVIL)
FATAL = complaint(b"E", b"SFATAL", b"VFATAL", b"C57P01", b"Mbye")
PANIC = complaint(b"E", b"SPANIC", b"VPANIC", b"CXX001", b"M" + EVIL)
SKIPPED = complaint(b"N", b"SWARNING", b"VWARNING", b"C01000", b"Mskipped", b"RLoadPublications")
NOTICE = complaint(b"N", b"SNOTICE", b"VNOTICE", b"C00000", b"M" + EVIL)
COPY_BOTH = struct.pack("!bHH", 0, 1, 0)
CUT_COPY = Message(b"H", struct.pack("!bH", 0, 65535))
STATUS = Message(b"S", b"application_name\0" + EVIL.replace(b"\0", b"") + b"\0")
NOTIFICATION = Message(b"A", struct.pack("!I", 1) + b"walcat\0" + EVIL + b"\0")

LIES = [
    Lie("silence", ANYTHING, instead(End.SILENCE)),
    Lie("reset", ANYTHING, instead(End.RESET)),
    Lie("orderly end", ANYTHING, instead(End.CLOSE)),
    *(Lie(f"cut at {of:.0%}, then silence", ANYTHING, cut(End.SILENCE, of)) for of in (0.01, 0.5, 0.99)),
    Lie("cut at 50%, then the end", ANYTHING, cut(End.CLOSE, 0.5)),
    Lie("cut at 50%, then a reset", ANYTHING, cut(End.RESET, 0.5)),
    Lie("dripping", ANYTHING, lambda truth: [Drip(encoded(truth), 0)]),
    Lie("dripping a byte a second", ANYTHING, lambda truth: [Drip(encoded(truth), 1)]),
    *(Lie(f"length {length}", ANYTHING, with_first_length(length)) for length in (0, 3, -1, 2**31 - 1, 1 << 30)),
    *(
        failing(name, *fields, terminator=terminator)
        for name, terminator, fields in [
            ("without fields", b"\0", ()),
            ("without an end", b"", (*SEVERITY, b"CXX000", b"Mno end")),
            ("without anything", b"", ()),
            ("with ESC", b"\0", (*SEVERITY, b"CXX000", b"M" + EVIL, b"D" + EVIL, b"H" + EVIL)),
            ("that is no text", b"\0", (*SEVERITY, b"CXX000", b"M" + NO_TEXT, b"D" + NO_TEXT)),
            ("of 4 MiB", b"\0", (*SEVERITY, b"CXX000", b"M" + HUGE)),
            ("without SQLSTATE", b"\0", (*SEVERITY, b"Mno code")),
            ("with a long SQLSTATE", b"\0", (*SEVERITY, b"C" + b"Z" * 1000, b"Mlong code")),
            ("with an empty SQLSTATE", b"\0", (*SEVERITY, b"C", b"Mempty code")),
            ("with ESC for SQLSTATE", b"\0", (*SEVERITY, b"C\x1b[2J\x07", b"Mcode")),
            ("with fields twice", b"\0", (*SEVERITY, b"CXX000", b"Mone", b"C28P01", b"Mtwo", *SEVERITY)),
            ("with unknown fields", b"\0", (*SEVERITY, b"CXX000", b"M1", *(bytes([n]) + b"x" for n in range(1, 48)))),
            ("that says 55006", b"\0", (*SEVERITY, b"C55006", b"Mreplication slot is active for PID 99999999999")),
            ("that says 42704", b"\0", (*SEVERITY, b"C42704", b"Mgone")),
            ("that says 57P03", b"\0", (*SEVERITY, b"C57P03", b"Mstarting up")),
        ]
    ),
    Lie("error cut, then silence", ANYTHING, instead(bytes(ERROR)[:-7], End.SILENCE)),
    Lie("fatal error, then silence", ANYTHING, instead(bytes(FATAL), End.SILENCE)),
    Lie("panic, then the end", ANYTHING, instead(bytes(PANIC), End.CLOSE)),
    Lie("notices with ESC", ANYTHING, before(*[NOTICE] * 10)),
    Lie("a notice of 4 MiB", ANYTHING, before(complaint(b"N", b"SNOTICE", b"C00000", b"M" + HUGE))),
    Lie("a notice without an end", ANYTHING, before(Message(b"N", b"SNOTICE"))),
    Lie("a notice about LoadPublications", ANYTHING, before(SKIPPED)),
    Lie("parameters with ESC", ANYTHING, before(STATUS)),
    Lie("a parameter without a value", ANYTHING, before(Message(b"S", b"server_version\0"))),
    Lie("notifications", ANYTHING, before(*[NOTIFICATION] * 10)),
    flooding("notices", NOTICE),
    flooding("parameters", STATUS),
    flooding("notifications", NOTIFICATION),
    flooding("readiness", READY),
    flooding("empty answers", Message(b"C", b"SELECT 0\0"), ANSWER),
    flooding("errors", ERROR),
    flooding("ends of COPY", Message(b"c")),
    flooding("data of COPY", Message(b"d", b"x" * 100), ANSWER),
    flooding("empty queries", Message(b"I"), ANSWER),
    *unexpected("a row", Message(b"D", struct.pack("!Hi", 1, 1) + b"x")),
    *unexpected("a description of no columns", Message(b"T", struct.pack("!H", 0))),
    *unexpected("a description of 65535 columns", Message(b"T", struct.pack("!H", 65535))),
    *unexpected("data of COPY", Message(b"d", b"x")),
    *unexpected("the end of a COPY", Message(b"c")),
    *unexpected("readiness", READY),
    *unexpected("readiness in no known state", Message(b"Z", b"\x1b")),
    *unexpected("readiness without a state", Message(b"Z")),
    *unexpected("CopyInResponse", Message(b"G", COPY_BOTH)),
    *unexpected("CopyOutResponse", Message(b"H", COPY_BOTH)),
    *unexpected("CopyBothResponse", Message(b"W", COPY_BOTH)),
    # libpq waits for what is missing of it.
    Lie("CopyOutResponse of 65535 columns, cut", ANYTHING, instead(bytes(CUT_COPY), End.SILENCE)),
    *unexpected("an empty query", Message(b"I")),
    *unexpected("a command's end", Message(b"C", b"SELECT 18446744073709551616\0")),
    *unexpected("a command's end without a tag", Message(b"C")),
    *unexpected("a portal suspended", Message(b"s")),
    *unexpected("parse complete", Message(b"1")),
    *unexpected("bind complete", Message(b"2")),
    *unexpected("no data", Message(b"n")),
    *unexpected("parameters' description", Message(b"t", struct.pack("!H", 65535))),
    *unexpected("a function's result", Message(b"V", struct.pack("!i", 2**31 - 1))),
    *unexpected("authentication", Message(b"R", struct.pack("!I", 3))),
    *unexpected("a backend's key", Message(b"K", b"12345678")),
    *unexpected("an unknown message", Message(b"\xff", b"x")),
    *unexpected("a message of kind NUL", Message(b"\0", b"x")),
    Lie("another answer behind", ANSWER, behind(Message(b"C", b"SELECT 0\0"), READY)),
    Lie("HTTP", ANYTHING, instead(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", End.CLOSE)),
    Lie("zeros", ANYTHING, instead(b"\0" * 4096, End.SILENCE)),
]
