"""The page for who needs help: what it says, whom a request reaches, and what strangers can't do with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.support.limits import lower
from tests.support.visits import Page
from webmail import create_app
from webmail.accounts import support
from webmail.auth.passwords import hashing
from webmail.database.connection import db
from webmail.establishments import establishments
from webmail.models import AuditAct, AuditEntry, SupportRequest, SystemMessage, User, now
from webmail.rate_limits import TooManyRequestsError

CONFIG = {
    "name": "Lycée", "domain": "lycee.example", "sign_in": "accounts", "secure_cookies": "false", "imap_security": "none",
    "imap_port": 1, "server_timeout": 1, "language": "en", "system_address": "Lycée <info@lycee.example>",
    "system_password": "x", "recovery_address": "off", "admin_address": "admin@lycee.example",
}  # fmt: skip
WORDS = """
[support]
text = "The office helps.\\nRoom 12.\\n\\nBring your <card>."
telephone = "04 56 78 90 12"
hours = "8 to 17"
[[sites]]
name = "North"
telephone = "+33 (0)4 56 00 00 01"
[[sites]]
name = "South"
domain = "lycee.example"
"""


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    def made(words: str = WORDS, **values: Any) -> Flask:
        folder = tmp_path / "instance"
        folder.mkdir(exist_ok=True)
        (folder / "config.toml").write_text(words)
        app = create_app(folder, **{**CONFIG, **values})
        with db.connection_context():
            if not User.select().exists():
                hashed = hashing.hash_password("correct horse")
                User.create(address="alice@lycee.example", local="alice", domain="lycee.example", password=hashed)
        return app

    yield made
    db.obj.close()


@pytest.fixture
def app(build: Callable[..., Flask]) -> Flask:
    return build()


class Visitor:
    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()

    def get(self, path: str = "/support") -> Page:
        return Page(self.client.get(path))

    def sign_in(self) -> Visitor:
        fields = {"username": "alice", "password": "correct horse", "csrf_token": self._token("/login")}
        assert self.client.post("/login", data=fields).status_code == 303
        return self

    def ask(self, **fields: str) -> Page:
        typed = {"username": "alice", "kind": "password", "text": "Help", "contact": "room 3", **fields}
        return Page(self.client.post("/support", data={**typed, "csrf_token": self._token("/support")}))

    def _token(self, path: str) -> str:
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.client.get(path).text)
        assert found
        return found[1]


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def requests() -> list[SupportRequest]:
    with db.connection_context():
        return list(SupportRequest.select().order_by(SupportRequest.id))


def mails() -> list[SystemMessage]:
    with db.connection_context():
        return list(SystemMessage.select().order_by(SystemMessage.id))


# --- the words -------------------------------------------------------------------------------------------------------


def test_it_says_whom_to_call_and_when(visitor):
    page = visitor.get()
    assert page.status == 200
    assert "Room 12." in page.text
    assert "<card>" not in page.html
    assert "tel:0456789012" in page.html
    assert "tel:+33456000001" in page.html
    assert page.text.index("North") < page.text.index("South")


def test_ones_own_site_comes_first(visitor):
    text = visitor.sign_in().get().text
    assert text.index("South") < text.index("North")
    assert "alice@lycee.example" in text


def test_without_an_administrator_there_are_words_alone(build):
    page = Visitor(build(admin_address="")).get()
    assert "Room 12." in page.text
    assert not page.all("form[action^='/support']")


def test_without_an_address_the_accounts_of_administrators_get_it(build):
    visitor = Visitor(build(admin_address=""))
    with db.connection_context():
        for local, role, active in (("paule", "admin", 1), ("remi", "admin", 0)):
            User.create(address=f"{local}@lycee.example", local=local, domain="lycee.example", role=role, active=active)
    assert visitor.ask(text="Locked out").status == 303
    assert [mail.recipient for mail in mails()] == ["paule@lycee.example"]


def test_without_an_address_those_of_ones_establishment_come_first(build):
    app = build(admin_address="")
    with db.connection_context():
        for local, role in (("paule", "admin"), ("solene", "person")):
            User.create(address=f"{local}@lycee.example", local=local, domain="lycee.example", role=role)
        school = establishments.make("Lycée Support")
        establishments.set_domains(school, ["lycee.example"])
        establishments.add_administrator(school, User.get(User.local == "solene"))
    assert Visitor(app).sign_in().ask(text="My screen is blank").status == 303
    assert {mail.recipient for mail in mails()} == {"solene@lycee.example", "alice@lycee.example"}, "and a copy for herself"
    with db.connection_context():
        User.update(role="person").where(User.local == "paule").execute()
    assert not Visitor(app).get().all("form[action^='/support']"), "nobody reads what strangers ask"
    assert Visitor(app).sign_in().get().all("form[action^='/support']")


def test_it_is_never_empty(build):
    page = Visitor(build("", admin_address="")).get()
    assert "Ask the person who looks after computers" in page.text


def test_a_form_without_an_administrator_is_refused(build):
    app = build()
    visitor = Visitor(app)
    token = visitor._token("/support")
    app.extensions["settings"] = type(app.extensions["settings"])(**{**_values(app.extensions["settings"]), "admin_address": ""})
    answer = visitor.client.post("/support", data={"csrf_token": token, "username": "alice", "kind": "password", "contact": "x"})
    assert answer.status_code == 403
    assert requests() == []


def _values(settings: Any) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}


@pytest.mark.parametrize("number", ["voir l'affiche", "12", "<script>"])
def test_what_is_no_number_is_no_link(build, number):
    page = Visitor(build(f'[support]\ntelephone = "{number}"\n')).get()
    assert "tel:" not in page.html


# --- asking ----------------------------------------------------------------------------------------------------------


def test_it_reaches_the_administrator_with_the_facts(visitor):
    answer = visitor.ask(text="I can't get in.\n.\nThank you")
    assert (answer.status, answer.location) == (303, "/support/sent")
    [row], [mail] = requests(), mails()
    assert re.fullmatch(r"[234679ACDEFGHJKMNPQRTUVWXY]{3}-[234679ACDEFGHJKMNPQRTUVWXY]{3}", row.reference)
    assert (row.user, row.username, row.kind, row.contact) == (None, "alice@lycee.example", "password", "room 3")
    assert mail.recipient == "admin@lycee.example"
    for fact in (
        row.reference,
        "alice@lycee.example (as typed)",
        "I forgot",
        "room 3",
        "127.0.0.1",
        "> I can't get in.",
        "flask support",
    ):
        assert fact in mail.subject + mail.body, fact
    assert "make sure before you change anything" in mail.body


def test_the_reference_survives_reloading_and_is_that_of_this_browser_alone(app, visitor):
    visitor.ask()
    [row] = requests()
    for _ in range(2):
        assert visitor.get("/support/sent").one("[data-reference]").text == row.reference
    stranger = Visitor(app)
    assert stranger.get("/support/sent").status == 303
    assert row.reference not in stranger.get(f"/support/sent?reference={row.reference}").html


def test_who_is_signed_in_is_certain_and_gets_a_copy(visitor):
    visitor.sign_in().ask(username="bob@lycee.example", contact="")
    [row] = requests()
    assert (row.user.address, row.username) == ("alice@lycee.example", "alice@lycee.example")
    assert {mail.recipient for mail in mails()} == {"admin@lycee.example", "alice@lycee.example"}
    assert "signed in" in mails()[0].body
    assert row.reference in visitor.get("/support/sent").text


def test_the_answer_is_the_same_for_known_and_unknown_names(app):
    pages = []
    for name in ("alice", "nobody", "disabled"):
        visitor = Visitor(app)
        visitor.ask(username=name)
        pages.append(re.sub(rf"{name}|[A-Z0-9]{{3}}-[A-Z0-9]{{3}}", "", visitor.get("/support/sent").text))
    assert len(set(pages)) == 1


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"username": ""}, "username"),
        ({"contact": " "}, "contact"),
        ({"kind": "nonsense"}, "kind"),
        ({"kind": "other", "text": ""}, "text"),
        ({"text": "x" * 4001}, "text"),
        ({"contact": "x" * 201}, "contact"),
        ({"username": "x" * 300}, "username"),
    ],
)
def test_what_is_missing_or_too_long_is_said_beside_it_and_the_rest_is_kept(visitor, fields, wrong):
    answer = visitor.ask(**fields)
    assert answer.status == 422
    assert answer.one(f"#{wrong}-error")
    if wrong != "text":
        assert answer.one("#text").text.strip() == "Help"
    assert requests() == []


def test_a_double_click_is_one(visitor):
    visitor.ask()
    visitor.ask()
    assert len(requests()) == len(mails()) == 1
    visitor.ask(text="And another thing")
    assert len(requests()) == 2


def test_a_form_whose_cookie_is_gone_keeps_the_text(app):
    answer = Page(app.test_client().post("/support", data={"csrf_token": "old", "username": "alice", "text": "Kept words"}))
    assert answer.status == 400
    assert "Kept words" in answer.html
    assert requests() == []


def test_nothing_is_said_to_be_sent_where_the_database_is_away(visitor, monkeypatch):
    from peewee import OperationalError

    def away(*_args: object, **_named: object) -> None:
        raise OperationalError("unable to open database file")

    monkeypatch.setattr(support, "ask", away)
    answer = visitor.ask(text="Kept words")
    assert answer.status == 503
    assert "Nothing was sent" in answer.notices
    assert "Kept words" in answer.html


# --- passwords -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Mon mot de passe : soleil12", "Mon mot de passe : […]"),
        ("mot de passe: Azerty!", "mot de passe: […]"),
        ("MDP=azerty et rien", "MDP=[…] et rien"),
        ("My password is hunter2, thanks", "My password is […] thanks"),
        ("le mot de passe est soleil", "le mot de passe est […]"),
        ("mon mot de passe de la messagerie est Tr0ub4dor", "mon mot de passe de la messagerie est […]"),
        ("password:\nhunter2", "password:\n[…]"),
    ],
)
def test_a_password_in_the_text_is_taken_out(visitor, text, kept):
    answer = visitor.ask(text=text)
    assert answer.status == 422
    assert answer.one("#text").text.strip() == kept
    assert answer.one("#text-error")
    assert (requests(), mails()) == ([], [])
    assert visitor.ask(text=kept).status == 303  # what is left can be sent


@pytest.mark.parametrize(
    "text",
    [
        "Mon mot de passe est refusé", "My password is not accepted", "Mot de passe : oublié", "I forgot my password.",
        "password is wrong", "Le mot de passe est toujours demandé", "J'ai perdu mon mot de passe",
    ],
)  # fmt: skip
def test_what_people_say_of_passwords_is_none(text):
    assert support.without_secrets(text) == text


def test_looking_for_passwords_takes_no_time():
    import time

    began = time.process_time()
    for text in ("mot de passe " * 300, "password " * 400 + ":", "mdp" + " a" * 2000):
        support.without_secrets(text[:4000])
    assert time.process_time() - began < 1


# --- attacks ---------------------------------------------------------------------------------------------------------


def test_headers_can_not_be_put_into_the_mail(visitor):
    answer = visitor.ask(username="alice\r\nBcc: all@lycee.example", contact="x\nSubject: y", text="a\x00b\x1b[31m\r\n.\r\nDATA")
    assert answer.status == 303
    [row], [mail] = requests(), mails()
    for line in (mail.subject, row.username, row.contact):
        assert "\n" not in line
        assert "\r" not in line
    assert "\x1b" not in mail.body
    assert "\x00" not in mail.body
    assert "\nBcc:" not in mail.body
    assert "\nSubject:" not in mail.body


def test_html_is_text(visitor):
    page = visitor.ask(text="<script>alert(1)</script>", contact="")
    assert "<script>alert" not in page.html
    visitor.ask(username="<img src=x>", contact="<b>here</b>")
    sent = visitor.get("/support/sent")
    assert "<img src=x>" not in sent.html
    assert "<b>here" not in sent.html


def test_a_form_of_another_site_is_refused(visitor):
    fields = {"csrf_token": visitor._token("/support"), "username": "alice", "kind": "password", "contact": "x"}
    assert visitor.client.post("/support", data=fields, headers={"Origin": "https://evil.example"}).status_code == 403
    assert requests() == []


def test_one_network_has_a_few_an_hour(visitor):
    for number in range(support.OF_NETWORK.most):
        assert visitor.ask(username=f"person{number}").status == 303
    answer = visitor.ask(username="one-more", text="Kept words")
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "Kept words" in answer.html
    assert len(requests()) == support.OF_NETWORK.most


def test_one_name_has_a_few_an_hour_from_wherever(app):
    with app.app_context(), db.connection_context():
        for number in range(support.OF_NAME.most):
            support.ask(_question(f"10.0.0.{number}", number, "alice@lycee.example"), _letters, app.extensions["settings"])
        with pytest.raises(TooManyRequestsError):
            support.ask(_question("10.0.0.99", 99, "alice@lycee.example"), _letters, app.extensions["settings"])


def test_a_flood_fills_neither_the_table_nor_the_mailbox_and_keeps_nobody_who_is_signed_in(app):
    settings, taken = app.extensions["settings"], 0
    with app.app_context(), db.connection_context():
        for number in range(support.OF_STRANGERS.most + 100):
            question = _question(f"10.{number % 250}.{number // 250}.1", number, f"p{number}@lycee.example")
            with suppress(TooManyRequestsError):
                support.ask(question, _letters, settings)
                taken += 1
        assert taken == support.OF_STRANGERS.most
        of_strangers = SystemMessage.select().where(SystemMessage.recipient == "admin@lycee.example").count()
        assert of_strangers == support.MAILS_OF_STRANGERS.most
    alice = Visitor(app).sign_in()
    assert alice.ask(contact="").status == 303
    assert [mail.kind for mail in mails()].count("support") == 1


def test_the_last_mail_of_the_day_says_so(app, monkeypatch):
    lower(monkeypatch, support, "MAILS_OF_STRANGERS", most=2)
    for number in range(3):
        Visitor(app).ask(username=f"person{number}")
    bodies = [mail.body for mail in mails()]
    assert len(bodies) == 2
    assert ["No more requests" in body for body in bodies] == [False, True]
    assert len(requests()) == 3


def _question(network: str, number: int, username: str) -> support.SupportQuestion:
    return support.SupportQuestion(support.TroubleKind.OTHER, text=str(number), username=username, network=network)


def _letters(row: SupportRequest, _last: bool) -> tuple[support.SupportLetter, None]:
    return support.SupportLetter(row.reference, row.text), None


# --- afterwards ------------------------------------------------------------------------------------------------------


def test_old_ones_go(app):
    with app.app_context(), db.connection_context():
        for days in (1, 364, 366, 800):
            created = now() - timedelta(days=days)
            SupportRequest.create(reference=f"AAA-{days:03}", kind="other", created=created)
        assert support.expire() == 2
        assert {row.reference for row in SupportRequest.select()} == {"AAA-001", "AAA-364"}


def test_references_are_found_as_people_say_them(app):
    with app.app_context(), db.connection_context():
        SupportRequest.create(reference="K7M-2QX", kind="other")
        for typed in ("K7M-2QX", "k7m2qx", " k7m 2qx "):
            assert support.find(typed) is not None, typed
        for typed in ("", "K7M", "K7M-2QX-K7M-2QX", "%", "x" * 10_000):
            assert support.find(typed) is None, typed


def test_the_commands(app):
    run = app.test_cli_runner()
    Visitor(app).ask(text="Two\nlines \x1b[31m")
    [row] = requests()
    assert row.reference in run.invoke(args=["support", "list"]).output
    shown = run.invoke(args=["support", "show", row.reference.lower()]).output
    assert "> Two\n> lines" in shown
    assert "not signed in" in shown
    assert "is closed" in run.invoke(args=["support", "close", row.reference]).output
    assert "was closed already" in run.invoke(args=["support", "close", row.reference]).output
    assert run.invoke(args=["support", "list"]).output == "No open requests.\n"
    assert "closed" in run.invoke(args=["support", "list", "--all"]).output
    assert run.invoke(args=["support", "show", "AAA-AAA"]).exit_code == 1
    with db.connection_context():
        assert AuditEntry.select().where(AuditEntry.act == AuditAct.SUPPORT_CLOSED).count() == 1
