"""Asking somebody outside for files, by the real mail servers: the invitation arrives, its link takes files, the arrival is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from email import message_from_bytes, policy
from typing import Any

from flask import Flask
from imapclient import IMAPClient

from tests.support.transfer_ground import form_body
from tests.support.visits import Page, Visitor
from webmail import system_mail
from webmail.models import SystemMessage, Transfer, TransferFile, User
from webmail.transfers import store


def delivered(app: Flask, *addresses: str) -> None:
    """What the worker does with mail to these people."""
    for row in SystemMessage.select(SystemMessage.id).where(SystemMessage.recipient.in_(addresses)):
        system_mail.deliver(row.id, app.extensions["settings"])


def text_in(client: IMAPClient, uid: int) -> str:
    mail = message_from_bytes(client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"], policy=policy.default)
    part = mail.get_body(("plain",))
    assert part is not None
    return f"{mail['Subject']}\n{part.get_content()}"


def test_an_invitation_its_files_and_what_both_are_told(
    app: Flask, person: Visitor, make_account: Callable[..., str], imap_of: Callable[[str], IMAPClient], arrives: Any
) -> None:
    guest = make_account("guest")
    page = person.get("/transfers/requests/new")
    page = person.submit(page, "#request-form", title="Photos", who="named", people=guest, action="save")
    assert page.status == 200, page.text
    delivered(app, guest)
    there = imap_of(guest)
    words = text_in(there, arrives(there, ["ALL"]))
    link = re.search(r"/g/[\w-]{27}", words)
    assert link and "Photos" in words, words
    stranger = Visitor(app)
    body, content_type = form_body([("name", "Zoé"), ("action", "send")], [("photo.jpg", b"x" * 100_000)])
    receipt = Page(stranger.client.post(link[0], data=body, content_type=content_type, follow_redirects=True))
    assert "photo.jpg" in receipt.text
    delivered(app, person.address, guest)
    mine = imap_of(person.address)
    told = text_in(mine, arrives(mine, ["ALL"]))
    assert "Zoé" in told
    transfer = Transfer.get(Transfer.owner == User.get(User.address == person.address))
    assert f"/transfers/{transfer.id}" in told
    shown = person.get(f"/transfers/{transfer.id}")
    assert guest in shown.text and "photo.jpg" in shown.text
    own = text_in(there, arrives(there, ["UID", "2"]))
    assert receipt.address.partition("?")[0] in own and "photo.jpg" not in own
    file = TransferFile.get(TransferFile.transfer == transfer)
    stranger.post(receipt.address, {"withdraw": file.upload})
    assert store.files(transfer) == []
