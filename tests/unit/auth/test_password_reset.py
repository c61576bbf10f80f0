"""Ways to a new password: who gets one, for how long, how often, and what wrong ones are worth."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Event, Thread

import pytest

from tests.support.auth_app import PASSWORD, add
from tests.support.limits import let_pass
from tests.support.waiting import eventually
from webmail.auth.factors.mailed_codes import CodeFault, CodeRefusedError
from webmail.auth.passwords import hashing
from webmail.auth.passwords.change import ChangeFault, PasswordNotChangedError
from webmail.auth.recovery import password_reset, text_messages
from webmail.auth.recovery.password_reset import Answer, Channel, ResetOverError
from webmail.auth.sessions import known_devices
from webmail.config.providers import Sms
from webmail.database.connection import db
from webmail.models import PasswordReset, User, now
from webmail.rate_limits import TooManyRequestsError
from webmail.system_mail import sms

OUTSIDE, NUMBER = "alice@ailleurs.example", "+33612345678"
NEW = "cheval pile agrafe nuage"
HERE = "192.0.2.1"


@pytest.fixture
def settings(settings):
    return replace(
        settings, system_address="Lycée <a@lycee.example>", public_url="https://mail.lycee.example", sms=Sms("console")
    )


@pytest.fixture
def alice(alice):
    alice.recovery_address, alice.phone = OUTSIDE, NUMBER
    alice.save()
    return alice


def asked(settings, name="alice", channel=Channel.MAIL, network=HERE, browser=""):
    return password_reset.ask(name, channel, network, settings, browser=browser)


def sent(settings, **how):
    """What was asked for, and sent."""
    one = asked(settings, **how)
    assert password_reset.take_sending(one, settings) is not None
    return one


def age(span: timedelta) -> None:
    let_pass(span)
    for column in (PasswordReset.created, PasswordReset.sent):
        for row in PasswordReset.select():
            if getattr(row, column.name) is not None:
                PasswordReset.update({column: getattr(row, column.name) - span}).where(PasswordReset.id == row.id).execute()


def fault(settings, tokens, code) -> CodeFault:
    with pytest.raises(CodeRefusedError) as caught:
        password_reset.check_code(tokens, code, settings)
    return caught.value.fault


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


# --- asking ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["alice", "nobody", "", "not an address@@", "x" * 5000, "alice\0", "alice@lycee.example"])
def test_whoever_is_asked_for_there_is_one_row_and_as_many_queries(alice, settings, queries, name):
    queries.clear()
    asked(settings, name)
    mine = [sql for sql in queries if any(table in sql for table in ("password_resets", "accounts", "limit_uses"))]
    assert len(mine) == 5 and PasswordReset.select().count() == 1


def test_a_link_goes_to_the_recovery_address_and_a_code_to_the_telephone(alice, settings):
    by_mail, by_sms = asked(settings), asked(settings, channel=Channel.SMS)
    assert password_reset.take_sending(by_mail, settings).to == OUTSIDE
    assert password_reset.take_sending(by_sms, settings).to == NUMBER


def test_nobody_and_who_has_nowhere_are_sent_nothing(alice, bob, settings):
    for name in ("nobody", "bob"):
        for channel in Channel:
            assert password_reset.take_sending(asked(settings, name, channel), settings) is None


def test_who_is_disabled_or_has_a_password_elsewhere_is_told_so_and_gets_no_way(alice, settings):
    User.update(active=0).execute()
    one = asked(settings)
    assert password_reset.take_sending(one, settings).answer is Answer.DISABLED
    assert password_reset.holder(one.token) is None
    User.update(active=1, password="", provider="ldap").execute()
    one = asked(settings)
    assert password_reset.take_sending(one, settings).answer is Answer.ELSEWHERE
    assert password_reset.holder(one.token) is None


def test_only_hashes_are_stored(alice, settings):
    one = sent(settings, channel=Channel.SMS)
    stored = str(list(PasswordReset.select().dicts()))
    assert one.token not in stored and one.code not in stored
    assert len(one.token) >= 43  # 256 bits
    assert one.token not in repr(one) and one.code not in repr(one)


@pytest.mark.parametrize("channel", list(Channel))
def test_three_an_hour_and_ten_a_day(alice, settings, channel):
    for number in range(3):
        assert password_reset.take_sending(asked(settings, channel=channel), settings), number
    assert password_reset.take_sending(asked(settings, channel=channel), settings) is None
    other = next(one for one in Channel if one is not channel)
    assert password_reset.take_sending(asked(settings, channel=other), settings), "they are counted apart"
    for _hour in range(5):
        age(timedelta(minutes=61))
        for _ in range(3):
            password_reset.take_sending(asked(settings, channel=channel), settings)
    assert PasswordReset.select().where(PasswordReset.channel == channel, PasswordReset.sent.is_null(False)).count() == 10


def test_a_browser_of_theirs_has_a_count_of_its_own(alice, settings):
    for number in range(5):
        password_reset.take_sending(asked(settings, network=f"198.51.100.{number}"), settings)
    cookie = known_devices.remember("", alice.address, settings.secret_key)
    for _ in range(3):
        assert password_reset.take_sending(asked(settings, browser=cookie), settings)
    assert password_reset.take_sending(asked(settings, browser=cookie), settings) is None


def test_a_network_asks_thirty_times_an_hour_but_for_known_browsers(alice, settings):
    for number in range(30):
        asked(settings, f"nobody{number}")
    with pytest.raises(TooManyRequestsError) as caught:
        asked(settings)
    assert 59 <= caught.value.minutes <= 61
    asked(settings, network="192.0.2.2")
    asked(settings, browser=known_devices.remember("", alice.address, settings.secret_key))
    age(timedelta(minutes=61))
    asked(settings)


def test_however_often_it_is_asked_there_are_few_rows_and_earlier_links_keep_working(alice, settings, monkeypatch):
    monkeypatch.setattr(password_reset, "_UNSENT", 40)
    first = sent(settings)
    for number in range(100):
        password_reset.take_sending(asked(settings, network=f"10.0.0.{number}"), settings)
        password_reset.take_sending(asked(settings, "nobody", network=f"10.1.0.{number}"), settings)
    assert PasswordReset.select().count() <= 3 + 40
    assert password_reset.holder(first.token) == alice


@pytest.mark.parametrize("channel", Channel)
def test_a_network_waits_as_early_whether_there_is_such_an_account_or_not(alice, settings, channel):
    add("plain@lycee.example")
    times = []
    for place, name in enumerate(("alice", "plain", "nobody")):
        for number in range(50):
            try:
                one = asked(settings, name, channel, network=f"10.0.0.{place}")
            except TooManyRequestsError:
                times.append(number)
                break
            password_reset.take_sending(one, settings)
    assert times == [password_reset.ASKED.most] * 3


def test_a_wrong_code_is_told_the_same_however_often_others_ask_meanwhile(alice, settings):
    faults = set()
    for name in ("alice", "nobody"):
        sent_already = [asked(settings, name, Channel.SMS, network=f"10.0.{name}.{number}") for number in range(3)]
        for one in sent_already:
            password_reset.take_sending(one, settings)
        mine = asked(settings, name, Channel.SMS)
        for number in range(40):
            password_reset.take_sending(asked(settings, name, Channel.SMS, network=f"10.1.{name}.{number}"), settings)
        faults.add(fault(settings, [mine.token], "123456"))
    assert faults == {CodeFault.WRONG}


def test_text_messages_of_a_day_are_limited_for_everybody_together(alice, bob, settings):
    settings = replace(settings, sms=Sms("console", per_day=1))
    User.update(phone=NUMBER).execute()
    assert password_reset.take_sending(asked(settings, "bob", Channel.SMS), settings)
    assert password_reset.take_sending(asked(settings, channel=Channel.SMS), settings) is None
    assert password_reset.take_sending(asked(settings), settings)


def test_strangers_leave_a_quarter_of_them_to_browsers_that_are_known(alice, settings):
    settings = replace(settings, sms=Sms("console", per_day=4))
    for number in range(5):
        person = add(f"person{number}@lycee.example")
        User.update(phone=NUMBER).where(User.id == person.id).execute()
        took = password_reset.take_sending(asked(settings, person.address, Channel.SMS), settings)
        assert bool(took) is (number < 3)
    known = known_devices.remember("", person.address, settings.secret_key)
    assert password_reset.take_sending(asked(settings, person.address, Channel.SMS, browser=known), settings)


def test_a_gateway_that_hangs_holds_up_no_page_and_few_threads(settings, monkeypatch):
    settings, goes_on = replace(settings, sms=Sms("console")), Event()
    at_once, sent_now = [], []

    def hangs(*_message):
        at_once.append(1)
        goes_on.wait(20)
        sent_now.append(1)

    monkeypatch.setattr(sms, "send", hangs)
    for _ in range(100):
        text_messages.send_soon(NUMBER, "Hello", settings)
    eventually(lambda: len(at_once) == 3)
    monkeypatch.setattr(sms, "send", lambda *_message: sent_now.append(2))
    text_messages.send(NUMBER, "Hello", settings)  # somebody waits on a page
    assert sent_now == [2]
    goes_on.set()
    eventually(lambda: 50 <= len(sent_now) <= 54)  # what waited is sent, and no more


def test_what_is_over_is_forgotten(alice, settings):
    sent(settings)
    asked(settings, "nobody")
    age(timedelta(minutes=61))
    assert (password_reset.expire(), PasswordReset.select().count()) == (1, 1)  # what was sent counts for a day
    age(timedelta(days=1))
    assert (password_reset.expire(), PasswordReset.select().count()) == (1, 0)


@pytest.mark.parametrize(
    ("changed", "ways"),
    [
        ({}, ["mail", "sms"]),
        ({"sms": None}, ["mail"]),
        ({"public_url": ""}, ["sms"]),
        ({"system_address": ""}, ["sms"]),
        ({"recovery_address": "off"}, ["sms"]),
        ({"forgotten_password": False}, []),
        ({"sign_in": "imap"}, []),
    ],
)
def test_which_ways_there_are(settings, changed, ways):
    assert password_reset.channels(replace(settings, **changed)) == ways


# --- the code --------------------------------------------------------------------------------------------------------


def test_the_code_leads_to_a_new_token(alice, settings):
    one = sent(settings, channel=Channel.SMS)
    assert password_reset.holder(one.token) is None
    proved = password_reset.check_code([one.token], f" {one.code[:3]} {one.code[3:]}", settings)
    assert password_reset.holder(proved) == alice
    assert password_reset.holder(one.token) is None  # whoever planted that one in this browser
    assert fault(settings, [one.token], one.code) is CodeFault.OVER
    assert fault(settings, [proved], one.code) is CodeFault.OVER


def test_five_tries_then_the_right_one_is_over_too(alice, settings):
    one = sent(settings, channel=Channel.SMS)
    found = [fault(settings, [one.token], wrong(one.code)) for _ in range(5)]
    assert found == [CodeFault.WRONG] * 4 + [CodeFault.OVER]
    assert fault(settings, [one.token], one.code) is CodeFault.OVER


def test_a_code_of_nobody_looks_the_same_even_if_it_is_hit(alice, settings, queries):
    mine, nobodys = sent(settings, channel=Channel.SMS), asked(settings, "nobody", Channel.SMS)
    password_reset.take_sending(nobodys, settings)
    found = {}
    for one, typed in ((mine, wrong(mine.code)), (nobodys, nobodys.code)):
        queries.clear()
        faults = [fault(settings, [one.token], typed) for _ in range(6)]
        found[one] = faults, list(queries)
    assert found[mine] == found[nobodys]


def test_a_code_that_was_not_sent_is_worth_nothing(alice, settings):
    for _ in range(3):
        sent(settings, channel=Channel.SMS)
    one = asked(settings, channel=Channel.SMS)
    assert password_reset.take_sending(one, settings) is None
    assert fault(settings, [one.token], one.code) is CodeFault.WRONG


def test_it_is_good_for_fifteen_minutes_and_in_the_browser_that_asked(alice, settings):
    one, other = sent(settings, channel=Channel.SMS), sent(settings, channel=Channel.SMS)
    if one.code != other.code:
        assert fault(settings, [other.token], one.code) is CodeFault.WRONG
    assert fault(settings, [], one.code) is CodeFault.OVER
    age(timedelta(minutes=15, seconds=1))
    assert fault(settings, [one.token], one.code) is CodeFault.OVER


def test_a_browser_that_asked_twice_takes_either_code(alice, settings):
    one, other = sent(settings, channel=Channel.SMS), sent(settings, channel=Channel.SMS)
    assert password_reset.check_code([other.token, one.token], one.code, settings)


def test_of_many_tries_at_once_five_count(alice, settings):
    one, faults, start = sent(settings, channel=Channel.SMS), [], Barrier(12)

    def attempt() -> None:
        start.wait()
        with db.connection_context():
            try:
                password_reset.check_code([one.token], wrong(one.code), settings)
            except CodeRefusedError as refused:
                faults.append(refused.fault)

    threads = [Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(faults) == 12 and PasswordReset.get().tries == 5


# --- the new password ------------------------------------------------------------------------------------------------


def test_it_is_kept_and_the_link_is_good_once(alice, settings):
    User.update(must_change=1).execute()
    first, second = sent(settings), sent(settings)
    assert password_reset.use(first.token, NEW, NEW, settings) == alice
    user = User.get_by_id(alice.id)
    assert hashing.verify(user.password, NEW) and user.must_change == 0
    for token in (first.token, second.token):  # the other one ends with it
        with pytest.raises(ResetOverError):
            password_reset.use(token, NEW, NEW, settings)


def test_a_weak_one_leaves_the_link_good(alice, settings):
    one = sent(settings)
    for new, again, fault_ in (
        ("short", "short", ChangeFault.WEAK),
        ("", "", ChangeFault.UNUSABLE),
        (NEW, "x", ChangeFault.DIFFERENT),
    ):
        with pytest.raises(PasswordNotChangedError) as caught:
            password_reset.use(one.token, new, again, settings)
        assert fault_ in caught.value.faults.values()
    assert hashing.verify(User.get_by_id(alice.id).password, PASSWORD)
    assert password_reset.use(one.token, NEW, NEW, settings)


@pytest.mark.parametrize("token", ["", "x", "0" * 43, "x" * 5000, "é" * 20, "\0"])
def test_invented_tokens_open_nothing(alice, settings, token):
    sent(settings)
    assert password_reset.holder(token) is None


def test_a_link_lasts_an_hour(alice, settings):
    one = sent(settings)
    age(timedelta(minutes=59))
    assert password_reset.holder(one.token)
    age(timedelta(minutes=2))
    assert password_reset.holder(one.token) is None


def test_a_link_that_was_never_sent_opens_nothing(alice, settings):
    assert password_reset.holder(asked(settings).token) is None


def test_it_ends_when_the_account_is_disabled_or_everything_is_ended(alice, settings):
    one = sent(settings)
    User.update(active=0).execute()
    assert password_reset.holder(one.token) is None
    User.update(active=1).execute()
    password_reset.void(alice)
    assert password_reset.holder(one.token) is None


def test_of_two_at_once_one_chooses(alice, settings):
    one, done, start = sent(settings), [], Barrier(2)

    def choose(new: str) -> None:
        start.wait()
        with db.connection_context():
            try:
                password_reset.use(one.token, new, new, settings)
            except ResetOverError:
                return
            done.append(new)

    threads = [Thread(target=choose, args=(new,)) for new in (NEW, "violon herbe cuivre lampe")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1 and hashing.verify(User.get_by_id(alice.id).password, done[0])


def test_by_a_link_codes_to_the_same_address_prove_no_more(alice, settings):
    password_reset.use(sent(settings).token, NEW, NEW, settings)
    assert User.get_by_id(alice.id).reset_by_mail == 1
    one = sent(settings, channel=Channel.SMS)
    password_reset.use(password_reset.check_code([one.token], one.code, settings), NEW, NEW, settings)
    assert User.get_by_id(alice.id).reset_by_mail == 0  # two ways, so two proofs
    assert now() > PasswordReset.get(PasswordReset.id == one.row).used
