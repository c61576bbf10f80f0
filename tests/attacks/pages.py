"""Pages: what every answer tells the browser to refuse (frames, guesses of types, scripts), and forms sent from other sites."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from tests.attacks.ground import Browser, Ground, Web
from tests.attacks.report import Finding
from tests.bench.visitor import Answer
from tests.support.owned_things import changed, snapshot
from tests.support.route_table import Route, routes
from webmail.models import Session, now

_PRIVATE = re.compile(r"\bno-store\b|^private, no-cache$")  # the second where one writes: signing out clears the browser's cache


def attacks(ground: Ground) -> list[Finding]:
    with ground.web() as web:
        browser = web.browser()
        assert browser.sign_in(ground.person(role="admin")).status == 303
        with ground.tables():
            Session.update(confirmed=now()).execute()
        browser.open("/account/password")
        shown = _answers(web, browser)
        return [
            _all("Pages put into a frame of another site", shown, _no_frames),
            _all(
                "Answers taken for another type than they say",
                shown,
                lambda headers: headers.get("x-content-type-options") == "nosniff",
            ),
            _all("Addresses told to other sites", shown, _tells_nobody),
            _all("Scripts, styles and forms of others within a page", shown, _only_ours),
            _all(
                "Pages kept by the browser after signing out",
                _kept(shown),
                lambda h: bool(_PRIVATE.search(h.get("cache-control", ""))),
            ),
            _cleared(web, ground),
            *_forged(ground, web),
        ]


def _cleared(web: Web, ground: Ground) -> Finding:
    """What a browser may keep, for who goes back, is gone with the session."""
    browser = web.browser()
    assert browser.sign_in(ground.person()).status == 303
    browser.open("/account/password")
    cleared = browser.post("/logout").headers.get("clear-site-data", "")
    words = "the browser is told to clear its cache" if '"cache"' in cleared else f"Clear-Site-Data: {cleared}"
    return Finding("Pages that one writes in, kept for “Back”, after signing out", 1, words, '"cache"' in cleared)


def _answers(web: Web, browser: Browser) -> dict[str, Answer]:
    """Of all pages, to an administrator who is signed in, and to a visitor."""
    asked = [route for route in routes() if route.method == "GET" and not route.rule.startswith("/push")]
    stranger = web.browser()
    found = {route.name: browser.get(route.url()) for route in asked}
    found |= {f"{route.name}, signed out": stranger.get(route.url()) for route in asked}
    return found | {"nothing there": browser.get("/nothing-there"), "a form without a token": web.browser().post("/login")}


def _kept(shown: dict[str, Answer]) -> dict[str, Answer]:
    """All but static files, which are the same for all."""
    return {name: answer for name, answer in shown.items() if "/static/" not in name}


def _all(title: str, shown: dict[str, Answer], holds: Callable[[Mapping[str, str]], bool]) -> Finding:
    wrong = [name for name, answer in shown.items() if not holds(answer.headers)]
    words = f"all {len(shown)} answers say no" if not wrong else f"not refused by {', '.join(wrong[:5])}"
    return Finding(title, len(shown), words, not wrong)


def _policy(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name: rest
        for name, _space, rest in (one.strip().partition(" ") for one in headers.get("content-security-policy", "").split(";"))
    }


def _is_part(headers: Mapping[str, str]) -> bool:
    """A style sheet or a script, which the policy of its page rules."""
    return headers.get("content-type", "").partition(";")[0] in ("text/css", "text/javascript")


def _no_frames(headers: Mapping[str, str]) -> bool:
    """Ours may show the text of a message in a frame."""
    return _is_part(headers) or _policy(headers).get("frame-ancestors") in ("'none'", "'self'")


def _tells_nobody(headers: Mapping[str, str]) -> bool:
    return headers.get("referrer-policy") in ("same-origin", "no-referrer")


def _only_ours(headers: Mapping[str, str]) -> bool:
    policy = _policy(headers)
    strict = policy.get("default-src") == "'none'" and "script-src" not in policy or policy.get("script-src") == "'self'"
    return _is_part(headers) or (
        strict and policy.get("base-uri", "'none'") == "'none'" and "unsafe" not in policy.get("script-src", "")
    )


def _forged(ground: Ground, web: Web) -> list[Finding]:
    """Forms sent by another site's page from the browser of somebody who is signed in."""
    victim, other = web.browser(), web.browser()
    assert victim.sign_in(ground.person()).status == other.sign_in(ground.person()).status == 303
    other.open("/account/password")
    victim.open("/account/password")
    right = dict(victim.form)
    with ground.tables():
        Session.update(confirmed=now()).execute()  # or some would lead to the question for a factor first
    # not those of public links, which hold no cookie: whoever has the address may do what it is for; nor of programs, which
    # sign in by a password of their own with each request
    by_cookie = [route for route in routes() if not route.rule.startswith(("/t/", "/g/", "/i/", "/p/", "/a/", "/api/v1/"))]
    asked = [route for route in by_cookie if route.method == "POST" and route.who in ("signed in", "anybody")]
    without = _sent(ground, victim, asked, {}, "")
    foreign = _sent(ground, victim, asked, other.form, "")
    elsewhere = _sent(ground, victim, asked, right, "https://evil.example")
    nowhere = _sent(ground, victim, asked, right, "null")
    return [
        _refused("Forms without a token", without, 400),
        _refused("Forms with another person's token", foreign, 400),
        _refused("Forms with the right token and a foreign `Origin`", elsewhere, 403),
        _refused("Forms with the right token and the `Origin` “null”", nowhere, 403),
    ]


def _sent(ground: Ground, victim: Browser, asked: list[Route], form: dict[str, str], origin: str) -> tuple[list[int], set[str]]:
    before, statuses = snapshot(ground.database), []
    victim.form = form
    victim.visitor.headers = {"Origin": origin} if origin else {}
    for route in asked:
        statuses.append(victim.post(route.url(), action="save", name="forged").status)
    victim.visitor.headers = {}
    return statuses, changed(before, snapshot(ground.database))


def _refused(title: str, told: tuple[list[int], set[str]], status: int) -> Finding:
    statuses, touched = told
    told_others = sorted(set(statuses) - {status})
    words = f"all refused ({status}), and nothing is changed" if not (touched or told_others) else f"{told_others}, {touched}"
    return Finding(title, len(statuses), words, set(statuses) == {status} and not touched)
