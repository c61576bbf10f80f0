"""Forwarding on a real Pigeonhole: the page, its codes, what is refused, and where delivered mail goes by it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.support.messages import message
from tests.support.visits import Visitor
from tests.support.waiting import eventually
from webmail import managesieve
from webmail.auth.factors import mailed_codes
from webmail.errors import ServerAwayError
from webmail.filters import store
from webmail.filters.forwarding import forward_targets
from webmail.filters.rules.compiler import SievePlace
from webmail.models import AuditAct, AuditEntry, ForwardTarget, MailedCode, Session, SystemMessage, User, now

FORM = "form[data-forwarding]"
NEW = ".new-target form[action='/forwarding/address']:last-of-type"
CODE = "form[action='/forwarding/code']"
CODE_SENT = "482913"
_FAR = "{}.home@world.test"


def confirmed(person: Visitor) -> Visitor:
    """As if a factor had just been given."""
    person.get("/account")
    Session.update(confirmed=now()).where(Session.user == user_of(person)).execute()
    return person


def user_of(person: Visitor) -> User:
    return User.get(User.address == person.address)


@pytest.fixture
def ann(person):
    return confirmed(person)


@pytest.fixture
def bob(app, make_account):
    return confirmed(Visitor(app, make_account("bob")).sign_in())


@pytest.fixture
def codes(monkeypatch):
    monkeypatch.setattr(mailed_codes, "_new_code", lambda: CODE_SENT)


def add(person: Visitor, address: str):
    return person.submit(person.get("/forwarding"), NEW, address=address)


def forward(person: Visitor, *to: str, **fields: str):
    fields = {"on": "1", "keep": "1", "to": list(to), **fields}
    return person.submit(person.get("/forwarding"), FORM, **fields)


def send(person: Visitor, url: str, **fields: str):
    """What anybody who knows the form may send."""
    token = person.get("/forwarding").all("[name=csrf_token]")[0]["value"]
    return person.post(url, {"csrf_token": token, **fields})


def stored(account_of, person: Visitor):
    return store.load(account_of(person.address)).filters.forwarding


# --- choosing and saving ---------------------------------------------------------------------------------------------


def test_mail_goes_to_a_colleague_and_stays(ann, bob, account_of, imap_of, arrives, deliver):
    assert bob.address in add(ann, bob.address.upper()).text
    answer = forward(ann, bob.address)
    assert f"now forwarded to {bob.address}" in answer.notices
    deliver(ann.address, message("Goes to both", To=ann.address))
    arrives(imap_of(bob.address), ["SUBJECT", "Goes to both"])
    arrives(imap_of(ann.address), ["SUBJECT", "Goes to both"])
    assert f"forwarded to {bob.address}" in ann.get("/mailbox/INBOX").one("#forwarded").text
    told = SystemMessage.get(SystemMessage.recipient == ann.address)
    assert (told.kind, bob.address in told.body) == ("security", True)
    acts = AuditEntry.select().where(AuditEntry.actor == user_of(ann), AuditEntry.act == AuditAct.FORWARDING_SET)
    assert bob.address in acts.get().details

    back = ann.submit(ann.get("/mailbox/INBOX"), "#forwarded form")
    assert back.address.startswith("/mailbox/INBOX") and not back.one("#forwarded").text.strip()
    assert not stored(account_of, ann).on
    deliver(ann.address, message("Stays here", To=ann.address))
    assert "Stays here" in ann.get("/mailbox/INBOX").text
    client = imap_of(bob.address)
    client.select_folder("INBOX")
    assert client.search(["SUBJECT", "Stays here"]) == []


def test_an_address_that_was_just_added_only_has_to_be_saved(ann, bob, make_account, account_of):
    page = add(ann, bob.address)
    assert page.one("[name=on]").has_attr("checked") and not stored(account_of, ann).on
    page = ann.get("/forwarding")  # left and come back to: ticked both, and said that nothing is forwarded yet
    assert page.one("[name=on]").has_attr("checked") and page.one(f"[name=to][value='{bob.address}']").has_attr("checked")
    assert f"Nothing is forwarded to {bob.address} yet" in page.text
    forward(ann, bob.address)
    assert "yet" not in ann.get("/forwarding").one(".settings-page").text
    carol = make_account("carol")
    page = add(ann, carol)
    assert [one["value"] for one in page.all("[name=to][checked]")] == [bob.address, carol]
    assert stored(account_of, ann).addresses == (bob.address,)


def test_an_address_outside_is_confirmed_by_its_code(ann, codes, outside, deliver, imap_of):
    far = _FAR.format(ann.address.partition("@")[0])
    page = add(ann, far)
    assert far in page.text and not page.all("[name=to]")
    assert SystemMessage.get(SystemMessage.recipient == far).kind == "code"
    early = send(ann, "/forwarding", on="1", to=far)
    assert (early.status, "can’t be forwarded to" in early.text) == (422, True)
    assert ann.submit(page, CODE, code="000000").one("#code-error")
    page = ann.submit(ann.get("/forwarding"), CODE, code=CODE_SENT)
    assert page.one(f"[name=to][value='{far}']").has_attr("checked") and page.one("[name=on]").has_attr("checked")
    forward(ann, far, keep="")
    deliver(ann.address, message("Goes away", To=ann.address))

    def left():
        return [one for one in outside.glob("[!.]*.json") if far in one.read_text()]

    [envelope] = eventually(left, step=0.05, what="a forwarded message")
    assert f'"sender": "{ann.address}"' in envelope.read_text()
    client = imap_of(ann.address)
    client.select_folder("INBOX")
    assert client.search(["SUBJECT", "Goes away"]) == []


def test_what_the_establishment_writes_stays_even_so(ann, bob, app, deliver, imap_of, arrives):
    add(ann, bob.address)
    forward(ann, bob.address, keep="")
    deliver(ann.address, message("Your mail is forwarded", sender=app.extensions["settings"].system_sender.email))
    arrives(imap_of(bob.address), ["SUBJECT", "Your mail is forwarded"])
    arrives(imap_of(ann.address), ["SUBJECT", "Your mail is forwarded"])


def test_a_forward_that_fails_leaves_the_message_here(ann, deliver, imap_of, arrives, codes):
    gone = "nobody-at-all@lycee.example"
    page = add(ann, gone)
    assert (page.status, "no account with this address" in page.one("#address-error").text) == (422, True)
    ann.submit(page, NEW)
    ann.submit(ann.get("/forwarding"), CODE, code=CODE_SENT)
    forward(ann, gone, keep="")
    deliver(ann.address, message("Nobody takes it", To=ann.address))
    arrives(imap_of(ann.address), ["SUBJECT", "Nobody takes it"])


def test_it_ends_by_itself(ann, bob, account_of):
    add(ann, bob.address)
    assert "already passed" in forward(ann, bob.address, until="2020-01-01").text
    forward(ann, bob.address, until="2031-03-04", until_hour="08:30")
    assert stored(account_of, ann).until.isoformat() == "2031-03-04T07:30:00+00:00"
    page = ann.get("/forwarding")
    assert (page.one("[name=until]")["value"], page.one("[name=until_hour]")["value"]) == ("2031-03-04", "08:30")
    assert 'currentdate :zone "+0000" :value "lt"' in store.load(account_of(ann.address)).text
    row = ForwardTarget.get(ForwardTarget.user == user_of(ann))
    assert (row.active, row.until.isoformat()) == (True, "2031-03-04T07:30:00")


def test_removing_an_address_ends_forwarding_to_it(ann, bob, make_account, account_of):
    other = make_account("other")
    add(ann, bob.address)
    add(ann, other)
    forward(ann, bob.address, other)
    first, _second = ann.get("/forwarding").all("form.removal button")  # forms of their own, for text browsers
    ann.submit(ann.get("/forwarding"), "form.removal:first-of-type", address=first["value"])
    assert first["value"] == bob.address and stored(account_of, ann).addresses == (other,)
    send(ann, "/forwarding/remove", address=other)
    assert not stored(account_of, ann).on and not ann.get("/mailbox/INBOX").one("#forwarded").text.strip()


# --- undo ------------------------------------------------------------------------------------------------------------

UNDO = "form[action='/forwarding/undo']"


def test_saving_can_be_undone(ann, bob, make_account, account_of):
    other = make_account("other")
    add(ann, bob.address)
    add(ann, other)
    forward(ann, bob.address)
    page = ann.submit(forward(ann, other, keep=""), UNDO)
    assert page.address == "/forwarding" and "Undone" in page.notices and not page.all(UNDO)
    found = stored(account_of, ann)
    assert (found.on, found.addresses, found.keep) == (True, (bob.address,), True)
    row = ForwardTarget.get(ForwardTarget.user == user_of(ann), ForwardTarget.active)
    assert (row.address, row.keeps_copy) == (bob.address, True)
    said = [one.kind for one in SystemMessage.select().where(SystemMessage.recipient == ann.address)]
    assert said == ["security"] * 3  # that mail leaves again is told like any other change


def test_the_first_forwarding_undone_needs_no_factor(ann, bob, account_of):
    add(ann, bob.address)
    saved = forward(ann, bob.address)
    Session.update(confirmed=None).where(Session.user == user_of(ann)).execute()
    page = ann.submit(saved, UNDO)
    assert "Undone" in page.notices and not stored(account_of, ann).on
    assert not ann.get("/mailbox/INBOX").one("#forwarded").text.strip()
    ended = AuditEntry.select().where(AuditEntry.actor == user_of(ann), AuditEntry.act == AuditAct.FORWARDING_ENDED)
    assert bob.address in ended.get().details


def test_what_turns_it_on_again_asks_for_a_factor(ann, bob, account_of):
    add(ann, bob.address)
    forward(ann, bob.address)
    ended = ann.submit(ann.get("/mailbox/INBOX"), "#forwarded form")
    Session.update(confirmed=None).where(Session.user == user_of(ann)).execute()
    question = ann.submit(ended, UNDO)
    assert question.address.startswith("/account/confirm") and not stored(account_of, ann).on
    confirmed(ann)
    page = ann.submit(ended, UNDO)
    assert page.address.startswith("/mailbox/INBOX") and "Undone" in page.notices
    assert stored(account_of, ann).on and ann.get("/mailbox/INBOX").one("#forwarded").text.strip()


def test_a_forwarding_that_changed_or_an_address_that_is_gone_is_not_brought_back(ann, bob, make_account, account_of):
    other = make_account("other")
    add(ann, bob.address)
    add(ann, other)
    saved = forward(ann, bob.address)
    forward(ann, other)
    assert "has been changed since" in ann.submit(saved, UNDO).notices
    assert stored(account_of, ann).addresses == (other,)
    ended = ann.submit(ann.get("/mailbox/INBOX"), "#forwarded form")
    ForwardTarget.delete().where(ForwardTarget.user == user_of(ann)).execute()
    assert "can no longer be undone" in ann.submit(ended, UNDO).notices
    assert not stored(account_of, ann).on


# --- loops -----------------------------------------------------------------------------------------------------------


def test_nobody_forwards_to_themselves_nor_round_in_circles(app, ann, bob, make_account):
    local, domain = ann.address.split("@")
    for own in (ann.address, f"{local}+x@{domain}"):
        assert "your own address" in add(ann, own).text
    carol = confirmed(Visitor(app, make_account("carol")).sign_in())
    add(ann, bob.address)
    forward(ann, bob.address)
    add(bob, carol.address)
    forward(bob, carol.address)
    for back in (ann.address, bob.address, f"{local}+x@{domain}"):
        assert "round in circles" in add(carol, back).text
    assert add(carol, make_account("dora")).all("[name=to]")


# --- who may -----------------------------------------------------------------------------------------------------------


def test_an_address_that_can_not_be_used_is_refused_before_the_question(person, make_account):
    left = make_account("left")
    User.update(active=False).where(User.address == left).execute()
    for address, words in ((person.address, "your own address"), (left, "is closed"), ("eve@far.example", "does not allow"),
                           ("nobody-at-all@lycee.example", "no account")):  # fmt: skip
        answer = add(person, address)
        assert (answer.address.split("?")[0], words in answer.one("#address-error").text) == ("/forwarding/address", True), (
            address
        )


def test_the_question_leads_straight_on_to_what_was_asked_for(person, codes, services):
    far = _FAR.format(f"on-{person.address.partition('@')[0]}")
    question = add(person, far)
    assert question.address.startswith("/account/confirm")
    assert not SystemMessage.select().where(SystemMessage.recipient == far).exists()
    page = person.submit(question, "form.form", password=services.password)
    assert page.address.startswith("/forwarding") and page.one(CODE) and far in page.text
    assert SystemMessage.select().where(SystemMessage.recipient == far).count() == 1
    assert person.get("/forwarding").one(CODE) and SystemMessage.select().where(SystemMessage.recipient == far).count() == 1


def test_an_address_that_waited_too_long_is_not_added(person, bob):
    add(person, bob.address)
    Session.update(confirmed=None).where(Session.user == user_of(person)).execute()
    assert person.get("/forwarding").one(NEW) and not ForwardTarget.select().where(ForwardTarget.user == user_of(person)).exists()
    confirmed(person)
    assert not person.get("/forwarding").all("[name=to]")


def test_it_asks_for_a_factor_again_before_anything_leaves(person, bob, account_of):
    for url, fields in (("/forwarding/address", {"address": bob.address}), ("/forwarding", {"on": "1", "to": bob.address})):
        assert send(person, url, **fields).address.startswith("/account/confirm")
    assert not stored(account_of, person).on and not ForwardTarget.select().where(ForwardTarget.user == user_of(person)).exists()


@pytest.mark.parametrize(
    "url", ["/forwarding", "/forwarding/address", "/forwarding/code", "/forwarding/remove", "/forwarding/end", "/forwarding/undo"]
)
def test_a_form_of_another_site_changes_nothing(ann, url):
    assert ann.post(url, {"on": "1", "to": "eve@world.test", "address": "eve@world.test"}).status == 400


def test_codes_can_not_be_guessed(ann, codes):
    add(ann, _FAR.format("guessed"))
    for _try in range(mailed_codes.TRIES):
        assert send(ann, "/forwarding/code", code="111111").status == 422
    assert send(ann, "/forwarding/code", code=CODE_SENT).status == 422
    assert not ForwardTarget.select().where(ForwardTarget.user == user_of(ann)).exists()
    for number in range(mailed_codes.MAILED.most):
        page = add(ann, _FAR.format(f"guessed{number}"))
    assert page.status == 429 and "several codes" in page.text


def test_a_code_for_one_thing_or_person_is_none_for_another(ann, bob, codes):
    add(ann, _FAR.format("mine"))
    MailedCode.update(purpose="recovery-address").where(MailedCode.user == user_of(ann)).execute()
    for person in (ann, bob):
        assert send(person, "/forwarding/code", code=CODE_SENT).status == 422


ELSEWHERE = {
    "does not allow": (
        "eve@far.example", "eve@lycee.example.far.example", "eve@xn--lyce-epa.example", "eve@lycéé.example",
        "spy%far.example@lycee.example", "far.example!spy@lycee.example", "|spy@lycee.example", '"spy@far.example"@lycee.example',
    ),
    "not a complete": (
        "@far.example:spy@lycee.example", "eve@[127.0.0.1]", "eve@localhost", "a@world.test, eve@far.example",
        "a@world.test\r\nBcc: eve@far.example", 'a@world.test"; redirect "eve@far.example', "A <a@world.test>", "a@world.test\x00", "",
        "x" * 3000,
    ),
}  # fmt: skip


def test_addresses_that_lead_elsewhere_are_refused(ann):
    token = ann.get("/forwarding").all("[name=csrf_token]")[0]["value"]
    for words, addresses in ELSEWHERE.items():
        for address in addresses:
            answer = ann.post("/forwarding/address", {"csrf_token": token, "address": address})
            assert (answer.status, words in answer.one("#address-error").text) == (422, True), address
            assert "marked below" in answer.one("[role=alert]").text, address
            assert ann.post("/forwarding", {"csrf_token": token, "on": "1", "to": address}).status == 422, address
    assert not ForwardTarget.select().where(ForwardTarget.user == user_of(ann)).exists()


def test_a_filter_forwards_outside_only_where_the_address_was_confirmed(app, ann, bob, codes):
    settings, far = app.extensions["settings"], _FAR.format("filter")
    add(ann, far)
    assert not forward_targets.may_use(user_of(ann), far, settings)
    send(ann, "/forwarding/code", code=CODE_SENT)
    assert forward_targets.may_use(user_of(ann), far, settings)
    assert not forward_targets.may_use(user_of(bob), far, settings)
    assert forward_targets.may_use(user_of(ann), bob.address, settings)


# --- other windows, other programs ------------------------------------------------------------------------------------


def test_a_change_in_another_window_is_not_overwritten(ann, bob, make_account, account_of):
    other = make_account("other")
    add(ann, bob.address)
    add(ann, other)
    old = ann.get("/forwarding")
    forward(ann, other)
    answer = ann.submit(old, FORM, on="1", to=bob.address)
    assert answer.status == 409 and stored(account_of, ann).addresses == (other,)
    assert ann.submit(answer, FORM).status == 200
    assert stored(account_of, ann).addresses == (bob.address,)


def test_while_the_server_is_away_nothing_is_lost(ann, bob, monkeypatch):
    add(ann, bob.address)
    page = ann.get("/forwarding")

    def gone(*_args):
        raise ServerAwayError("gone")

    monkeypatch.setattr(managesieve, "connect", gone)
    answer = ann.submit(page, FORM, on="1", to=bob.address, until="2031-03-04")
    assert (answer.status, answer.one("[name=until]")["value"]) == (502, "2031-03-04")
    assert answer.one(f"[name=to][value='{bob.address}']").has_attr("checked")
    assert ann.get("/forwarding").status == 502


def test_what_another_program_wrote_is_found(app, ann, bob, account_of):
    account = account_of(ann.address)
    with managesieve.connect(account) as connection:
        connection.write("theirs", f'if true {{ redirect "{bob.address}"; }}')
        connection.write("more", 'require "enotify"; notify "mailto:inner@world.test";')
        connection.write("unused", 'redirect "unused@world.test";')
        connection.write('joi"ns', 'require "include"; if true { include "theirs"; include :optional "gone"; include "more"; }')
        connection.activate('joi"ns')
    run = app.test_cli_runner().invoke(args=["forwarding", "list", ann.address, "--scripts"])
    assert f"{ann.address}\t{bob.address}\tscript theirs" in run.output
    assert "inner@world.test\tscript more" in run.output and "unused" not in run.output
    assert 'joi"ns' in ann.get("/forwarding").one(".notice-caution").text


def test_the_administrator_lists_and_ends_it(app, ann, bob, account_of):
    add(ann, bob.address)
    forward(ann, bob.address, keep="", until="2031-03-04")
    run = app.test_cli_runner().invoke(args=["forwarding", "list"])
    assert f"{ann.address}\t{bob.address}\tno copy\tuntil 2031-03-04T23:00Z\tconfirmed" in run.output
    run = app.test_cli_runner().invoke(args=["forwarding", "off", ann.address])
    assert run.exit_code == 0 and "no longer forwarded" in run.output
    assert not stored(account_of, ann).on
    told = SystemMessage.select().where(SystemMessage.recipient == ann.address, SystemMessage.kind == "forwarding")
    assert bob.address in re.sub(r"\s", "", told.get().body)
    ended = AuditEntry.select().where(AuditEntry.target == ann.address, AuditEntry.act == AuditAct.FORWARDING_ENDED)
    assert '"by": "command"' in ended.get().details


def test_a_paused_forwarding_has_no_banner(ann, bob, account_of):
    add(ann, bob.address)
    forward(ann, bob.address)
    with store.changing(user_of(ann).id, account_of(ann.address), "") as change:
        change.filters = replace(change.state.filters, paused=True)
        change.place = SievePlace(frozenset())
    page = ann.get("/forwarding")
    assert "paused" in page.one(".notice-caution").text
    assert not ann.get("/mailbox/INBOX").one("#forwarded").text.strip()


# --- filters and scripts ------------------------------------------------------------------------------------------------


def test_a_filter_or_script_that_forwards_asks_for_a_factor_too(person, bob, account_of):
    script = {"name": "mine", "text": f'redirect "{bob.address}";\n'}
    rule = {
        "name": "On", "conditions-0-field": "subject", "conditions-0-match": "contains", "conditions-0-values": "x",
        "actions-0-kind": "forward", "actions-0-value": bob.address, "action": "save",
    }  # fmt: skip
    for url, fields in (("/filters/script", script), ("/filters/new", rule)):
        assert send(person, url, **fields).address.startswith("/account/confirm"), url
    assert not store.load(account_of(person.address)).scripts
    long = {"name": "mine", "text": script["text"] + "# " + "x" * 9000}
    answer = send(person, "/filters/script", **long)
    assert (answer.status, "in another tab" in answer.text, long["text"] in answer.one("textarea").text) == (403, True, True)

    confirmed(person)
    told = SystemMessage.select().where(SystemMessage.recipient == person.address, SystemMessage.kind == "security")
    assert send(person, "/filters/script", **script).address == "/filters/scripts"
    assert bob.address in told.get().body
    assert send(person, "/filters/script", **{**script, "text": script["text"] + "keep;\n"}).status in (200, 409)
    assert told.count() == 1


def test_a_script_that_forwards_where_a_variable_says_asks_again(person, bob):
    text = 'require "variables"; set "to" "{}"; redirect "${{to}}";'
    confirmed(person)
    assert send(person, "/filters/script", name="mine", text=text.format(bob.address)).address == "/filters/scripts"
    Session.update(confirmed=None).where(Session.user == user_of(person)).execute()
    seen = person.get("/filters/script?name=mine").one("[name=seen]")["value"]
    answer = send(person, "/filters/script", name="mine", seen=seen, text=text.format("eve@world.test"))
    assert answer.address.startswith("/account/confirm")


def test_a_redirect_behind_a_carriage_return_asks_too(person):
    """Which ends the comment in what is stored, if not in what was sent."""
    answer = send(person, "/filters/script", name="mine", text='# nothing\rredirect "eve@world.test";\nkeep;\n')
    assert answer.address.startswith("/account/confirm")


def test_an_address_of_ours_that_is_no_account_is_confirmed_first(ann, bob, codes):
    assert "is added" in add(ann, bob.address).notices
    page = ann.submit(add(ann, "nonexistent@lycee.example"), NEW)
    assert "We sent a code to nonexistent@lycee.example" in page.text and page.all(CODE)
    assert send(ann, "/forwarding", on="1", to="nonexistent@lycee.example").status == 422


def test_a_closed_account_is_refused_and_named_where_mail_goes_there(ann, bob):
    add(ann, bob.address)
    forward(ann, bob.address)
    User.update(active=0).where(User.address == bob.address).execute()
    page = ann.get("/forwarding")
    assert "This account is closed" in page.one(".targets").get_text()
    again = forward(ann, bob.address)
    assert again.status == 422
    assert "this account is closed" in ann.get("/contacts").one("#forwarded").get_text()
    send(ann, "/forwarding/remove", address=bob.address)
    assert "This account is closed" in add(ann, bob.address).one("#address-error").text
