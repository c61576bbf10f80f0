"""Signing in by OpenID Connect: answers that are forged, used again, or meant for others, and providers that are hostile or away."""

from __future__ import annotations

import base64
import hmac
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from deploy.demo.accounts import DOMAIN
from tests.attacks.ground import Browser, Ground, Web
from tests.attacks.report import Finding
from tests.bench import machine
from tests.bench.visitor import Answer
from tests.support.oidc_provider import CLIENT, ENDED, SECRET, FakeProvider, fake_provider, new_key
from tests.support.real_provider import config_of
from webmail.auth.factors import authenticator, second_step
from webmail.config.providers import Oidc
from webmail.models import LimitUse, LinkedAccount, Session, User

_PUBLIC = "https://webmail.lycee.example"
_BEGIN, _BACK, _OUT = "/login/oidc/one", "/login/oidc/one/callback", "/login/oidc/one/sign-out"
Change = Callable[[FakeProvider, dict[str, Any]], str]


@dataclass
class Place:
    """A web process whose people sign in by two providers, and Alice, who has a password too."""

    ground: Ground
    web: Web
    one: FakeProvider
    other: FakeProvider
    alice: str

    def browser(self) -> Browser:
        return self.web.browser("203.0.113.7")

    def leave(self, browser: Browser, path: str = _BEGIN) -> str:
        """Where the browser is led to."""
        answer = browser.get(path)
        assert answer.status == 302, f"{answer.status}: {answer.text[:300]}"
        return answer.headers["location"]

    def sign_in(self, browser: Browser | None = None, **over: str | None) -> bool:
        """Whether somebody is signed in by what the provider is set to answer."""
        browser = browser or self.browser()
        self.forget()
        browser.get(self.one.visit(self.leave(browser), **over))
        return is_in(browser)

    def forget(self) -> None:
        with self.ground.tables():
            LimitUse.delete().execute()

    def reset(self) -> None:
        self.one.sign, self.one.told, self.one.person = None, {}, {}
        self.one.claims = {"sub": "alice there", "email": self.alice, "email_verified": True}
        with self.ground.tables():
            LinkedAccount.delete().execute()

    def asked(self) -> int:
        return len(self.one.forms) + len(self.other.forms)


def attacks(ground: Ground) -> list[Finding]:
    found = []
    with _place(ground) as place:
        for attack in (
            _not_right, _of_somebody_else, _states, _replays, _mixed_up, _injected, _planted, _takeovers, _who_has_one,
            _confirmed_there, _sign_outs, _elsewhere, _hosts,
        ):  # fmt: skip
            place.reset()
            found.append(attack(place))
    return [*found, _away(ground)]


@contextmanager
def _place(ground: Ground) -> Iterator[Place]:
    with fake_provider() as one, fake_provider() as other, TemporaryDirectory() as folder:
        other.keys = [new_key("one")]  # by the same name: what it signs may prove nothing where the first one is meant
        web = ground.web(**_settings(Path(folder), _rules("one", one), _rules("other", other)))
        with web as running:
            yield Place(ground, running, one, other, ground.person())


def _rules(name: str, provider: FakeProvider) -> Oidc:
    return Oidc(
        name=name, title=name.capitalize(), issuer=provider.issuer, client_id=CLIENT, client_secret=SECRET,
        create=True, match_address=True,
    )  # fmt: skip


def _settings(folder: Path, *providers: Oidc) -> dict[str, str | int]:
    (folder / "config.toml").write_text("\n".join(map(config_of, providers)))
    return {"instance": str(folder), "public_url": _PUBLIC, "recovery_address": "off"}


def is_in(browser: Browser) -> bool:
    return browser.get("/mailbox/INBOX").status == 200


def _not_right(place: Place) -> Finding:
    at = int(time.time())
    wrong: list[dict[str, Any]] = [
        {"iss": "https://evil.example"}, {"iss": place.other.issuer}, {"iss": None}, {"iss": [place.one.issuer]},
        {"aud": "somebody"}, {"aud": [CLIENT, "somebody"]}, {"aud": []}, {"aud": None}, {"azp": "somebody"},
        {"exp": at - 120}, {"exp": 0}, {"exp": None}, {"exp": "later"}, {"iat": at + 600}, {"iat": at - 3600}, {"iat": None},
        {"nbf": at + 600}, {"nonce": "x" * 43}, {"nonce": ""}, {"nonce": None}, {"sub": None}, {"sub": ""}, {"sub": 7},
        {"at_hash": "A" * 22},
    ]  # fmt: skip
    usual, let_in = dict(place.one.claims), 0
    assert place.sign_in(), "the right one is let in"
    for claims in wrong:
        place.one.claims = {**usual, **claims}
        let_in += place.sign_in()
    words = "issuer, audience, party, times, nonce, subject, access token: each was refused, the right one let in"
    return Finding("ID tokens that are signed, and wrong in one thing", len(wrong), words, not let_in)


def _of_somebody_else(place: Place) -> Finding:
    def other_key(header: Callable[[Any], dict[str, Any]]) -> Change:
        key = new_key("one")
        return lambda provider, claims: provider.token(claims, header(key), key)

    def by_secret(secret: bytes) -> Change:
        return lambda _provider, claims: _by_hand({"alg": "HS256", "kid": "one"}, claims, secret)

    public = place.one.keys[0].as_pem(private=False)
    ways: list[Change] = [
        lambda _p, claims: _by_hand({"alg": "none"}, claims, None), lambda _p, claims: _by_hand({"alg": "NONE"}, claims, None),
        lambda _p, claims: _by_hand({"alg": "RS256", "kid": "one"}, claims, None),
        lambda _p, claims: _by_hand({}, claims, None), by_secret(SECRET.encode()), by_secret(public), by_secret(b""),
        other_key(lambda _key: {}), other_key(lambda _key: {"kid": "two"}),
        other_key(lambda key: {"jwk": key.as_dict(private=False)}),
        other_key(lambda _key: {"jku": f"{place.other.issuer}/jwks"}), other_key(lambda _key: {"kid": "../../dev/null"}),
        lambda provider, claims: _with_claims_of(provider.token({**claims, "sub": "x"}), provider.token(claims)),
        lambda provider, claims: provider.token(claims)[:-10] + "AAAAAAAAAA", lambda _p, _claims: "a.b.c",
        lambda _p, _claims: "." * 1000, lambda _p, _claims: "a" * 100_000, lambda _p, _claims: "",
        lambda _p, claims: place.other.token(claims),
    ]  # fmt: skip
    let_in = 0
    for way in ways:
        place.one.sign = lambda claims, way=way: way(place.one, claims)  # type: ignore[misc]
        let_in += place.sign_in()
    words = "unsigned, HS256 with the client's secret and with the public key, other keys, other claims: each was refused"
    return Finding("ID tokens that the provider did not sign", len(ways), words, not let_in)


def _states(place: Place) -> Finding:
    victim, before = place.browser(), place.asked()
    right = dict(parse_qsl(urlsplit(place.leave(victim)).query))["state"]
    tries = place.ground.times(2000)
    wrong = [f"{number:043}" for number in range(tries - 4)] + ["", right[:-1], right + "x", right.swapcase()]
    answers = Counter(victim.get(f"{_BACK}?code=x&iss={quote(place.one.issuer)}&state={quote(state)}").status for state in wrong)
    asked = place.asked() - before
    words = f"{answers[400]:,} were refused, and the provider was asked {asked} times"
    return Finding("Guessed states", tries, words, answers[400] == tries and not asked and not is_in(victim))


def _replays(place: Place) -> Finding:
    """By who has seen the whole answer, and with a copy of the cookies that the browser had."""
    victim = place.browser()
    there = place.one.visit(place.leave(victim))
    copied = dict(victim.visitor.cookies)
    victim.get(there)
    first, let_in, tries = is_in(victim), 0, place.ground.times(200)
    for number in range(tries):
        thief = place.browser()
        thief.visitor.cookies = dict(copied) if number % 2 else {}
        place.forget()
        thief.get(there)
        let_in += is_in(thief)
    words = "let in once, its owner; with and without a copy of the browser's cookies nobody else"
    return Finding("An answer said again", tries, words, first and not let_in)


def _mixed_up(place: Place) -> Finding:
    let_in, before, tries = 0, place.asked(), 0
    for path, over in (
        ("/login/oidc/other", {}), ("/login/oidc/other", {"iss": place.other.issuer}), (_BEGIN, {"iss": place.other.issuer}),
        (_BEGIN, {"iss": None}), (_BEGIN, {"iss": place.one.issuer + "/"}), (_BEGIN, {"iss": ""}),
    ):  # fmt: skip
        browser, tries = place.browser(), tries + 1
        there = place.one.visit(place.leave(browser), **over)  # type: ignore[arg-type]
        browser.get(there.replace(_BACK, f"{path}/callback"))
        let_in += is_in(browser)
    asked = place.asked() - before
    words = f"each was refused, and no code was shown to a provider ({asked})"
    return Finding("Answers of one provider at the address, or in the name, of another", tries, words, not let_in and not asked)


def _injected(place: Place) -> Finding:
    let_in, tries = 0, place.ground.times(50)
    for _ in range(tries):
        stolen = dict(parse_qsl(urlsplit(place.one.visit(place.leave(place.browser()))).query))["code"]
        let_in += place.sign_in(code=stolen)
    words = "the provider refused each, since the verifier is another browser's"
    return Finding("A stolen code behind one's own state", tries, words, not let_in)


def _planted(place: Place) -> Finding:
    """The attacker's answer in the victim's browser, so that they write in the attacker's account."""
    tries, signed_in, changed = place.ground.times(50), 0, 0
    for _ in range(tries):
        planted = place.one.visit(place.leave(place.browser()))
        victim = place.browser()
        place.leave(victim)
        victim.get(planted)
        signed_in += is_in(victim)
        known = place.browser()
        known.sign_in(name := place.ground.person())
        known.get(planted)
        changed += name not in known.get("/account").text
    words = "nobody was signed in by it, and who was signed in stayed who they were"
    return Finding("An attacker's answer in somebody's browser", 2 * tries, words, not signed_in and not changed)


def _takeovers(place: Place) -> Finding:
    person = place.ground.person
    off, linked, admin = person(active=0), person(), person(role="admin")
    with place.ground.tables():
        LinkedAccount.create(user=User.get(User.address == linked), provider="oidc:one", subject="the first one")
    fresh = f"new-director@{DOMAIN}"
    wrong: list[dict[str, Any]] = [
        *({"email": address, "email_verified": proven} for address in (place.alice, admin, fresh)
          for proven in (False, None, "false", "yes", 1, [True])),
        {"email": off}, {"email": linked}, {"email": admin}, {"email": "alice@elsewhere.example"}, {"email": f"{place.alice}\n{admin}"},
        {"email": f"{admin},{place.alice}"}, {"email": [admin]}, {"email": {"x": admin}}, {"email": f"<{admin}>"},
        {"email": f"{admin}\x00"}, {"email": "a" * 100_000}, {"email": None, "preferred_username": admin}, {"email": ""},
    ]  # fmt: skip
    let_in = 0
    for number, claims in enumerate(wrong):
        place.one.claims = {"sub": f"mallory {number}", "email_verified": True, **claims}
        let_in += place.sign_in()
    place.one.claims = {"sub": "mallory", "email": None, "email_verified": True}
    place.one.person = {"sub": "alice there", "email": place.alice, "email_verified": True}
    let_in += place.sign_in()
    with place.ground.tables():
        made = User.select().where(User.address == fresh).count()
    words = "none opened an account, and none made one"
    return Finding(
        "Addresses of others that are not proven, or are written oddly", len(wrong) + 1, words, not let_in and not made
    )


def _who_has_one(place: Place) -> Finding:
    """Somebody who may write any address at the provider, where it is not proven, asks by it who has an account here."""
    person = place.ground.person
    names = [place.alice, person(role="admin"), person(active=0), f"nobody1@{DOMAIN}", f"nobody2@{DOMAIN}"]
    told = set()
    for number, address in enumerate(names):
        place.one.claims = {"sub": f"mallory {number}", "email": address, "email_verified": False}
        browser = place.browser()
        answer = browser.get(place.one.visit(place.leave(browser)))
        [words] = re.findall(rf"[^>]*{re.escape(address)}[^<]*", answer.text)
        told.add((answer.status, words.replace(address, "")))
    return Finding(
        "Addresses of others that are not proven, to learn who has an account", len(names), "told the same", len(told) == 1
    )


def _confirmed_there(place: Place) -> Finding:
    """Who has a stolen session, and the password at the provider, confirms there what asks for a factor of ours."""
    settings, victim = place.ground.settings, place.browser()
    assert place.sign_in(victim)
    with place.ground.tables():
        user = User.get(User.address == place.alice)
        with second_step.changing(user):
            authenticator.add(user, "App", authenticator.new_secret(), 0, settings)
    pages = ("/account/totp", "/account/keys", "/account/recovery-codes")
    for page in pages:
        victim.get(place.one.visit(place.leave(victim, f"/account/confirm/oidc/one?next={page}")))
    with place.ground.tables():
        confirmed = Session.select().where(Session.user == user, Session.confirmed.is_null(False)).count()
        second_step.reset(user)
    words = "the factor of ours is asked for each time"
    return Finding("Changes confirmed at the provider, by who has a factor here", len(pages), words, not confirmed)


def _sign_outs(place: Place) -> Finding:
    victim = place.browser()
    assert place.sign_in(victim)
    at, used = int(time.time()), place.one.logout_token(sid="another session")
    ask = place.browser()
    assert ask.post(_OUT, logout_token=used).status == 200
    key = new_key("one")
    usual = {
        "iss": place.one.issuer,
        "aud": CLIENT,
        "iat": at,
        "exp": at + 60,
        "jti": "x",
        "sid": "session-1",
        "sub": "alice there",
    }
    made = place.one.logout_token
    forged = [
        used, made(sid="session-1", nonce="x"), made(sid="session-1", events=None), made(sid="session-1", events={"x": {}}),
        made(sid="session-1", events=[ENDED]), made(sid="session-1", iss="https://evil.example"),
        made(sid="session-1", aud="somebody"), made(sid="session-1", exp=1), made(sid="session-1", iat=at - 3600),
        made(sid="session-1", jti=None), made({"typ": "at+jwt"}, sid="session-1"), made({}, key, sid="session-1"), made(),
        place.other.logout_token(sid="session-1"), place.one.token(usual), "", "a.b.c", "x" * 50_000,
        _by_hand({"alg": "none"}, {**usual, "events": {ENDED: {}}}, None),
        _by_hand({"alg": "HS256"}, {**usual, "events": {ENDED: {}}}, SECRET.encode()),
    ]  # fmt: skip
    taken = sum(ask.post(_OUT, logout_token=token).status == 200 for token in forged)
    still = is_in(victim)
    right = ask.post(_OUT, logout_token=made(sid="session-1")).status == 200 and not is_in(victim)
    words = f"{taken} were taken; the session lasted until the provider ended it"
    return Finding(
        "Sign-outs that are forged, used again, or another kind of token", len(forged), words, not taken and still and right
    )


def _elsewhere(place: Place) -> Finding:
    targets = [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "https:evil.example",
        "javascript:alert(1)", "data:text/html,x", "/%09/evil.example\n", "//evil.example/@webmail", "http:///evil.example", "/" * 9,
    ]  # fmt: skip
    led = []
    for target in targets:
        browser = place.browser()
        answer = browser.get(place.one.visit(place.leave(browser, f"{_BEGIN}?next={quote(target, safe='')}")))
        led.append(answer.headers.get("location", ""))
    away = [one for one in led if not one.startswith("/") or one.startswith(("//", "/\\")) or "evil" in one.partition("?")[0]]
    return Finding("Pages of other sites to be led to", len(targets), f"{len(away)} led to another site", not away)


def _hosts(place: Place) -> Finding:
    forged = [
        {"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}, {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"},
        {"Forwarded": "host=evil.example"}, {"X-Original-Host": "evil.example"}, {"X-Forwarded-Prefix": "//evil.example"},
        {"Host": "webmail.lycee.example@evil.example"}, {"X-Forwarded-Port": "666"},
    ]  # fmt: skip
    backs = []
    for headers in forged:
        browser = place.browser()
        browser.visitor.headers.update(headers)
        answer: Answer = browser.get(_BEGIN)
        backs.append(dict(parse_qsl(urlsplit(answer.headers.get("location", "")).query)).get("redirect_uri", ""))
    held = all(back in ("", _PUBLIC + _BACK) for back in backs) and _PUBLIC + _BACK in backs
    words = "the address that the provider leads back to was ours each time, or there was no answer"
    return Finding("Forged Host and X-Forwarded-Host where signing in begins", len(forged), words, held)


def _away(ground: Ground) -> Finding:
    """Twenty people at once are led to a provider that never answers, or sends without end; somebody with a password comes too."""

    def never(_handler: Any) -> None:
        time.sleep(30)

    def endless(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        for _ in range(1600):
            handler.wfile.write(b" " * 65536)

    slowest, statuses, grown = 0.0, Counter[int](), 0
    for answer in (never, endless):
        with fake_provider() as provider, TemporaryDirectory() as folder:
            provider.answer["/.well-known/openid-configuration"] = answer
            with ground.web(**_settings(Path(folder), _rules("one", provider))) as web, ThreadPoolExecutor(20) as people:
                name, before = ground.person(), _memory(web)
                web.browser().open()
                waiting = [people.submit(web.browser(f"198.51.100.{number}").get, _BEGIN) for number in range(20)]
                time.sleep(0.5)
                began, owner = time.monotonic(), web.browser("203.0.113.9")
                assert owner.sign_in(name).status == 303
                slowest = max(slowest, time.monotonic() - began)
                statuses.update(one.result().status for one in waiting)
                grown = max(grown, _memory(web) - before)
    words = f"each was told that it is not responding; a password got in within {slowest:.1f} s; {grown:.0f} MiB more memory"
    held = set(statuses) == {503} and slowest < 8 and grown < 64
    return Finding("A provider that never answers, and one that sends 100 MB, with 20 people waiting", 40, words, held)


def _memory(web: Web) -> int:
    """The most that its processes ever had, in MiB."""
    most = 0
    for pid in machine.family([web.pid]):
        [line] = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmHWM")]
        most += int(line.split()[1])
    return most // 1024


def _by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None) -> str:
    """A token that libraries refuse to make."""
    pieces = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in (header, claims)]
    signature = b"" if secret is None else hmac.digest(secret, b".".join(pieces), "sha256")
    return b".".join([*pieces, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def _with_claims_of(signed: str, other: str) -> str:
    header, _claims, signature = signed.split(".")
    return ".".join([header, other.split(".")[1], signature])
