"""Signing in by CAS and by a proxy's header: tickets and headers that are forged, used again, or meant for others; hostile answers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlencode, urlsplit

from deploy.demo.accounts import DOMAIN
from tests.attacks.ground import Browser, Ground, Web
from tests.attacks.report import Finding
from tests.support.cas_server import HOSTILE, FakeCas, cas_server, dripping, failure, sign_out, xml
from tests.support.web_server import ok
from webmail.models import LinkedAccount, Session, User

_PUBLIC = "https://webmail.lycee.example"
_BEGIN, _BACK = "/login/cas", "/login/cas/callback"
_HOME = "203.0.113.7"
_HEADER = "RemoteUser"
_GATEWAY = "127.0.0.1"  # where the attacks' own connections come from


@dataclass
class Door:
    """A web process whose people sign in by CAS, and `alice`, who has an account there."""

    ground: Ground
    web: Web
    cas: FakeCas
    alice: str

    def browser(self) -> Browser:
        return self.web.browser(_HOME)

    def leave(self, browser: Browser, path: str = _BEGIN) -> str:
        """Where the browser is led to."""
        answer = browser.get(path)
        assert answer.status == 302, f"{answer.status}: {answer.text[:300]}"
        return answer.headers["location"]

    def comes_in(self, browser: Browser | None = None, user: str = "alice") -> bool:
        browser = browser or self.browser()
        browser.get(self.cas.sign_in(self.leave(browser), user))
        return _is_in(browser)


def attacks(ground: Ground) -> list[Finding]:
    return [*_by_cas(ground), *_by_header(ground)]


def _is_in(browser: Browser) -> bool:
    return browser.get("/account/password").status == 200


@contextmanager
def _instance(ground: Ground, table: str) -> Iterator[Web]:
    with TemporaryDirectory() as folder:
        (Path(folder) / "config.toml").write_text(table)
        with ground.web(instance=folder, public_url=_PUBLIC, recovery_address="off", sign_in_attempts=1_000_000) as web:
            yield web


# --- CAS -------------------------------------------------------------------------------------------------------------


def _by_cas(ground: Ground) -> list[Finding]:
    alice = ground.person()
    people = {
        "alice": {"mail": [alice]},
        "mallory": {"mail": [f"mallory@{DOMAIN}"]},
        "outside": {"mail": ["x@elsewhere.example"]},
    }
    with cas_server(**people) as cas:
        entry = {"url": cas.url, "title": "ENT", "create": True, "match_address": True}
        lines = [f"{name} = {json.dumps(value)}" for name, value in entry.items()]
        with _instance(ground, "\n".join(["[cas]", *lines]) + "\n") as web:
            door = Door(ground, web, cas, alice)
            assert door.comes_in(), "the right way in does not lead in"
            return [
                _guessed_tickets(door), _login_csrf(door), _replayed(door), _mixed(door), _hostile(door), _errors(door), _slow(door),
                _elsewhere(door), _hosts(door), _others(door), _signed_out(door),
            ]  # fmt: skip


def _guessed_tickets(door: Door) -> Finding:
    tries, got_in = door.ground.times(300), 0
    browser = door.browser()
    for number in range(tries):
        state = parse_qs(urlsplit(parse_qs(urlsplit(door.leave(browser)).query)["service"][0]).query)["state"][0]
        browser.get(f"{_BACK}?{urlencode({'state': state, 'ticket': f'ST-{number}'})}")
        got_in += _is_in(browser)
    return Finding("CAS: tickets guessed", tries, f"{got_in} signed in", not got_in)


def _login_csrf(door: Door) -> Finding:
    """A link with the attacker's own ticket is opened in a victim's browser, which would then write into the attacker's account."""
    tries, got_in = door.ground.times(50), 0
    for number in range(tries):
        attacker, victim = door.browser(), door.browser()
        link = door.cas.sign_in(door.leave(attacker), "mallory")
        if number % 2:
            door.leave(victim)  # has begun something too
        victim.get(link)
        got_in += _is_in(victim)
    return Finding("CAS: somebody else’s callback opened in the victim’s browser", tries, f"{got_in} signed in", not got_in)


def _replayed(door: Door) -> Finding:
    """The callback once more, with all cookies as they were, as from a browser's history or a proxy's log."""
    tries, got_in = door.ground.times(50), 0
    for _ in range(tries):
        browser = door.browser()
        link = door.cas.sign_in(door.leave(browser), "alice")
        cookies = dict(browser.visitor.cookies)
        browser.get(link)
        again = door.browser()
        again.visitor.cookies.update(cookies)
        again.get(link)
        got_in += _is_in(again)
    return Finding("CAS: a callback replayed, with the cookies of its browser", tries, f"{got_in} signed in again", not got_in)


def _mixed(door: Door) -> Finding:
    """A ticket that another site got for the same person, or that was made for another state."""
    tries, got_in = door.ground.times(50), 0
    for number in range(tries):
        browser = door.browser()
        service = parse_qs(urlsplit(door.leave(browser)).query)["service"][0]
        other = "https://other.example/" if number % 2 else service[:-1] + ("a" if service[-1] != "a" else "b")
        ticket = door.cas.ticket(other, "alice")
        browser.get(f"{_BACK}?{urlsplit(service).query}&{urlencode({'ticket': ticket})}")
        got_in += _is_in(browser)
    return Finding("CAS: tickets made for other sites or another sign-in", tries, f"{got_in} signed in", not got_in)


def _hostile(door: Door) -> Finding:
    worst, got_in = 0.0, []
    for name, text in HOSTILE.items():
        browser = door.browser()
        link = door.cas.sign_in(door.leave(browser), "alice")
        door.cas.answer = xml(text)
        begun = time.monotonic()
        browser.get(link)
        worst = max(worst, time.monotonic() - begun)
        if _is_in(browser):
            got_in.append(name)
    door.cas.answer = None
    words = f"nobody signed in, at most {worst:.1f} s each" if not got_in else f"signed in by {', '.join(got_in)}"
    return Finding(
        "CAS: answers with entities, bombs, other namespaces, two people in one", len(HOSTILE), words, not got_in and worst < 5
    )


def _errors(door: Door) -> Finding:
    answers = [
        xml(failure(code)) for code in ("INVALID_TICKET", "INVALID_SERVICE", "INVALID_REQUEST", "UNAUTHORIZED_SERVICE", "")
    ]
    answers += [
        b"",
        b"HTTP/1.1 302 Found\r\nLocation: /cas/login\r\nContent-Length: 0\r\n\r\n",
        ok(b"x" * 1_000_000),
        b"x" * 1_000_000,
    ]
    told, got_in = set(), 0
    for answer in answers:
        browser = door.browser()
        link = door.cas.sign_in(door.leave(browser), "alice")
        door.cas.answer = answer
        told.add(browser.get(link).status)
        got_in += _is_in(browser)
    door.cas.answer = None
    words = f"{got_in} signed in; answered {', '.join(map(str, sorted(told)))}"
    return Finding(
        "CAS: its errors, and answers that are too large or lead elsewhere",
        len(answers),
        words,
        not got_in and told <= {403, 502},
    )


def _slow(door: Door) -> Finding:
    """A server that drips, asked for by many at once: who has a password still gets in meanwhile."""
    count = 20
    browsers = [door.browser() for _ in range(count)]
    links = [door.cas.sign_in(door.leave(browser), "alice") for browser in browsers]
    door.cas.answer = dripping
    name = door.ground.person()
    with ThreadPoolExecutor(count) as crowd:
        waiting = [crowd.submit(browser.get, link) for browser, link in zip(browsers, links, strict=True)]
        time.sleep(0.5)
        begun = time.monotonic()
        status = door.browser().sign_in(name).status
        owner = time.monotonic() - begun
        statuses = {one.result().status for one in waiting}
        longest = time.monotonic() - begun
    door.cas.answer = None
    words = f"{count} at once: all told so within {longest:.0f} s; somebody with a password got in within {owner:.1f} s"
    return Finding("CAS: a server that drips its answer", count, words, statuses == {502} and status == 303 and owner < 5)


def _elsewhere(door: Door) -> Finding:
    targets = [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "%2f%2fevil.example",
    ]
    led = []
    for target in targets:
        browser = door.browser()
        answer = browser.get(door.cas.sign_in(door.leave(browser, f"{_BEGIN}?{urlencode({'next': target})}"), "alice"))
        led.append(answer.headers.get("location", ""))
    away = [one for one in led if "evil" in one and not one.startswith("/%") or one.startswith("javascript")]
    return Finding("CAS: `next` that leads elsewhere", len(targets), f"{len(away)} led away", not away)


def _hosts(door: Door) -> Finding:
    forged = ({"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}, {"Forwarded": "host=evil.example"})
    led = []
    for headers in forged:
        browser = door.browser()
        browser.visitor.headers.update(headers)
        led.append(browser.get(_BEGIN).headers.get("location", ""))
    away = [one for one in led if "evil" in one or urlencode({"service": _PUBLIC}) not in one]
    return Finding("CAS: forged `Host` in the address to come back to", len(forged), f"{len(away)} went along", not away)


def _others(door: Door) -> Finding:
    """Somebody at the CAS server whose address is another person's by now, or of another domain."""
    door.cas.people["mallory"] = {"mail": [door.alice]}
    got_in = [name for name in ("mallory", "outside") if door.comes_in(user=name)]
    with door.ground.tables():
        taken = LinkedAccount.select().join(User).where(User.address == door.alice, LinkedAccount.subject != "alice").count()
    words = f"{len(got_in)} signed in, {taken} accounts taken over"
    return Finding(
        "CAS: another user with the address of a connected account, and one of a foreign domain",
        2,
        words,
        not got_in and not taken,
    )


def _signed_out(door: Door) -> Finding:
    """Sign-outs that nobody at the CAS server sent: guessed tickets, and documents that are none."""
    browser = door.browser()
    assert door.comes_in(browser)
    forged = [sign_out(f"ST-{number}") for number in range(door.ground.times(200))]
    forged += [
        sign_out("ST-1", '<!DOCTYPE x [<!ENTITY a "b">]>'),
        "",
        "<x/>",
        sign_out("ST-*"),
        sign_out("ST-%"),
        sign_out("ST-' OR 1=1 --"),
    ]
    for text in forged:
        door.browser().post(_BACK, logoutRequest=text)
    stays = _is_in(browser)
    return Finding(
        "CAS: sign-outs with guessed tickets, entities, SQL", len(forged), "the session stays" if stays else "it ended", stays
    )


# --- the proxy's header ----------------------------------------------------------------------------------------------


def _by_header(ground: Ground) -> list[Finding]:
    victim = ground.person()
    table = f'[proxy_sign_in]\nheader = "{_HEADER}"\ntitle = "Gateway"\n'
    with _instance(ground, f'{table}addresses = "192.0.2.0/24"\n') as web:
        strangers = _from_elsewhere(web, victim)
    with _instance(ground, f'{table}addresses = "{_GATEWAY}"\n') as web:
        assert _named(web, victim), "the right header does not lead in"
        return [strangers, _not_one_person(web, victim), _somebody_else(ground, web, victim)]


def _named(web: Web, value: str, **headers: str) -> bool:
    browser = web.browser()
    browser.visitor.headers |= {_HEADER: value, **headers}
    browser.get("/login/proxy")
    browser.visitor.headers.pop(_HEADER)
    return _is_in(browser)


def _from_elsewhere(web: Web, victim: str) -> Finding:
    """The gateway is at 192.0.2.0/24; the attacker says they are there."""
    here = "192.0.2.1"
    said = [{}, *({name: here} for name in ("X-Forwarded-For", "X-Real-IP", "Client-IP", "True-Client-IP", "X-Client-IP", "Via"))]
    said += [{"Forwarded": f"for={here}"}, {"X-Forwarded-For": f"{here}, {here}, {here}"}, {"X-Forwarded-For": "127.0.0.1"}]
    said += [{"Remote-Addr": here}, {"REMOTE_ADDR": here}, {"X-Forwarded-For": f"{here}:80"}]
    got_in = sum(_named(web, victim, **headers) for headers in said)
    return Finding(
        "Proxy: the header from elsewhere, with forged `X-Forwarded-For` and others", len(said), f"{got_in} signed in", not got_in
    )


def _not_one_person(web: Web, victim: str) -> Finding:
    values = [
        "", " ", f"{victim},x", f"x,{victim}", f"{victim}, {victim}", f"{victim};x", f"{victim} x", f"x\t{victim}", "a" * 100_000, f"{victim}@x",
        f"<{victim}>", f"{victim}\u00ad".encode().decode("latin-1"), "*", "' OR 1=1 --", f"{victim}%00", f"{victim}\u2026".encode().decode("latin-1"),
    ]  # fmt: skip
    got_in = [value[:40] for value in values if _named(web, value)]
    words = "nobody signed in" if not got_in else f"signed in by {got_in}"
    return Finding("Proxy: headers that are empty, doubled, too long, or name several", len(values), words, not got_in)


def _somebody_else(ground: Ground, web: Web, victim: str) -> Finding:
    """The next person at the same browser: the gateway names them, and the session of the one before them is still there."""
    other, browser = ground.person(), web.browser()
    browser.visitor.headers[_HEADER] = victim
    browser.get("/login/proxy")
    before = _is_in(browser)
    browser.visitor.headers[_HEADER] = other
    answer = browser.get("/account/password")
    with ground.tables():
        left = Session.select().join(User).where(User.address == victim, Session.provider == "proxy").count()
    held = before and answer.status == 302 and victim not in answer.text
    words = f"the session ended at once; {left - 1} others of theirs stay" if held else "the page of the one before was shown"
    return Finding("Proxy: a session that the gateway’s next person finds open", 1, words, held)
