"""Codes of the second step: guessed, said again after they were used, and said in two processes at once."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pyotp

from tests.attacks.ground import Browser, Ground, Web
from tests.attacks.report import Finding
from webmail.auth.factors import authenticator, mailed_codes, recovery_codes, second_step
from webmail.auth.factors.mailed_codes import CodePurpose, CodeRefusedError
from webmail.config.settings import Settings
from webmail.models import User

_AT_ONCE = 4  # programs at each of two processes
_STEP = 30  # seconds
_NO_LIMIT = 1_000_000


def attacks(ground: Ground) -> list[Finding]:
    with ground.web() as one, ground.web() as other:
        found = [_guesses(ground, [one, other])]
    # what is refused by the throttle says nothing of what stands behind it: without one
    with ground.web(sign_in_attempts=_NO_LIMIT) as one, ground.web(sign_in_attempts=_NO_LIMIT) as other:
        found += [
            _replays(ground, [one, other]),
            _at_once(ground, [one, other], "A right code of an app", lambda _codes, secret: _now(secret)),
            _at_once(ground, [one, other], "A recovery code", lambda codes, _secret: codes[0]),
        ]
    return [*found, _mailed(ground), _at_the_door(ground)]


def _guesses(ground: Ground, webs: Sequence[Web]) -> Finding:
    """By somebody who knows the password."""
    name, secret, _codes = _with_app(ground)
    owner = webs[0].browser("203.0.113.5")
    assert _second_step(owner, name, _now(secret, -1)) == 303
    owner.sign_out()
    tries = ground.times(5000)
    # all of them before the first guess: after ten the door is closed to those who come later
    browsers = [_at_second_step(web.browser("198.51.100.1"), name) for web in webs for _ in range(_AT_ONCE)]
    with ThreadPoolExecutor(len(browsers)) as programs:
        answers = sum(programs.map(lambda one: _guess(one, tries // len(browsers)), browsers), Counter[int]())
    began = time.monotonic()
    at_once = _second_step(owner, name, _now(secret)) == 303
    seconds = time.monotonic() - began
    words = f"{answers[401]} were looked at, none was let in; meanwhile the owner's code was taken on a known browser in {seconds:.1f} s"
    held = answers[401] <= 10 and not answers[303] and at_once
    return Finding("Guessed codes of an app, in two processes, by one who knows the password", answers.total(), words, held)


def _guess(browser: Browser, tries: int) -> Counter[int]:
    answers = Counter[int]()
    for _ in range(tries):
        answers[browser.post("/login/code", code=f"{secrets.randbelow(10**6):06}").status] += 1
    return answers


def _replays(ground: Ground, webs: Sequence[Web]) -> Finding:
    """By somebody who has seen the owner type it."""
    name, secret, _codes = _with_app(ground)
    code = _now(secret)
    first = _second_step(webs[0].browser(), name, code)
    tries = ground.times(5000)

    def say(web: Web) -> Counter[int]:
        browser = _at_second_step(web.browser(), name)
        return Counter(browser.post("/login/code", code=code).status for _ in range(tries // (2 * _AT_ONCE)))

    with ThreadPoolExecutor(2 * _AT_ONCE) as programs:
        answers = sum(programs.map(say, [web for web in webs for _ in range(_AT_ONCE)]), Counter[int]())
    others = "".join(f", {count} times answered {status}" for status, count in answers.items() if status not in (303, 401))
    words = f"taken once, from its owner; {answers[401]:,} times refused{others}"
    held = first == 303 and not answers[303]
    return Finding("A right code said again, in two processes, without any throttle", answers.total(), words, held)


def _at_once(ground: Ground, webs: Sequence[Web], title: str, code_of: Callable[[list[str], str], str]) -> Finding:
    """Several say the same code at the same instant, in both processes."""
    taken: Counter[int] = Counter()
    rounds = 2 if ground.quick else 12
    for _ in range(rounds):
        name, secret, codes = _with_app(ground)
        browsers = [_at_second_step(web.browser(), name) for web in webs for _ in range(_AT_ONCE)]
        together, code = threading.Barrier(len(browsers)), code_of(codes, secret)

        def say(browser: Browser, together: threading.Barrier = together, code: str = code) -> int:
            together.wait()
            return browser.post("/login/code", code=code).status

        with ThreadPoolExecutor(len(browsers)) as people:
            taken[list(people.map(say, browsers)).count(303)] += 1
    words = f"{rounds} times by {2 * _AT_ONCE} together: each time {', '.join(map(str, taken))} got in"
    return Finding(f"{title}, said in two processes at the same instant", rounds * 2 * _AT_ONCE, words, set(taken) == {1})


def _mailed(ground: Ground) -> Finding:
    """The code that was mailed is guessed; then the right one is said."""
    name, tries, sent = ground.person(recovery_address="alice@private.example"), ground.times(5000), []

    def letter(code: str) -> tuple[str, str]:
        sent.append(code)
        return "Code", code

    def say(user: User, code: str, settings: Settings) -> bool:
        try:
            mailed_codes.accept(user, CodePurpose.SECOND_STEP, code, settings)
        except CodeRefusedError:
            return False
        return True

    settings = ground.settings
    with ground.tables():
        user = User.get(User.address == name)
        mailed_codes.send(user, CodePurpose.SECOND_STEP, user.recovery_address, settings, letter)
        right = sent[0]
        wrong = (f"{number:06}" for number in range(10**6) if f"{number:06}" != right)
        guessed = sum(say(user, code, settings) for _number, code in zip(range(tries), wrong, strict=False))
        after = say(user, right, settings)
    words = f"{mailed_codes.TRIES} were looked at; after them the right one is worth nothing either"
    return Finding("Guessed mailed codes", tries, words, not guessed and not after)


def _at_the_door(ground: Ground) -> Finding:
    """The code that spares the wait is guessed, while there are no other tries."""
    name, tries = ground.person(recovery_address="alice@private.example"), ground.times(5000)
    with ground.web() as web:
        browser = web.browser()
        for _ in range(10):
            browser.sign_in(name, "wrong")
        answers = Counter(browser.sign_in(name, code=secrets.token_hex(5)).status for _ in range(tries))
    words = f"{answers[429]:,} times told to wait; none of the passwords was looked at"
    return Finding("Guessed codes that spare the wait at the door", tries, words, set(answers) == {429})


def _with_app(ground: Ground) -> tuple[str, str, list[str]]:
    """A new person with an app: their address, its secret, and their recovery codes."""
    name, secret, settings = ground.person(), authenticator.new_secret(), ground.settings
    with ground.tables():
        user = User.get(User.address == name)
        with second_step.changing(user):
            authenticator.add(user, "App", secret, 0, settings)
            codes = recovery_codes.make(user, settings)
    ground.forget()
    return name, secret, codes


def _at_second_step(browser: Browser, name: str) -> Browser:
    assert browser.sign_in(name).status == 303
    browser.open("/login/code")
    return browser


def _second_step(browser: Browser, name: str, code: str) -> int:
    return _at_second_step(browser, name).post("/login/code", code=code).status


def _now(secret: str, steps: int = 0) -> str:
    """The code of this moment, or of so many steps later."""
    return pyotp.TOTP(secret).at(time.time() + steps * _STEP)
