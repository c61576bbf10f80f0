"""The list and a message, as visits on a real Dovecot."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from flask import Flask
from imapclient import IMAPClient

from tests.letters import message
from tests.visits import Visitor
from webmail import imap, models
from webmail.account import Account
from webmail.auth import sessions
from webmail.message.views import safe_responses
from webmail.message.views.safe_responses import _tag
from webmail.models import User

NEWSLETTER = """<html><head><style>.t{color:#246}</style></head><body onload="alert(1)"><h1 class="t">Rentrée</h1>
<script>alert(2)</script><img src="https://track.example/o.gif" alt="suivi"><img src="cid:logo"><a href="https://lycee.example/x">lire</a>
</body></html>"""


def test_an_empty_inbox_says_so(person: Visitor) -> None:
    page = person.get("/mailbox/INBOX")
    assert page.status == 200
    assert "Nothing here" in page.text
    assert "Inbox" in page.one("nav[aria-label=Folders] [aria-current]").get_text()


def test_the_list_is_newest_first_with_marks_and_snippets(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(
        person,
        message("Premier", "Le texte du premier"),
        message("Été à Lyon", sender='"Dupont, Zoé" <zoe@x.example>'),
        message(""),
    )
    page = person.get("/mailbox/INBOX")
    assert page.rows == ["(no subject)", "Été à Lyon", "Premier"]
    assert "Le texte du premier" in page.text
    assert "Dupont, Zoé" in page.text
    assert len(page.all("tr.u")) == 3
    assert "3" in page.one("nav[aria-label=Folders] [aria-current] b").get_text()


def test_reading_marks_as_read_and_counts_down(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, message("Un"), message("Deux"))
    page = person.get(person.get("/mailbox/INBOX").link("Un"))
    assert "bob@lycee.example" in page.text
    assert "Bonjour" in page.one("[data-message-body]").get_text()
    assert len(person.get("/mailbox/INBOX").all("tr.u")) == 1


def test_pages_have_newer_and_older(app: Flask, person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, *(message(f"Numéro {n}") for n in range(60)))
    first = person.get("/mailbox/INBOX")
    assert len(first.rows) == 50 and first.rows[0] == "Numéro 59"
    second = person.get(first.one("a[rel=next]")["href"])
    assert second.rows == [f"Numéro {n}" for n in range(9, -1, -1)]
    assert person.get("/mailbox/INBOX?page=99").rows == second.rows
    assert person.get("/mailbox/INBOX?page=-3").rows == first.rows


@pytest.mark.parametrize("total", [60, 400])
def test_a_page_of_the_list_costs_at_most_3_round_trips(
    total: int, make_account: Callable[..., str], account_of: Callable[..., Account], imap_of: Callable[[str], IMAPClient]
) -> None:
    address = make_account()
    imap_of(address).multiappend("INBOX", [bytes(message(f"N {n}")) for n in range(total)])
    account = account_of(address)
    for page in (1, 1, 2, 1):
        with imap.connect(account, "INBOX") as connection:
            before = connection.round_trips
            listing = imap.listing.list(connection, "INBOX", page=page)
            assert listing.total == total and len(listing.rows) == min(50, total - (page - 1) * 50)
            assert connection.round_trips - before <= 2


def test_a_list_that_changed_meanwhile_costs_at_most_3_round_trips(
    make_account: Callable[..., str], account_of: Callable[..., Account], imap_of: Callable[[str], IMAPClient]
) -> None:
    address = make_account()
    client = imap_of(address)
    client.multiappend("INBOX", [bytes(message(f"N {n}")) for n in range(80)])
    account = account_of(address)
    with imap.connect(account, "INBOX") as connection:
        first = imap.listing.list(connection, "INBOX")
    client.select_folder("INBOX")
    client.delete_messages([first.rows[3].uid, first.rows[9].uid])
    client.expunge()
    client.append("INBOX", bytes(message("Nouveau")))
    with imap.connect(account, "INBOX") as connection:
        before = connection.round_trips
        second = imap.listing.list(connection, "INBOX")
        assert connection.round_trips - before <= 3
    gone = {first.rows[3].uid, first.rows[9].uid}
    assert second.rows[0].subject == "Nouveau"
    assert [r.uid for r in second.rows][1:48] == [r.uid for r in first.rows if r.uid not in gone][:47]


def test_search_finds_sender_subject_and_text(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(
        person,
        message("Conseil de classe"),
        message("Autre", sender="Zoé <zoe@x.example>"),
        message("Encore", "le mot magnifique"),
    )
    assert person.get("/mailbox/INBOX?query=conseil").rows == ["Conseil de classe"]
    assert person.get("/mailbox/INBOX?query=zoe").rows == ["Autre"]
    assert person.get("/mailbox/INBOX?query=magnifique").rows == ["Encore"]
    nothing = person.get("/mailbox/INBOX?query=introuvable")
    assert nothing.rows == [] and "No message matches" in nothing.text
    assert nothing.one("[name=query]")["value"] == "introuvable"


@pytest.mark.parametrize("query", ["a\r\nb", "x\0", '"', "\\", "{10+}", "é" * 500, "subject:", "OR OR OR", 'from:"', "(", "%s*"])
def test_a_hostile_search_is_refused_or_finds_nothing(person: Visitor, fill: Callable[..., list[int]], query: str) -> None:
    fill(person, message("Un"))
    page = person.client.get("/mailbox/INBOX", query_string={"query": query})
    assert page.status_code in (200, 400)
    assert person.get("/mailbox/INBOX").rows == ["Un"]


def test_html_is_shown_in_a_frame_that_can_do_nothing(person: Visitor, fill: Callable[..., list[int]]) -> None:
    made = message("Lettre", "texte")
    made.add_alternative(NEWSLETTER, subtype="html")
    made.get_payload()[1].add_related(b"\x89PNG\r\n\x1a\nlogo", "image", "png", cid="<logo>", filename="logo.png")
    fill(person, made)
    page = person.get(person.get("/mailbox/INBOX").link("Lettre"))
    frame = page.one("[data-message-body] iframe")
    assert "allow-scripts" not in frame["sandbox"]
    assert "Rentrée" not in page.html
    body = person.get(frame["src"])
    assert (
        "default-src 'none'" in body.headers["Content-Security-Policy"] and "sandbox" in body.headers["Content-Security-Policy"]
    )
    assert body.one("h1").get_text() == "Rentrée"
    assert body.all("script, [onload]") == [] and "track.example" not in body.html
    assert "1 remote image" in page.text
    picture = person.client.get(body.one(".mail img[src*=part]")["src"])
    assert picture.data == b"\x89PNG\r\n\x1a\nlogo" and picture.mimetype == "image/png"


def test_an_attachment_comes_whole_as_a_download_that_can_not_run(person: Visitor, fill: Callable[..., list[int]]) -> None:
    data = bytes(range(256)) * 6000  # more than one chunk
    made = message("Pièce jointe")
    made.add_attachment(data, "application", "octet-stream", filename='été ; "x".bin')
    made.add_attachment("<script>alert(1)</script>", subtype="html", filename="page.html")
    fill(person, made)
    page = person.get(person.get("/mailbox/INBOX").link("Pièce jointe"))
    links = [a["href"] for a in page.all(".files a")]
    first = person.client.get(links[0])
    assert first.data == data
    assert (
        first.headers["Content-Disposition"].startswith("attachment;")
        and "UTF-8''%C3%A9t%C3%A9" in first.headers["Content-Disposition"]
    )
    second = person.client.get(links[1])
    assert second.headers["Content-Disposition"].startswith("attachment;")
    assert second.mimetype == "application/octet-stream" and "sandbox" in second.headers["Content-Security-Policy"]
    assert second.headers["X-Content-Type-Options"] == "nosniff"


# --- what the browser keeps ------------------------------------------------------------------------------------------


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
    source = page.link("Show the source")
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
    assert bare.status_code == 200 and bare.headers["Cache-Control"] == "no-store" and "ETag" not in bare.headers
    shared = Visitor(app, person.address)
    shared.submit(shared.get("/login"), "form[action='/login']", username=person.address, password=shared.password, shared="y")
    answer = shared.client.get(letter["body"], headers={"If-None-Match": tag})
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store" and "ETag" not in answer.headers


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


def test_the_inbox_is_one_folder_in_any_letters(person: Visitor, fill: Callable[..., list[int]]) -> None:
    (uid,) = fill(person, message("Un"))
    for name in ("inbox", "Inbox", "iNBOX"):
        page = person.get(f"/mailbox/{name}")
        assert page.rows == ["Un"]
        assert "Inbox" in page.one("nav[aria-label=Folders] [aria-current]").get_text()
        assert person.get(f"/message/{uid}/{name}").status == 200
    assert person.get("/mailbox/ınbox").status == 404  # a letter without its dot is another one


def test_newer_and_older_lead_through_the_folder(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, message("Un"), message("Deux"), message("Trois"))
    middle = person.get(person.get("/mailbox/INBOX").link("Deux"))
    assert "Trois" in person.get(middle.one("a[rel=prev]")["href"]).one("h1").get_text()
    assert "Un" in person.get(middle.one("a[rel=next]")["href"]).one("h1").get_text()
    found = person.get(person.get("/mailbox/INBOX?query=subject:Deux").link("Deux"))
    assert found.all("a[rel=prev], a[rel=next]") == []


ODD = [
    b"Subject: =?unknown-8bit?B?////?= =?utf-8?q?broken\r\nFrom: (\r\n\r\nx",
    b"From: a@b\r\n\r\n",
    b"\r\n\r\nno header at all",
    b"Subject: Bad structure\r\nContent-Type: multipart/mixed\r\n\r\nno boundary",
    b"Subject: Deep\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n"
    + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(300))
    + b"Content-Type: text/plain\r\n\r\nbottom\r\n",
    b"Subject: Charset\r\nContent-Type: text/plain; charset=martian\r\n\r\n\xff\xfe\xe9",
    b"Subject: Many\r\nTo: " + b", ".join(b"a%d@x.example" % n for n in range(20000)) + b"\r\n\r\nhello",
    b"Subject: Html\r\nContent-Type: text/html\r\n\r\n<table><tr><td>unclosed <b><i>" + b"<div>" * 3000,
]


def test_odd_messages_always_make_a_page_and_hide_nobody(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, message("Before"), *ODD, message("After"))
    listing = person.get("/mailbox/INBOX")
    assert listing.status == 200
    assert len(listing.rows) == len(ODD) + 2 and {"Before", "After"} <= set(listing.rows)
    for link in (a["href"] for a in listing.all("[data-row] .s a")):
        page = person.get(link)
        assert page.status == 200, link
        assert page.one("article h1").get_text(strip=True)
        for frame in page.all("iframe"):
            assert person.get(frame["src"]).status == 200
        for verb in ("Reply", "Forward"):
            assert person.get(page.link(verb)).status == 200


def test_what_is_not_there_is_404_with_a_way_back(person: Visitor, fill: Callable[..., list[int]]) -> None:
    (uid,) = fill(person, message("Un"))
    for url in ("/mailbox/Nope", "/message/1/Nope", f"/message/{uid + 99}/INBOX", f"/body/{uid}/INBOX", f"/part/{uid}/9/INBOX",
                f"/part/{uid}/x'y/INBOX", f"/raw/{uid + 99}/INBOX", "/message/99999999999/INBOX", "/nope", "/mailbox/a%0d%0ab"):  # fmt: skip
        page = person.get(url)
        assert page.status in (400, 404), url
        assert page.all("a[href='/mailbox/INBOX']"), url


def test_another_uidvalidity_is_410(person: Visitor, fill: Callable[..., list[int]]) -> None:
    (uid,) = fill(person, message("Un"))
    assert person.get(f"/message/{uid}/INBOX?v=12345").status == 410


def test_somebody_elses_mail_can_not_be_reached(
    app: Flask, person: Visitor, make_account: Callable[..., str], fill: Callable[..., list[int]]
) -> None:
    (uid,) = fill(person, message("Secret de l'une"))
    other = Visitor(app, make_account()).sign_in()
    assert other.get(f"/message/{uid}/INBOX").status == 404
    assert "Secret" not in other.get("/mailbox/INBOX").html
    assert other.get(f"/message/{uid}/shared/{person.address}/INBOX").status in (403, 404)


def test_signed_out_one_is_led_to_the_sign_in_page(app: Flask) -> None:
    visitor = Visitor(app)
    for url in ("/mailbox/INBOX", "/message/1/INBOX", "/body/1/INBOX", "/part/1/1/INBOX", "/raw/1/INBOX", "/folders"):
        page = visitor.get(url, follow=False)
        assert page.status == 302 and page.location.startswith("/login"), url


def test_htmx_gets_the_piece_it_asked_for(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, message("Un"))
    piece = person.get("/mailbox/INBOX", htmx="main")
    assert piece.html.lstrip().startswith("<title>") and piece.rows == ["Un"]
    assert piece.one("main#main") and piece.one("nav#folders[hx-swap-oob]") and not piece.all("header")
    assert "HX-Target" in piece.headers["Vary"]
    assert person.get("/mailbox/INBOX", htmx="nothing-of-ours").all("header")


def test_folder_names_of_all_kinds_work(
    person: Visitor, imap_of: Callable[[str], IMAPClient], fill: Callable[..., list[int]]
) -> None:
    client = imap_of(person.address)
    for name in (
        "Projets & co",
        "Été 2026",
        "Work/2024",
        "2025",
        "007",
        "a?b#c%d",
        'dit "x"',
        "日本",
        "🎒 sorties",
        "deep/a/b/c/d/e",
    ):
        client.create_folder(name)
        client.subscribe_folder(name)
        fill(person, message(f"Dans {name}"), mailbox=name)
    page = person.get("/mailbox/INBOX", reload=True)
    links = {a.get_text(" ", strip=True).rsplit(" ", 1)[0]: a["href"] for a in page.all("#folders a[href*='/mailbox/']")}
    for name in ("Projets & co", "Été 2026", "2024", "2025", "007", "a?b#c%d", 'dit "x"', "日本", "🎒 sorties", "e"):
        listing = person.get(links[name])
        assert listing.status == 200 and len(listing.rows) == 1, name
        read = person.get(listing.all("[data-row] .s a")[0]["href"])
        assert read.status == 200 and "Dans" in read.one("h1").get_text()


def test_a_date_beyond_the_calendar_and_a_subject_of_half_begun_words(person: Visitor, fill: Callable[..., list[int]]) -> None:
    late = b"From: a@x.example\r\nSubject: Late\r\nDate: Fri, 31 Dec 9999 23:59:59 +0000\r\n\r\nx"
    endless = b"From: a@x.example\r\nSubject: Endless " + b"=?a?q?x " * 8000 + b"\r\n\r\nx"
    fill(person, late, *[endless] * 10)
    began = time.monotonic()
    listing = person.get("/mailbox/INBOX")
    assert time.monotonic() - began < 2 and len(listing.rows) == 11
    page = person.get(listing.link("Late"))
    assert page.status == 200 and person.get(page.link("Reply")).status == 200
