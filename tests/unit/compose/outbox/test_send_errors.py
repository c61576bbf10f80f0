"""What went wrong is kept apart: the server's words, and our own faults, which no server said."""

import socket

import pytest

from webmail import smtp
from webmail.compose.outbox import send_errors
from webmail.compose.outbox.send_errors import SendErrorKind
from webmail.errors import OverQuotaError, SendRefusedError, ServerAwayError, SignInRefusedError, TokenRefusedError


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("550 5.1.1 User unknown", SendErrorKind.NO_SUCH_ADDRESS),
        ("550-5.1.1 User unknown", SendErrorKind.NO_SUCH_ADDRESS),
        ("550 5.1.10 no MX", SendErrorKind.NO_SUCH_DOMAIN),
        ("552 5.2.2 over quota", SendErrorKind.MAILBOX_FULL),
        ("452 4.2.2 over quota", SendErrorKind.MAILBOX_FULL),
        ("450 4.1.1 greylisted", SendErrorKind.NOT_NOW),
        ("421 try later", SendErrorKind.NOT_NOW),
        ("552 5.3.4 too big", SendErrorKind.TOO_LARGE),
        ("554 5.7.1 spam", SendErrorKind.REFUSED),
        ("550 5.1.19 new", SendErrorKind.REFUSED),
        ("550 no such user", SendErrorKind.REFUSED),
        ("says nothing with a code", SendErrorKind.REFUSED),
    ],
)
def test_the_server_s_words_stay_and_their_meaning_is_known(words, kind):
    assert send_errors.read(send_errors.note(SendRefusedError(words, permanent=True))) == (kind, words)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ServerAwayError("the mail server can't be reached: [Errno 111]"), (SendErrorKind.NOT_REACHED, "")),
        (smtp.NoAnswerError("timed out"), (SendErrorKind.NO_ANSWER, "")),
        (smtp.BrokeOffError("closed"), (SendErrorKind.BROKE_OFF, "")),
        (ServerAwayError("421 closing down"), (SendErrorKind.NOT_NOW, "421 closing down")),
        (SignInRefusedError("535 5.7.8 wrong"), (SendErrorKind.SIGN_IN, "535 5.7.8 wrong")),
        (TokenRefusedError("535 5.7.8 not valid yet"), (SendErrorKind.TOKEN_REFUSED, "535 5.7.8 not valid yet")),
        (OverQuotaError("APPEND: full"), (SendErrorKind.NO_ROOM, "APPEND: full")),
    ],
)
def test_what_no_server_said_is_not_called_its_words(error, expected):
    assert send_errors.read(send_errors.note(error)) == expected


@pytest.mark.parametrize(("fault", "kind"), [("hang@mail", SendErrorKind.NO_ANSWER), ("drop@mail", SendErrorKind.BROKE_OFF)])
def test_a_real_connection_that_fails(here, fault, kind):
    from webmail.compose.outbox import delivery
    from webmail.models import Outbox

    here.server.faults = [fault]
    sent = here.enqueue(here.draft())
    delivery.deliver(sent.id, here.settings, here.account)
    assert send_errors.read(Outbox.get().error) == (kind, "")


def test_a_port_where_nobody_listens(here):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        account = here.account(None)
        from dataclasses import replace

        nobody = replace(account, smtp=replace(account.smtp, port=taken.getsockname()[1]))
        with pytest.raises(ServerAwayError) as raised:
            smtp.send(nobody, "a@x.example", ["b@x.example"], b"x", before_final_dot=lambda: None)
    assert send_errors.read(send_errors.note(raised.value)) == (SendErrorKind.NOT_REACHED, "")
