"""What a browser keeps of a message, and what it asks of the server again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.support.messages import message
from tests.support.visits import Visitor
from webmail import imap, models
from webmail.auth.sessions import sessions
from webmail.message.views import safe_responses
from webmail.message.views.safe_responses import _tag
from webmail.models import User

NEWSLETTER = """<html><head><style>.t{color:#246}</style></head><body onload="alert(1)"><h1 class="t">Rentrée</h1>
<script>alert(2)</script><img src="https://track.example/o.gif" alt="suivi"><img src="cid:logo"><a href="https://lycee.example/x">lire</a>
</body></html>"""


@pytest.fixture
def letter(person: Visitor, fill: Callable[..., list[int]]) -> dict[str, str]:
    """Addresses of one message's body, picture, attachment and source, as its page gives them."""
    made = message("Lettre", "texte")
    made.add_alternative(NEWSLETTER, subtype="html")
    made.get_payload()[1].add_related(b"\x89PNG\r\n\x1a\nlogo", "image", "png", cid="<logo>", filename="logo.png")
    made.add_attachment(b"secret", "application", "pdf", filename="secret.pdf")
    fill(person, made)
    page = person.get(person.get("/mailbox/INBOX").link("Lettre"))
    body = page.one("[data-message-body] iframe")["src"]
    picture = person.get(body).one(".mail img[src*=part]")["src"]
    source = person.get(page.link("Show all headers")).link("Show the source")
    return {"body": body, "picture": picture, "file": page.one(".files a")["href"], "source": source}


def no_round_trip(*_arguments: object) -> None:
    raise AssertionError("the mail server is asked")


@pytest.mark.parametrize("which", ["body", "picture", "file", "source"])
def test_what_the_browser_has_is_not_sent_again_nor_asked_of_the_mail_server(
    person: Visitor, letter: dict[str, str], which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = person.client.get(letter[which], headers={"Accept-Encoding": "br"})
    assert first.status_code == 200 and first.headers["Cache-Control"] == "private, no-cache"
    monkeypatch.setattr(imap, "connect", no_round_trip)
    for tag in (first.headers["ETag"], f"W/{first.headers['ETag']}", f'"another", {first.headers["ETag"]}'):
        again = person.client.get(letter[which], headers={"Accept-Encoding": "br", "If-None-Match": tag})
        assert again.status_code == 304 and again.data == b""
        for name in ("Content-Security-Policy", "Cache-Control", "X-Content-Type-Options", "X-DNS-Prefetch-Control"):
            assert again.headers[name] == first.headers[name], name  # a browser puts these over those it kept


def test_a_session_ended_elsewhere_shows_nothing_more(person: Visitor, letter: dict[str, str]) -> None:
    tag = person.client.get(letter["body"]).headers["ETag"]
    sessions.revoke_all(User.get(User.address == person.address))
    answer = person.client.get(letter["body"], headers={"If-None-Match": tag})
    assert answer.status_code == 302 and answer.location.startswith("/login")


def test_another_language_or_cleaner_is_another_answer(
    person: Visitor, letter: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = person.client.get(letter["body"]).headers["ETag"]
    french = person.client.get(letter["body"], headers={"If-None-Match": tag, "Accept-Language": "fr"})
    assert french.status_code == 200 and 'lang="fr"' in french.text
    monkeypatch.setattr(safe_responses, "_MADE_BY", "a better one")
    assert person.client.get(letter["body"], headers={"If-None-Match": tag}).status_code == 200


def test_without_its_uidvalidity_or_on_a_shared_computer_nothing_is_kept(
    app: Flask, person: Visitor, letter: dict[str, str]
) -> None:
    tag = person.client.get(letter["body"]).headers["ETag"]
    bare = person.client.get(letter["body"].partition("?")[0], headers={"If-None-Match": tag})
    assert bare.status_code == 200 and bare.headers["Cache-Control"] == "no-store, no-cache" and "ETag" not in bare.headers
    shared = Visitor(app, person.address)
    shared.submit(shared.get("/login"), "form[action='/login']", username=person.address, password=shared.password, shared="y")
    answer = shared.client.get(letter["body"], headers={"If-None-Match": tag})
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store, no-cache" and "ETag" not in answer.headers


def test_another_uidvalidity_is_410_and_never_304(person: Visitor, letter: dict[str, str]) -> None:
    tag = person.client.get(letter["body"]).headers["ETag"]
    base, _, query = letter["body"].partition("?v=")
    other = f"{base}?v=12345&{query.partition('&')[2]}"
    answer = person.client.get(other, headers={"If-None-Match": tag})
    assert answer.status_code == 410 and "ETag" not in answer.headers


@pytest.mark.parametrize("asked", ["alices", "*"])
def test_another_persons_tag_shows_and_tells_nothing(
    app: Flask, person: Visitor, letter: dict[str, str], make_account: Callable[..., str], asked: str
) -> None:
    """Charlie at alice's addresses: the mail server decides, whatever tag he names.

    A tag is made with the instance's secret of whose it is, so he can't make his own for what he was never shown, and
    alice's is none of his: no 304 ever confirms that a message is there.
    """
    charlie = Visitor(app, make_account()).sign_in()
    for url in letter.values():
        tag = person.client.get(url).headers["ETag"] if asked == "alices" else asked
        with_inbox = charlie.client.get(url, headers={"If-None-Match": tag})
        assert with_inbox.status_code in (403, 404, 410) and "ETag" not in with_inbox.headers
        in_hers = url.replace("/INBOX", f"/shared/{person.address}/INBOX")
        assert charlie.client.get(in_hers, headers={"If-None-Match": tag}).status_code in (403, 404, 410)


def test_two_people_have_different_tags_for_one_address(person: Visitor, letter: dict[str, str], app: Flask) -> None:
    alices = person.client.get(letter["body"]).headers["ETag"]
    with app.test_request_context(letter["body"]) as context:
        context.session._load()
        context.session._row = models.Session(user=User(address="charlie@autre.example"), id_hash="x", shared=False)
        assert _tag() not in alices
