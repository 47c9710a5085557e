"""Finds its way in what a server sends, to tell where a change of one byte does which harm.

Source: PostgreSQL manual, protocol-message-formats and protocol-logicalrep-message-formats.
"""

import enum

# A message is its kind (1 byte), its length (4 bytes, itself included) and its content. The content of a CopyData that
# carries a change is XLogData's header of 25 bytes and the message of pgoutput.
HEADER_BYTES = 5
CHANGE_KIND_AT = HEADER_BYTES + 25


class Place(enum.Enum):
    """Of a message with an insert; the value is the byte's place in it."""

    MESSAGE_KIND = 0
    MESSAGE_LENGTH = 1
    CHANGE_KIND = CHANGE_KIND_AT
    # Behind the kind: the relation (4 bytes), N, the number of columns (2 bytes), the first column's t.
    COLUMN_COUNT = CHANGE_KIND_AT + 1 + 4 + 1
    VALUE_LENGTH = CHANGE_KIND_AT + 1 + 4 + 1 + 2 + 1


class ServerMessages:
    """The messages of one connection, without TLS."""

    def __init__(self) -> None:
        # Of the message in hand: what came of it, as far as anybody may ask, and how many bytes are still to come.
        self._head = bytearray()
        self._left = 0

    def follow(self, chunk: bytes, place: Place | None) -> int | None:
        """Takes the next bytes. Returns where in them `place` is of the first whole insert that begins in them."""
        found = None
        at = 0
        while at < len(chunk):
            if self._left:
                step = min(self._left, len(chunk) - at)
                self._left -= step
                at += step
                continue
            if not self._head and place and found is None and is_insert(chunk[at : at + Place.VALUE_LENGTH.value + 1]):
                found = at + place.value
            self._head.append(chunk[at])
            at += 1
            if len(self._head) == HEADER_BYTES:
                self._left = int.from_bytes(self._head[1:], "big") - 4
                self._head.clear()
        return found


def is_insert(head: bytes) -> bool:
    if len(head) <= Place.VALUE_LENGTH.value:
        return False
    return (chr(head[0]), chr(head[HEADER_BYTES]), chr(head[CHANGE_KIND_AT])) == ("d", "w", "I")
