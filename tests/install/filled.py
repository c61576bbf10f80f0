"""What one person has, made and then told as text that can be compared: messages with flags and dates, a filter, an event, a card, a
transfer, keys. Runs in the machine, without Traboule's code: `filled.py fill|tell|lose|ask DOMAIN ADDRESS PASSWORD`.
"lose" removes a folder's messages, the event and the card; "ask" asks on the page to have each back, and waits.
"""

from __future__ import annotations

import base64
import hashlib
import html
import http.cookiejar
import imaplib
import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

FLASK = "/opt/traboule/deploy/flask"
PASSPHRASE = "une phrase de passe assez longue 7"
LINK = Path("/var/lib/traboule/link-of-the-test")  # in the backup, as everything of that folder
_PATIENCE = 180  # seconds for what is brought back
_FOLDERS = {"INBOX": 3, "Élèves": 4, "Archives/2024": 2}
_FLAGS = (r"(\Seen)", r"(\Answered \Flagged)", r"(\Seen $Label1)", "()")
_SIEVE = 'require "fileinto";\nif header :contains "subject" "cantine" { fileinto "Élèves"; }\n'
_EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//test//EN
BEGIN:VEVENT
UID:rentree
DTSTAMP:20260901T080000Z
DTSTART:20260901T080000Z
DTEND:20260901T090000Z
SUMMARY:Réunion de rentrée
RRULE:FREQ=WEEKLY;COUNT=5
END:VEVENT
END:VCALENDAR
"""
_CARD = "BEGIN:VCARD\nVERSION:3.0\nUID:louise\nFN:Louise Labé\nN:Labé;Louise;;;\nEMAIL:louise@elsewhere.test\nEND:VCARD\n"


def fill(domain: str, address: str, password: str) -> None:
    with imaplib.IMAP4_SSL(f"mail.{domain}", timeout=60) as client:
        client.login(address, password)
        for folder, number in _FOLDERS.items():
            if folder != "INBOX":
                client.create(_name(folder))
                client.subscribe(_name(folder))
            for each in range(number):
                date = datetime(2019, 3, 4, 5, 6, 7, tzinfo=UTC) + timedelta(days=100 * each)
                text = f"From: {address}\r\nTo: {address}\r\nSubject: {folder} {each}\r\nMessage-ID: <{folder}{each}@x>\r\n\r\n{'é' * each}\r\n"
                said = client.append(_name(folder), _FLAGS[each % 4], imaplib.Time2Internaldate(date), text.encode("utf-8"))
                assert said[0] == "OK", said
    _run("doveadm", "sieve", "put", "-u", address, "-a", "cantine", typed=_SIEVE)
    calendar, book = _collections(domain, address, password)
    _dav(domain, address, password, "PUT", f"{calendar}rentree.ics", _EVENT.replace("\n", "\r\n"), "text/calendar; charset=utf-8")
    _dav(domain, address, password, "PUT", f"{book}louise.vcf", _CARD.replace("\n", "\r\n"), "text/vcard; charset=utf-8")
    Path("/var/tmp/film.bin").write_bytes(b"0123456789abcdef" * 200_000)
    Path("/var/tmp/film.bin").chmod(0o644)
    sent = _run(
        FLASK, "transfers", "send", "/var/tmp/film.bin", "--from", address, "--to", "parent@elsewhere.test", "--subject", "Film"
    )
    LINK.write_text(sent.split("\t")[1].strip())
    _make_key(domain, address, password)


def tell(domain: str, address: str, password: str) -> dict[str, object]:
    found: dict[str, object] = {"filter": _run("doveadm", "sieve", "get", "-u", address, "cantine")}
    found["filters"] = _run("doveadm", "sieve", "list", "-u", address)
    messages = []
    with imaplib.IMAP4_SSL(f"mail.{domain}", timeout=60) as client:
        client.login(address, password)
        folders = sorted(re.sub(rb'.*"/" ', b"", line).strip(b'"').decode() for line in client.list()[1])
        found["folders"], found["subscribed"] = folders, sorted(str(line) for line in client.lsub()[1])
        for folder in folders:
            if client.select(f'"{folder}"', readonly=True)[0] != "OK":
                continue  # it only has folders below it
            for number in client.uid("SEARCH", "ALL")[1][0].split():
                answer = client.uid("FETCH", number, "(UID FLAGS INTERNALDATE BODY.PEEK[])")[1][0]
                told = re.sub(r"^\d+ |\\Recent ?", "", answer[0].decode())
                messages.append([folder, told, hashlib.sha256(answer[1]).hexdigest()])
    found["messages"] = messages
    found["things"] = {
        href: hashlib.sha256(_dav(domain, address, password, "GET", href).encode()).hexdigest()
        for collection in _collections(domain, address, password)
        for href in _hrefs(_dav(domain, address, password, "PROPFIND", collection, depth="1"))
        if href.startswith(collection) and href != collection
    }
    found["transfer"] = _download(LINK.read_text())
    found["keys"] = _keys(domain, address, password)
    return found


def _name(folder: str) -> str:
    """As IMAP writes it: Élèves alone is not ASCII here."""
    return f'"{folder.replace("Élèves", "&AMk-l&AOg-ves")}"'


def _run(*command: str, typed: str = "") -> str:
    done = subprocess.run(command, input=typed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def _dav(
    domain: str, address: str, password: str, method: str, href: str, text: str = "", kind: str = "", depth: str = ""
) -> str:
    key = base64.b64encode(f"{address}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {key}", "Content-Type": kind or "application/xml"} | ({"Depth": depth} if depth else {})
    request = urllib.request.Request(f"https://webmail.{domain}{href}", text.encode() or None, headers, method=method)
    try:
        return urllib.request.urlopen(request, timeout=60).read().decode()
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{method} {href}: {error.code} {error.read()[:300]!r}") from error


def _hrefs(answer: str) -> list[str]:
    """In their order: the first of a response is what it is about."""
    return re.findall(r"<(?:\w+:)?href>([^<]+)</(?:\w+:)?href>", answer)


def _collections(domain: str, address: str, password: str) -> tuple[str, str]:
    """The person's own calendar and book."""
    home = f"/dav/{urllib.parse.quote(address)}/"
    answer = _dav(domain, address, password, "PROPFIND", home, depth="1")
    found = {}
    for each in re.findall(r"<(?:\w+:)?response>.*?</(?:\w+:)?response>", answer, re.DOTALL):
        for kind, mark in (("calendar", r"<(?:\w+:)?calendar ?/>"), ("book", r"<(?:\w+:)?addressbook ?/>")):
            if re.search(mark, each):
                found.setdefault(kind, _hrefs(each)[0])
    return found["calendar"], found["book"]


def _download(link: str) -> str:
    """The sum of what somebody outside gets by the link."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    said = _submit(browser, link, r'id="files"', action="all")
    return f"{len(said)} bytes, {hashlib.sha256(said).hexdigest()}"


def _signed_in(domain: str, address: str, password: str) -> urllib.request.OpenerDirector:
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    _submit(browser, f"https://webmail.{domain}/login", 'action="/login"', username=address, password=password)
    return browser


def _submit(browser: urllib.request.OpenerDirector, url: str, which: str, **values: str) -> bytes:
    """Fill the form of a page in which `which` is found, with what is hidden in it."""
    page = browser.open(url, timeout=60).read().decode()
    form = next((each for each in re.findall(r"<form.*?</form>", page, re.DOTALL) if re.search(which, each)), None)
    assert form, f"no form {which} on {url}"
    for field in re.findall(r"<input[^>]*>", form):
        parts = dict(re.findall(r'(\w+)="([^"]*)"', field))
        if parts.get("type") == "hidden":
            values.setdefault(parts.get("name", ""), html.unescape(parts.get("value", "")))
    to = re.search(r'action="([^"]*)"', form)
    target = urllib.parse.urljoin(url, html.unescape(to[1]) if to else "")
    request = urllib.request.Request(target, urllib.parse.urlencode(values).encode(), {"Origin": "/".join(url.split("/")[:3])})
    return browser.open(request, timeout=60).read()


def _make_key(domain: str, address: str, password: str) -> None:
    browser, url = _signed_in(domain, address, password), f"https://webmail.{domain}/encryption/begin"
    _submit(browser, url, 'action="/account/confirm"', password=password)
    said = _submit(browser, url, 'action="/encryption/begin"', passphrase=PASSPHRASE, passphrase_again=PASSPHRASE).decode()
    assert 'id="problem"' not in said, said
    assert _keys(domain, address, password), "no key was made"


def _keys(domain: str, address: str, password: str) -> list[str]:
    page = _signed_in(domain, address, password).open(f"https://webmail.{domain}/encryption", timeout=60).read().decode()
    return sorted(set(re.findall(r"/encryption/keys/\d+", page)))


def lose(domain: str, address: str, password: str) -> None:
    _run("doveadm", "expunge", "-u", address, "mailbox", "Élèves", "all")
    calendar, book = _collections(domain, address, password)
    _dav(domain, address, password, "DELETE", f"{calendar}rentree.ics")
    _dav(domain, address, password, "DELETE", f"{book}louise.vcf")


def ask(domain: str, address: str, password: str) -> dict[str, object]:
    """What became of each request, with what was brought back: subjects of messages, and names in events and cards."""
    browser, url = _signed_in(domain, address, password), f"https://webmail.{domain}/account/restore"
    found: dict[str, object] = {}
    for kind, pattern in (("mail", "mail:Élèves"), ("calendar", r"calendar:\d+"), ("book", r"book:\d+")):
        page = html.unescape(browser.open(url, timeout=60).read().decode())
        night, what = re.search(r'<option value="([0-9a-f]{8,})"', page), re.search(rf'<option value="({pattern})"', page)
        assert night and what, f"no night, or nothing to choose: {page}"
        _submit(browser, url, 'action="/account/restore"', night=night[1], what=what[1])
        for _second in range(_PATIENCE):
            page = browser.open(url, timeout=60).read().decode()
            state = re.search(r'data-restore="\d+" data-state="(\w+)"', page)
            assert state, page
            if state[1] not in ("waiting", "working"):
                break
            time.sleep(1)
        said = re.search(r'<p class="task-\w+">(.*?)</p>', page)
        found[kind] = [state[1], html.unescape(said[1]) if said else ""]
    home = f"/dav/{urllib.parse.quote(address)}/"
    places = [
        href
        for href in _hrefs(_dav(domain, address, password, "PROPFIND", home, depth="1"))
        if href.startswith(home) and href != home
    ]
    texts = [
        _dav(domain, address, password, "GET", href)
        for place in places
        for href in _hrefs(_dav(domain, address, password, "PROPFIND", place, depth="1"))
        if href.endswith((".ics", ".vcf"))
    ]
    found["things"] = sorted(line for text in texts for line in text.splitlines() if line.startswith(("SUMMARY:", "FN:")))
    fetched = _run("doveadm", "fetch", "-u", address, "hdr.subject", "not", "mailbox", "Élèves", "subject", "Élèves")
    found["subjects"] = len([line for line in fetched.splitlines() if line.startswith("hdr.subject")])
    return found


def main(action: str, *who: str) -> int:
    if action == "fill":
        fill(*who)
    if action == "lose":
        lose(*who)
        return 0
    if action == "ask":
        print(json.dumps(ask(*who), ensure_ascii=False))
        return 0
    print(json.dumps(tell(*who), indent=1, sort_keys=True, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
