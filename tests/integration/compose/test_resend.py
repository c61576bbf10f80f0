"""Messages sent on as they are, as visits without scripts."""

from __future__ import annotations

import pytest

from tests.support.bobs_letter import letter
from webmail.models import Outbox


def test_a_message_is_sent_on_whole(alice, bob, fill, work, stored):
    [uid] = fill(alice, letter(Bcc="eve@x.example", DKIM_Signature="v=1; b=x"))
    page = alice.get(alice.get(f"/message/{uid}/INBOX").link("Redirect"))
    page = alice.submit(page, "form.form", to=bob.address)
    assert "on its way" in page.notices
    work()
    [got] = stored(bob, "INBOX")
    assert (got["From"], got["Message-ID"], got["DKIM-Signature"]) == ("Bob <bob@x.example>", "<1@x>", "v=1; b=x")
    assert (got["Resent-To"], got["Bcc"]) == (bob.address, None)
    assert alice.address in got["Resent-From"]
    assert "$Forwarded" in stored(alice, "INBOX")[0].flags
    assert len(stored(alice, "Sent")) == 1


@pytest.mark.parametrize("to", ["", "not an address", "a@x.example\r\nBcc: eve@x.example"])
def test_it_is_sent_on_to_addresses_only(alice, fill, to):
    [uid] = fill(alice, letter())
    page = alice.submit(alice.get(f"/send-on/{uid}/INBOX"), "form.form", to=to)
    assert page.status == 422
    assert page.one("#to-error")
    assert Outbox.select().count() == 0


def test_what_is_sent_on_can_be_stopped(alice, bob, fill):
    [uid] = fill(alice, letter())
    alice.submit(alice.get(f"/send-on/{uid}/INBOX"), "form.form", to=bob.address)
    row = Outbox.get()
    token = alice.get("/outbox").all("[name=csrf_token]")[0]["value"]
    page = alice.post(f"/outbox/{row.id}", {"csrf_token": token, "action": "undo"})
    assert (page.status, page.address) == (200, "/outbox")
    assert "Nothing was sent" in page.notices


@pytest.mark.parametrize("address", ["/send-on/999/INBOX", "/send-on/0/INBOX", "/send-on/1/Nowhere", "/reply/999/INBOX?list=1"])
def test_a_message_that_is_not_there(alice, address):
    assert alice.get(address).status == 404


def test_somebody_else_s_identity_is_refused(alice, bob, fill):
    [uid] = fill(alice, letter())
    page = alice.submit(alice.get(f"/send-on/{uid}/INBOX"), "form.form", to=bob.address, identity="987654")
    assert page.status == 422
