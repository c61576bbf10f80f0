"""Large files in bad weather: thousands of them, clients that bring a byte a second, a disk that fills up, a bucket that goes away.

Each has an instance of its own beside the others', on the same database. Afterwards what is stored is what was stored before, and what
was half there can be gone on with.
"""

from __future__ import annotations

import base64
import hashlib
import html
import os
import select
import socket
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import peewee as pw

from tests.attacks import transfers
from tests.attacks.ground import Browser, Ground, Web
from tests.attacks.report import Finding
from tests.bench.visitor import Answer
from tests.support import images, s3_server
from tests.support.transfer_ground import published
from webmail.config import settings as config
from webmail.config.settings import Settings
from webmail.models import FileRequest, StoredContent, Transfer, TransferFile, User
from webmail.storage import StorageArea, local, open_storage
from webmail.storage.s3 import S3Storage
from webmail.transfers import assembly, content, store
from webmail.transfers.requests import requests
from webmail.transfers.requests.requests import Wishes
from webmail.transfers.uploads import promises
from webmail.transfers.uploads.upload_bodies import SMALL_FORMS

if TYPE_CHECKING:
    from tests.attacks.transfers import Sender

_MB = 1024 * 1024
_GB = 1024 * _MB


@dataclass
class Place:
    """A web process with tables of its own in config.toml, and the settings that it has."""

    ground: Ground
    web: Web
    settings: Settings
    folder: Path
    before: int  # transfers that are others'

    def sender(self) -> Sender:
        return transfers.sender(self.ground, self.web)

    def clean(self) -> None:
        """Forget what was made here, as a sweep would in the end."""
        with self.ground.tables():
            for transfer in list(Transfer.select().where(Transfer.id > self.before)):
                assembly.drop(transfer, self.settings)


def attacks(ground: Ground) -> list[Finding]:
    return [
        *_promised_room(ground),
        _many_files(ground),
        _slow_bodies(ground),
        _slow_forms(ground),
        _slow_readers(ground),
        _stalled_network(ground),
        *_disk_full(ground),
        _bucket_away(ground),
    ]


@contextmanager
def _place(ground: Ground, tables: str, folder: Path) -> Iterator[Place]:
    ours = ground.settings
    (folder / "config.toml").write_text(f'secret_key = "{ours.secret_key}"\n{tables}')
    given = {name.removeprefix("WEBMAIL_").lower(): value for name, value in ground.services.settings().items()}
    settings = config.load(folder, **{name: value for name, value in given.items() if name != "instance"})
    _mark(settings)
    with ground.web(instance=str(folder)) as web:
        with ground.tables():
            before = Transfer.select(pw.fn.MAX(Transfer.id)).scalar() or 0
        place = Place(ground, web, settings, folder, before)
        try:
            yield place
        finally:
            place.clean()


def _mark(settings: Settings) -> None:
    """The database knows of files: a place without them would be taken for one that is not mounted."""
    files = open_storage(settings, StorageArea.TRANSFERS)
    if isinstance(files, S3Storage):
        files.mark()
    else:
        Path(settings.transfers_folder).mkdir(exist_ok=True)
        Path(settings.transfers_folder, local.MARK).touch(0o600)


@contextmanager
def _folder() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        yield Path(name)


def _promised_room(ground: Ground) -> list[Finding]:
    """Much is declared and a byte sent, by the link of a drop box and with an account; then the others try to send."""
    with _folder() as folder, _place(ground, "[transfers]\ntotal_mb = 51200", folder) as place:
        return [_promised_to_guest(ground, place), _promised_to_account(place)]


def _promised_to_guest(ground: Ground, place: Place) -> Finding:
    owner, other, stranger = place.sender(), place.sender(), place.web.browser("203.0.113.66")
    with ground.tables():
        user = User.get(User.address == owner.name)
        asked = requests.make(user, Wishes("Homework"), "en", place.settings)[0]
    link = f"/g/{requests.token(asked, place.settings)}"

    def declare(browser: Browser, size: int) -> Answer:
        told = {"Tus-Resumable": "1.0.0", "Upload-Length": str(size), "Upload-Metadata": "filename YS5iaW4="}
        return browser.send("POST", f"{link}/uploads", b"", told)

    made = [declare(stranger, 12_800 * _MB) for _ in range(12)]
    for answer in made:
        if answer.status == 201:
            sent = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", **transfers.BYTES}
            stranger.send("PATCH", answer.headers["location"], b"1", sent)
    others = {
        "the owner": owner.create(_GB).status, "somebody else": other.create(_GB).status,
        "another visitor": declare(place.web.browser("198.51.100.4"), _GB).status,
    }  # fmt: skip
    page = owner.browser.get(f"/transfers/requests/{asked.id}").text
    with ground.tables():
        requests.close(FileRequest.get_by_id(asked.id))
        left = promises.of_person(user, 0)
    shown, held = page.count('name="delivery"'), set(others.values()) == {201}
    words = f"{_who_can(others)}; the owner's page lists {shown} unfinished; {left // _MB:,} MB stay promised once the request is closed"
    attack = "150 GB declared by the link of a drop box, where there are 50, and a byte sent of each; a GB of others"
    return Finding(attack, len(made), words, held and shown >= len(made) and left <= _GB)


def _promised_to_account(place: Place) -> Finding:
    eve, other = place.sender(), place.sender()
    made = [eve.create(12_800 * _MB) for _ in range(12)]
    for answer in made:
        if answer.status == 201:
            eve.ask("PATCH", answer.headers["location"], b"1", Upload_Offset="0")
    others = {"somebody else": other.create(_GB).status, "whoever did it": eve.create(_GB).status}
    attack = "The same with an account"
    return Finding(attack, len(made), _who_can(others), others["somebody else"] == 201)


def _who_can(others: dict[str, int]) -> str:
    return ", ".join(f"{who} {'can send' if status == 201 else f'is refused ({status})'}" for who, status in others.items())


def _many_files(ground: Ground) -> Finding:
    """As many as there may be, and then on: the declared number of `files` holds, whatever is asked."""
    most, tries = ground.times(1000), ground.times(10_000)
    with _folder() as folder, _place(ground, f"[transfers]\nfiles = {most}", folder) as place:
        alice = place.sender()
        of = f"?of={alice.upload(b'1')[1]}"
        began = time.monotonic()
        statuses = Counter(alice.create(1, f"{number}.txt", of).status for number in range(1, tries))
        seconds = time.monotonic() - began
        with ground.tables():
            kept = TransferFile.select().where(TransferFile.transfer > place.before).count()
        mail = alice.browser.get("/mailbox/INBOX").ms
    held = kept == most and set(statuses) == {201, 413} and mail < 3000
    words = f"{kept:,} are taken, {statuses[413]:,} refused, in {seconds:.0f} s"
    return Finding("10,000 files of one byte in one transfer", tries, words, held)


def _slow_bodies(ground: Ground) -> Finding:
    """Sockets that send a byte now and then, of thirteen people; beside them somebody reads mail."""
    count = 50
    with _folder() as folder, _place(ground, "[transfers]\nuploads_at_once = 8", folder) as place, ExitStack() as open_ones:
        reader = place.sender()
        quiet = median_ms(reader)
        people = [place.sender() for _ in range(-(-count // 4))]
        uploads = [(one, one.create(10 * _MB).headers["location"]) for one in people for _ in range(4)]
        lines = [open_ones.enter_context(_slow(one, where, place.web)) for one, where in uploads]
        time.sleep(0.3)
        busy = median_ms(reader, lines)
        answered, _writable, _errors = select.select(lines, [], [], 0.2)
        refused = sum(b" 503 " in line.recv(200) for line in answered)
        open_ones.close()
        time.sleep(1)  # what came is put away, before its folder goes
    held = busy < 2 * quiet + 20 and refused >= len(lines) - 10  # eight turns, and two wait for one
    words = (
        f"{len(lines) - refused} have a thread, {refused} are told to come back; a page of mail {busy:.0f} ms, {quiet:.0f} before"
    )
    return Finding("Uploads that bring a byte at a time, fifty at once", len(lines), words, held)


def _slow_forms(ground: Ground) -> Finding:
    """Forms without files, of which the first byte never comes: of people with an account, and of guests from many networks.

    nginx hands on these as they come, so they must keep neither pages nor the sign-in from others.
    """
    with ground.web() as web, ExitStack() as open_ones:
        reader = transfers.sender(ground, web)
        quiet = median_ms(reader)
        people = [transfers.sender(ground, web) for _ in range(9)]
        lines = [open_ones.enter_context(_line(web, _form_of(one))) for one in people for _ in range(3)]
        lines += [open_ones.enter_context(_line(web, _form_of_guest(number))) for number in range(25)]
        longest, end = 0.0, time.monotonic() + 2
        while time.monotonic() < end:  # those who wait for a turn hold a thread meanwhile
            longest = max(longest, reader.browser.get("/mailbox/INBOX").ms)
        busy = median_ms(reader)
        answered, _writable, _errors = select.select(lines, [], [], 0.2)
        signed_in = web.browser("198.51.100.8").sign_in(ground.person()).status
    few = len(lines) - len(answered) <= SMALL_FORMS.at_once + 8  # and turns of uploads: six of eight, and two wait for one
    held = busy < 2 * quiet + 20 and few and signed_in == 303 and longest < 500
    words = (
        f"{len(lines) - len(answered)} have a thread, the others are told to come back; a page of mail {busy:.0f} ms, {quiet:.0f} before, "
        f"{longest:.0f} as they came"
    )
    return Finding("Forms of pages for large files that never arrive, fifty at once", len(lines), words, held)


def _form_of(one: Sender) -> str:
    page = one.browser.get("/transfers/new").text
    action = html.unescape(page.partition('action="/transfers/new?csrf=')[2].partition('"')[0])
    return _head(f"POST /transfers/new?csrf={action}", {"Cookie": one.browser.visitor.cookie_line})


def _form_of_guest(number: int) -> str:
    return _head(f"POST /g/{'x' * 27}", {"X-Forwarded-For": f"203.0.{number}.7"})


def _head(request: str, headers: dict[str, str]) -> str:
    """A request with a form that is still to come."""
    told = {"Host": "localhost", "Content-Length": "1000000", "Content-Type": "multipart/form-data; boundary=limit", **headers}
    return "".join([f"{request} HTTP/1.1\r\n", *(f"{name}: {value}\r\n" for name, value in told.items()), "\r\n"])


def _slow_readers(ground: Ground) -> Finding:
    """Downloads whose readers take nothing, from many networks; and those that go before the answer has begun."""
    with ground.web() as web, ExitStack() as open_ones:
        reader = transfers.sender(ground, web)
        quiet = median_ms(reader)
        with ground.tables():
            owner = User.get(User.address == reader.name)
            transfer = published(owner, {"a.bin": os.urandom(16 * _MB), "b.png": images.png(), "c.txt": b"c"}, ground.settings)
            link = f"/t/{store.link_token(transfer, ground.settings)}"
            large, picture, small = (one.upload for one in store.files(transfer))
        wanted = [f"{link}/{large}/a.bin", f"{link}/all.zip"]
        for number in range(50):
            with _line(web, _get(f"{link}/picture/{picture}", number)):
                pass
        lines = [open_ones.enter_context(_line(web, _get(wanted[number % 2], number))) for number in range(50)]
        time.sleep(1)
        busy = median_ms(reader)
        refused = sum(b" 503 " in line.recv(200) for line in lines)
        open_ones.close()
        time.sleep(1)
        after = web.browser("198.51.100.8").get(f"{link}/{small}/c.txt").status
    held = busy < 2 * quiet + 20 and refused >= len(lines) - 16 and after == 200
    words = (
        f"{len(lines) - refused} have a thread, {refused} are told to come back; a page of mail {busy:.0f} ms, {quiet:.0f} before; "
        "once they are gone others have their turns"
    )
    return Finding("Downloads that nobody reads, fifty at once, and fifty that are left at once", 2 * len(lines), words, held)


def _stalled_network(ground: Ground) -> Finding:
    """Twelve readers of a school's network take nothing; others there download all the same."""
    with ground.web() as web, ExitStack() as open_ones:
        with ground.tables():
            owner = User.get(User.address == ground.person())
            transfer = published(owner, {"a.bin": os.urandom(16 * _MB), "c.txt": b"c"}, ground.settings)
            link = f"/t/{store.link_token(transfer, ground.settings)}"
            large, small = (one.upload for one in store.files(transfer))
        for _ in range(12):
            open_ones.enter_context(_line(web, _get(f"{link}/{large}/a.bin", 1)))
        time.sleep(6)
        others = [web.browser("203.0.1.7").get(f"{link}/{small}/c.txt").status for _ in range(20)]
        open_ones.close()
        time.sleep(1)
    words = f"{others.count(200)} of {len(others)} others of that network download meanwhile"
    return Finding("Twelve readers of one network that take nothing", 12, words, set(others) == {200})


def _get(path: str, number: int) -> str:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.{number}.7\r\n\r\n"


@contextmanager
def _line(web: Web, head: str) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", web.port), timeout=10) as line:
        line.sendall(head.encode())
        yield line


@contextmanager
def _slow(one: Sender, where: str, web: Web) -> Iterator[socket.socket]:
    lines = {
        "Host": "localhost", "Cookie": one.browser.visitor.cookie_line, "X-CSRFToken": one.token, "Tus-Resumable": "1.0.0",
        "Upload-Offset": "0", "Content-Length": str(10 * _MB), **transfers.BYTES, **one.browser.visitor.headers,
    }  # fmt: skip
    with socket.create_connection((one.browser.visitor.host, web.port)) as line:
        line.sendall(
            "".join([f"PATCH {where} HTTP/1.1\r\n", *(f"{name}: {value}\r\n" for name, value in lines.items()), "\r\n"]).encode()
        )
        yield line


def median_ms(reader: Sender, slow: list[socket.socket] | None = None) -> float:
    """Milliseconds that a page of mail takes, while a byte comes on each slow line now and then."""
    taken = []
    for _ in range(20):
        for line in slow or []:
            with suppress(OSError):
                line.send(b"x")
        taken.append(reader.browser.get("/mailbox/INBOX").ms)
    return statistics.median(taken)


def _disk_full(ground: Ground) -> list[Finding]:
    """A disk of 40 MB, of which one is left when most of a file is still to come. Needs the right to mount one."""
    with _folder() as folder, _small_disk(folder / "transfers", 40) as mounted:
        if not mounted:
            return []
        with _place(ground, "[transfers]\nreserve_mb = 0", folder) as place:
            return [_filled(place, folder / "transfers")]


@contextmanager
def _small_disk(folder: Path, mb: int) -> Iterator[bool]:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={mb}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def _filled(place: Place, disk: Path) -> Finding:
    data, alice = os.urandom(12 * _MB), place.sender()
    where = alice.create(len(data)).headers["location"]
    first = alice.ask("PATCH", where, data[: 4 * _MB], Upload_Offset="0").status
    too_large = alice.create(60 * _MB).status
    filler = disk / "filler"
    filler.write_bytes(bytes(_free(disk) - _MB))
    full = _rest(alice, where, data)
    at = int(alice.ask("HEAD", where).headers["upload-offset"])
    stray = _used(disk) - filler.stat().st_size - at
    mail = alice.browser.get("/mailbox/INBOX").status
    filler.unlink()
    last = alice.ask("PATCH", where, data[at:], Upload_Offset=str(at)).status
    whole = _sha256(place) == hashlib.sha256(data).hexdigest()
    place.clean()
    left = _objects(disk)
    held = (
        (first, too_large, full.status, mail, last) == (204, 413, 507, 200, 204)
        and at >= 4 * _MB and stray < 100_000 and whole and not left
    )  # fmt: skip
    words = f"told so ({full.status}), {at // _MB} MB are kept and nothing else; with room again it is finished, checksum equal"
    return Finding("A disk with 1 MB left in the middle of an upload", 2, words, held)


def _rest(alice: Sender, where: str, data: bytes) -> Answer:
    """What comes after the first 4 MB, with its checksum, as our script sends it."""
    rest = data[4 * _MB :]
    told = base64.b64encode(hashlib.sha256(rest).digest()).decode()
    return alice.ask("PATCH", where, rest, Upload_Offset=str(4 * _MB), Upload_Checksum=f"sha256 {told}")


def _free(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


def _objects(folder: Path) -> list[Path]:
    """Files below it, but for what marks it as ours."""
    return [file for file in folder.rglob("*") if file.is_file() and not file.name.startswith(".")]


def _used(disk: Path) -> int:
    return sum(file.stat().st_size for file in _objects(disk))


def _sha256(place: Place) -> str:
    with place.ground.tables():
        stored = StoredContent.select().order_by(StoredContent.id.desc()).first()
        return hashlib.sha256(b"".join(content.read(stored, place.settings))).hexdigest()


def _bucket_away(ground: Ground) -> Finding:
    """A bucket whose server ends in the middle of an upload, and comes back."""
    with _folder() as base, s3_server.running(base) as server, _folder() as folder:
        bucket = server.bucket()
        values = {
            "bucket": bucket.bucket,
            "key_id": bucket.key_id,
            "secret": bucket.secret,
            "endpoint": bucket.endpoint,
            "prefix": bucket.prefix,
        }
        tables = 'storage = "s3"\n[s3]\n' + "".join(f'{name} = "{value}"\n' for name, value in values.items())
        with _place(ground, tables, folder) as place:
            data, alice = os.urandom(9 * _MB), place.sender()
            where = alice.create(len(data)).headers["location"]
            first = alice.ask("PATCH", where, data[: 4 * _MB], Upload_Offset="0").status
            server.stop()
            away = _rest(alice, where, data)
            mail = alice.browser.get("/mailbox/INBOX").status
            with ground.tables():
                last_one = StoredContent.select().order_by(StoredContent.id.desc()).first()
                ready = last_one.state != "uploading"
            server.start()
            at = int(alice.ask("HEAD", where).headers["upload-offset"])
            last = alice.ask("PATCH", where, data[at:], Upload_Offset=str(at)).status
            whole = _sha256(place) == hashlib.sha256(data).hexdigest()
            place.clean()
            left = _objects(server.folder / values["prefix"] / "transfers")
    held = (first, away.status, mail, last) == (204, 503, 200, 204) and away.ms < 15_000 and not ready and whole and not left
    words = f"told so ({away.status}) within {away.ms / 1000:.1f} s, nothing published; once it is back the upload is finished, checksum equal"
    return Finding("A bucket that goes away in the middle of an upload", 2, words, held)
