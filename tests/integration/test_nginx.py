"""nginx with deploy/nginx.conf in front of two web processes, with two workers: what people and their mail notice of it."""

from __future__ import annotations

import io
import os
import re
import shutil
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from itertools import pairwise
from pathlib import Path
from urllib.request import HTTPErrorProcessor, build_opener

import pytest
from imapclient import IMAPClient

from deploy.demo import accounts, nginx
from deploy.demo.child import HOST, Child
from deploy.demo.services import Services
from tests.support.compose_form import FORM
from tests.support.front import Front, frozen, is_up, kill
from tests.support.http_visits import HttpVisitor
from tests.support.messages import message
from tests.support.postgresql import fresh_database
from tests.support.relay import Relay
from tests.support.visits import Page
from tests.support.waiting import eventually
from webmail.database.connection import db
from webmail.models import DraftRow, Outbox, OutboxState, PeriodicJob, Session, Worker, now

pytestmark = pytest.mark.skipif(nginx.program() is None, reason="the package nginx is not installed")
ALICE, BOB = "alice@lycee.example", "bob@lycee.example"


@pytest.fixture(scope="module")
def own_services(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Iterator[Services]:
    """Mail servers and a database of this file's own: workers would do the work of other files' tests."""
    base = tmp_path_factory.mktemp("front") / "demo"
    with ExitStack() as stack:
        url = stack.enter_context(fresh_database()) if database_url else ""
        services = stack.enter_context(Services(base, web=False, database_url=url))
        with accounts.tables(services.database):
            _count_periodic_work()
        yield services
    shutil.rmtree(base.resolve())


@pytest.fixture(scope="module")
def relay(own_services: Services) -> Iterator[Relay]:
    """Between the workers and the SMTP server."""
    with Relay(own_services.ports.smtp) as between:
        yield between


@pytest.fixture(scope="module")
def front(own_services: Services, relay: Relay) -> Iterator[Front]:
    with Front(own_services, smtp_port=relay.port, undo_seconds=0, push_connections=8) as running:
        yield running


@pytest.fixture
def alice(front: Front) -> HttpVisitor:
    return front.visitor(ALICE).sign_in()


@pytest.fixture
def tables(own_services: Services) -> Iterator[None]:
    """Traboule's tables, for looking into them."""
    with accounts.tables(own_services.database):
        yield


@pytest.fixture
def imap_as(own_services: Services) -> Iterator[Callable[[str], IMAPClient]]:
    with ExitStack() as stack:

        def connect(address: str) -> IMAPClient:
            client = IMAPClient(HOST, own_services.ports.imap, ssl=False, timeout=20)
            stack.callback(client.shutdown)
            client.login(address, own_services.password)
            client.select_folder("INBOX")
            return client

        yield connect


# --- who comes, and how ----------------------------------------------------------------------------------------------


def test_plain_http_leads_to_the_same_address_in_tls(front: Front) -> None:
    class Stay(HTTPErrorProcessor):
        http_response = https_response = lambda self, request, response: response

    with build_opener(Stay).open(f"http://{HOST}:{front.plain}/mailbox/INBOX?page=2") as answer:
        assert (answer.status, answer.headers["Location"]) == (301, f"https://{HOST}/mailbox/INBOX?page=2")


def test_signing_in_gives_a_cookie_for_tls_alone(front: Front, alice: HttpVisitor) -> None:
    for cookie in alice.http.cookies.jar:
        assert cookie.secure and cookie.has_nonstandard_attr("HttpOnly") and cookie.name.startswith("__Host-"), cookie
    page = alice.get("/")
    assert page.status == 200 and page.address.startswith("/mailbox/INBOX")
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert front.visitor().get("/mailbox/INBOX").address.startswith("/login")


def test_where_somebody_comes_from_is_what_nginx_saw_whatever_they_claim(front: Front, tables: None) -> None:
    visitor = front.visitor(BOB)
    claims = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9", "Forwarded": "for=203.0.113.9;host=evil.example"}
    visitor.http.headers.update({**claims, "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example"})
    signed_in = visitor.sign_in().get("/devices")
    assert HOST in signed_in.text and "203.0.113" not in signed_in.text and "evil" not in signed_in.html
    assert {row.network for row in Session.select()} == {HOST}
    assert {cookie.secure for cookie in visitor.http.cookies.jar} == {True}
    away = visitor.post("/logout", follow=False)
    assert away.status == 400 and "evil" not in away.html, "a form without its token, as ever"


# --- large, slow, in pieces ------------------------------------------------------------------------------------------


def test_a_form_beyond_the_limit_of_nginx_gets_a_page_in_ones_language(front: Front) -> None:
    for language, words in (("en", "Files too large"), ("fr", "Fichiers trop volumineux")):
        visitor = front.visitor(ALICE, language).sign_in()
        answer = _announce(front, visitor, "POST /compose HTTP/1.1", 101 * 1024**2)
        assert answer.startswith("HTTP/1.1 413 "), answer[:100]
        assert words in answer and "content-security-policy:" in answer.lower() and "<title>" in answer
        notice = _announce(front, visitor, "POST /compose HTTP/1.1", 101 * 1024**2, "HX-Request: true\r\n")
        assert words in notice and "hx-retarget: #notices" in notice.lower() and "<title>" not in notice
    message = _announce(front, front.visitor(ALICE, "en").sign_in(), f"POST /compose/{'a' * 32}?x=1&y HTTP/1.1", 101 * 1024**2)
    assert message.startswith("HTTP/1.1 413 ") and "go back in your browser to find it" in message
    assert front.visitor().get("/too-large").status == 404, "nobody asks for it by itself"
    assert not _announce(front, front.visitor(), "POST /import HTTP/1.1", 1024**3).startswith("HTTP/1.1 413 "), (
        "mail may be larger"
    )


def test_below_it_the_form_says_which_file_is_too_large_and_keeps_the_text(front: Front, alice: HttpVisitor) -> None:
    film = (io.BytesIO(bytes(45 * 1024**2)), "film.mp4", "video/mp4")
    page = alice.submit(alice.get("/compose"), FORM, to=BOB, body="gardé", attachments=film, action="send")
    assert page.status == 422 and "film.mp4" in page.one("#attachments-error").get_text()
    assert page.one("textarea[name=body]").get_text().strip() == "gardé"


def test_forty_slow_uploads_keep_nobody_else_waiting(front: Front, alice: HttpVisitor) -> None:
    """More than both processes have threads for: nginx waits for them, and hands a form on when it is whole."""
    body = b"username=alice&password=wrong&next="
    head = f"POST /login HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    with ExitStack() as stack:
        slow = [stack.enter_context(closing(_connect(front))) for _ in range(40)]
        for one in slow:
            one.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:10])
        with ThreadPoolExecutor(6) as pool:
            pages = list(pool.map(lambda _: alice.get("/mailbox/INBOX").status, range(12)))
        assert pages == [200] * 12
        for byte in body[10:]:
            slow[0].sendall(bytes([byte]))
        assert slow[0].recv(1000).startswith(b"HTTP/1.1 400 "), "the form has no token; it arrived"


def test_who_floods_the_line_of_sign_ins_closes_it_for_nobody_at_the_same_address(front: Front) -> None:
    ask = f"POST /login HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n".encode()
    elsewhere = "127.0.0.2"  # a line of its own, which other tests are not behind
    with ExitStack() as stack:
        line = [stack.enter_context(closing(_connect(front, elsewhere))) for _one in range(110)]
        for one in line:
            one.sendall(ask)
        last = stack.enter_context(closing(_connect(front, elsewhere)))
        last.settimeout(60)
        last.sendall(ask)
        assert last.recv(1000).startswith(b"HTTP/1.1 400 "), "Traboule was asked: the form has no token"
        assert not all(map(_is_answered, line)), "it did not wait for those before it, which take eight seconds"


def test_attachments_come_whole_and_static_files_in_ranges(alice: HttpVisitor, imap_as: Callable[[str], IMAPClient]) -> None:
    content = os.urandom(6 * 1024**2)
    letter = message("Film", "voilà")
    letter.add_attachment(content, maintype="video", subtype="mp4", filename="film.mp4")
    imap_as(ALICE).append("INBOX", bytes(letter))
    opened = alice.get(alice.get("/mailbox/INBOX", reload=True).link("Film"))
    link = opened.one(".files a[href^='/part/']")["href"]
    got = alice.http.get(link)
    assert got.content == content and got.headers["Content-Length"] == str(len(content))
    piece = alice.http.get(link, headers={"Range": "bytes=1000-1999"})
    assert piece.content == (content[1000:2000] if piece.status_code == 206 else content)
    script = next(str(tag["src"]) for tag in opened.all("script[src]"))
    whole = alice.http.get(script, headers={"Accept-Encoding": "identity"}).content
    part = alice.http.get(script, headers={"Accept-Encoding": "identity", "Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole[10:20])


def test_new_mail_is_told_through_nginx_at_once(alice: HttpVisitor, imap_as: Callable[[str], IMAPClient]) -> None:
    with alice.http.stream("GET", "/push/INBOX", headers={"Accept": "text/event-stream"}) as answer:
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/event-stream")
        said = answer.iter_lines()
        assert next(said) == "retry: 15000"
        imap_as(ALICE).append("INBOX", bytes(message("Nouvelles")))
        started = time.monotonic()
        assert next(line for line in said if line.startswith("event:")) == "event: news"
        assert time.monotonic() - started < 20, "before the comment that keeps the connection: not held back"


def test_sixty_visits_at_once_are_all_answered(front: Front, own_services: Services) -> None:
    people = [f"class-{number}@{accounts.DOMAIN}" for number in range(10)]
    for address in people:
        own_services.add_account(address)
    with ThreadPoolExecutor(60) as pool:
        visitors = list(pool.map(lambda address: front.visitor(address).sign_in(), people))
        start = threading.Barrier(60)

        def visit(number: int) -> tuple[int, str]:
            start.wait(60)
            page = visitors[number % 10].get(("/mailbox/INBOX", "/compose", "/folders")[number % 3])
            return page.status, page.one("h1").get_text() if page.status != 200 else ""

        answers = Counter(pool.map(visit, range(60)))
    assert answers == {(200, ""): 60}


# --- two workers -----------------------------------------------------------------------------------------------------


def test_each_of_many_messages_arrives_once(
    alice: HttpVisitor, imap_as: Callable[[str], IMAPClient], own_services: Services, tables: None
) -> None:
    everybody = [f"once-{number}@{accounts.DOMAIN}" for number in range(12)]
    for address in everybody:
        own_services.add_account(address)
    with ThreadPoolExecutor(4) as pool:
        for page in pool.map(lambda address: _send(alice, "Une fois", address), everybody):
            assert page.status == 200, page.text
    eventually(_all_sent, 60, 0.5, what="all are sent", found=_states)
    assert [_subjects(imap_as(address), "Une fois") for address in everybody] == [["Une fois"]] * 12
    assert len(_subjects(imap_as(ALICE), "Une fois", "Sent")) == 12


def test_a_worker_killed_while_it_sends_leaves_the_message_to_the_other(
    front: Front, relay: Relay, alice: HttpVisitor, imap_as: Callable[[str], IMAPClient], tables: None
) -> None:
    relay.mode = "hang"
    assert _send(alice, "Pendant ce temps").status == 200
    victim = eventually(lambda: next((one for one in front.workers if _talks_to(one, relay.port)), None), 30, 0.05)
    kill(victim)
    relay.mode = "ok"
    relay.hang_up()
    assert Outbox.get(Outbox.subject == "Pendant ce temps").state == OutboxState.SENDING, "so it was left"
    Outbox.update(lease=now()).where(Outbox.state == OutboxState.SENDING).execute()  # as 45 seconds later
    eventually(_all_sent, 60, 0.5, what="all are sent", found=_states)
    assert _subjects(imap_as(BOB), "Pendant ce temps") == ["Pendant ce temps"]
    front.workers.remove(victim)
    front.workers.append(front.start_worker())
    fresh = front.workers[-1].process.pid
    eventually(lambda: Worker.get_or_none(Worker.process == fresh), 60, 0.2, what="the new worker is alive")


# --- two web processes -----------------------------------------------------------------------------------------------


def test_one_web_service_is_frozen_and_pages_come_from_the_other(front: Front, own_services: Services, tables: None) -> None:
    """It takes connections and answers none: nginx asks the other after ten seconds, and then it alone but for a try now and then."""
    # before the test that kills both: for five seconds after that nginx takes one that is back for gone, and has no other
    people = [front.visitor(BOB).sign_in() for _ in range(4)]
    written = people[0].get("/compose")

    def visit(person: HttpVisitor) -> list[tuple[int, float]]:
        waits = []
        for _ in range(12):
            started = time.monotonic()
            waits.append((person.get("/mailbox/INBOX").status, time.monotonic() - started))
        return waits

    with ThreadPoolExecutor(5) as pool:
        with frozen(front.webs[0], own_services.database):
            sent = pool.submit(people[0].submit, written, FORM, to=ALICE, subject="Une fois", body="Bonjour", action="save")
            waits = [one for visits in pool.map(visit, people[1:]) for one in visits]
        assert sent.result(60).status == 200
    assert {status for status, _seconds in waits} == {200}
    slow = [seconds for _status, seconds in waits if seconds > 9]
    assert len(slow) <= len(waits) / 2 and max(seconds for _status, seconds in waits) < 40, waits
    assert DraftRow.select().where(DraftRow.subject == "Une fois").count() == 1, "no form is sent on twice"


def test_one_web_process_is_killed_and_nobody_notices(
    front: Front, alice: HttpVisitor, imap_as: Callable[[str], IMAPClient], tables: None
) -> None:
    stop, answers = threading.Event(), Counter[int]()

    def visit() -> None:
        person = front.visitor(ALICE).sign_in()
        while not stop.is_set():
            answers[person.get("/mailbox/INBOX").status] += 1

    threads = [threading.Thread(target=visit) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        eventually(lambda: answers[200] >= 10, 60)
        kill(front.webs[0])
        before = answers[200]
        assert _send(alice, "À travers l'autre").status == 200, "forms too"
        eventually(lambda: answers[200] >= before + 30, 60)
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert set(answers) == {200}
    eventually(_all_sent, 60, 0.5, what="all are sent", found=_states)
    assert _subjects(imap_as(BOB), "À travers l'autre") == ["À travers l'autre"]
    kill(front.webs[1])
    away = front.visitor("", "fr").get("/login")
    assert away.status == 503 and "ne répond pas pour le moment" in away.text and away.headers["Retry-After"] == "5"
    assert "Content-Security-Policy" not in away.headers, "by which the page's script knows that it is not Traboule's"
    for place, dead in enumerate(front.webs):
        front.webs[place] = front.start_web(dead.port)
    eventually(lambda: front.visitor().get("/login").status == 200, 60, 0.2, what="back by itself")


# --- the second service ----------------------------------------------------------------------------------------------


def test_pages_go_on_while_the_service_of_bodies_is_frozen_or_gone_and_uploads_after_it(
    front: Front, own_services: Services
) -> None:  # fmt: skip
    assert front.bodies is not None
    alice, data = front.visitor(ALICE).sign_in(), os.urandom(3_000_000)
    token = str(alice.get("/transfers/new").all("[name=csrf_token]")[0]["value"])
    told = {"X-CSRFToken": token, "Tus-Resumable": "1.0.0", "Origin": front.address}
    begun = alice.http.post(
        "/transfers/uploads", headers={**told, "Upload-Length": str(len(data)), "Upload-Metadata": "filename YQ=="}
    )
    place = begun.headers["Location"]

    def send(offset: int, end: int) -> int:
        more = {**told, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        return alice.http.patch(place, content=data[offset:end], headers=more).status_code

    def slowest_page() -> float:
        waits = []
        for address in ("/mailbox/INBOX", "/compose", "/transfers/new", "/mailbox/INBOX"):
            started = time.monotonic()
            assert alice.get(address).status == 200
            waits.append(time.monotonic() - started)
        return max(waits)

    assert send(0, 1_000_000) == 204
    with ThreadPoolExecutor(1) as pool:
        with frozen(front.bodies, own_services.database):
            waiting = pool.submit(send, 1_000_000, 2_000_000)
            assert slowest_page() < 5, "nothing of the second service is asked for"
        assert waiting.result(60) == 204, "what waited goes on"
    kill(front.bodies)
    assert slowest_page() < 5
    away = alice.http.get("/contacts/export", headers={"Accept": "text/html"})
    assert (away.status_code, away.headers["Retry-After"]) == (503, "5") and "Files can’t be reached" in away.text
    for method, address in (("PATCH", place), ("PROPFIND", f"/dav/{ALICE}/")):
        later = alice.http.request(method, address, headers=told, content=b"x")
        assert (later.status_code, later.headers["Retry-After"]) == (503, "5") and "Come back" in later.text
    health = alice.http.get("/healthz?full")
    assert health.status_code == 503 and "bodies FAULT" in health.text
    front.bodies = front.start_bodies()
    front.bodies.wait_for(is_up, 60)
    assert alice.http.head(place, headers=told).headers["Upload-Offset"] == "2000000"
    assert send(2_000_000, len(data)) == 204


def test_periodic_work_was_done_by_one_of_them(tables: None) -> None:
    """Last in this file: by now both workers have looked many times."""
    claims = db.execute_sql("SELECT name, begun FROM periodic_claims ORDER BY begun").fetchall()
    assert [name for name, _begun in claims].count("clean-up") == 1, "once an hour"
    woken = [datetime.fromisoformat(str(begun)) for name, begun in claims if name == "wake"]
    assert woken and all(later - before >= timedelta(seconds=59) for before, later in pairwise(woken)), woken


# --- what these tests do ---------------------------------------------------------------------------------------------


def _send(person: HttpVisitor, subject: str, to: str = BOB) -> Page:
    return person.submit(person.get("/compose"), FORM, to=to, subject=subject, body="Bonjour", action="send")


def _all_sent() -> bool:
    """Whether all messages have left and are in Sent. What a busy server put off is due now, as minutes later."""
    if _states() == {"sent"}:
        return True
    Outbox.update(due=now()).where(Outbox.state.in_((OutboxState.WAITING, OutboxState.SENT)), Outbox.due > now()).execute()
    PeriodicJob.update(begun=datetime(2000, 1, 1)).where(PeriodicJob.name == "sweep").execute()
    return False


def _states() -> set[str]:
    """The states of all messages in the outbox; "not filed" where the copy in Sent is missing."""
    return {row.state if row.filed or row.state != OutboxState.SENT else "not filed" for row in Outbox.select()}


def _subjects(client: IMAPClient, words: str, mailbox: str = "INBOX") -> list[str]:
    """The subjects that begin with these words. Not by SEARCH, whose index may be behind."""
    client.select_folder(mailbox, readonly=True)
    headers = [values[b"BODY[HEADER]"] for values in client.fetch(client.search(), ["BODY.PEEK[HEADER]"]).values()]
    subjects = [str(message_from_bytes(header, policy=policy.default)["Subject"]) for header in headers]
    return [subject for subject in subjects if subject.startswith(words)]


def _connect(front: Front, source: str = HOST) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=front.ca)
    plain = socket.create_connection((HOST, front.port), timeout=60, source_address=(source, 0))
    return context.wrap_socket(plain, server_hostname=HOST)


def _is_answered(connection: ssl.SSLSocket) -> bool:
    """Asked without waiting: what TLS itself sends is no answer."""
    connection.setblocking(False)
    try:
        return bool(connection.recv(1))
    except ssl.SSLWantReadError:
        return False


def _announce(front: Front, visitor: HttpVisitor, line: str, size: int, more: str = "") -> str:
    """What is answered to a form that is said to be so large, of which a first piece comes."""
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in visitor.http.cookies.jar)
    language = visitor.http.headers["Accept-Language"]
    with closing(_connect(front)) as connection:
        head = f"{line}\r\nHost: {HOST}\r\nCookie: {cookies}\r\nAccept-Language: {language}\r\n{more}Content-Length: {size}\r\n"
        connection.sendall(
            f"{head}Content-Type: multipart/form-data; boundary=x\r\nConnection: close\r\n\r\n".encode() + bytes(1000)
        )
        return b"".join(_pieces(connection)).decode()


def _pieces(connection: ssl.SSLSocket) -> Iterator[bytes]:
    whole = b""
    while piece := connection.recv(65536):
        yield piece
        whole += piece
        head, _blank, body = whole.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        if length and len(body) >= int(length[1]):
            return  # nginx goes on reading the form, to throw it away


def _talks_to(child: Child, port: int) -> bool:
    """Whether a program has a connection to this port of this machine."""
    line = re.compile(rf"^ *\d+: \S+ 0100007F:{port:04X} 01(?: +\S+){{5}} +(\d+)", re.MULTILINE)
    inodes = {f"socket:[{number}]" for number in line.findall(Path("/proc/net/tcp").read_text())}
    folder = f"/proc/{child.process.pid}/fd"
    return any(os.readlink(f"{folder}/{number}") in inodes for number in os.listdir(folder))


def _count_periodic_work() -> None:
    """Each time that a worker claims periodic work becomes a row of `periodic_claims`."""
    db.execute_sql("CREATE TABLE periodic_claims (name VARCHAR(40), begun TIMESTAMP)")
    insert = "INSERT INTO periodic_claims VALUES (NEW.name, NEW.begun);"
    if "sqlite" in type(db.obj).__name__.lower():
        for event in ("INSERT", "UPDATE"):
            db.execute_sql(
                f"CREATE TRIGGER note_{event} AFTER {event} ON periodic_jobs WHEN NEW.begun > '2001' BEGIN {insert} END"
            )
        return
    db.execute_sql(f"CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {insert} RETURN NEW; END $$")
    db.execute_sql(
        "CREATE TRIGGER note AFTER INSERT OR UPDATE ON periodic_jobs FOR EACH ROW WHEN (NEW.begun > '2001-01-01') "
        "EXECUTE FUNCTION note()"
    )
