"""A message, as visits on a real Dovecot."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from tests.support.messages import message
from tests.support.visits import Visitor

NEWSLETTER = """<html><head><style>.t{color:#246}</style></head><body onload="alert(1)"><h1 class="t">Rentrée</h1>
<script>alert(2)</script><img src="https://track.example/o.gif" alt="suivi"><img src="cid:logo"><a href="https://lycee.example/x">lire</a>
</body></html>"""


def test_reading_marks_as_read_and_counts_down(person: Visitor, fill: Callable[..., list[int]]) -> None:
    fill(person, message("Un"), message("Deux"))
    page = person.get(person.get("/mailbox/INBOX").link("Un"))
    assert "bob@lycee.example" in page.text
    assert "Bonjour" in page.one("[data-message-body]").get_text()
    assert len(person.get("/mailbox/INBOX").all("tr.u")) == 1


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
