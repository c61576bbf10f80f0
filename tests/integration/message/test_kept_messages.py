"""Messages that are kept decrypted, as visits on a real Dovecot: kept, searched, and brought back byte for byte."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.protected_mail import crlf, encrypted, head, knows, open_keys, state
from tests.support.visits import Page, Visitor
from webmail import preferences
from webmail.crypto import external_programs
from webmail.database.connection import db
from webmail.errors import RefusedError
from webmail.imap.bulk import actions, file_removal, replacement
from webmail.models import User

Fill = Callable[..., list[int]]
WORD, SUBJECT_WORD = "callaloo-zinzolin", "Quetzalcoatl"
INSIDE = crlf(
    f'Content-Type: multipart/mixed; boundary=in; hp="cipher"\nSubject: {SUBJECT_WORD} inside\nFrom: Bob <bob@outside.example>\n\n'
    f'--in\nContent-Type: text/html; charset=utf-8\n\n<p>Été {WORD}</p><img src="https://track.example/x.png">\n--in\n'
    "Content-Type: text/plain; name=notes.txt\nContent-Disposition: attachment; filename=notes.txt\n\nfile of bob\n--in--\n"
)
DATE = "Date: Mon, 02 Mar 2026 10:00:00 +0000\nMessage-ID: <kept-{}@outside.example>\n"

pytestmark = pytest.mark.skipif(not external_programs.is_installed("sqop"), reason="sqop is not installed")


@pytest.fixture
def letter(person: Visitor, fill: Fill, bob: bytes, keeper: bytes) -> tuple[int, bytes]:
    """The UID of an encrypted and signed message of Bob's, and its bytes."""
    knows(person, bob)
    content = encrypted(INSIDE, keeper, bob, more=f"Message-ID: <{person.address}>\n")
    return fill(person, content)[-1], content


def rows(page: Page) -> list[str]:
    return [str(one["data-uid"]) for one in page.soup.select("[data-row]")]


def source(person: Visitor, page: Page) -> bytes:
    return person.get(page.link("Save as a file (.eml)")).response.get_data()


def keep(person: Visitor, page: Page) -> Page:
    return person.submit(page, ".keep-offer form")


def test_it_is_kept_found_and_brought_back(person, letter):
    uid, content = letter
    page = open_keys(person.get(f"/message/{uid}/INBOX"), person)
    assert "So can anyone who can open this folder" in page.one(".keep-offer").get_text()
    for word in (WORD, SUBJECT_WORD):
        assert rows(person.get(f"/mailbox/INBOX?query={word}")) == []
    kept = keep(person, page)
    assert kept.soup.select("[data-kept]") and state(kept, "encryption") == state(kept, "signature") == []
    assert "Readable on this server" in kept.one(".letterhead").get_text()
    assert "Its signature by Bob was verified on" in kept.text
    assert SUBJECT_WORD in kept.one("h1").get_text()
    assert "encrypted-original.eml" not in kept.text and "notes.txt" in kept.text
    frame = person.get(str(kept.one("iframe")["src"]))
    assert WORD in frame.text and "track.example" not in frame.text
    person.submit(person.get("/encryption"), "form[action='/encryption/close']")
    assert person.get(str(kept.one("iframe")["src"])).status == 200  # no key is needed
    for word in (WORD, SUBJECT_WORD):
        assert len(rows(person.get(f"/mailbox/INBOX?query={word}"))) == 1
    assert len(rows(person.get("/mailbox/INBOX"))) == 1
    original = person.get(kept.link("Show the encrypted original"))
    assert original.status == 200
    back = person.submit(kept, ".seal-kept form")
    assert "encrypted again, exactly as it came" in back.text
    assert source(person, back) == content
    assert state(back, "encryption") == ["locked"]
    assert len(rows(person.get("/mailbox/INBOX"))) == 1
    assert rows(person.get(f"/mailbox/INBOX?query={WORD}")) == []


def test_the_notice_undoes_it_and_flags_and_date_stay(person, letter, imap_of):
    uid, content = letter
    client = imap_of(person.address)
    client.select_folder("INBOX")
    client.add_flags([uid], ["\\Flagged", "mine", "$encrypted"])
    values = client.fetch([uid], ["INTERNALDATE", "FLAGS"])[uid]
    before, of_files = values[b"INTERNALDATE"], [flag for flag in values[b"FLAGS"] if flag.startswith(b"$Has")]
    kept = keep(person, open_keys(person.get(f"/message/{uid}/INBOX"), person))

    def found() -> tuple[set[bytes], object]:
        client.select_folder("INBOX")
        (only,) = client.search()
        values = client.fetch([only], ["FLAGS", "INTERNALDATE"])[only]
        return {one for one in values[b"FLAGS"] if one != b"\\Recent"}, values[b"INTERNALDATE"]

    assert found() == ({b"\\Flagged", b"\\Seen", b"mine", b"$HasAttachment"}, before)
    undone = person.submit(kept, "#notices form")
    assert source(person, undone) == content
    assert found() == ({b"\\Flagged", b"\\Seen", b"mine", b"$KeepEncrypted", b"$encrypted", *of_files}, before)


@pytest.mark.parametrize("change", ["text", "sender"])
def test_a_sender_makes_none_that_looks_like_one(person, letter, fill, change):
    """With a mark that was made here, on a copy that was changed; and with a header alone."""
    uid, _content = letter
    kept = keep(person, open_keys(person.get(f"/message/{uid}/INBOX"), person))
    mine = source(person, kept)
    assert mine.count(WORD.encode()) == 1
    changed = mine.replace(WORD.encode(), b"payez-moi-mille")
    if change == "sender":
        changed = mine.replace(b"From: Bob <bob@", b"From: Bob <eve@")
    for content in (changed, b"Received: from x\r\n" + mine, b"X-Traboule-Kept: v=1\r\n" + head("x", "text/plain") + b"Hi"):
        page = person.get(f"/message/{fill(person, content)[-1]}/INBOX")
        assert not page.soup.select("[data-kept]") and "Readable on this server" not in page.text
        uid = page.one("input[name=uids]")["value"]
        refused = person.post(f"/encrypt-again/{uid}/INBOX", {"csrf_token": page.one(".list-bar [name=csrf_token]")["value"]})
        assert "was not kept decrypted here" in refused.text


@pytest.mark.parametrize("step", ["before the original goes", "the append fails"])
def test_a_kill_at_any_step_loses_nothing(person, letter, monkeypatch, step, imap_of):
    uid, content = letter
    page = open_keys(person.get(f"/message/{uid}/INBOX"), person)

    def killed(*_given: object, **_more: object) -> int:
        raise RefusedError("killed")

    with monkeypatch.context() as patched:
        if step == "the append fails":
            patched.setattr(file_removal, "append", killed)
        else:
            patched.setattr(replacement, "_remove", killed)
        assert "Nothing was changed" in keep(person, page).text
    client = imap_of(person.address)
    client.select_folder("INBOX")
    assert uid in client.search() and len(client.search()) == (1 if step == "the append fails" else 2)
    kept = keep(person, person.get(f"/message/{uid}/INBOX"))  # finds what the first one left
    assert kept.soup.select("[data-kept]") and len(rows(person.get("/mailbox/INBOX"))) == 1
    assert source(person, person.submit(kept, ".seal-kept form")) == content


def test_the_copy_goes_where_the_original_may_not(person, letter, monkeypatch):
    uid, _content = letter
    page = open_keys(person.get(f"/message/{uid}/INBOX"), person)
    real = actions.delete

    def refused(connection: object, mailbox: str, uids: list[int], validity: int | None = None) -> None:
        if list(uids) == [uid]:
            raise RefusedError("no")
        real(connection, mailbox, uids, validity)  # type: ignore[arg-type]

    monkeypatch.setattr(actions, "delete", refused)
    assert "Nothing was changed" in keep(person, page).text
    assert rows(person.get("/mailbox/INBOX")) == [str(uid)]


def test_all_that_one_opens_is_kept_where_one_wants_that(person, letter, fill, bob, keeper):
    uid, content = letter
    page = person.submit(person.get("/encryption"), "#keeping form", keep_opened="y")
    assert "From now on" in page.text
    closed = person.get(f"/message/{uid}/INBOX")
    assert state(closed, "encryption") == ["locked"]  # nothing is kept that was not opened
    kept = open_keys(closed, person)
    assert kept.soup.select("[data-kept]") and len(rows(person.get(f"/mailbox/INBOX?query={WORD}"))) == 1
    back = person.submit(kept, ".seal-kept form")
    assert state(back, "encryption") == ["decrypted"] and source(person, back) == content  # it is not kept again at once
    assert keep(person, back).soup.select("[data-kept]")
    with db.connection_context():
        assert preferences.for_user(User.get(User.address == person.address)).keep_opened
    person.submit(person.get("/encryption"), "#keeping form", keep_opened=None)
    second = fill(person, encrypted(INSIDE, keeper, bob))[-1]
    assert state(person.get(f"/message/{second}/INBOX"), "encryption") == ["decrypted"]


def test_a_fetch_ahead_keeps_nothing(person, letter):
    uid, _content = letter
    person.submit(person.get("/encryption"), "#keeping form", keep_opened="y")
    open_keys(person.get(f"/message/{uid}/INBOX"), person)
    assert rows(person.get(f"/mailbox/INBOX?query={WORD}")) != []


def test_an_answer_is_encrypted_and_the_original_is_not_forwarded(person, letter):
    uid, _content = letter
    kept = keep(person, open_keys(person.get(f"/message/{uid}/INBOX"), person))
    new = kept.one("input[name=uids]")["value"]
    form = person.get(f"/reply/{new}/INBOX")
    assert form.soup.select("input[name=was_encrypted][value='1']")
    forward = person.get(f"/forward/{new}/INBOX")
    assert "notes.txt" in forward.text and "encrypted-original" not in forward.text


def test_files_of_a_copy_are_not_taken_out(person, letter):
    uid, _content = letter
    kept = keep(person, open_keys(person.get(f"/message/{uid}/INBOX"), person))
    answer = person.submit(kept, "form.toolbar", action="detach")
    assert "left as they are" in answer.text
