"""Large files as links: names that lead elsewhere, other people's uploads, headers that lie, links that are guessed, what copies tell.

After each attack on what is stored the disk is what it was, and nothing stands anywhere but where transfers do. What takes a disk or a
bucket of its own is in `transfer_storms.py`, guessing and racing at public links in `transfer_links.py`.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import sqlite3
import string
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from tests.attacks import transfer_links, transfer_storms
from tests.attacks.ground import Browser, Ground, Web
from tests.attacks.report import Finding
from tests.bench.visitor import Answer
from tests.support.transfer_ground import published
from webmail.config.settings import Settings
from webmail.errors import MailError
from webmail.models import ContentPiece, StoredContent, TransferFile, User
from webmail.transfers import content, links, store

BYTES = {"Content-Type": "application/offset+octet-stream"}
_TUS = {"Tus-Resumable": "1.0.0"}
_PATHS = [
    "../../../../etc/passwd", "..\\..\\..\\windows\\system32\\evil.dll", "/etc/cron.d/evil", "C:\\evil.bat", "\\\\host\\share\\evil",
    "....//....//evil", "..%2f..%2fevil", "%2e%2e/evil", "..%c0%afevil", "a/../../evil", "./.././evil", "..", ".", "", "/", "\\",
    "evil\x00.txt", "evil\r\nSet-Cookie: a=b", "con", "aux.txt", "evil. . ", "\u202egpj.evil", "x" * 900, "/".join(["d"] * 300),
]  # fmt: skip
_NUMBERS = [
    "-1", "-0", "+5", "NaN", "nan", "Infinity", "1e3", "0x10", "1.0", " ", "", "१२", "1,000", "1 2", "9" * 16, "9" * 400,
    str(2**63), str(2**64), "null", "5;6",
]  # fmt: skip
_METADATA = [
    "filename", "filename !!!", "filename " + base64.b64encode(b"\xff\xfe").decode(), "é " + base64.b64encode(b"a").decode(),
    "filename YQ==,filename Yg==", ",".join(f"key{number} YQ==" for number in range(600)), "x" * 5000, ", ,", "filename YQ== YQ==",
]  # fmt: skip


@dataclass
class Sender:
    """Somebody who is signed in, and their programs."""

    name: str
    browser: Browser
    token: str

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        sent = {"X-CSRFToken": self.token, **_TUS, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if method == "PATCH":
            sent = BYTES | sent
        return self.browser.send(method, path, body, sent)

    def create(self, size: int | str, path: str = "a.bin", of: str = "") -> Answer:
        named = base64.b64encode(path.encode("utf-8", "surrogatepass")).decode()
        return self.ask("POST", f"/transfers/uploads{of}", Upload_Length=str(size), Upload_Metadata=f"filename {named}".strip())

    def upload(self, data: bytes, path: str = "a.bin", of: str = "") -> tuple[str, str]:
        """A whole file; its address, and the number of its transfer."""
        made = self.create(len(data), path, of)
        assert made.status == 201, (made.status, made.text)
        done = self.ask("PATCH", made.headers["location"], data, Upload_Offset="0")
        assert done.status == 204, (done.status, done.text)
        return made.headers["location"], made.headers["x-traboule-transfer"]


def attacks(ground: Ground) -> list[Finding]:
    with ground.web() as web:
        found = [
            _paths(ground, web), _others(ground, web), _without_token(ground, web), _numbers(ground, web), _metadata(ground, web),
            _guessed(ground, web), _from_the_database(ground, web), _copies(ground),
        ]  # fmt: skip
    return [*found, *transfer_links.attacks(ground), *transfer_storms.attacks(ground)]


def sender(ground: Ground, web: Web) -> Sender:
    name, browser = ground.person(), web.browser()
    assert browser.sign_in(name).status == 303
    browser.open("/account/password")
    return Sender(name, browser, browser.form["csrf_token"])


def _files(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}


# --- names, identifiers, headers -------------------------------------------------------------------------------------


def _paths(ground: Ground, web: Web) -> Finding:
    """Each is uploaded, looked for on the disk, and taken away again."""
    alice, base = sender(ground, web), Path(ground.services.base)
    before, kept, statuses = _files(base), Path(ground.settings.transfers_folder), Counter[int]()
    of, wrong = "", []
    for path in _PATHS:
        made = alice.create(4, path, of)
        statuses[made.status] += 1
        if made.status != 201:
            continue
        of = of or f"?of={made.headers['x-traboule-transfer']}"
        alice.ask("PATCH", made.headers["location"], b"evil", Upload_Offset="0")
        with ground.tables():
            row = TransferFile.select().order_by(TransferFile.id.desc()).first()
        parts = row.path.split("/")
        if {"", ".", ".."} & set(parts) or "\\" in row.path or any(ord(sign) < 32 for sign in row.path) or len(row.path) > 400:
            wrong.append(row.path)
    fresh = _files(base) - before
    elsewhere = [name for name in fresh if "evil" in name and not (base / name).is_relative_to(kept)]
    hexed = all(set(Path(name).name) <= set(string.hexdigits + "-") for name in fresh if (base / name).parent.parent == kept)
    held = not wrong and not elsewhere and hexed and max(statuses) < 500
    words = "none stands outside the folder of transfers, where every name is ours; those that people see lead nowhere"
    return Finding("Names of files that lead elsewhere", len(_PATHS), words, held)


def _others(ground: Ground, web: Web) -> Finding:
    """Uploads and transfers of somebody else, each with every method; and identifiers that are nobody's."""
    alice, eve = sender(ground, web), sender(ground, web)
    where, number = alice.upload(b"private")
    open_one = alice.create(100, "b.bin", f"?of={number}").headers["location"]
    statuses, tried = Counter[int](), 0
    nobodys = [f"/transfers/uploads/{secrets.token_hex(16)}" for _ in range(ground.times(100))]
    for address in [where, open_one, *nobodys]:
        for method, headers in (("HEAD", {}), ("PATCH", {"Upload_Offset": "0"}), ("DELETE", {})):
            statuses[eve.ask(method, address, b"evil" if method == "PATCH" else b"", **headers).status] += 1
            tried += 1
    for of in (number, "0", "-1", "9" * 30, "1 OR 1=1", "../1"):
        statuses[eve.create(4, of=f"?of={of.replace(' ', '%20')}").status] += 1
        statuses[eve.browser.get(f"/transfers/{of.replace(' ', '%20')}").status] += 1
        tried += 2
    with ground.tables():
        files = [file.content.received for file in TransferFile.select().where(TransferFile.transfer == int(number))]
    held = set(statuses) == {404} and sorted(files) == [0, 7]
    return Finding("Somebody else’s uploads and transfers, and identifiers at random", tried, "all alike: not found", held)


def _without_token(ground: Ground, web: Web) -> Finding:
    """As another site would ask, and as a visitor."""
    alice = sender(ground, web)
    where, _number = alice.upload(b"mine")
    forged, visitor = replace(alice, token="x" * 40), Sender("", web.browser(), "")
    statuses = Counter[int]()
    for who in (forged, replace(alice, token=""), visitor):
        statuses[who.create(4).status] += 1
        statuses[who.ask("PATCH", where, b"evil", Upload_Offset="0").status] += 1
        statuses[who.ask("DELETE", where).status] += 1
    for method in ("DELETE", "PATCH"):  # HEAD needs no token: it must not be another method in disguise
        statuses[
            alice.browser.send("HEAD", where, b"", _TUS | {"X-HTTP-Method-Override": method, "Upload-Offset": "0"}).status
        ] += 1
    there = alice.ask("HEAD", where).status == 200
    return Finding(
        "Uploads in somebody’s name by another site, or by nobody",
        statuses.total(),
        "all refused",
        max(statuses) < 500 and min(statuses.keys() - {200}) >= 302 and statuses[200] == 2 and there,
    )


def _numbers(ground: Ground, web: Web) -> Finding:
    """Lengths and offsets that are none."""
    alice = sender(ground, web)
    where = alice.create(10).headers["location"]
    statuses = Counter(alice.create(one).status for one in map(_header, _NUMBERS))
    statuses += Counter(alice.ask("PATCH", where, b"12345", Upload_Offset=_header(one)).status for one in _NUMBERS)
    for one in ("11", "9999999", "1"):
        statuses[alice.ask("PATCH", where, b"12345", Upload_Offset=one).status] += 1
    statuses[alice.ask("PATCH", where, b"x" * 11, Upload_Offset="0").status] += 1
    with ground.tables():
        received = StoredContent.select().order_by(StoredContent.id.desc()).first().received
        pieces = ContentPiece.select().order_by(ContentPiece.id.desc()).first()
    held = set(statuses) <= {400, 409, 411, 413, 431} and received <= 10 and (pieces is None or pieces.size <= 10)
    words = f"refused ({', '.join(map(str, sorted(statuses)))}); no byte stands where it does not belong"
    return Finding("Lengths and offsets that are negative, huge, no numbers, or another’s", statuses.total(), words, held)


def _header(text: str) -> str:
    """As bytes of UTF-8 go through a header."""
    return text.encode().decode("latin-1")


def _metadata(ground: Ground, web: Web) -> Finding:
    alice, statuses = sender(ground, web), Counter[int]()
    with ground.tables():
        before = TransferFile.select().count()
    for one in _METADATA:
        statuses[alice.ask("POST", "/transfers/uploads", Upload_Length="4", Upload_Metadata=_header(one)).status] += 1
    statuses[alice.ask("POST", "/transfers/uploads", Upload_Length="4", Upload_Concat="partial").status] += 1
    statuses[alice.ask("POST", "/transfers/uploads", Upload_Defer_Length="1").status] += 1
    with ground.tables():
        kept = TransferFile.select().count() - before
    held = max(statuses) < 500 and kept == statuses[201] and statuses[201] <= 2
    words = f"answered {', '.join(map(str, sorted(statuses)))}; what can’t be read makes no file"
    return Finding("Metadata that is no Base64, doubled, without end", statuses.total(), words, held)


# --- links and copies ------------------------------------------------------------------------------------------------


def _guessed(ground: Ground, web: Web) -> Finding:
    """At random, and all that differ from a real one in one letter."""
    with ground.tables():
        transfer = published(User.get(User.address == ground.person()), {"a.txt": b"private"}, ground.settings)
        real = store.link_token(transfer, ground.settings)
    letters = string.ascii_letters + string.digits + "-_"
    near = [real[:at] + one + real[at + 1 :] for at in range(len(real)) for one in letters if one != real[at]]
    guesses = [
        *near[:: 10 if ground.quick else 1],
        *(links.token(links.LinkKind.TRANSFER, links.new_nonce(), "x") for _ in range(ground.times(500))),
    ]
    browser, opened, waits = web.browser("198.51.100.7"), 0, 0
    for guess in guesses:
        status = browser.get(f"/t/{guess}").status
        opened += status == 200
        waits += status == 429
    other = web.browser("203.0.113.9").get(f"/t/{real}").status
    mine = browser.get(f"/t/{real}").status
    held = not opened and waits > len(guesses) // 2 and other == mine == 200
    words = f"none opens anything; {waits:,} were told to wait, and the real link still works there"
    return Finding("Links guessed: at random, and the real one but for a letter", len(guesses), words, held)


def _from_the_database(ground: Ground, web: Web) -> Finding:
    """Everything that stands in the rows of transfers, as a link."""
    with ground.tables():
        user = User.get(User.address == ground.person())
        transfer = published(user, {"a.txt": b"private"}, ground.settings, recipients=[("Bob", "bob@other.example")])
        rows = [transfer, *store.files(transfer), *transfer.recipients]
        values = {str(value) for row in rows for value in row.__data__.values() if value}
    tried = sorted({one for value in values for one in _as_links(value)})
    opened = 0
    for number, one in enumerate(tried):
        opened += web.browser(f"198.51.{number % 250}.1").get(f"/t/{one}").status == 200
    words = "none opens anything: links are drawn with the secret, which is not there"
    return Finding("What the database says of a transfer, as its link", len(tried), words, not opened)


def _as_links(value: str) -> Iterator[str]:
    raw = value.encode()
    for one in (raw, bytes.fromhex(value) if len(value) % 2 == 0 and set(value) <= set(string.hexdigits) else raw):
        packed = base64.urlsafe_b64encode(one).decode()
        yield from (packed[:27], base64.urlsafe_b64encode(hashlib.sha256(one).digest()).decode()[:27])
    if value.isalnum():
        yield value[:60]


def _copies(ground: Ground) -> Finding:
    """What is stored, opened with what each thief has."""
    ours = ground.settings
    secret = b"Bulletin of Zoe Martin" * 100
    key = secrets.token_bytes(32)
    with ground.tables():
        user = User.get(User.address == ground.person())
        [sealed] = store.files(published(user, {"a.txt": secret}, ours))
        [linked] = store.files(published(user, {"b.txt": secret + b"."}, ours, link_key=key))
        thieves = [
            (sealed, replace(ours, secret_key="guessed"), None), (linked, ours, None), (linked, ours, secrets.token_bytes(32)),
            (linked, replace(ours, secret_key="guessed"), key),
        ]  # fmt: skip
        opened = sum(_opens(*thief) for thief in thieves)
        right = _opens(sealed, ours, None) and _opens(linked, ours, key)
    kept = Path(ours.transfers_folder)
    plain = sum(secret[:22] in one.read_bytes() for one in kept.rglob("*") if one.is_file())
    with closing(sqlite3.connect(ground.database)) as database:
        rows = [
            value
            for table in ("transfers", "stored_contents", "transfer_files")
            for row in database.execute(f"SELECT * FROM {table}")
            for value in row
        ]
    told = sum(isinstance(value, bytes) and (key in value or secret[:22] in value) for value in rows)
    words = "the disk alone, the database with it, all but the link where only that holds the key, the link alone: none opens"
    return Finding("Files opened from stolen copies", len(thieves), words, right and not opened and not plain and not told)


def _opens(file: TransferFile, settings: Settings, key: bytes | None) -> bool:
    try:
        return bool(b"".join(content.read(file.content, settings, link_key=key)))
    except MailError:
        return False
