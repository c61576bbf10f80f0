"""Writing as somebody: identities, signatures, templates; on real servers."""

from __future__ import annotations

import smtplib

import pytest

from tests.support.compose_form import FORM, text_of, value_of
from tests.support.visits import Visitor
from webmail.database.connection import db
from webmail.models import AllowedAddress, Outbox, ReadyText, Signature, User, WritingIdentity

OFFICE = "bourses@lycee.example"
SETTINGS = "form.form"


@pytest.fixture
def allowed(app, alice):
    """Alice may write as the office too."""
    with db.connection_context():
        user = User.get(User.address == alice.address)
        AllowedAddress.create(user=user, address=OFFICE)
    return alice


def add_identity(person, **fields):
    page = person.get("/settings/identities/new")
    return person.submit(page, SETTINGS, **fields)


def add_signature(person, name, text):
    return person.submit(person.get("/settings/signatures/new"), SETTINGS, name=name, text=text)


def number_of(page, words):
    """The id in the address of the link "Edit ..."."""
    return page.link(f"Edit {words}").rsplit("/", 1)[1]


@pytest.fixture
def office(allowed):
    """The number of the identity of the office, with a signature."""
    add_signature(allowed, "Me", "Alice\nPhysics")
    page = add_signature(allowed, "Office", "Bureau des bourses")
    signature = number_of(page, "Office")
    page = add_identity(
        allowed, name="Bureau", address=OFFICE, organisation="Lycée Ampère", reply_to="team@lycee.example",
        bcc="archive@elsewhere.example", signature=signature,
    )  # fmt: skip
    return number_of(page, f"Bureau <{OFFICE}>")


class TestChoosingASignature:
    @pytest.fixture
    def signed(self, alice):
        """Alice with two signatures, of which the first is usual."""
        add_signature(alice, "School", "Alice Girard\nLycée Ampère")
        add_signature(alice, "Short", "A.")
        return alice

    def number(self, page, name):
        return next(one["value"] for one in page.all("#signature option") if one.get_text() == name)

    def now(self, page):
        return page.one("#signature option[selected]").get_text()

    def test_it_is_swapped_and_taken_out_and_what_was_typed_stays(self, signed):
        page = signed.get("/compose")
        assert self.now(page) == "School"
        page = signed.submit(
            page, FORM, to="x@y.example", body="Bonjour" + text_of(page), signature=self.number(page, "Short"), action="sign"
        )
        assert (self.now(page), text_of(page), value_of(page, "to")) == ("Short", "Bonjour\n\n-- \nA.\n", "x@y.example")
        page = signed.submit(page, FORM, signature="0", action="sign")
        assert (self.now(page), text_of(page)) == ("None", "Bonjour\n")
        page = signed.submit(page, FORM, signature=self.number(page, "School"), action="sign")
        assert text_of(page) == "Bonjour\n\n-- \nAlice Girard\nLycée Ampère\n"

    def test_an_edited_one_stays_and_the_page_says_so(self, signed):
        page = signed.get("/compose")
        body = text_of(page).replace("Ampère", "Ampère, absente lundi")
        page = signed.submit(page, FORM, body=body, signature=self.number(page, "Short"), action="sign")
        assert text_of(page) == body and self.now(page) == "Edited"
        assert "You edited the signature in the text, so it was kept." in page.text

    def test_a_choice_made_stays_when_the_identity_changes(self, allowed, office):
        page = allowed.get("/compose")
        assert self.now(page) == "Me"
        page = allowed.submit(page, FORM, signature="0", action="sign")
        page = allowed.submit(page, FORM, identity=office, action="use")
        assert (self.now(page), text_of(page).strip()) == ("None", "")
        page = allowed.submit(allowed.get("/compose"), FORM, identity=office, action="use")
        assert self.now(page) == "Office"

    def test_there_is_no_choice_without_signatures_nor_of_anothers(self, signed, bob):
        page = bob.get("/compose")
        assert not page.all("#signature")
        number = self.number(signed.get("/compose"), "School")
        page = bob.submit(page, FORM, body="Salut", signature=number, action="sign")
        assert text_of(page) == "Salut"


class TestIdentities:
    def test_a_message_of_the_office_is_from_the_office(self, app, allowed, bob, office, work, stored):
        page = allowed.get(f"/settings/identities/{office}")
        assert "Sent messages kept in Archive" in allowed.submit(page, SETTINGS, sent_mailbox="Archive").text
        form = allowed.get("/compose")
        assert "-- \nAlice\nPhysics" in text_of(form)
        body = "Bonjour" + text_of(form)
        form = allowed.submit(form, FORM, to=bob.address, subject="Bourse", body=body, identity=office, action="use")
        assert text_of(form) == "Bonjour\n\n-- \nBureau des bourses\n"
        assert value_of(form, "bcc") == "archive@elsewhere.example"
        allowed.submit(form, FORM, action="send")
        work()
        (head,) = stored(bob, "INBOX")
        assert OFFICE in head["From"] and head["Reply-To"] == "team@lycee.example"
        assert head["Organization"] == "Lycée Ampère"
        assert head["Bcc"] is None
        (copy,) = stored(allowed, "Archive")
        assert "archive@elsewhere.example" in copy["Bcc"]
        assert stored(allowed, "Sent") == []

    def test_the_identity_is_kept_in_the_draft_and_found_again_elsewhere(self, app, allowed, office, stored, imap_of):
        form = allowed.get("/compose")
        allowed.submit(form, FORM, to="x@y.example", subject="Kept", body="Hi" + text_of(form), identity=office, action="save")
        (draft,) = stored(allowed, "Drafts")
        assert OFFICE in draft["From"]
        client = imap_of(allowed.address)
        client.select_folder("Drafts")
        raw = client.fetch(client.search(), ["BODY[]"])
        client.append("Drafts", next(iter(raw.values()))[b"BODY[]"], ["\\Draft"])  # as another program would keep it
        client.select_folder("Drafts")
        for uid in client.search():
            page = allowed.get(f"/draft/{uid}/Drafts")
            assert page.one("#identity option[selected]")["value"] == office
            assert text_of(page).startswith("Hi\n\n-- \nBureau des bourses")

    def test_an_answer_is_written_by_the_one_who_was_written_to(self, allowed, bob, office, fill):
        mail = f"From: {bob.address}\r\nTo: Bureau <{OFFICE}>, {allowed.address}\r\nSubject: Q\r\n\r\nHow?\r\n".encode()
        (uid,) = fill(allowed, mail)
        page = allowed.get(f"/reply/{uid}/INBOX?all=1")
        assert page.one("#identity option[selected]")["value"] == office
        assert (value_of(page, "to"), value_of(page, "cc")) == (bob.address, "")
        assert text_of(page).startswith("\n\n-- \nBureau des bourses\n\nOn ")

    def test_a_foreign_address_is_refused_by_the_page(self, alice):
        page = add_identity(alice, name="Proviseur", address="proviseur@lycee.example")
        assert page.status == 422 and "You can’t send from this address" in page.text
        assert page.one("[name=name]")["value"] == "Proviseur"
        assert "Proviseur" not in alice.get("/settings/identities").text

    def test_an_address_that_was_taken_back_is_refused_when_sending(self, app, allowed, office):
        form = allowed.get("/compose")
        with db.connection_context():
            AllowedAddress.delete().where(AllowedAddress.address == OFFICE).execute()
        page = allowed.submit(form, FORM, to="x@y.example", subject="S", body="typed", identity=office, action="send")
        assert page.status == 422 and page.one("#identity-error")
        assert text_of(page) == "typed"
        with db.connection_context():
            assert not Outbox.select().exists()
        assert "You can no longer send from this address" in allowed.get("/settings/identities").text

    def test_the_mail_server_refuses_what_is_not_allowed(self, allowed, services):
        with smtplib.SMTP("127.0.0.1", services.ports.smtp) as client:
            client.login(allowed.address, services.password)
            assert client.mail(OFFICE)[0] == 250
            client.rset()
            code, words = client.mail("proviseur@lycee.example")
            assert code == 553 and b"not owned" in words

    def test_somebody_elses_is_not_there(self, allowed, bob, office):
        for where in ("", "/remove"):
            address = f"/settings/identities/{office}{where}"
            assert bob.get(address).status == 404
        page = bob.get("/settings/identities/new")
        token = page.one("form.form [name=csrf_token]")["value"]
        assert bob.post(address, {"csrf_token": token}).status == 200
        assert allowed.get(address).status == 200  # it is still there
        form = bob.get("/compose")
        assert bob.submit(form, FORM, to="x@y.example", subject="S", identity=office, action="send").status == 422

    def test_mistakes_keep_what_was_typed(self, alice):
        page = add_identity(alice, name="A", reply_to="nobody", cc="x@y.example", organisation="o" * 300)
        assert page.status == 422
        assert "“nobody” is not an email address" in page.text
        assert page.one("[name=cc]")["value"] == "x@y.example"
        assert len(page.all("[aria-invalid]")) == 2

    def test_adding_one_leaves_ones_own_name_and_it_stays_the_default(self, alice, bob, work, stored):
        with db.connection_context():
            own = User.get(User.address == alice.address)
        page = add_identity(alice, name="Club échecs", address=alice.address)
        assert [h.get_text().split(" <")[0].strip() for h in page.all("main h2")] == [own.name or own.address, "Club échecs"]
        alice.submit(alice.get("/compose"), FORM, to=bob.address, subject="S", body="Hi", action="send-anyway")
        work()
        (head,) = stored(bob, "INBOX")
        assert "Club" not in head["From"] and own.name in head["From"]

    def test_the_page_of_ones_own_says_that_another_name_is_one_more(self, alice):
        assert "this one stays" in alice.get("/settings/identities/0").text
        assert "this one stays" not in alice.get("/settings/identities/new").text

    def test_it_is_removed_after_a_question(self, allowed, office):
        page = allowed.get(allowed.get("/settings/identities").link(f"Delete Bureau <{OFFICE}>"))
        assert "Bureau" in page.one("h1").text
        page = allowed.submit(page, "form.toolbar")
        assert "Identity deleted." in page.notices
        assert not page.all(f"a[href$='/identities/{office}']")

    def test_without_a_second_one_there_is_no_choice(self, alice):
        page = alice.get("/compose")
        assert not page.all("select#identity")
        assert alice.address in page.one(".compose-from").text


class TestSignatures:
    def test_the_first_one_serves_at_once_and_an_untouched_form_stays_empty(self, app, alice):
        assert "No signatures yet" in alice.get("/settings/signatures").text
        add_signature(alice, "Me", "Alice")
        form = alice.get("/compose")
        assert text_of(form) == "\n\n-- \nAlice\n"
        page = alice.submit(form, FORM, action="discard")
        assert "Draft discarded." in page.notices  # without a question

    def test_a_signature_that_speaks_of_attachments_is_no_caution(self, alice, bob):
        add_signature(alice, "Me", "See the attached conditions")
        form = alice.get("/compose")
        page = alice.submit(form, FORM, to=bob.address, subject="S", body="Hi" + text_of(form), action="send")
        assert page.status == 200, page.text

    def test_it_is_changed_and_removed(self, app, alice):
        page = add_signature(alice, "Me", "Alice")
        number = number_of(page, "Me")
        page = alice.submit(alice.get(f"/settings/signatures/{number}"), SETTINGS, text="")
        assert page.status == 422 and page.one("[name=name]")["value"] == "Me"
        alice.submit(alice.get(f"/settings/signatures/{number}"), SETTINGS, text="Alice L.")
        assert "-- \nAlice L." in text_of(alice.get("/compose"))
        alice.submit(alice.get(f"/settings/signatures/{number}/remove"), "form.toolbar")
        assert text_of(alice.get("/compose")) == ""
        with db.connection_context():
            assert not Signature.select().where(Signature.id == number).exists()
            assert WritingIdentity.select().where(WritingIdentity.address == alice.address).count() == 1

    def test_somebody_elses_is_not_there(self, alice, bob):
        number = number_of(add_signature(alice, "Me", "Alice"), "Me")
        assert bob.get(f"/settings/signatures/{number}").status == 404
        page = bob.get("/settings/identities/new")
        assert bob.submit(page, SETTINGS, signature=number).status == 422


class TestTemplates:
    def add(self, person, **fields):
        return person.submit(person.get("/settings/templates/new"), SETTINGS, **fields)

    def test_a_text_is_put_into_an_answer(self, alice, bob, fill):
        assert "No templates yet" in alice.get("/settings/templates").text
        add_signature(alice, "Me", "Alice")
        page = self.add(alice, name="Absence", subject="Your absence", body="Dear parents,")
        number = number_of(page, "Absence")
        (uid,) = fill(alice, f"From: {bob.address}\r\nSubject: Q\r\n\r\nHow?\r\n".encode())
        form = alice.get(f"/reply/{uid}/INBOX")
        form = alice.submit(form, FORM, template=number, action="insert")
        assert text_of(form).startswith("Dear parents,\n\n\n-- \nAlice\n\nOn ")
        assert value_of(form, "subject") == "Re: Q"
        form = alice.get(alice.get("/settings/templates").link("Use template: Absence"))
        assert (value_of(form, "subject"), text_of(form)) == ("Your absence", "Dear parents,\n\n\n-- \nAlice\n")

    def test_one_that_is_gone_leaves_the_text_alone(self, alice):
        self.add(alice, name="A", body="b")
        page = alice.submit(alice.get("/compose"), FORM, body="typed", template="999999", action="insert")
        assert "no longer exists" in page.notices and text_of(page) == "typed"

    def test_an_administrators_is_for_everyone(self, app, alice, bob):
        assert not alice.get("/settings/templates/new").all("[name=shared]")
        self.add(alice, name="Mine", body="b", shared="y")
        assert "Mine" not in bob.get("/settings/templates").text
        with db.connection_context():
            User.update(role="admin").where(User.address == alice.address).execute()
        page = self.add(alice, name="News", body="Monday is a holiday.", shared="y")
        number = number_of(page, "News")
        assert "Monday is a holiday." in text_of(bob.get(bob.get("/settings/templates").link("Use template: News")))
        for where in ("", "/remove"):
            assert bob.get(f"/settings/templates/{number}{where}").status == 404
        alice.submit(alice.get(f"/settings/templates/{number}/remove"), "form.toolbar")
        assert "News" not in bob.get("/settings/templates").text

    def test_mistakes_keep_what_was_typed(self, alice):
        page = self.add(alice, name="", body="a text")
        assert page.status == 422 and "a text" in page.one("textarea").text
        with db.connection_context():
            user = User.get(User.address == alice.address)
            assert not ReadyText.select().where(ReadyText.user == user).exists()


def test_the_pages_come_as_fragments_too(alice):
    for name in ("identities", "identities/new", "identities/0", "signatures", "signatures/new", "templates", "templates/new"):
        page = alice.get(f"/settings/{name}", htmx="main")
        assert page.status == 200 and len(page.all("main#main")) == 1 and not page.all("html"), name


def test_a_stranger_is_not_alice(app, make_account):
    stranger = Visitor(app, make_account("eve")).sign_in()
    assert stranger.get("/settings/identities/0").status == 200
    assert stranger.get("/settings/identities/0/remove").status == 404


def test_a_form_sent_twice_makes_one_and_a_second_removal_is_no_error(alice):
    for kind, fields in (
        ("identities", {"name": "Alice at home"}),
        ("signatures", {"name": "Sig", "text": "Alice"}),
        ("templates", {"name": "Tpl", "body": "Hello"}),
    ):
        form = alice.get(f"/settings/{kind}/new")
        for _click in range(2):
            page = alice.submit(form, "form.writing", **fields)
            assert page.status == 200
        links = {a["href"] for a in page.all(f"a[href^='/settings/{kind}/'][href$='/remove']")}
        assert len(links) == 1, kind
        asked = alice.get(links.pop())
        assert [alice.submit(asked, "form.toolbar").status for _click in range(2)] == [200, 200]
