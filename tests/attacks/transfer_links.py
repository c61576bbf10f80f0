"""Links of large files: what is given out once, asked for by many; robots; passwords and codes that are guessed; forged grants."""

from __future__ import annotations

import base64
import html
import os
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import IncompleteRead
from typing import Any

from tests.attacks.ground import PASSWORD, Ground, Web
from tests.attacks.report import Finding
from tests.bench.visitor import Answer
from tests.support.transfer_ground import published
from webmail.auth.passwords import hashing
from webmail.models import Transfer, TransferFetch, TransferRecipient, User
from webmail.transfers import store
from webmail.transfers.options import TransferOptions
from webmail.transfers.public import download_codes

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_BOB = [("Bob", "bob@other.example")]


def attacks(ground: Ground) -> list[Finding]:
    with ground.web() as web:
        return [
            _once(ground, web),
            _robots(ground, web),
            _passwords(ground, web),
            _codes(ground, web),
            _forged(ground, web),
            _passed_on(ground, web),
        ]


def _sent(ground: Ground, **how: Any) -> tuple[Transfer, str]:
    """A transfer of three MB, and the link of the one it was sent to; within `ground.tables`."""
    owner = User.get(User.address == ground.person())
    transfer = published(owner, {"a.bin": os.urandom(3_000_000)}, ground.settings, recipients=_BOB, **how)
    return transfer, f"/t/{store.recipient_token(_recipient(transfer), ground.settings)}"


def _recipient(transfer: Transfer) -> TransferRecipient:
    return TransferRecipient.get(TransferRecipient.transfer == transfer)


def _post(web: Web, link: str, form: str, network: int = 1) -> Answer:
    return web.browser(f"203.0.{network}.7").send("POST", link, form.encode(), _FORM)


def _once(ground: Ground, web: Web) -> Finding:
    """All press the button before any of them downloads."""
    count = 12
    with ground.tables():
        _transfer, link = _sent(ground, options=TransferOptions(once=True))
    tickets = [_post(web, link, "action=all", number).headers["location"] for number in range(count)]

    def fetch(number: int) -> bool:
        try:
            answer = web.browser(f"203.0.{number}.7").get(tickets[number])
        except IncompleteRead:
            return False
        return answer.status == 200 and len(answer.body) == 3_000_000

    with ThreadPoolExecutor(count) as many:
        whole = sum(many.map(fetch, range(count)))
    return Finding("What is given out once, asked for by twelve at the same time", count, f"{whole} has it whole", whole == 1)


def _robots(ground: Ground, web: Web) -> Finding:
    """Every address that stands on the page, by HEAD, GET and in parts."""
    with ground.tables():
        transfer, link = _sent(ground)
    robot, statuses = web.browser("198.51.100.20"), Counter[int]()
    found = re.findall(r'(?:href|src|action)="(/[^"#]+)', robot.get(link).text)
    for address in map(html.unescape, dict.fromkeys(found)):
        for method, headers in (("HEAD", {}), ("GET", {}), ("GET", {"Range": "bytes=0-"})):
            statuses[robot.send(method, address, b"", headers).status] += 1
    with ground.tables():
        counted = TransferFetch.select().where(TransferFetch.transfer == transfer).count()
        counted += sum(file.downloads for file in store.files(transfer))
    words = "none of it counts as downloaded, or uses anything up"
    return Finding(
        "Programs that ask for every address of a link’s page", statuses.total(), words, not counted and max(statuses) < 500
    )


def _passwords(ground: Ground, web: Web) -> Finding:
    """From one network one after the other, from another all at once; the right one afterwards, from a third."""
    with ground.tables():
        transfer, link = _sent(ground)
        Transfer.update(password=hashing.hash_password(PASSWORD)).where(Transfer.id == transfer.id).execute()
    statuses = Counter(_post(web, link, f"action=password&password={number}").status for number in range(30))
    with ThreadPoolExecutor(12) as many:
        statuses += Counter(many.map(lambda number: _post(web, link, f"action=password&password={number}", 2).status, range(60)))
    right = _post(web, link, f"action=password&password={PASSWORD.replace(' ', '+')}", 3).status
    held = set(statuses) <= {422, 429, 503} and statuses[422] <= 40 and right == 303
    words = f"{statuses[422]} are looked at, the others are told to wait; the right one works elsewhere"
    return Finding("Passwords of a link guessed, from two networks", statuses.total(), words, held)


def _codes(ground: Ground, web: Web) -> Finding:
    """From forty networks at once, where the link itself is known; then the right one."""
    with ground.tables():
        transfer, link = _sent(ground, options=TransferOptions(mail_code=True))
        code = int(download_codes.new_code(_recipient(transfer), ground.settings))
    wrong = [f"action=code&code={(code + 1 + number) % 1_000_000:06}" for number in range(40)]
    with ThreadPoolExecutor(12) as many:
        statuses = Counter(many.map(lambda number: _post(web, link, wrong[number], number).status, range(len(wrong))))
    late = _post(web, link, f"action=code&code={code:06}", 50).status
    held = set(statuses) == {422} and late == 422
    return Finding(
        "Codes by mail guessed from forty networks at once", 41, "used up after five: the right one opens nothing then", held
    )


def _passed_on(ground: Ground, web: Web) -> Finding:
    """Addresses that stay in the history of a browser which took the cookie, and that somebody passes on; by somebody else."""
    with ground.tables():
        transfer, link = _sent(ground)
        Transfer.update(password=hashing.hash_password(PASSWORD)).where(Transfer.id == transfer.id).execute()
    owner, stranger = web.browser("203.0.113.40"), web.browser("203.0.113.41")
    answer = owner.send("POST", link, f"action=password&password={PASSWORD.replace(' ', '+')}".encode(), _FORM)
    shown = owner.get(answer.headers["location"]).headers.get("location", answer.headers["location"])
    ticket = owner.send("POST", shown, b"action=all", _FORM).headers["location"]
    own = [owner.get(one).status for one in (shown, ticket)]
    theirs = stranger.get(shown).text, stranger.get(ticket).status
    held = own == [200, 200] and 'name="password"' in theirs[0] and theirs[1] == 403
    words = (
        f"the page asks for the password again, the download is answered {theirs[1]}"
        if held
        else "they open the files, for hours"
    )
    return Finding("Addresses from the history of who typed a link's password, opened by somebody else", 2, words, held)


def _forged(ground: Ground, web: Web) -> Finding:
    """What a password granted: in another link, and with each byte changed."""
    with ground.tables():
        [(first, link), (second, other)] = [_sent(ground), _sent(ground)]
        hashed = hashing.hash_password(PASSWORD)
        Transfer.update(password=hashed).where(Transfer.id << [first.id, second.id]).execute()
        [[mine], [theirs]] = [store.files(one) for one in (first, second)]
    granted = _post(web, link, f"action=password&password={PASSWORD.replace(' ', '+')}").headers["location"]
    grant = granted.partition("~")[2].partition("?")[0]
    raw, robot = base64.urlsafe_b64decode(grant), web.browser("198.51.100.21")
    changed = [raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :] for at in range(len(raw))]
    tried = [f"{link}~{base64.urlsafe_b64encode(one).decode()}/{mine.upload}/a" for one in changed]
    tried += [
        f"{other}~{grant}/{theirs.upload}/a",
        f"{link}~{grant}/{theirs.upload}/a",
        f"{link}/{mine.upload}/a",
        f"{link}/all.zip",
    ]
    statuses = Counter(robot.get(one).status for one in tried)
    right = robot.get(f"{link}~{grant}/{mine.upload}/a").status
    held = set(statuses) <= {403, 404} and right == 200
    return Finding("Grants of a link changed, or used for another", len(tried), "none opens anything", held)
