"""What a lie is: a name, what it can be about, and what is said in place of the truth."""

import enum
from collections.abc import Callable
from dataclasses import dataclass

from wire import Answer


class Matter(enum.Enum):
    """What a server says in one go."""

    # From the client's first packet to the server's readiness.
    LOGIN = "login"
    ANSWER = "answer"
    # One message of the stream.
    FRAME = "frame"


class End(enum.Enum):
    """The last word of a session."""

    SILENCE = "silence"
    CLOSE = "close"
    RESET = "reset"


@dataclass(frozen=True)
class Drip:
    """Bytes that travel each by itself, a pause behind each, in seconds."""

    data: bytes
    pause: float


@dataclass(frozen=True)
class Flood:
    """A unit over and over, as fast as it is taken, up to so many bytes in all: more than any limit of walcat's."""

    unit: bytes
    most: int


Part = bytes | End | Drip | Flood
# Makes the lie of the truth; None: of this one it can't be made.
Tell = Callable[[Answer], list[Part] | None]


@dataclass(frozen=True)
class Lie:
    """One row of the table.

    `believed`: it says other data, which nobody but the server can know better. walcat may print it.
    """

    name: str
    about: frozenset[Matter]
    told: Tell
    believed: bool = False


ANYTHING = frozenset(Matter)
LOGIN = frozenset({Matter.LOGIN})
ANSWER = frozenset({Matter.ANSWER})
FRAME = frozenset({Matter.FRAME})
