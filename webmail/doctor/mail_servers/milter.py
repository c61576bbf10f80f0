"""Doctor, milter: whether a program answers in the milter protocol, as Postfix would ask it."""

from __future__ import annotations

import socket
import struct

_HELLO = struct.pack("!LcLLL", 13, b"O", 6, 0x1FF, 0x1FFFFF)  # what Postfix begins with: option negotiation of version 6
_QUIT = struct.pack("!Lc", 1, b"Q")
_LONGEST = 1000  # bytes of an answer


def answers(position: tuple[str, int], timeout: float = 5.0) -> bool:
    """Whether what listens there answers a negotiation with one."""
    try:
        with socket.create_connection(position, timeout) as connection:
            connection.settimeout(timeout)
            connection.sendall(_HELLO)
            with connection.makefile("rb") as answer:
                length, command = struct.unpack("!Lc", answer.read(5))
            connection.sendall(_QUIT)
            return command == b"O" and 13 <= length <= _LONGEST
    except (OSError, struct.error):
        return False
