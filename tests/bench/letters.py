"""Made-up mail for the benchmarks: the same number always gives the same message."""

from __future__ import annotations

import base64
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

NEWEST = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
GAP = timedelta(minutes=11)  # between two messages
PLAIN, NEWSLETTER, ATTACHED = "Bench plain message", "Bench newsletter", "Bench attachments"  # the subjects of the newest three
NEWSLETTER_SIZE = 100_000  # characters of HTML
LARGE_LETTER, LARGE_FILES = "Bench large message", (9_000_000, 4_000_000, 2_000_000)  # bytes: 20 MB as encoded
CONVERSATION = "Bench conversation"

_FIRST_NAMES = "Amélie Baptiste Chloé Driss Élodie Farid Gaëlle Hugo Inès Jules Karim Léa Manon Noé Ousmane Pauline Rose Sam Théo"
_LAST_NAMES = "Arnaud Benali Chevalier Dupré Étienne Fontaine Girard Hérault Joly Kowalski Leroy Müller Nguyen O'Connor Picard"
_SUBJECTS = (
    "Conseil de classe de la {n}e {l}", "Absence du {n} novembre", "Réunion parents-professeurs",
    "Minutes of the meeting, week {n}", "Sortie au musée : autorisation", "Invoice {n}-{m}",
    "Emploi du temps de la semaine {n}", "Your order {m} has been sent", "Prêt de matériel, salle {m}",
    "Timetable change for group {n}{l}", "Devoirs pour lundi", "Library: books due back", "Cantine : menus de la semaine {n}",
    "Server maintenance on the {n}th", "Voyage à Édimbourg, 2e lettre", "Re: Projet d'établissement",
)  # fmt: skip
_TEXT = (
    "les élèves pourront rendre leur travail avant la fin de semaine the room has been booked for both groups merci de "
    "confirmer votre présence please bring the signed form à partir de huit heures we will meet in the main hall les "
    "résultats seront affichés près du secrétariat with the new timetable et le calendrier des épreuves"
)
_FIRST, _LAST, _WORDS = _FIRST_NAMES.split(), _LAST_NAMES.split(), _TEXT.split()


@dataclass(frozen=True, slots=True)
class Letter:
    content: bytes
    when: datetime
    seen: bool
    attachment: bool


def letter(back: int, to: str) -> Letter:
    """The message with `back` newer ones after it. Of the newest 50, every fifth is a newsletter and every tenth has files."""
    choose = random.Random(back)
    when = NEWEST - back * GAP
    seen = choose.random() < 0.8
    if back == 1 or (back < 50 and back % 5 == 1):
        return Letter(_newsletter(back, to, when, choose), when, seen, False)
    if back == 2 or (back < 50 and back % 10 == 2):
        return Letter(_with_files(back, to, when, choose), when, seen, True)
    return Letter(_plain(back, to, when, choose), when, seen, False)


def _plain(back: int, to: str, when: datetime, choose: random.Random) -> bytes:
    """Written out by hand: 100,000 of these must take seconds."""
    name, address = random_person(choose)
    subject = encoded(PLAIN if back == 0 else random_subject(choose))
    head = (
        f"Received: from relay.example (relay.example [192.0.2.7]) by mail.lycee.example with ESMTPS id {back:010X};\r\n"
        f" {format_datetime(when)}\r\nFrom: {encoded(name)} <{address}>\r\nTo: <{to}>\r\nSubject: {subject}\r\n"
        f"Date: {format_datetime(when)}\r\nMessage-ID: <{back}.bench@ecole.example>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    paragraphs = choose.randint(1, 3) if back else 4
    return (head + "\r\n\r\n".join(_sentence(choose, 40) for _ in range(paragraphs)) + "\r\n").encode()


def _newsletter(back: int, to: str, when: datetime, choose: random.Random) -> bytes:
    message = _message(NEWSLETTER if back == 1 else random_subject(choose), to, when, back, choose)
    message.set_content(_sentence(choose, 120))
    rows: list[str] = []
    size = 0
    while size < NEWSLETTER_SIZE:
        rows.append(
            '<tr><td style="padding:12px 18px;font-family:Arial,sans-serif;font-size:14px;line-height:21px;color:#333">'
            f'<h2 style="margin:0 0 8px;font-size:18px;color:#224466">{random_subject(choose)}</h2><p>{_sentence(choose, 45)}</p>'
            f'<p><a href="https://lettre.example/a/{choose.getrandbits(64):016x}?u={choose.getrandbits(32):08x}" '
            f'style="color:#1155cc;text-decoration:none">Lire la suite</a></p></td><td width="160" style="padding:12px">'
            f'<img src="https://img.example/{choose.getrandbits(48):012x}.jpg" width="150" height="100" alt=""></td></tr>'
        )
        size += len(rows[-1])
    message.add_alternative(
        "<!doctype html><html><head><style>td{vertical-align:top}.b{background:#fff}@media (max-width:600px){td{display:block}}"
        '</style></head><body bgcolor="#f2f2f2"><table class="b" width="640" align="center" cellspacing="0">'
        + "\n".join(rows)
        + '</table><img src="https://trace.example/o.gif" width="1" height="1" alt=""></body></html>',
        subtype="html",
    )
    return _whole(message, back)


def _with_files(back: int, to: str, when: datetime, choose: random.Random) -> bytes:
    message = _message(ATTACHED if back == 2 else random_subject(choose), to, when, back, choose)
    message.set_content(_sentence(choose, 60))
    for name, kind, size in (("compte-rendu.pdf", ("application", "pdf"), 60_000), ("photo.jpg", ("image", "jpeg"), 120_000)):
        content = b"%PDF-1.4\n" + base64.b85encode(choose.randbytes(size))
        message.add_attachment(content, maintype=kind[0], subtype=kind[1], filename=name)
    return _whole(message, back)


def large_letter(to: str) -> Letter:
    """A short text with attachments of 20 MB as encoded."""
    choose = random.Random(LARGE_LETTER)
    message = _message(LARGE_LETTER, to, NEWEST, 0, choose)
    message.set_content(_sentence(choose, 60))
    kinds = (("film.mp4", "video", "mp4"), ("plan.pdf", "application", "pdf"), ("photo.jpg", "image", "jpeg"))
    for (name, kind, subtype), size in zip(kinds, LARGE_FILES, strict=True):
        message.add_attachment(choose.randbytes(size), maintype=kind, subtype=subtype, filename=name)
    return Letter(_whole(message, 0), NEWEST, True, True)


def conversation(number: int, size: int, to: str) -> list[Letter]:
    """`size` messages that answer one another, oldest first; `number` tells conversations apart."""
    letters = []
    for place in range(size):
        choose = random.Random(f"{number} {place}")
        when = NEWEST - (size - place) * GAP
        message = _message(f"{'Re: ' if place else ''}{CONVERSATION} {number}", to, when, 0, choose)
        del message["Message-ID"]
        ids = [f"<{number}.{earlier}.bench@ecole.example>" for earlier in range(place + 1)]
        message["Message-ID"] = ids[-1]
        if place:
            message["In-Reply-To"] = ids[-2]
            message["References"] = " ".join([ids[0], *ids[1:-1][-10:]])
        message.set_content("\n\n".join(_sentence(choose, 40) for _ in range(3)))
        letters.append(Letter(_whole(message, 0), when, True, False))
    return letters


def _whole(message: EmailMessage, back: int) -> bytes:
    for number, part in enumerate(message.walk()):
        if part.is_multipart():
            part.set_boundary(f"bench-{back}-{number}")  # else it would be drawn by lot
    return message.as_bytes()


def _message(subject: str, to: str, when: datetime, back: int, choose: random.Random) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    name, address = random_person(choose)
    message["From"] = Address(name, addr_spec=address)
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = format_datetime(when)
    message["Message-ID"] = f"<{back}.bench@ecole.example>"
    return message


def random_person(choose: random.Random) -> tuple[str, str]:
    first, last = choose.choice(_FIRST), choose.choice(_LAST)
    return f"{first} {last}", f"p{choose.randint(1, 400)}@ecole.example"


def random_subject(choose: random.Random) -> str:
    return choose.choice(_SUBJECTS).format(n=choose.randint(1, 30), m=choose.randint(100, 999), l=choose.choice("ABCDE"))


def _sentence(choose: random.Random, words: int) -> str:
    return " ".join(choose.choices(_WORDS, k=words)).capitalize() + "."


def encoded(text: str) -> str:
    """RFC 2047 where it must be; our names and subjects are short enough for one encoded word."""
    if text.isascii():
        return f'"{text}"' if "'" in text and " " in text and ":" not in text else text
    return f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="
