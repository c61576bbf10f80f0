"""Asking a colleague at the door, and the colleague's page: what is shown, to whom, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.auth_app import Browser, add, build
from webmail import audit
from webmail.auth.factors import vouchers
from webmail.models import Session, SystemMessage, User, Voucher, now

DOOR, PAGE = "/login/code/voucher", "/account/vouchers"
HTMX = {"HX-Request": "true", "HX-Target": "wish"}


@pytest.fixture
def settings(settings):
    return replace(settings, system_address="Lycée <info@lycee.example>", recovery_address="off")


@pytest.fixture
def people(alice, bob):
    """Alice, who has to take a second step, and Bob, who may vouch."""
    User.update(second_step=1).execute()
    User.update(name="Alice Leroy").where(User.id == alice.id).execute()
    User.update(name="Bob <Martin>").where(User.id == bob.id).execute()


@pytest.fixture
def door(app, people):
    """Alice's browser: her password was right."""
    browser = Browser(app)
    assert browser.sign_in().location == "/login/code"
    return browser


@pytest.fixture
def colleague(app, people):
    """Bob's browser: he is signed in, and has just given a factor again."""
    return signed_in(app, "bob")


def signed_in(app, name, confirmed=True):
    """Somebody who has taken the second step already."""
    User.update(second_step=0).where(User.local == name).execute()
    browser = Browser(app)
    browser.sign_in(name)
    User.update(second_step=1).where(User.local == name).execute()
    user = User.get(User.local == name)
    Session.update(confirmed=now() if confirmed else None).where(Session.user == user, Session.pending == False).execute()  # noqa: E712
    return browser


def ask(browser, name="bob", **fields):
    return browser.post(DOOR, {"colleague": name, **fields}, form_at=f"{DOOR}?again=1")


def number_on(browser):
    return re.search(r"data-check-number>(\d{4})<", browser.get(DOOR).text)[1]


def vouch(browser, number, voucher=""):
    return browser.post(PAGE, {"voucher": voucher or Voucher.get().id, "number": number}, form_at=PAGE)


def use(browser, **fields):
    return browser.post(f"{DOOR}/use", fields, form_at=f"{DOOR}?again=1")


def acts():
    return [(entry.act, entry.actor_address, entry.target) for entry in audit.search()[0]]


def letters():
    return {(row.recipient, row.subject) for row in SystemMessage.select()}


# --- the whole way ----------------------------------------------------------------------------------------------------


def test_the_whole_way(door, colleague):
    response = ask(door, next="/mailbox/INBOX?page=2")
    assert (response.status_code, response.location) == (303, f"{DOOR}?next=/mailbox/INBOX?page%3D2")
    waiting = door.get(response.location).text
    assert "bob@lycee.example" in waiting and "every 5s" in waiting
    assert use(door).location == DOOR and "Nobody has vouched for you yet." in door.get(DOOR).text

    shown = colleague.get(PAGE).text
    assert "Alice Leroy" in shown and "alice@lycee.example" in shown and "127.0.0.1" in shown
    number = number_on(door)
    assert number not in shown, "it has to be told by the person at the door"
    assert vouch(colleague, number).location == PAGE
    assert "You have vouched for Alice Leroy" in colleague.get(PAGE).text

    given = door.get(DOOR).text
    assert "Your colleague has vouched for you." in given and "every 5s" not in given
    before = door.cookie().value
    response = use(door, next="/mailbox/INBOX?page=2")
    assert (response.status_code, response.location) == (303, "/mailbox/INBOX?page=2")
    assert "alice@lycee.example" in door.get("/mailbox/INBOX").text and door.cookie().value != before
    assert [row.confirmed for row in Session.select().join(User).where(User.local == "alice")] == [None]


def test_it_is_in_the_audit_log_and_told_to_both(door, colleague):
    ask(door)
    vouch(colleague, number_on(door))
    use(door)
    alice, bob = "alice@lycee.example", "bob@lycee.example"
    assert [act for act in acts() if act[0].startswith("voucher")] == [
        ("voucher-used", alice, bob),
        ("voucher-given", bob, alice),
        ("voucher-asked", alice, bob),
    ]
    assert {(bob, "You vouched for a colleague"), (alice, "You signed in with a colleague’s help")} <= letters()


def test_with_scripts_the_page_asks_by_itself_and_gets_the_piece_alone(door, colleague):
    ask(door)
    same = door.get(f"{DOOR}?auto=1", headers=HTMX)
    assert (same.status_code, same.data) == (204, b""), "nothing to read out again"
    vouch(colleague, number_on(door))
    piece = door.get(f"{DOOR}?auto=1", headers=HTMX).text
    assert piece.lstrip().startswith('<div id="wish"') and "<title>" not in piece
    assert "every 5s" not in piece and ">Sign in<" in piece


def test_asking_by_itself_ends_with_the_session(door):
    ask(door)
    Session.delete().execute()
    response = door.get(f"{DOOR}?auto=1", headers=HTMX)
    assert (response.status_code, response.headers["HX-Redirect"]) == (401, "/login")
    assert door.get(DOOR).location == "/login"
    late = door.post(f"{DOOR}/use", form_at="/login")
    assert late.status_code == 401 and "This took too long." in late.text


def test_text_that_was_being_written_is_not_lost(app, people, colleague):
    """When the session had ended, the sign-in page carries it along; these pages do too, in case this takes too long."""
    door = Browser(app)
    door.sign_in(**{"kept-body": "Chers collègues", "next": "/mailbox/INBOX"})
    for page in (f"{DOOR}?again=1", DOOR):
        assert 'name="kept-body" value="Chers collègues"' in door.get(page).text
        ask(door)
    late = Session.get(Session.pending == True)  # noqa: E712
    Session.delete().where(Session.id_hash == late.id_hash).execute()
    late = door.post(f"{DOOR}/use", {"kept-body": "Chers collègues"}, form_at="/login")
    assert late.status_code == 401 and 'name="kept-body" value="Chers collègues"' in late.text


# --- at the door ------------------------------------------------------------------------------------------------------


def test_the_page_never_tells_whether_the_colleague_exists(app, people):
    pages = []
    for name in ("bob@lycee.example", "eve@lycee.example"):
        browser = Browser(app)
        browser.sign_in()
        assert ask(browser, name).status_code == 303
        text = browser.get(DOOR).text.replace(name, "NAME").replace(number_on(browser), "0000")
        pages.append(re.sub(r'name="(?:csrf_token|form_id)"[^>]*|until \d\d:\d\d', "", text))  # the minute may have changed
    assert pages[0] == pages[1]
    assert ("voucher-asked", "alice@lycee.example", "unknown") in acts()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Enter your colleague’s email address or user name."),
        ("alice", "You can’t vouch for yourself."),
        ("charlie@autre.example", "can vouch for you."),
        ("<script>alert(1)</script>@lycee.example", None),
    ],
)
def test_who_can_not_be_named(door, name, words):
    response = ask(door, name)
    if words is None:
        assert response.status_code == 303 and "<script>alert" not in door.get(DOOR).text
    else:
        assert response.status_code == 422 and words in response.text
        assert not Voucher.select().exists()


def test_a_visitor_and_somebody_who_is_signed_in_have_nothing_to_ask(app, people):
    visitor = Browser(app)
    assert visitor.get(f"{DOOR}?next=/mailbox/Sent").location == "/login?next=/mailbox/Sent"
    for path in (DOOR, f"{DOOR}/use"):
        assert visitor.post(path, {"colleague": "bob"}).status_code == 401
    bob = signed_in(app, "bob")
    assert bob.get(DOOR).location == "/mailbox/INBOX"
    assert not Voucher.select().exists()


def test_a_form_of_another_site_asks_nobody(door):
    assert door.client.post(DOOR, data={"colleague": "bob"}, base_url=door.base).status_code == 400
    assert not Voucher.select().exists()


def test_waiting_for_a_colleague_takes_its_time(door):
    Session.update(created=now() - timedelta(minutes=14)).execute()
    response = ask(door)
    assert "Max-Age=900" in response.headers["Set-Cookie"]
    row = Session.get()
    assert row.pending and row.created > now() - timedelta(minutes=1)


def test_too_many_wishes(door):
    for _ in range(vouchers.ASKED.most):
        assert ask(door).status_code == 303
    response = ask(door)
    assert response.status_code == 429 and int(response.headers["Retry-After"]) > 60 and "Too many attempts" in response.text


def test_another_browser_with_the_same_password_gains_nothing(app, door, colleague):
    """Whoever knows Alice's password too names the same colleague at the same time."""
    thief = Browser(app)
    thief.sign_in()
    ask(thief)
    ask(door)
    number = number_on(door)
    mine = Voucher.get(Voucher.number == number)
    vouch(colleague, number, mine.id)
    assert use(thief).location == DOOR and thief.get("/mailbox/INBOX").status_code == 302
    assert use(door).location == "/mailbox/INBOX"


# --- the colleague's page ---------------------------------------------------------------------------------------------


def test_a_wrong_number_says_so_and_three_refuse_and_warn(door, colleague):
    ask(door)
    wrong = f"{(int(number_on(door)) + 1) % 10_000:04d}"
    response = vouch(colleague, wrong)
    assert response.status_code == 422 and "This is not the number on their screen." in response.text
    assert 'aria-invalid="true"' in response.text
    vouch(colleague, wrong)
    assert "three times" in vouch(colleague, wrong).text
    assert ("voucher-refused", "bob@lycee.example", "alice@lycee.example") in acts()
    assert "Your colleague did not vouch for you." in door.get(DOOR).text


def test_refusing_warns_whose_password_it_was(app, door):
    bob = signed_in(app, "bob", confirmed=True)
    ask(door)
    SystemMessage.delete().execute()
    response = bob.post(f"{PAGE}/refuse", {"voucher": Voucher.get().id}, form_at=PAGE)
    assert response.location == PAGE and "Refused." in bob.get(PAGE).text
    assert letters() == {("alice@lycee.example", "A colleague refused to vouch for you")}
    assert "bob@lycee.example" in SystemMessage.get().body
    assert "Your colleague did not vouch for you." in door.get(DOOR).text


def test_taking_back(door, colleague):
    ask(door)
    vouch(colleague, number_on(door))
    assert "Withdraw" in colleague.get(PAGE).text
    colleague.post(f"{PAGE}/refuse", {"voucher": Voucher.get().id}, form_at=PAGE)
    assert use(door).location == DOOR


def test_vouching_asks_for_a_factor_again_and_refusing_does_not(app, door):
    bob = signed_in(app, "bob", confirmed=False)
    ask(door)
    page = bob.get(PAGE).text
    assert "number" not in re.findall(r'name="(\w+)"', page) and f"{PAGE}/confirm" in page
    assert bob.get(f"{PAGE}/confirm").location == f"/account/confirm?next={PAGE}/confirm"
    assert vouch(bob, number_on(door)).location.startswith("/account/confirm")
    assert Voucher.get().given is None
    assert bob.post(f"{PAGE}/refuse", {"voucher": Voucher.get().id}, form_at=PAGE).location == PAGE
    assert Voucher.get().refused is not None


def test_somebody_elses_wish_can_not_be_answered(app, door):
    add("carole@lycee.example")
    carole = signed_in(app, "carole")
    ask(door)
    assert "Alice Leroy" not in carole.get(PAGE).text
    wish = Voucher.get().id
    for path, status in ((PAGE, 422), (f"{PAGE}/refuse", 303)):
        fields = {"voucher": wish, "number": number_on(door)}
        assert carole.post(path, fields, form_at="/account/password").status_code == status
    assert (Voucher.get().given, Voucher.get().refused) == (None, None)


@pytest.mark.parametrize("number", ["", "0", "-1", "x", "9" * 30, "²"])
def test_a_wish_that_can_not_be(colleague, number):
    assert colleague.post(PAGE, {"voucher": number, "number": "1"}, form_at="/account/password").status_code == 404


def test_who_has_no_second_step_reads_why_they_can_not_vouch(visitor):
    visitor.sign_in()
    assert "To vouch for others, you need two-step verification yourself." in visitor.get(PAGE).text


def test_nothing_of_it_is_there_where_it_is_switched_off(settings, people):
    app = build(replace(settings, vouchers=False))
    door, bob = Browser(app), signed_in(app, "bob")
    door.sign_in()
    assert "voucher" not in door.get("/login/code").text and bob.get(PAGE).status_code == 404
    for path in (DOOR, f"{DOOR}/use"):
        assert door.get(DOOR).status_code == door.post(path, form_at="/login/code").status_code == 404
    for path in (PAGE, f"{PAGE}/refuse"):
        assert bob.post(path, form_at="/account/password").status_code == 404
