"""Codes that are mailed: good once, for a while, for one purpose and one person, and not sent without end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest

from tests.support import postgresql
from tests.support.auth_app import add
from tests.support.limits import let_pass
from webmail import system_mail, vault
from webmail.auth.factors import mailed_codes
from webmail.auth.factors.mailed_codes import CodeFault, CodePurpose, CodeRefusedError
from webmail.config import settings as config
from webmail.database.connection import db, open_database
from webmail.database.migrate import migrate
from webmail.errors import BadAddressError
from webmail.models import MailedCode, SystemMessage, now
from webmail.rate_limits import TooManyRequestsError

OUTSIDE = "alice@ailleurs.example"
STEP, RECOVERY = CodePurpose.SECOND_STEP, CodePurpose.RECOVERY_ADDRESS


def sent(user, settings, purpose=STEP, address=OUTSIDE) -> str:
    """The code that was mailed."""
    codes = []

    def letter(code):
        codes.append(code)
        return "Subject", f"Code: {code}"

    row = mailed_codes.send(user, purpose, address, settings, letter)
    assert codes[0] in system_mail.text_of(row, settings.secret_key)
    assert codes[0] not in row.body
    return codes[0]


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def refused(user, typed, settings, purpose=STEP) -> CodeFault:
    with pytest.raises(CodeRefusedError) as caught:
        mailed_codes.accept(user, purpose, typed, settings)
    return caught.value.fault


def test_it_is_good_once(alice, settings):
    code = sent(alice, settings)
    assert mailed_codes.accept(alice, STEP, f" {code[:3]} {code[3:]} ", settings) == OUTSIDE
    assert refused(alice, code, settings) is CodeFault.OVER


def test_it_is_for_one_person_and_one_purpose(alice, bob, settings):
    code = sent(alice, settings)
    if sent(bob, settings) != code:
        assert refused(bob, code, settings) is CodeFault.WRONG
    assert refused(alice, code, settings, RECOVERY) is CodeFault.OVER
    assert mailed_codes.accept(alice, STEP, code, settings)


def test_five_tries(alice, settings):
    code = sent(alice, settings)
    faults = [refused(alice, other_than(code), settings) for _ in range(5)]
    assert faults == [CodeFault.WRONG] * 4 + [CodeFault.OVER]
    assert refused(alice, code, settings) is CodeFault.OVER


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "1" * 100_000, "12345\0", "-" * 6])
def test_what_is_no_code(alice, settings, typed):
    sent(alice, settings)
    assert refused(alice, typed, settings) is CodeFault.WRONG


def test_it_ends_after_a_quarter_of_an_hour(alice, settings):
    code = sent(alice, settings)
    MailedCode.update(created=now() - timedelta(minutes=15, seconds=1)).execute()
    assert mailed_codes.waiting_for(alice, STEP) == ""
    assert refused(alice, code, settings) is CodeFault.OVER
    assert mailed_codes.expire() == 1


def test_sending_again_replaces_it(alice, settings):
    first = sent(alice, settings)
    refused(alice, other_than(first), settings)
    second = sent(alice, settings)
    if first != second:
        assert refused(alice, first, settings) is CodeFault.WRONG
    assert mailed_codes.accept(alice, STEP, second, settings)
    assert MailedCode.select().count() == 0


def test_five_mails_an_hour_to_one_person(alice, bob, settings):
    for number, purpose in enumerate([STEP, RECOVERY, STEP, RECOVERY, STEP]):
        last = sent(alice, settings, purpose, f"alice{number}@ailleurs.example")
    with pytest.raises(TooManyRequestsError) as caught:
        sent(alice, settings)
    assert 55 <= caught.value.minutes <= 60
    assert mailed_codes.accept(alice, STEP, last, settings), "the last one stays good"
    assert sent(bob, settings)
    let_pass(timedelta(hours=1, seconds=1))
    assert sent(alice, settings)


def test_an_address_that_had_too_many_today(alice, settings, monkeypatch):
    monkeypatch.setattr("webmail.system_mail.queue.PER_DAY", 1)
    sent(alice, settings)
    with pytest.raises(TooManyRequestsError):
        sent(alice, settings)


def test_no_address(alice, settings):
    with pytest.raises(BadAddressError):
        sent(alice, settings, address="nobody@@")
    assert MailedCode.select().count() == 0


def test_the_table_alone_tells_no_code(alice, settings):
    code = sent(alice, settings)
    row = MailedCode.get()
    assert code not in (row.code_hash, row.address)
    assert row.code_hash != vault.keyed_hash(f"{OUTSIDE}\n{code}", "another secret", "mailed code second-step", alice.id)


@pytest.fixture(params=["sqlite", "postgresql"])
def many(request, tmp_path):
    """Alice in a database that many threads use at once, and its settings."""
    if request.param == "sqlite":
        yield from _opened(f"sqlite:///{tmp_path / 'many.sqlite'}", tmp_path)
    elif not postgresql.server_url():
        pytest.skip("no PostgreSQL")
    else:
        with postgresql.fresh_database() as url:
            yield from _opened(url, tmp_path)


def _opened(url, tmp_path):
    opened = open_database(url)
    migrate()
    yield add("alice@lycee.example"), config.load(tmp_path / "many", domain="lycee.example", database_url=url)
    opened.close()


def at_once(count, act) -> list[str]:
    """What `act` did in each of so many threads, "refused" where it raised."""
    barrier, results = Barrier(count), []

    def one() -> None:
        with db.connection_context():
            barrier.wait()
            try:
                act()
                results.append("done")
            except (CodeRefusedError, TooManyRequestsError):
                results.append("refused")

    threads = [Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(results)


def test_a_right_code_is_good_once_for_many_at_once(many):
    alice, settings = many
    code = sent(alice, settings)
    assert at_once(12, lambda: mailed_codes.accept(alice, STEP, code, settings)) == ["done"] + ["refused"] * 11


def test_many_guesses_at_once_are_five(many):
    alice, settings = many
    code = sent(alice, settings)
    assert at_once(12, lambda: mailed_codes.accept(alice, STEP, other_than(code), settings)) == ["refused"] * 12
    assert MailedCode.get().tries == 5
    assert refused(alice, code, settings) is CodeFault.OVER


def test_many_mails_at_once_are_five(many):
    alice, settings = many
    assert at_once(12, lambda: sent(alice, settings)) == ["done"] * 5 + ["refused"] * 7
    assert SystemMessage.select().count() == 5


def test_who_may_have_one(alice, settings):
    mailing = replace(settings, system_address="pages@lycee.example", system_password="x")
    assert not mailed_codes.can_replace_factor(alice, mailing)
    alice.recovery_address = OUTSIDE
    assert mailed_codes.can_replace_factor(alice, mailing)
    assert not mailed_codes.can_replace_factor(alice, settings)
    assert not mailed_codes.can_replace_factor(alice, replace(mailing, recovery_address="off"))


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("marie@gmail.com", "m…@g….com"),
        ("é@straße.example", "é…@s….example"),
        ("a@localhost", "a…@l…"),
        ("x@mail.univ.fr", "x…@m….fr"),
    ],
)
def test_what_is_shown_of_an_address(address, shown):
    assert mailed_codes.masked(address) == shown
