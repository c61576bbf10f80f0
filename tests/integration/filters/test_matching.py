"""Trying a rule out means what the rule does: each condition with each match on the same messages, here and by Dovecot's FILTER."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.message import EmailMessage
from email.mime.text import MIMEText

import pytest

from tests.support.delivery import deliver
from tests.support.messages import message
from webmail import imap, managesieve
from webmail.filters.rules import matching
from webmail.filters.rules.compiler import SievePlace, condition_test
from webmail.filters.rules.rules import MATCHES, ActionKind, ConditionField, FilterRule, MatchKind, RuleAction, RuleCondition
from webmail.sieve.extensions import with_require
from webmail.sieve.nodes import Command, StringArgument
from webmail.sieve.writer import write

F, M = ConditionField, MatchKind
PLACE = SievePlace(
    frozenset(), ("lycee.example",), authserv_id="mx.lycee.example",
    contacts=lambda group: ("someone@else.example",) if group else ("zoe.martin@maths.example",),
)  # fmt: skip
NOTES = b"BODY[HEADER.FIELDS (X-HELD)]"
_TEXTS = (
    "devis nº 5",
    "DEVIS",
    "Été",
    "zoe.martin@maths.example",
    "maths",
    "*",
    "d*vis*",
    "d??vis",
    "é",
    "a\\b",
    "pdf",
    "[x]",
    "(",
    "union",
)
_OTHERS = {
    F.BODY: ("tout le", "TOUT", "été", "b>gras", "gras", "a < b", "réunion", "union", "attaché", "color"), F.SIZE: ("900", "4000", "9000000"),
    F.CONTACTS: ("", "friends"), F.SPAM: (), F.ATTACHMENT_TYPE: ("application/pdf", "PDF", "application", "*/p?f", "plain", "text/"),
    F.ATTACHMENT: ("budget 2026.pdf", "2026", "Budget", ".pdf", "b*.pdf", "résumé", "note"),
    F.LIST: ("Maths <maths.list.example>", "maths.list", "maths", "example>", "*list*"),
    F.DATE: tuple(f"{datetime.now() + timedelta(days=days):%Y-%m-%d}" for days in (-1, 0, 1)),
    F.HOUR: ("0", "9", "23"), F.WEEKDAY: ("0", "1", "2", "3", "4", "5", "6"),
    F.HEADER: ("vanilla [x]", "NILLA", "vanilla", "[x]", "van*\\[x\\]", "a  b"),
}  # fmt: skip


def letters() -> list[bytes]:
    """Messages of many sorts: names and subjects encoded and raw, HTML alone, attachments by each header, lists, forgeries."""
    first = message(
        "Devis nº 5, été", "Bonjour tout le monde, réunions", '"Zoé Martin" <zoe.martin@maths.example>', To="nora@lycee.example"
    )
    first["Cc"], first["List-Id"], first["X-Flavour"] = "bob@lycee.example", "Maths <maths.list.example>", "vanilla [x]"
    first.add_attachment(b"%PDF" + b"x" * 3000, maintype="application", subtype="pdf", filename="budget 2026.pdf")
    accented = message("DEVIS", "é" * 50, "Nora <nora@lycee.example>", To="Zoé <zoe@lycee.example>, a@b.example")
    accented.add_attachment(b"x" * 10, maintype="application", subtype="octet-stream", filename="résumé.pdf")
    page = EmailMessage()
    page["From"], page["To"], page["Subject"] = "maths", "Friends: a@b.example, c@d.example;", "  d\u00e9vis a\\b  "
    page.set_content("<style>p {color: red}</style><p>Tout <b>gras</b> a &lt; b &eacute;t&eacute;</p>", subtype="html")
    forged = message("Autre", "Rien", "Z <zoe.martin@maths.example>")
    forged["Authentication-Results"] = "mx.lycee.example; spf=fail smtp.mailfrom=x; dkim=fail header.d=y"
    outer = message("Fwd: devis", "voici", "bob@lycee.example")
    outer.add_attachment(message("Dedans", "attaché", "in@side.example"))
    named = MIMEText("note", "plain", "utf-8")
    named.set_param("name", "Budget.pdf")
    named["From"], named["X-Flavour"] = "=?utf-8?q?Zo=C3=A9?= <ZOE.MARTIN@MATHS.EXAMPLE>", "a  b"
    raw = (
        "From: maths zoe <q@maths.example>\r\nSubject: Été\r\n  devis\r\nTo: nora@lycee.example\r\n\r\ntout le monde\r\n".encode()
    )
    none = b"To: undisclosed-recipients:;\r\n\r\n"
    return [*(bytes(one) for one in (first, accented, page, forged, outer, named)), raw, none]


def conditions() -> list[RuleCondition]:
    found = []
    for field, matches in MATCHES.items():
        if field in (F.SPAM,):  # no spamtest here
            continue
        header = "X-Flavour" if field is F.HEADER else ""
        for match in matches:
            several = [()] if match is M.PRESENT and field is not F.CONTACTS else []
            several += (
                [(value,) if value else () for value in _OTHERS.get(field, _TEXTS)]
                if match is not M.PRESENT or field is F.CONTACTS
                else []
            )
            if match in (M.IS, M.CONTAINS):
                several.append(("no such words", "nora@lycee.example", "devis"))
            found += [RuleCondition(field, match, values, header, no) for values in several for no in (False, True)]
    return found


@pytest.fixture
def nora(make_account, account_of):
    return account_of(make_account())


def by_the_server(account, client, port: int, asked: list[RuleCondition]) -> dict[int, set[int]]:
    """By UID which of the conditions the server found true as the message arrived: its script writes their numbers into it."""
    edit = Command("require", (StringArgument("editheader"),))
    commands = [
        edit,
        *(Command("if", (), (condition_test(condition, PLACE),), (_noted(number),)) for number, condition in enumerate(asked)),
    ]
    with managesieve.connect(account) as connection:
        connection.write("all", write(with_require(commands)))
        connection.activate("all")
    for one in letters():
        deliver(port, account.address, one)
    client.select_folder("INBOX")
    found = client.fetch(client.search(), ["BODY.PEEK[HEADER.FIELDS (X-HELD)]"])
    return {uid: {int(word) for word in values[NOTES].split() if word.isdigit()} for uid, values in found.items()}


def _noted(number: int) -> Command:
    return Command("addheader", (StringArgument("X-Held"), StringArgument(str(number))))


def test_every_condition_means_what_it_means_to_the_server(nora, imap_of, services):
    asked = conditions()
    theirs = by_the_server(nora, imap_of(nora.address), services.ports.lmtp, asked)
    ours: dict[int, set[int]] = {uid: set() for uid in theirs}
    with imap.connect(nora) as connection:
        connection.select("INBOX")
        for number, condition in enumerate(asked):
            rule = FilterRule("x", (condition,), (RuleAction(ActionKind.FLAG),))
            for one in matching.try_newest(connection, rule, PLACE).touched:
                ours[one.message.uid].add(number)
    assert len(asked) > 400 and len(theirs) == len(letters()) and all(len(found) > 100 for found in theirs.values())
    assert [(uid, asked[number]) for uid in theirs for number in theirs[uid] ^ ours[uid]] == []
