"""Several parts of a message in one round trip."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.servers import serving
from webmail.account import Account, Password, Server
from webmail.errors import MailboxChangedError, NoSuchMessageError, ServerAwayError, UnsafeValueError
from webmail.imap import close_all, connect
from webmail.imap.reading import messages
from webmail.mail import Part

PARTS = [Part("2", "text/plain", 8, "base64"), Part("3.1", "image/png", 3)]


@pytest.fixture
def asked() -> list[bytes]:
    return []


@pytest.fixture
def person(asked: list[bytes], request: pytest.FixtureRequest) -> Iterator[Account]:
    """Of a server that answers to UID FETCH with the fixture's parameter."""

    def answer(line: bytes) -> bytes | None:
        tag, _, command = line.partition(b" ")
        asked.append(command)
        if command.upper().startswith(b"CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1 LITERAL+\r\n" + tag + b" OK done\r\n"
        if command.startswith(b"SELECT"):
            return b"* 9 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n" + tag + b" OK done\r\n"
        return (request.param if command.startswith(b"UID FETCH") else b"") + tag + b" OK done\r\n"

    with serving(b"* OK ready\r\n", answer) as port:
        server = Server("127.0.0.1", port, "none", 1)
        account = Account("ann@x.example", server, server, Password("ann@x.example", "secret"))
        yield account
        close_all(account)


GOOD = b'* 4 FETCH (UID 5 BODY[2] {8}\r\nYWJjZA== BODY[3.1] {3}\r\n)"( FLAGS ())\r\n'


@pytest.mark.parametrize("person", [GOOD], indirect=True)
def test_all_come_decoded_with_one_command(person: Account, asked: list[bytes]) -> None:
    with connect(person) as connection:
        assert messages.parts(connection, "INBOX", 5, PARTS, 7) == {"2": b"abcd", "3.1": b')"('}
        assert messages.parts(connection, "INBOX", 5, []) == {}
    assert [line for line in asked if line.startswith(b"UID FETCH")] == [b"UID FETCH 5 (UID BODY.PEEK[2] BODY.PEEK[3.1])"]


@pytest.mark.parametrize("person", [b"* 4 FETCH (UID 5 BODY[2] {8}\r\nYWJjZA==)\r\n"], indirect=True)
def test_an_answer_without_a_part_is_no_empty_part(person: Account) -> None:
    with pytest.raises(ServerAwayError), connect(person) as connection:
        messages.parts(connection, "INBOX", 5, PARTS)


@pytest.mark.parametrize("person", [b'* 4 FETCH (UID 5 BODY[2] NIL BODY[3.1] "")\r\n'], indirect=True)
def test_an_empty_part_is_empty(person: Account) -> None:
    with connect(person) as connection:
        assert messages.parts(connection, "INBOX", 5, PARTS) == {"2": b"", "3.1": b""}


@pytest.mark.parametrize("person", [b""], indirect=True)
def test_a_message_that_is_gone_is_told(person: Account) -> None:
    with connect(person) as connection:
        with pytest.raises(NoSuchMessageError):
            messages.parts(connection, "INBOX", 5, PARTS)
        with pytest.raises(MailboxChangedError):
            messages.parts(connection, "INBOX", 5, PARTS, 8)
        with pytest.raises(UnsafeValueError):
            messages.parts(connection, "INBOX", 5, [Part("1] BODY[", "text/plain", 1)])
