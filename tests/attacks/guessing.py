"""Guessing passwords: how many are really checked, and how long the owner waits meanwhile."""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import cycle

import pyotp
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from tests.attacks.ground import Browser, Ground, Web, networks, with_app
from tests.attacks.report import Finding
from tests.support.waiting import eventually
from webmail import system_mail
from webmail.models import LimitUse, Session, SystemMessage, TakenTurn

ALLOWED = 10  # `sign_in_attempts`
_AT_ONCE = 6  # programs that guess
_HERE, _HOME, _ELSEWHERE = "198.51.100.1", "203.0.113.5", "203.0.113.77"
_PATIENCE = 240  # seconds that the owner tries to get in


@dataclass
class Attack:
    """Programs that guess: `answers` counts the statuses they were given."""

    web: Web
    names: Sequence[str]
    networks: Sequence[str]
    tries: int
    answers: Counter[int] = field(default_factory=Counter)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def checked(self) -> int:
        return self.answers[401]

    @property
    def made(self) -> int:
        return self.answers.total()

    @contextmanager
    def running(self) -> Iterator[None]:
        """All tries are made, and then some more until the block ends: the owner comes while it goes on."""
        with ThreadPoolExecutor(_AT_ONCE) as programs:
            running = [programs.submit(self._guess, number) for number in range(_AT_ONCE)]
            try:
                yield
            finally:
                self.over.set()
                for one in running:
                    one.result()

    def _guess(self, program: int) -> None:
        browser, mine = self.web.browser(), self.tries // _AT_ONCE
        pairs = zip(cycle(self.names[program:] + self.names[:program]), cycle(self.networks[program:] + self.networks[:program]))
        for number, (name, network) in enumerate(pairs):
            if number >= mine and self.over.wait(0.5):  # on and on, slower
                return
            browser.visitor.headers["X-Forwarded-For"] = network
            self.answers[browser.sign_in(name, f"wrong {program} {number}").status] += 1


@dataclass(frozen=True, slots=True)
class Owner:
    """Seconds until the owner got in: on a browser they know, and on a new one. `told`: the minutes that the page named."""

    known: float
    new: float


def attacks(ground: Ground) -> list[Finding]:
    tries = ground.times(5000)
    with ground.web() as web:
        return [
            _one_account(ground, web, tries),
            _one_account_same_network(ground, web, tries),
            _many_addresses(ground, web, tries),
            _many_accounts(ground, web, tries),
            _patient(ground, web),
            _polite_in_a_school(ground, web),
            _second_step(ground, web),
        ]


def forged_addresses(ground: Ground) -> list[Finding]:
    """X-Forwarded-For of a browser, where no proxy is trusted, and in front of the one that is."""
    tries = ground.times(500) + 60
    found = []
    names, addresses = ground.people(tries // 2), networks(tries, 7)
    with ground.web(proxies=0) as web:
        answers = Counter(_try(web, name, address) for name, address in zip(names * 2, addresses, strict=False))
        browser = web.browser("198.51.100.99")
        owner = ground.person()
        ground.forget()
        assert browser.sign_in(owner).status == 303
        seen = _network_of(ground, owner)
    words = f"{answers[401]} were checked, those of one network; a session names {seen}, not the forged address"
    held = answers[401] <= 5 * ALLOWED and seen == "127.0.0.1"
    found.append(Finding("`proxies = 0`: a forged `X-Forwarded-For` in each of so many sign-ins", tries, words, held))
    ground.forget()
    with ground.web(proxies=1) as web:
        answers = Counter(_try(web, name, f"{address}, {_HERE}") for name, address in zip(names * 2, addresses, strict=False))
    words = f"{answers[401]} were checked: what stands before the proxy's own word counts for nothing"
    found.append(
        Finding("`proxies = 1`: forged addresses before the one that the proxy adds", tries, words, answers[401] <= 5 * ALLOWED)
    )
    ground.forget()
    return found


def _one_account(ground: Ground, web: Web, tries: int) -> Finding:
    name = ground.person()
    attack = Attack(web, [name], [_HERE], tries)
    return _told(ground, "Wrong passwords for one account, from one address", attack, name, _ELSEWHERE, ALLOWED)


def _one_account_same_network(ground: Ground, web: Web, tries: int) -> Finding:
    name = ground.person()
    attack = Attack(web, [name], [_HERE], tries)
    return _told(ground, "The same, and the owner comes from that address too, as in a school", attack, name, _HERE, ALLOWED)


def _many_addresses(ground: Ground, web: Web, tries: int) -> Finding:
    name, places = ground.person(), networks(ground.times(500))
    attack = Attack(web, [name], places, tries)
    return _told(ground, f"The same, from {len(places)} addresses", attack, name, _ELSEWHERE, ALLOWED)


def _many_accounts(ground: Ground, web: Web, tries: int) -> Finding:
    names = ground.people(ground.times(500))
    attack = Attack(web, names, [_HERE], tries)
    title = f"Spread over {len(names)} accounts, from one address, where the owner is too"
    return _told(ground, title, attack, names[len(names) // 2], _HERE, 5 * ALLOWED)


def _patient(ground: Ground, web: Web) -> Finding:
    """Programs at many addresses that keep their cookies and wait as they are told; the clock is set forward for them each time."""
    name, minutes = ground.person(recovery_address="alice@private.example"), ground.times(30)
    programs = [web.browser(address) for address in networks(ground.times(500) // 5, 11)]
    answers: Counter[int] = Counter()
    for minute in range(minutes):
        answers += Counter(program.sign_in(name, f"wrong {minute}").status for program in programs)
        for program in programs:
            _set_clock_forward(ground, program)
        with ground.tables():
            for table in (LimitUse, TakenTurn):
                for row in table.select():
                    table.update(at=row.at - timedelta(seconds=61)).where(table.id == row.id).execute()
    began, browser = time.monotonic(), web.browser(_ELSEWHERE)
    asked = browser.sign_in(name).status
    browser.post("/login/door-code", username=name)
    letter = eventually(lambda: _letter(ground), what="the letter with the code")
    code = next(line.strip() for line in letter.splitlines() if line.startswith("    "))
    inside = browser.sign_in(name, code=code).status == 303
    words = (
        f"{answers[401]} of {answers.total():,} were checked in {minutes} minutes; the owner "
        f"{'had to wait too, and ' if asked == 429 else ''}got in with a mailed code {time.monotonic() - began:.1f} s after coming"
    )
    most = ALLOWED * (1 + minutes // 15) + minutes
    title = f"Wrong passwords for one account, by programs at {len(programs)} addresses that wait as they are told (the clock set forward)"
    return Finding(title, answers.total(), words, inside and answers[401] <= most)


def _polite_in_a_school(ground: Ground, web: Web) -> Finding:
    """Behind one address: three guesses a second, 24 browsers that wait as they are told and poll, and 30 owners on new browsers.

    Never `quick`: it is seconds that are counted. With `--quick` there are a third of them.
    """
    polite, owners = (8, 10) if ground.quick else (24, 30)
    names, over, answers = ground.people(owners), threading.Event(), Counter[int]()
    for number in range(5 * ALLOWED):
        answers[web.browser(_HERE).sign_in(f"invented{number}", "wrong").status] += 1

    def guess() -> None:
        while not over.wait(1 / 3):
            answers[web.browser(_HERE).sign_in(f"invented{time.monotonic_ns()}", "wrong").status] += 1

    def wait_politely(number: int) -> None:
        browser = web.browser(_HERE)
        while not over.is_set():
            answer = browser.sign_in(f"polite{number}-{time.monotonic_ns()}", "wrong")
            answers[answer.status] += 1
            over.wait(min(int(answer.headers.get("retry-after", "1")), 10))

    def owner(name: str, began: float) -> float:
        browser = web.browser(_HERE)
        while (answer := browser.sign_in(name)).status != 303 and time.monotonic() - began < _PATIENCE:
            time.sleep(int(answer.headers.get("retry-after", "1")))
        return time.monotonic() - began

    with ThreadPoolExecutor(1 + polite + owners) as people:
        running = [people.submit(guess), *(people.submit(wait_politely, number) for number in range(polite))]
        time.sleep(20)  # they stand in line, and the first of them again
        began, checked = time.monotonic(), answers[401]
        took = [one.result() for one in [people.submit(owner, name, began) for name in names]]
        seconds, checked = time.monotonic() - began, answers[401] - checked
        over.set()
        for one in running:
            one.result()
    ground.forget()
    inside = [one for one in took if one < _PATIENCE]
    who = f"all {owners} owners were in" if len(inside) == owners else f"{len(inside)} of {owners} owners were in"
    words = (
        f"{who} within {max(inside, default=0):.0f} s, half of them within {statistics.median(took):.0f} s; meanwhile "
        f"{checked} wrong passwords were checked, {checked / seconds:.1f} a second"
    )
    title = (
        f"Behind one address, after 50 wrong passwords for invented names: 3 guesses a second and {polite} browsers that wait "
        f"politely and poll; {owners} owners come there on new browsers"
    )
    return Finding(title, answers.total(), words, max(took) < 60 and checked / seconds < 3)


def _second_step(ground: Ground, web: Web) -> Finding:
    """Who knows the password guesses codes all the time; the owner comes on a new browser."""
    name, secret = with_app(ground)
    over, answers = threading.Event(), Counter[int]()

    def guess() -> None:
        browser = web.browser(_ELSEWHERE)
        assert browser.sign_in(name).status == 303
        browser.open("/login/code")
        while not over.wait(0.2):
            answers[browser.post("/login/code", code="123456").status] += 1

    with ThreadPoolExecutor(1) as stranger:
        running = stranger.submit(guess)
        eventually(lambda: answers[429] > 5, what="the stranger's codes to be refused unseen")
        browser, began = web.browser(_HOME), time.monotonic()
        assert browser.sign_in(name).status == 303
        browser.open("/login/code")
        while (answer := browser.post("/login/code", code=pyotp.TOTP(secret).at(time.time()))).status != 303:
            told = int(answer.headers.get("retry-after", "30"))
            if (took := time.monotonic() - began) + told > _PATIENCE:
                break
            time.sleep(told)
        took, inside = time.monotonic() - began, answer.status == 303
        over.set()
        running.result()
    ground.forget()
    words = f"{answers[401]} of {answers.total()} were looked at; " + (
        f"the owner was in after {took:.0f} s"
        if inside
        else f"the owner was not in after {_PATIENCE} s, and told {told // 60} minutes"
    )
    title = "Codes of an app guessed all the time by who knows the password; the owner comes on a new browser"
    return Finding(title, answers.total(), words, inside and took < _PATIENCE and answers[401] <= ALLOWED + 3)


def _letter(ground: Ground) -> str:
    """The text of the mail with a code that was queued last, "" if there is none yet."""
    secret = ground.settings.secret_key
    with ground.tables():
        row = SystemMessage.select().where(SystemMessage.kind == "door-code").order_by(SystemMessage.id.desc()).first()
        return system_mail.text_of(row, secret) if row else ""


def _told(ground: Ground, title: str, attack: Attack, name: str, place: str, ordinary: int) -> Finding:
    known, before, began = _known_browser(attack.web, name), attack.web.cpu(), time.monotonic()
    with attack.running():
        while attack.made < attack.tries // 2:
            time.sleep(0.05)
        at_once = _seconds(known, name)
        new = _new_browser(ground, attack.web, name, place)
    cpu, seconds = attack.web.cpu() - before, time.monotonic() - began
    ground.forget()
    turns = int(seconds // 60) + 1  # a program that happens to have waited
    waited = f"{new:.0f} s" if not ground.quick else f"{new:.1f} s after the minute it was told to wait (the clock set forward)"
    words = (
        f"{attack.checked} of {attack.made:,} were checked; the owner got in on a known browser in {at_once:.1f} s, "
        f"on a new one in {waited}, while it went on; {cpu:.0f} s of processor time"
    )
    return Finding(title, attack.made, words, attack.checked <= ordinary + turns and at_once < 10 and new < _PATIENCE)


def _known_browser(web: Web, name: str) -> Browser:
    """A browser on which the owner has signed in before."""
    browser = web.browser(_HOME)
    assert browser.sign_in(name).status == 303
    browser.sign_out()
    browser.open()
    return browser


def _seconds(browser: Browser, name: str) -> float:
    began = time.monotonic()
    while browser.sign_in(name).status != 303:
        if time.monotonic() - began > _PATIENCE:
            break
        time.sleep(1)
    return time.monotonic() - began


def _new_browser(ground: Ground, web: Web, name: str, place: str) -> float:
    """Seconds until the owner is in who does as the page says: they wait as long as it tells, and try again."""
    browser, began = web.browser(place), time.monotonic()
    while True:
        answer = browser.sign_in(name)
        if answer.status == 303 or time.monotonic() - began > _PATIENCE:
            return time.monotonic() - began
        if ground.quick:
            _set_clock_forward(ground, browser)
        else:
            time.sleep(int(answer.headers.get("retry-after", "1")))


def _set_clock_forward(ground: Ground, browser: Browser) -> None:
    """As if this browser had waited for a minute: its place is in a cookie that is signed with the secret."""
    app = Flask("clock")
    app.secret_key = ground.settings.secret_key
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    data = signer.loads(browser.visitor.cookies["traboule-visitor"])
    if "waiting" not in data:  # the last password was checked
        return
    since, *rest = data["waiting"]
    browser.visitor.cookies["traboule-visitor"] = str(signer.dumps({**data, "waiting": [since - 61, *rest]}))


def _try(web: Web, name: str, address: str) -> int:
    return web.browser(address).sign_in(name, "wrong").status


def _network_of(ground: Ground, name: str) -> str:
    with ground.tables():
        return str(next(row.network for row in Session.select() if row.user.address == name))
