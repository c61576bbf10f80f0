"""Clocks that differ: the tokens of a web server whose clock is ahead or behind, on a real Dovecot."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from tests.support.compose_form import write
from tests.support.visits import Visitor
from webmail import imap, managesieve, smtp
from webmail.account import Account, Token, TokenIssuer
from webmail.compose.outbox import delivery
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.errors import MailError, ServerAwayError, TokenRefusedError
from webmail.models import Outbox, OutboxState, now

HOUR = 3600


@pytest.fixture
def clock_is(monkeypatch: pytest.MonkeyPatch, issuer: TokenIssuer) -> Callable[[float], None]:
    """From now on the clock of the application's tokens is so many seconds ahead of Dovecot's."""

    def ahead(seconds: float) -> None:
        imap.close_all()
        skewed = replace(issuer, clock=lambda: time.time() + seconds)
        monkeypatch.setattr(Settings, "issuer", lambda _self: skewed)

    return ahead


@pytest.fixture
def skewed(account_of: Callable[..., Account], make_account: Callable[..., str], issuer: TokenIssuer) -> Callable[..., Account]:
    """Somebody's account, by the tokens of a clock that is so many seconds ahead."""

    def account(seconds: float) -> Account:
        address = make_account()
        return replace(account_of(address), credential=Token(address, replace(issuer, clock=lambda: time.time() + seconds)))

    return account


@pytest.mark.parametrize("seconds", [-110, -90, -8, 8, 50])
def test_a_minute_of_difference_keeps_nobody_from_mail(person: Visitor, clock_is: Callable[[float], None], seconds: int) -> None:
    clock_is(seconds)
    page = person.get("/mailbox/INBOX")
    assert page.status == 200 and "Inbox" in page.text


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_an_hour_is_told_as_a_fault_of_the_servers(person: Visitor, clock_is: Callable[[float], None], seconds: int) -> None:
    clock_is(seconds)
    page = person.get("/mailbox/INBOX")
    assert page.status == 502 and "with the servers" in page.text
    assert "Sign out" not in page.one("main").get_text(), "it would not help"
    clock_is(0)
    assert person.get("/mailbox/INBOX").status == 200


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
def test_each_server_s_refusal_of_a_token_is_a_fault_that_may_pass(skewed: Callable[..., Account], seconds: int) -> None:
    account = skewed(seconds)
    for ask in (_by_imap, _by_smtp, _by_sieve):
        with pytest.raises(TokenRefusedError) as raised:
            ask(account)
        assert isinstance(raised.value, ServerAwayError)


def _by_imap(account: Account) -> None:
    with imap.connect(account) as connection:
        connection.run((b"NOOP",))


def _by_smtp(account: Account) -> None:
    smtp.send(account, account.address, [account.address], b"Subject: x\r\n\r\nx", before_final_dot=lambda: None)


def _by_sieve(account: Account) -> None:
    with managesieve.connect(account):
        raise AssertionError("let in")


def test_a_message_waits_for_the_clocks_and_leaves_when_they_agree(
    app: Flask, person: Visitor, clock_is: Callable[[float], None]
) -> None:
    assert write(person, to=person.address, subject="À l'heure", body="b", action="send").status == 200
    settings = app.extensions["settings"]

    def tried() -> Outbox:
        with db.connection_context():
            row = Outbox.select().where(Outbox.subject == "À l'heure").get()
            Outbox.update(due=now()).where(Outbox.id == row.id).execute()
            delivery.deliver(row.id, settings, lambda row: settings.account(row.user.address))
            return Outbox.get_by_id(row.id)

    clock_is(HOUR)
    row = tried()
    assert row.state == OutboxState.WAITING and row.due > now()
    page = person.get("/outbox")
    assert "with the servers" in page.text and "Sign out, sign back in" not in page.text
    clock_is(0)
    assert tried().state == OutboxState.SENT


def test_a_wrong_password_is_still_a_refusal(account_of: Callable[..., Account], make_account: Callable[..., str]) -> None:
    account = account_of(make_account(), token=False)
    with pytest.raises(MailError) as raised:
        _by_imap(replace(account, credential=replace(account.credential, password="wrong")))
    assert not isinstance(raised.value, ServerAwayError)
