"""The desk: what people ask for is one list, taken and answered by those who may, and told to whoever asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support import calendar_ground as ground
from tests.support.visits import Page, Visitor
from webmail.accounts import deletion
from webmail.desk import cases
from webmail.establishments import establishments
from webmail.mail import Quota
from webmail.mailbox.quota import quota_request
from webmail.mailbox.quota.quota_request import Letter
from webmail.models import (
    AuditAct,
    AuditEntry,
    Deputy,
    DeskAnswer,
    DeskCase,
    GroupMember,
    RoomRequest,
    SupportRequest,
    SystemMessage,
    User,
)
from webmail.people import groups

GB = 1024**3
SENDING = {"system_address": "Lycée <info@lycee.example>", "system_password": "x", "admin_address": "admin@lycee.example"}


@pytest.fixture
def app(tmp_path) -> Iterator[Flask]:
    with ground.application(tmp_path / "instance", language="en", **SENDING) as made:
        yield made


def administrator(app: Flask, local: str = "root") -> Visitor:
    ground.add(f"{local}@lycee.example")
    User.update(role="admin").where(User.address == f"{local}@lycee.example").execute()
    return ground.signed_in(app, local).confirm()


@pytest.fixture
def root(app: Flask) -> Visitor:
    return administrator(app)


@pytest.fixture
def alice(app: Flask) -> Visitor:
    return ground.person(app, "alice")


def user(local: str) -> User:
    return User.get(User.local == local)


def help_asked(visitor: Visitor, **fields: str) -> DeskCase:
    typed = {"kind": "other", "text": "The printer eats my mail.", "contact": "room 4", **fields}
    page = visitor.submit(visitor.get("/support"), "form[action^='/support']", **typed)
    assert page.status == 200, page.text
    return DeskCase.select().order_by(DeskCase.id.desc()).get()


def space_asked(app: Flask, local: str = "alice") -> DeskCase:
    with app.app_context():
        quota_request.ask(user(local), "Full.", Quota(GB, GB), Letter("x", "y"), app.extensions["settings"])
    return DeskCase.get(DeskCase.kind == "space")


def act(visitor: Visitor, case: DeskCase, form: str, **fields: str) -> Page:
    return visitor.submit(visitor.get(f"/admin/desk/{case.id}"), f"main form:has({form})", **fields)


def answered(visitor: Visitor, case: DeskCase, text: str) -> Page:
    return act(visitor, case, "textarea", action="answer", text=text)


def test_a_request_is_on_the_desk_taken_answered_told_and_written_back_to(app, alice, root):
    case = help_asked(alice)
    assert (case.kind, case.topic, case.domain, case.state) == ("support", "other", "lycee.example", "new")
    listed = root.get("/admin/desk")
    assert "alice@lycee.example" in listed.one(f"[data-case='{case.id}']").get_text()
    taken = root.submit(listed, f"[data-case='{case.id}'] form", action="take")
    assert "You are looking after this request." in taken.notices
    told = alice.get("/account/requests")
    assert "In progress" in told.text and "root@lycee.example is looking after it" in told.text
    done = answered(root, case, "Use the other printer.")
    assert "alice@lycee.example is told by email" in done.notices
    message = SystemMessage.get(SystemMessage.kind == "desk-answer")
    assert message.recipient == "alice@lycee.example" and "Use the other printer." in message.body
    assert SupportRequest.get().closed is not None
    page = alice.get("/account/requests")
    assert page.one("[data-request]")["data-state"] == "answered" and "Use the other printer." in page.text
    alice.submit(page, "form[action^='/account/requests/']", text="It eats it too.")
    case = DeskCase.get_by_id(case.id)
    assert case.state == "taken" and SupportRequest.get().closed is None
    assert "It eats it too." in root.get(f"/admin/desk/{case.id}").text
    acts = {row.act for row in AuditEntry.select().where(AuditEntry.target == "alice@lycee.example")}
    assert {AuditAct.DESK_TAKEN, AuditAct.DESK_ANSWERED} <= acts


def test_a_ready_answer_is_one_click_in_the_language_of_who_asked(app, alice, root):
    case = help_asked(alice, kind="factor")
    User.update(language="fr").where(User.local == "alice").execute()
    act(root, case, "[name=ready][value='0']", action="answer")
    assert "pièce d’identité" in DeskAnswer.get().text
    assert SystemMessage.get(SystemMessage.kind == "desk-answer").language == "fr"


def test_of_two_at_once_the_second_is_told_and_keeps_what_they_typed(app, alice, root):
    case, second = help_asked(alice), administrator(app, "second")
    page = second.get(f"/admin/desk/{case.id}")
    act(root, case, "[value=take]", action="take")
    late = second.submit(page, "main form:has(textarea)", action="answer", text="I know!")
    assert late.status == 409
    assert "root@lycee.example has changed this request" in late.text and "I know!" in late.one("textarea").get_text()
    assert not DeskAnswer.select().exists()
    assert second.submit(late, "main form:has(textarea)", action="answer", text="I know!").status == 200
    assert DeskAnswer.get().text == "I know!"


def test_more_space_is_given_by_one_click_and_counts_for_the_mail_server(app, alice, root):
    case = space_asked(app)
    page = root.get(f"/admin/desk/{case.id}")
    assert [button["value"] for button in page.all("button[name=give]")] == [str(2 * GB), str(4 * GB)]
    root.submit(page, "main form:has(button[name=give])", give=str(2 * GB))
    assert user("alice").quota_bytes == 2 * GB  # the row that Dovecot reads
    request = RoomRequest.get()
    assert request.closed is not None and request.given == 2 * GB
    assert "Your mailbox can now hold 2 GB." in DeskAnswer.get().text.replace("\xa0", " ")
    assert AuditEntry.select().where(AuditEntry.act == AuditAct.ACCOUNT_QUOTA_SET).count() == 1


def test_another_size_is_typed_and_nonsense_refused(app, alice, root):
    case = space_asked(app)
    page = root.get(f"/admin/desk/{case.id}")
    assert root.submit(page, "main form:has(#size)", size="lots").status == 422
    assert root.submit(page, "main form:has(#size)", size="-1").status == 422
    root.submit(page, "main form:has(#size)", size="1,5")
    assert user("alice").quota_bytes == 3 * GB // 2


def test_more_space_is_refused_with_words(app, alice, root):
    case = space_asked(app)
    act(root, case, "[name=ready][value='0']", action="answer")
    assert user("alice").quota_bytes == GB and RoomRequest.get().given == GB
    assert DeskCase.get().state == "answered" and "no more space" in DeskAnswer.get().text


def test_a_refused_deletion_is_asked_for_no_more_and_a_withdrawn_one_gone(app, alice, root):
    deletion.ask(user("alice"), "I leave.")
    case = DeskCase.get(DeskCase.kind == "deletion")
    answered(root, case, "Please come and see us.")
    assert user("alice").deletion_asked is None and DeskCase.get().state == "answered"
    deletion.ask(user("alice"), "I really leave.")
    assert DeskCase.get().state == "new"
    deletion.withdraw(user("alice"))
    assert not DeskCase.select().exists()


def test_a_stranger_is_answered_where_they_said_if_it_is_an_address(app, root):
    stranger = Visitor(app, "bob@lycee.example", "", "en")
    case = help_asked(stranger, username="bob@lycee.example", contact="bob@home.example")
    assert "make sure of who they are" in root.get(f"/admin/desk/{case.id}").text
    answered(root, case, "Done.")
    assert SystemMessage.get(SystemMessage.kind == "desk-answer").recipient == "bob@home.example"
    case = help_asked(stranger, username="bob@lycee.example", contact="04 56 78", text="Again.")
    assert "nobody could be told by email" in answered(root, case, "Done.").notices


def test_what_the_person_saw_is_shown_to_them_and_sent_if_they_let_it(app, alice):
    page = alice.get("/support?page=/mailbox/INBOX&status=502&said=The+mail+server+is+not+responding&request=abc")
    assert "/mailbox/INBOX" in page.text and "Send what the page showed" in page.text
    send = {"kind": "broken", "text": ""}
    alice.submit(page, "form[action^='/support']", **send, send_devices="1")
    seen = cases.seen_of(DeskCase.get())
    assert (seen["page"], seen["status"], seen["request"]) == ("/mailbox/INBOX", "502", "abc") and seen["devices"]
    alice.submit(page, "form[action^='/support']", kind="broken", text="And again.", attach=None)
    seen = cases.seen_of(DeskCase.select().order_by(DeskCase.id.desc()).get())
    assert "page" not in seen and "devices" not in seen


def test_an_error_page_leads_to_the_help_desk(app, alice):
    page = alice.get("/mailbox/INBOX")  # there is no mail server
    assert page.status == 502
    asked = alice.get(page.link("Tell the help desk"))
    assert "/mailbox/INBOX" in asked.text and "The mail server is not responding" in asked.text
    missing = alice.get("/nowhere/at-all")
    assert missing.status == 404
    asked = alice.get(str(missing.one("main .small a")["href"]))
    assert "/nowhere/at-all" in asked.text and "(404)" in asked.text


def test_an_error_page_leads_to_administrators_where_there_is_no_address_for_them(app, alice, root):
    app.extensions["settings"].put({"admin_address": ""})
    asked = alice.get(alice.get("/mailbox/INBOX").link("Tell the help desk"))
    alice.submit(asked, "form[action^='/support']", kind="broken", text="It does not open.")
    sent = SystemMessage.select().where(SystemMessage.kind == "support")
    assert [row.recipient for row in sent] == [user("root").address] and "It does not open." in sent[0].body


def test_an_error_page_offers_no_help_desk_where_nobody_reads(app, alice):
    """Neither an address nor an account of an administrator: the page behind the link says whom to call instead."""
    app.extensions["settings"].put({"admin_address": ""})
    assert not User.select().where(User.role == "admin").exists()
    asked = alice.get(alice.get("/mailbox/INBOX").link("Tell the help desk"))
    assert asked.status == 200 and not asked.all("form[action^='/support'] textarea")


def test_each_administrator_sees_their_establishment_and_deputies_who_they_help(app, alice, root):
    case = help_asked(alice, kind="password", text="Forgotten.")
    other = help_asked(alice, text="The printer.")
    school = establishments.make("Collège")
    establishments.set_domains(school, ["college.example"])
    ground.add("chief@lycee.example")
    establishments.add_administrator(school, user("chief"))
    chief = ground.signed_in(app, "chief").confirm()
    assert not chief.get("/admin/desk").all("[data-case]")
    assert chief.get(f"/admin/desk/{case.id}").status == 404
    establishments.set_domains(school, ["college.example", "lycee.example"])
    assert len(chief.get("/admin/desk").all("[data-case]")) == 2

    bob = ground.person(app, "bob").confirm()
    assert bob.get("/admin/desk").status == 403 and bob.get(f"/admin/desk/{case.id}").status == 404
    group = groups.create("lycee.example", "3e B")
    GroupMember.create(group=group, user=user("alice"))
    Deputy.create(group=group, user=user("bob"))
    [row] = bob.get("/admin/desk").all("[data-case]")
    assert row["data-case"] == str(case.id) and bob.get(f"/admin/desk/{other.id}").status == 404
    answered(bob, case, "Come to room 12.")
    assert DeskAnswer.get().author_address == "bob@lycee.example"


def test_what_is_asked_is_mailed_to_who_administers_the_establishment(app, alice, root):
    """To all of them that may sign in, and to `admin_address` where there is nobody."""
    help_asked(alice)
    school = establishments.make("Lycée")
    establishments.set_domains(school, ["lycee.example"])
    for local in ("chief", "second", "gone"):
        establishments.add_administrator(school, ground.add(f"{local}@lycee.example"))
    User.update(active=0).where(User.local == "gone").execute()
    help_asked(alice, text="The printer eats it again.")
    space_asked(app)
    mails: dict[str, list[str]] = {}
    for row in SystemMessage.select().where(SystemMessage.kind.in_(("support", "room-request"))).order_by(SystemMessage.id):
        mails.setdefault(row.recipient, []).append(row.kind)
    theirs = ["support", "room-request"]
    assert mails == {"admin@lycee.example": ["support"], "chief@lycee.example": theirs, "second@lycee.example": theirs}


def test_the_first_page_of_administration_tells_how_many_wait(app, alice, root):
    assert not root.get("/admin").all("[data-waiting]")
    help_asked(alice)
    space_asked(app)
    assert root.get("/admin").one("[data-waiting]").get_text() == "2 waiting"


def test_a_command_that_closes_a_request_closes_its_case(app, alice):
    case = help_asked(alice)
    result = app.test_cli_runner().invoke(args=["support", "close", SupportRequest.get().reference])
    assert result.exit_code == 0, result.output
    assert DeskCase.get_by_id(case.id).state == "closed"
    space_asked(app)
    assert app.test_cli_runner().invoke(args=["accounts", "quota", "alice@lycee.example", "3G"]).exit_code == 0
    assert DeskCase.get(DeskCase.kind == "space").state == "closed"


def test_the_list_reads_a_page_whatever_there_is(app, root, alice):
    person = user("alice")
    for number in range(130):
        cases.open_case("support", number, user=person, topic="other", text="x" * 300)
    page = root.get("/admin/desk")
    assert len(page.all("[data-case]")) == cases.ON_A_PAGE
    assert len(root.get("/admin/desk?page=3").all("[data-case]")) == 30
    assert not root.get("/admin/desk?kind=space").all("[data-case]")
