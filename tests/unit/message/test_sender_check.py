"""What is thought of a sender: many small cases, and all the letters of the demo."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from deploy.demo.letters.boxes import boxes
from tests.support.received import FAR, message
from webmail.config.directory import SightRule
from webmail.config.settings import Settings
from webmail.config.tables import Domain
from webmail.mail import Address, Message, Part, Role, Structure
from webmail.message import sender_check
from webmail.message.sender_check import SenderPlace, TrustLevel, WarningKind
from webmail.mime import structure
from webmail.mime.headers import headers
from webmail.mime.html.scan import scan
from webmail.mime.text import plain_text
from webmail.models import Correspondent, MailboxHandover, User

SETTINGS = Settings(domain="lycee.example", authserv_id="lycee.example")
BOB = Address("Bob Girard", "bob@lycee.example")
PASSED = ((0, "lycee.example; dmarc=pass"),)


def kinds(user: User, one: Message, **more: Any) -> set[str]:
    return {warning.kind.value for warning in sender_check.judge(one, user, SETTINGS, **more).warnings}


@pytest.mark.parametrize(
    ("sender", "role", "place"),
    [
        (BOB, None, SenderPlace.INSIDE),
        (Address("", "BOB@LYCEE.EXAMPLE"), None, SenderPlace.INSIDE),
        (Address("", "root@mail.lycee.example"), None, SenderPlace.OUTSIDE),
        (Address("", "bob@xlycee.example"), None, SenderPlace.OUTSIDE),
        (FAR, None, SenderPlace.OUTSIDE),
        (Address("", f"bob@{'é' * 80}.example"), None, SenderPlace.OUTSIDE),  # no domain can be like this
        (Address("", "MAILER-DAEMON"), None, SenderPlace.NOWHERE),
        (Address("", "alice@lycee.example"), Role.SENT, SenderPlace.OWN),
        (Address("", "alice@lycee.example"), None, SenderPlace.INSIDE),
    ],
)
def test_where_a_sender_is(alice: User, sender: Address, role: Role | None, place: SenderPlace) -> None:
    assert sender_check.judge(message(sender), alice, SETTINGS, role).place is place


def test_several_domains_are_inside_together(alice: User) -> None:
    several = replace(SETTINGS, domains=(Domain("college.example"),))
    marie = Address("Marie", "marie@college.example")
    assert sender_check.judge(message(marie), alice, SETTINGS).place is SenderPlace.OUTSIDE
    assert sender_check.judge(message(marie), alice, several).place is SenderPlace.INSIDE
    assert sender_check.SenderLookUp(alice, several).stranger(message(marie).envelope) == ""
    replies = message(BOB, reply_to=(marie,))
    assert sender_check.judge(replies, alice, several).warnings == ()
    for pretends in (Address("Service college.example", "x@far.example"), Address("Marie", "marie@co11ege.example")):
        [warning] = sender_check.judge(message(pretends), alice, several).warnings
        assert (warning.level, warning.real or warning.seen) in [
            (TrustLevel.DANGER, "college.example"), (TrustLevel.DANGER, "x@far.example"),
        ]  # fmt: skip
        assert sender_check.judge(message(pretends), alice, SETTINGS).warnings == ()


def test_somebody_of_no_domain_of_the_establishment_has_their_own_inside(alice: User) -> None:
    guest = User(address="guest@autre.example", domain="autre.example")
    several = replace(SETTINGS, domains=(Domain("college.example"),))
    assert not sender_check.is_inside(guest, BOB.email, several)
    assert sender_check.is_inside(guest, "x@autre.example", several)


def test_without_any_sender_there_is_a_word_about_it(alice: User) -> None:
    assert kinds(alice, message(())) == {"no-sender"}


@pytest.mark.parametrize(
    ("name", "email", "kind", "level"),
    [
        ("Bob Girard", "bob.girard@far.example", "colleague", TrustLevel.DANGER),
        ("GIRARD Bob", "bg@far.example", "colleague", TrustLevel.DANGER),
        ("Вob Girard", "bg@far.example", "colleague", TrustLevel.DANGER),
        ("Administration", "a@far.example", "colleague", TrustLevel.CAUTION),
        ("bob@lycee.example", "x@far.example", "address-in-name", TrustLevel.DANGER),
        ("Service (help@bank.example)", "x@far.example", "address-in-name", TrustLevel.CAUTION),
        ("Messagerie lycee.example", "x@far.example", "establishment", TrustLevel.DANGER),
        ("Bob Girard", "mallory@lycee.example", "colleague", TrustLevel.DANGER),
        ("Help desk", "mallory@lycee.example", "role", TrustLevel.CAUTION),
        ("bob@lycee.example", "mallory@lycee.example", "address-in-name", TrustLevel.DANGER),
        ("director@gmail.com", "x@gmail.com", "address-in-name", TrustLevel.CAUTION),
        ("Bob", "bob@lycee.example@far.example", "address-in-name", TrustLevel.DANGER),
        ("Bob", "bob@lycée.example", "lookalike", TrustLevel.DANGER),
        ("Bob", "bob@lyceee.example", "lookalike", TrustLevel.DANGER),
        ("Bob", "bob@pаypal.example", "scripts", TrustLevel.DANGER),
    ],
)
def test_names_and_domains_that_pretend(alice: User, name: str, email: str, kind: str, level: TrustLevel) -> None:
    [warning] = sender_check.judge(message(Address(name, email)), alice, SETTINGS).warnings
    assert (warning.kind.value, warning.level) == (kind, level)


def test_a_warning_does_not_tell_the_address_of_who_is_not_seen_in_the_directory(alice: User) -> None:
    one = message(Address("Bob Girard", "bob.girard@far.example"))
    [warning] = sender_check.judge(one, alice, SETTINGS).warnings
    assert warning.real == BOB.email
    for rules in ((SightRule("nobody"),), (SightRule("own groups"),)):
        [warning] = sender_check.judge(one, alice, replace(SETTINGS, directory_rules=rules)).warnings
        assert (warning.kind, warning.level, warning.real) == (WarningKind.COLLEAGUE, TrustLevel.DANGER, "")


@pytest.mark.parametrize(
    "sender",
    [FAR, BOB, Address("ann@far.example", "ann@far.example"), Address("Bob Girardin", "x@far.example"), Address("", "x@autre.example"),
     Address("info@mail.far.example", "x@far.example"), Address("Lycée Pascal", "x@lycee-pascal.example")],
)  # fmt: skip
def test_ordinary_names_give_none(alice: User, sender: Address) -> None:
    assert kinds(alice, message(sender)) == set()


def test_people_one_writes_to_are_known(alice: User) -> None:
    Correspondent.create(user=alice, address="sophie@partner.example", name="Sophie Lambert")
    assert kinds(alice, message(Address("Sophie Lambert", "s@far.example"))) == {"known-name"}
    assert kinds(alice, message(Address("", "x@partnner.example"))) == {"lookalike"}
    assert kinds(alice, message(Address("Sophie Lambert", "Sophie@partner.example"))) == set()
    Correspondent.create(user=alice, address="bob@private.example", name="")
    assert kinds(alice, message(Address("Bob Girard", "bob@private.example"))) == set()
    assert sender_check.SenderLookUp(alice, SETTINGS).stranger(message(Address("", "Sophie@partner.example")).envelope) == ""


def test_what_the_server_found_decides(alice: User) -> None:
    failed = ((0, "lycee.example; dmarc=fail"),)
    assert kinds(alice, message(results=failed)) == {"failed"}
    assert kinds(alice, message(BOB, results=failed)) == {"failed"}
    assert kinds(alice, message(BOB, results=((0, "lycee.example; spf=none"),))) == {"unproven"}
    assert kinds(alice, message(BOB, results=((0, "lycee.example; dmarc=pass header.from=lycee.example"),))) == set()
    assert kinds(alice, message(BOB, results=((0, "evil.example; dmarc=fail"),))) == set()
    assert kinds(alice, message(BOB, trace={"arrivals": ("outside",)})) == {"unproven"}
    assert kinds(alice, message(BOB, trace={"arrivals": ("near",)})) == set()
    assert kinds(alice, message(BOB, trace={"arrivals": ("signed-in", "outside")})) == set()  # from before anybody checked
    nobody = sender_check.judge(message(results=PASSED), alice, Settings(domain="lycee.example"))
    assert not nobody.genuine
    assert not nobody.authentication.told


@pytest.mark.parametrize(
    ("reply_to", "more", "told"),
    [
        ("ann@far.example", {}, False), ("x@mail.far.example", {}, False), ("x@evil.example", {}, True),
        ("x@evil.example", {"list_id": "a.b"}, True), ("x@evil.example", {"sender": Address("", "no-reply@far.example")}, True),
        ("x@evil.example", {"sender": Address("", "no-reply@far.example"), "results": PASSED}, False),
        ("x@evil.example", {"trace": {"bulk": True}, "results": PASSED}, False), ("x@evil.example", {"results": PASSED}, True),
        ("alice@lycee.example", {}, False), ("", {}, False),
    ],
)  # fmt: skip
def test_answers_to_elsewhere(alice: User, reply_to: str, more: dict[str, Any], told: bool) -> None:
    answers = (Address("", reply_to),) if reply_to else ()
    assert kinds(alice, message(reply_to=answers, **more)) == ({"reply"} if told else set())


def test_a_list_header_takes_no_warning_away(alice: User) -> None:
    headers = {"list_id": "parents.example"}
    sender = {"trace": {"sender": (Address("", "x@evil.example"),)}}
    assert kinds(alice, message(**headers, **sender)) == {"sent-for"}


def test_a_substitute_is_proven_by_the_record_also_after_its_end(alice: User) -> None:
    marie = User.create(address="marie@lycee.example", local="marie", domain="lycee.example")
    bob = User.get(User.address == BOB.email)
    proof = ((0, f"lycee.example; auth=pass smtp.auth={bob.address} header.from={marie.address}"),)
    one = message(Address("", marie.address), results=proof, trace={"sender": (BOB,)})
    assert sender_check.judge(one, alice, SETTINGS).level is TrustLevel.DANGER, "without a record anybody could say so"
    at = one.received.replace(tzinfo=None)
    day = timedelta(days=1)
    record = {"owner": marie, "kind": "absence", "answers": 1, "allowed": 1, "state": "ended", "asked_by": marie.address}
    row = MailboxHandover.create(person=bob, begun=at - day, ended=at + day, **record)
    found = sender_check.judge(one, alice, SETTINGS)
    assert (found.warnings, found.genuine, found.sent_by) == ((), True, bob.address)
    other = message(Address("", marie.address), results=proof, trace={"sender": (Address("", "eve@lycee.example"),)})
    assert kinds(alice, other) == {"sent-for"}
    MailboxHandover.update(ended=at - timedelta(hours=1)).where(MailboxHandover.id == row.id).execute()
    assert sender_check.judge(one, alice, SETTINGS).level is TrustLevel.DANGER


def test_our_subdomains_come_with_caution_unless_they_are_proven(alice: User) -> None:
    one = Address("ENT", "notes@ent.lycee.example")
    outside = {"trace": {"arrivals": ("outside",)}}
    [found] = sender_check.judge(message(one, **outside), alice, SETTINGS).warnings
    assert (found.kind, found.level) == (WarningKind.UNPROVEN, TrustLevel.CAUTION)
    listed = replace(SETTINGS, own_subdomains="ent.lycee.example, mail.lycee.example")
    assert [one.level for one in sender_check.judge(message(one, **outside), alice, listed).warnings] == [TrustLevel.DANGER]
    proof = ((0, "lycee.example; dmarc=pass header.from=ent.lycee.example"),)
    assert sender_check.judge(message(one, results=proof, **outside), alice, listed).warnings == ()


def test_a_proven_colleague_is_shown_by_the_account_s_name(alice: User) -> None:
    User.update(name="Bob Girard").where(User.address == BOB.email).execute()
    proof = ((0, "lycee.example; dmarc=pass header.from=lycee.example"),)
    for written, shown in (
        ("M. Rectorat de Lyon", "Bob Girard"),
        ("GIRARD Bob", "GIRARD Bob"),
        ("", ""),
        ("B. Martin", "Bob Girard"),
    ):
        assert sender_check.judge(message(Address(written, BOB.email), results=proof), alice, SETTINGS).name == shown


@pytest.mark.parametrize(
    ("files", "outside", "inside"),
    [
        (("a.pdf",), set(), set()),
        (("a.xlsm",), {"macros"}, set()),
        (("a.html",), {"page"}, set()),
        (("a.exe",), {"program"}, {"program"}),
        (("a.html", "b.pdf.exe", "c.exe"), {"disguised", "program", "page"}, {"disguised", "program"}),
    ],
)
def test_files(alice: User, files: tuple[str, ...], outside: set[str], inside: set[str]) -> None:
    assert kinds(alice, message(files=files)) == outside
    assert kinds(alice, message(BOB, files=files, results=PASSED)) == inside
    assert kinds(alice, message(BOB, files=files)) == outside  # anybody could have sent it


@pytest.mark.parametrize(
    ("named", "more", "levels"),
    [
        ("www.bank.example", {}, [TrustLevel.DANGER]), ("www.bank.example", {"results": PASSED}, [TrustLevel.DANGER]),
        ("www.far.example", {}, [TrustLevel.CAUTION]), ("www.far.example", {"results": PASSED}, []),
    ],
)  # fmt: skip
def test_links_that_lie(alice: User, named: str, more: dict[str, Any], levels: list[TrustLevel]) -> None:
    lies = (("https://click.example/1", named), ("https://click.example/2", named))
    found = sender_check.judge(message(lies=lies, **more), alice, SETTINGS).warnings
    assert [warning.level for warning in found] == levels
    assert all((w.kind, w.seen, w.real) == (WarningKind.LINK, named, "click.example") for w in found)


def test_a_program_within_a_text(alice: User) -> None:
    one = replace(
        message(),
        structure=Structure(text=(Part("1", "text/plain", 9),)),
        bodies={"1": "Voir\nbegin 644 a.pdf.exe\n#86)C\n`\nend\n"},
    )
    assert kinds(alice, one) == {"disguised"}


def test_a_stranger_who_asks_for_a_password(alice: User) -> None:
    asking = {"glance": "Confirmez votre mot de passe"}
    assert kinds(alice, message(earlier=False, **asking)) == {"credentials"}
    assert kinds(alice, message(earlier=True, **asking)) == set()
    assert kinds(alice, message(BOB, earlier=False, **asking)) == set()
    assert kinds(alice, message(earlier=False, glance="> Confirmez votre mot de passe\n\nMerci")) == set()
    [one] = sender_check.judge(message(earlier=False, results=PASSED, **asking), alice, SETTINGS).warnings
    assert one.level is TrustLevel.CAUTION


def test_the_worst_comes_first(alice: User) -> None:
    one = message(Address("Bob Girard", "b@far.example"), reply_to=(Address("", "x@evil.example"),), files=("a.exe",))
    found = sender_check.judge(one, alice, SETTINGS)
    assert found.level is TrustLevel.DANGER
    assert [w.level for w in found.warnings] == sorted((w.level for w in found.warnings), reverse=True)
    assert len(found.warnings) == 3


@pytest.mark.parametrize(
    ("email", "asked"),
    [("Ann@Far.example", "ann@far.example"), ("bob@lycee.example", ""), ("MAILER-DAEMON", ""), ("é@far.example", ""), ('"a b"@far.example', "")],
)  # fmt: skip
def test_whose_earlier_messages_are_looked_for(alice: User, email: str, asked: str) -> None:
    assert sender_check.SenderLookUp(alice, SETTINGS).stranger(message(Address("", email)).envelope) == asked


def test_each_kind_has_its_sentence() -> None:
    from flask import Flask
    from flask_babel import Babel

    from webmail.message.views import sender as trust_views

    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        words = [
            trust_views.warning_words(sender_check.SenderWarning(kind, TrustLevel.DANGER, "seen", "real")) for kind in WarningKind
        ]
    assert len(set(words)) == len(WarningKind)


def test_what_is_absent_has_not_failed() -> None:
    from flask import Flask
    from flask_babel import Babel

    from webmail.message.views.sender import check_words
    from webmail.mime.headers.authentication import AuthenticationCheck

    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        words = {
            (method, result): check_words(AuthenticationCheck(method, result))[1]
            for method in ("dkim", "spf", "auth")
            for result in ("none", "fail")
        }
    assert words["dkim", "none"] == "not signed"
    assert words["auth", "none"] == "no"
    assert words["spf", "none"] == "nothing published"
    assert {words[method, "fail"] for method in ("dkim", "spf", "auth")} == {"failed"}


def test_the_demo_s_letters_give_warnings_only_where_they_should(alice: User) -> None:
    """All 600 of them, each as if it were its sender's first."""
    wrong, caught, pretended = [], set(), set()
    for address, items in boxes(datetime.now(ZoneInfo("Europe/Paris"))).items():
        user = User.get(User.address == address)
        for item in items:
            one = _as_read(item.content, item.when)
            role = {"Sent": Role.SENT, "Drafts": Role.DRAFTS, "Junk": Role.JUNK}.get(item.mailbox)
            found = kinds(user, one, role=role)
            if one.envelope.subject in ("Es-tu disponible ?", "Réunion avancée à 16 h", "Tableau à compléter"):
                pretended |= found
            elif "suspendue" in one.envelope.subject:
                caught = found
            elif found and role is not Role.JUNK:
                wrong.append((one.envelope.subject, found))
    assert wrong == []
    assert pretended == {"colleague", "unproven", "macros", "role"}
    assert caught == {"failed", "establishment", "credentials", "link", "reply"}


def _as_read(content: bytes, when: datetime) -> Message:
    head = content.partition(b"\r\n\r\n")[0] + b"\r\n"
    shape = structure.classify(structure.from_bytes(content))
    glance = ""
    lies: tuple[tuple[str, str], ...] = ()
    for part in shape.html[:1] or shape.text[:1]:
        words = plain_text.decode_text(structure.content(content, part.section)[:16_384], part.encoding, part.charset)
        glance = plain_text.html_to_text(words) if part.type == "text/html" else words
        lies = scan(words).lies if part.type == "text/html" else ()
    return Message(
        "INBOX", 1, 1, frozenset(), len(content), when, headers.envelope(head), shape, glance=glance, earlier=False, lies=lies,
        trace=headers.trace(head, head),
    )  # fmt: skip
