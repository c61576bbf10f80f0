"""Header lines: contents that are compared, and hostile ones."""

from __future__ import annotations

from tests.support.cpu_time import cpu_seconds
from webmail.mime.headers.header_lines import message_digest


def test_line_ends_and_what_programs_note_make_no_other_message() -> None:
    assert message_digest(b"A: b\r\n\r\nx\r\r\ny\r\n") == message_digest(b"Status: RO\nA: b\n\nx\ny\n\n")
    assert message_digest(b"A: b\n\nx\ry\n") != message_digest(b"A: b\n\nx\ny\n")


def test_a_message_of_carriage_returns_is_read_in_linear_time() -> None:
    with cpu_seconds(2):
        message_digest(b"A: b\r\n\r\n" + b"\r" * 3_000_000 + b"x")
