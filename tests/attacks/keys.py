"""Security keys: a key in software answers as no honest browser would (WebAuthn section 7.2). tests/browser has Chromium's own."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bs4 import BeautifulSoup
from cryptography.hazmat.primitives.asymmetric import ec

from tests.attacks.ground import Browser, Ground, Web
from tests.attacks.report import Finding
from tests.support.webauthn_key import WebauthnKey, encoded
from webmail.auth.factors import security_keys
from webmail.auth.factors.challenges import ChallengeSubject, Purpose
from webmail.models import User

_NO_LIMIT = 1_000_000


@dataclass
class Key:
    """A person's key, and the site that it was registered at."""

    name: str
    key: WebauthnKey
    site: security_keys.Site

    def answer(self, options: dict[str, Any], **changes: Any) -> str:
        right = {"origin": self.site.origin, "rp_id": self.site.rp_id}
        return self.key.get(options, **{**right, **changes})


def attacks(ground: Ground) -> list[Finding]:
    tries = ground.times(20)
    with ground.web(sign_in_attempts=_NO_LIMIT) as web:
        mine, others = _registered(ground), _registered(ground)
        assert _sent(*_asked(web, mine.name), mine.answer) == 303, "the right answer is taken"
        found = [_lies(web, mine, title, lie, tries) for title, lie in _LIES.items()]
        found += [
            _another_session(web, mine, tries),
            _said_again(web, mine, tries),
            _another_person(web, mine, others, tries),
            _copied(web, mine, tries),
        ]
        assert _sent(*_asked(web, mine.name), mine.answer) == 303, "the right answer is taken after all this"
    return found


_LIES: dict[str, Callable[[], dict[str, Any]]] = {
    "asked by a page of another site": lambda: {"origin": "https://evil.example"},
    "asked by a site whose name begins like ours": lambda: {"origin": "http://localhost.evil.example"},
    "asked over another port of the same machine": lambda: {"origin": "http://localhost:1"},
    "of a key for another site (rpId)": lambda: {"rp_id": "evil.example"},
    "to a challenge of one's own": lambda: {"challenge": encoded(secrets.token_bytes(64))},
    "to no challenge": lambda: {"challenge": ""},
    "of a credential that is not registered": lambda: {"identifier": secrets.token_bytes(32)},
    "signed by another key": lambda: {"signer": ec.generate_private_key(ec.SECP256R1())},
    "without a touch": lambda: {"present": False},
    "asked from within a page of another site": lambda: {"cross_origin": True},
    "made for a registration": lambda: {"kind": "webauthn.create"},
}


def _lies(web: Web, mine: Key, title: str, lie: Callable[[], dict[str, Any]], tries: int) -> Finding:
    browser, options = _asked(web, mine.name)
    statuses = []
    for _ in range(tries):
        told = lie()
        statuses.append(_sent(browser, options, lambda asked, told=told: mine.answer(asked, **told)))  # type: ignore[misc]
    return _refused(f"An answer {title}", statuses)


def _another_session(web: Web, mine: Key, tries: int) -> Finding:
    """What the owner's browser was asked is answered in the attacker's, who knows the password too."""
    _browser, of_owner = _asked(web, mine.name)
    attacker, _options = _asked(web, mine.name)
    return _refused(
        "An answer to the challenge of another session", [_sent(attacker, of_owner, mine.answer) for _ in range(tries)]
    )


def _said_again(web: Web, mine: Key, tries: int) -> Finding:
    browser, options = _asked(web, mine.name)
    said = mine.answer(options)
    first = _sent(browser, options, lambda _asked: said)
    browser.visitor.cookies.clear()
    attacker, _options = _asked(web, mine.name)
    return _refused(
        "A right answer said again", [_sent(attacker, options, lambda _asked: said) for _ in range(tries)], first == 303
    )


def _another_person(web: Web, mine: Key, others: Key, tries: int) -> Finding:
    browser, options = _asked(web, mine.name)
    return _refused("The right answer of another person's key", [_sent(browser, options, others.answer) for _ in range(tries)])


def _copied(web: Web, mine: Key, tries: int) -> Finding:
    """A copy of the key counts from where it was copied."""
    assert _sent(*_asked(web, mine.name), mine.answer) == 303
    old = mine.key.count
    statuses = []
    for number in range(tries):
        browser, options = _asked(web, mine.name)
        count = old - number % old
        statuses.append(_sent(browser, options, lambda asked, count=count: mine.answer(asked, count=count)))  # type: ignore[misc]
    return _refused("An answer of a copy, whose counter stands where it was or lower", statuses)


def _refused(title: str, statuses: list[int], control: bool = True) -> Finding:
    return Finding(title, len(statuses), f"refused {statuses.count(401)} times", control and set(statuses) == {401})


def _registered(ground: Ground) -> Key:
    """A new person with a key. The site is that of `public_url`, wherever the page is."""
    name, settings = ground.person(), ground.settings
    site = security_keys.site(settings)
    assert site is not None
    key = WebauthnKey()
    with ground.tables():
        user = User.get(User.address == name)
        asked = ChallengeSubject(Purpose.ADD, "a session", user.id)
        options = security_keys.registration_options(user, site, asked, settings)
        answer = key.create(options, origin=site.origin, rp_id=site.rp_id)
        security_keys.register(answer, "Key", user, site, asked, settings)
    return Key(name, key, site)


def _asked(web: Web, name: str) -> tuple[Browser, dict[str, Any]]:
    """A browser at the second step, and what its page asks the key."""
    browser = web.browser()
    assert browser.sign_in(name).status == 303
    page = browser.open("/login/code")
    [tag] = BeautifulSoup(page.text, "html.parser").select("[data-key]")
    return browser, json.loads(str(tag["data-options"]))


def _sent(browser: Browser, options: dict[str, Any], answer: Callable[[dict[str, Any]], str]) -> int:
    return browser.post("/login/code/key", key=answer(options)).status
