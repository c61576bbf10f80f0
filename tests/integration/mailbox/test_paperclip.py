"""The paperclip of a row: for files that somebody attached, not for what stands in the text, such as a signature's logo."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage

import pytest

from tests.support.images import png
from tests.support.visits import Visitor

LOGO = {"maintype": "image", "subtype": "png", "cid": "<logo@x.example>", "disposition": "inline", "filename": "image001.png"}


def letter(*, logo: bool = False, file: str = "", shown: bool = False) -> bytes:
    """`logo`: a picture in the text, as Outlook sends signatures; `file`: attached; `shown`: for mail programs to show in place."""
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = "Letter", "ann@far.example", "bob@lycee.example"
    made.set_content("Bonjour")
    made.add_alternative('<p>Bonjour <img src="cid:logo@x.example"></p>', subtype="html")
    if logo:
        made.get_payload()[1].add_related(png(), **LOGO)
    if file:
        kind = {"maintype": "application", "subtype": "pdf"}
        made.add_attachment(b"%PDF-1.4", **kind, filename=file, disposition="inline" if shown else "attachment")
    return bytes(made)


@pytest.mark.parametrize(
    ("content", "clip", "found"),
    [
        (letter(), False, False),
        (letter(logo=True), False, True),  # Dovecot's search counts a logo: rather too many than too few
        (letter(file="Report.pdf"), True, True),
        (letter(logo=True, file="Report.pdf"), True, True),
        (letter(file="Report.pdf", shown=True), True, True),  # as Apple's programs send every file
    ],
    ids=["text", "logo", "file", "both", "file to be shown in place"],
)
def test_only_attached_files_have_a_paperclip(
    person: Visitor, fill: Callable[..., list[int]], content: bytes, clip: bool, found: bool
) -> None:
    fill(person, content)
    for url in ("/mailbox/INBOX?query=letter&scope=all", "/mailbox/INBOX"):
        row = person.get(url).one("[data-row]")
        assert bool(row.select("[aria-label=Attachment]")) is clip, url
    assert bool(person.get("/mailbox/INBOX?query=has:attachment").rows) is found
