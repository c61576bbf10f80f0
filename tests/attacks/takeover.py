"""Taking over a session: by a cookie that was planted before the sign-in, and by one that was stolen after it."""

from __future__ import annotations

import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pyotp
from bs4 import BeautifulSoup

from tests.attacks.ground import PASSWORD, Browser, Ground, Web, furnished, with_app
from tests.attacks.report import Finding
from tests.support.owned_things import changed, snapshot
from tests.support.route_table import Route, routes
from webmail.auth.sessions.sessions import hash_token
from webmail.models import MailedCode, Session, SystemMessage, User, now

_COOKIE, _VISITOR = "traboule", "traboule-visitor"
_INBOX, _THERE = "/mailbox/INBOX", "198.51.100.66"
_ELSEWHERE = "Votre session est utilisée ailleurs"  # the subject, in the language of the demo
_NEW = "violon herbe cuivre lampe"
_OTHERS = ("/account/data", "/account/confirm/mail", "/account/name", "/account/delete")  # no ways in
_WAYS_IN = {  # tables that say how somebody signs in
    "accounts", "authenticators", "security_keys", "recovery_codes", "app_passwords", "trusted_devices", "mailed_codes", "vouchers",
}  # fmt: skip


def attacks(ground: Ground) -> list[Finding]:
    with ground.web() as web:
        return [
            _planted(ground, web),
            _invented(ground, web),
            _planted_pending(ground, web),
            _planted_form(ground, web),
            _pending_opens_nothing(ground, web),
            _stolen_is_seen_and_ended(ground, web),
            _stolen_ends_with_all(ground, web),
            _stolen_shows_nothing(ground, web),
            _stolen_changes_nothing(ground, web),
            _copied_in_the_same_network(ground, web),
            _stolen_guesses(ground, web),
            _while_it_changes(ground, web),
        ]


# --- planted ---------------------------------------------------------------------------------------------------------


def _planted(ground: Ground, web: Web) -> Finding:
    """The attacker's own session stands in the victim's browser when the victim signs in."""
    attacker, victim = _signed_in(web, ground.person()), web.browser()
    name = ground.person()
    planted = attacker.visitor.cookies[_COOKIE]
    victim.visitor.cookies[_COOKIE] = planted
    victim.open("/account/password")
    victim.post("/logout")
    victim.form = {}
    assert victim.sign_in(name).status == 303
    held = victim.visitor.cookies[_COOKIE] != planted and not _is_in(attacker)
    return Finding(
        "The attacker's session planted in the victim's browser", 1, "the sign-in has a new token; the planted one is over", held
    )


def _invented(ground: Ground, web: Web) -> Finding:
    """Tokens that nobody gave out."""
    name, kept, tries = ground.person(), [], ground.times(200)
    for _ in range(tries):
        victim, planted = web.browser(), secrets.token_urlsafe(32)
        victim.visitor.cookies[_COOKIE] = planted
        if len(kept) < 3:  # each sign-in takes a password's time
            assert victim.sign_in(name).status == 303
            kept.append(victim.visitor.cookies[_COOKIE] == planted)
        attacker = web.browser()
        attacker.visitor.cookies[_COOKIE] = planted
        kept.append(_is_in(attacker))
    return Finding("Invented tokens, planted before sign-ins and tried after them", tries, "none is taken over", not any(kept))


def _planted_pending(ground: Ground, web: Web) -> Finding:
    """The attacker knows the password, and has the victim complete the attacker's sign-in with the second factor."""
    name, secret = with_app(ground)
    attacker, victim = web.browser(), web.browser()
    assert attacker.sign_in(name).status == 303
    planted = attacker.visitor.cookies[_COOKIE]
    victim.visitor.cookies[_COOKIE] = planted
    victim.open("/login/code")
    assert victim.post("/login/code", code=pyotp.TOTP(secret).at(time.time())).status == 303
    held = _is_in(victim) and not _is_in(attacker) and victim.visitor.cookies[_COOKIE] != planted
    return Finding(
        "A session before its second step, planted for the victim to complete", 1, "what it becomes has a new token", held
    )


def _planted_form(ground: Ground, web: Web) -> Finding:
    """The attacker knows the token of the forms that the victim had before the sign-in."""
    attacker, victim, name = web.browser(), web.browser(), ground.person()
    attacker.open()
    victim.visitor.cookies[_VISITOR] = attacker.visitor.cookies[_VISITOR]
    victim.open()
    assert victim.sign_in(name).status == 303
    victim.form = attacker.form
    answer = victim.post("/settings/language", language="fr")
    return Finding("The token of forms planted before the sign-in", 1, "it is worth nothing after it", answer.status == 400)


def _pending_opens_nothing(ground: Ground, web: Web) -> Finding:
    """The password is known; the second factor is not."""
    name, _secret = with_app(ground)
    attacker = web.browser()
    assert attacker.sign_in(name).status == 303
    attacker.open("/login/code")
    asked = [route for route in routes() if route.who in ("signed in", "administrator")]
    before = snapshot(ground.database)
    opened = [route.name for route in asked if not _led_away(attacker, route)]
    touched = changed(before, snapshot(ground.database))
    words = f"all {len(asked)} routes lead to the sign-in page" if not opened else f"opened {', '.join(opened)}"
    return Finding("The cookie before the second step, at every route", len(asked), words, not opened and not touched)


def _led_away(browser: Browser, route: Route) -> bool:
    answer = browser.get(route.url()) if route.method == "GET" else browser.post(route.url())
    to_sign_in = answer.status in (302, 303) and answer.headers.get("location", "").startswith("/login")
    return to_sign_in or (answer.status == 401 and 'action="/login"' in answer.text)


# --- stolen ----------------------------------------------------------------------------------------------------------


def _stolen_is_seen_and_ended(ground: Ground, web: Web) -> Finding:
    """The owner sees one session for it, ends it from another browser, and it is over at once."""
    name = ground.person()
    owner, robbed = _signed_in(web, name), _signed_in(web, name)
    thief = _thief(web, robbed)
    assert _is_in(thief)
    shown = BeautifulSoup(owner.open("/devices").text, "html.parser")
    listed = {str(tag["value"]) for tag in shown.select("[name=session]")}
    where = any("curl" in tag.get_text() and _THERE in tag.get_text() for tag in shown.select("[data-whereabouts]"))
    with ground.tables():
        kept = {row.id_hash: row.network for row in Session.select().join(User).where(User.address == name)}
    one = next(iter(listed - {_hash(owner)}))
    assert owner.post("/sessions", session=one).status == 303
    with ground.tables():
        told = SystemMessage.select().where(SystemMessage.recipient == name, SystemMessage.subject == _ELSEWHERE).count()
    held = len(kept) == 2 and one == _hash(robbed) and not _is_in(thief) and _is_in(owner) and where and told == 1
    words = (
        "it is one session in the list, with the thief's browser and network; a mail tells of it; ended there, it is over at once"
    )
    return Finding("A stolen cookie, used in another browser and network", 1, words, held)


def _stolen_ends_with_all(ground: Ground, web: Web) -> Finding:
    """By ending all others, there and in the robbed browser itself, by signing out, and by a new password."""
    ended = []
    for how in ("others", "others here", "logout", "password"):
        name = ground.person()
        robbed, owner = _signed_in(web, name), _signed_in(web, name)
        thief = _thief(web, robbed)
        acting = robbed if how in ("logout", "others here") else owner
        acting.open("/account/password")
        if how.startswith("others"):
            acting.post("/sessions", action="others")
        elif how == "logout":
            acting.post("/logout")
        else:
            new = "lampe violon pluie corde"
            answer = acting.post("/account/password", password=PASSWORD, new_password=new, new_password_again=new)
            assert answer.status == 303
        ended.append(not _is_in(thief))
    return Finding(
        "A stolen cookie, after the owner ended all others, also in the same session, signed out, changed the password",
        4, "over each time", all(ended),
    )  # fmt: skip


def _stolen_shows_nothing(ground: Ground, web: Web) -> Finding:
    """Every page is read for the password, the key of the app and recovery codes."""
    name, secret, codes = furnished(ground)
    owner = web.browser()
    assert owner.sign_in(name).status == 303
    owner.open("/login/code")
    assert owner.post("/login/code", code=pyotp.TOTP(secret).at(time.time())).status == 303
    thief = _thief(web, owner)
    asked = [route for route in routes() if route.method == "GET" and not route.rule.startswith(("/static", "/push"))]
    telling = [PASSWORD, secret, *codes, *(code.replace("-", "") for code in codes)]
    texts = {route.name: thief.get(route.url()).text for route in asked}
    told = [name for name, text in texts.items() if any(word in text for word in telling)]
    return Finding("Pages that tell a thief a password, an app's key or a recovery code", len(asked), "none", not told)


def _stolen_changes_nothing(ground: Ground, web: Web) -> Finding:
    """Every form is sent, with the right token: none changes how somebody signs in, without a factor."""
    name, secret, _codes = furnished(ground)
    with_app, without = web.browser(), _signed_in(web, ground.person())
    assert with_app.sign_in(name).status == 303
    with_app.open("/login/code")
    assert with_app.post("/login/code", code=pyotp.TOTP(secret).at(time.time())).status == 303
    asked = [route for route in routes() if route.method == "POST" and route.who == "signed in" and _of_ways_in(route)]
    fields = {
        "name": "mine", "use": "imap", "address": "thief@evil.example", "code": "123456", "password": "a guess", "sure": "y",
        "new_password": "lampe violon pluie corde", "new_password_again": "lampe violon pluie corde",
    }  # fmt: skip
    before = snapshot(ground.database)
    with ground.tables():
        app = next(row.id for row in User.get(User.address == name).authenticators)
    for owner in (with_app, without):
        thief = _thief(web, owner)
        thief.open("/account/password")
        for route in asked:
            thief.post(route.url(str(app)), **fields)
    touched = changed(before, snapshot(ground.database)) & _WAYS_IN
    words = (
        "the password, factors, codes, app passwords and recovery address are as they were"
        if not touched
        else f"changed {touched}"
    )
    title = "Forms that change how one signs in, sent by a thief with the right token, just after the sign-in, with and without an app"
    return Finding(title, 2 * len(asked), words, not touched)


def _copied_in_the_same_network(ground: Ground, web: Web) -> Finding:
    """A neighbour copies the cookie of who has just signed in, and gives a recovery address, a telephone, a factor; then *forgot*.

    The owner has none of them yet, was just asked for an address and is reading that page. Half are asked to set up a factor first.
    """
    tries, taken, mailed = ground.times(20), 0, 0
    for number in range(tries):
        due = {"second_step_due": now()} if number % 2 else {}
        name, owner = ground.person(recovery_asked=None, **due), web.browser()
        led = owner.sign_in(name).headers.get("location", _INBOX)
        owner.get(led)
        thief = web.browser()  # in the same network
        thief.visitor.cookies[_COOKIE] = owner.visitor.cookies[_COOKIE]
        for page in ("/account/recovery?first=1", "/account/phone", "/account/totp", "/account/password"):
            thief.open(page)
            fields = {"address": "thief@evil.example", "number": "06 12 34 56 78", "first": "1", "code": "000000", "name": "mine"}
            thief.post(page.partition("?")[0], **fields)
        thief.post("/forgot", username=name, action="mail")
        with ground.tables():
            user = User.get(User.address == name)
            mailed += MailedCode.select().where(MailedCode.user == user).count()
            taken += bool(user.recovery_address or user.phone or user.second_step)
    words = f"{mailed} codes were sent to the thief's address or number, {taken} accounts had a way back in or a factor of theirs"
    title = (
        "A cookie copied in the same network just after the sign-in: a first recovery address, telephone or factor, then *forgot*"
    )
    return Finding(title, 4 * tries, words, not mailed and not taken)


def _of_ways_in(route: Route) -> bool:
    return route.rule.startswith(("/account/", "/devices/new")) and not route.rule.startswith(_OTHERS)


def _stolen_guesses(ground: Ground, web: Web) -> Finding:
    """The thief guesses the password where it is asked for: to change it, and to confirm a change of factors."""
    owner, tries = _signed_in(web, ground.person()), ground.times(500)
    thief = _thief(web, owner)
    thief.open("/account/password")
    new = "lampe violon pluie corde"
    changing = [
        thief.post("/account/password", password=f"guess {number}", new_password=new, new_password_again=new).status
        for number in range(tries)
    ]
    confirming = [thief.post("/account/confirm", password=f"guess {number}").status for number in range(tries)]
    looked = [len(statuses) - statuses.count(429) for statuses in (changing, confirming)]
    words = f"{looked[0]} were checked to change it, {looked[1]} to confirm"
    return Finding("Passwords guessed by a thief with a stolen cookie", 2 * tries, words, max(looked) <= 10)


# --- helpers ---------------------------------------------------------------------------------------------------------


def _while_it_changes(ground: Ground, web: Web) -> Finding:
    """Programs that know the password sign in all the time; its owner changes it, which ends all sessions."""
    rounds, tries, left = 2 if ground.quick else 12, 0, 0
    for _ in range(rounds):
        name, over, came = ground.person(), threading.Event(), list[Browser]()
        owner = _signed_in(web, name)
        owner.open("/account/password")

        def keep_signing_in(name: str = name, over: threading.Event = over, came: list[Browser] = came) -> None:
            while not over.is_set():
                thief = web.browser()
                thief.sign_in(name)
                came.append(thief)

        with ThreadPoolExecutor(4) as programs:
            for _program in range(4):
                programs.submit(keep_signing_in)
            time.sleep(0.5)
            changed_to = {"new_password": _NEW, "new_password_again": _NEW}
            assert owner.post("/account/password", password=PASSWORD, **changed_to).status == 303
            over.set()
        tries += len(came)
        left += sum(_is_in(thief) for thief in came)
    words = f"{rounds} times; {left} of the sessions that this began were left"
    return Finding("Signing in without end while the owner changes the password", tries, words, not left)


def _signed_in(web: Web, name: str) -> Browser:
    browser = web.browser()
    assert browser.sign_in(name).status == 303
    return browser


def _thief(web: Web, robbed: Browser) -> Browser:
    """Another browser in another network with the cookie of this one."""
    thief = web.browser(_THERE)
    thief.visitor.headers["User-Agent"] = "curl/8.14.1"
    thief.visitor.cookies[_COOKIE] = robbed.visitor.cookies[_COOKIE]
    return thief


def _is_in(browser: Browser) -> bool:
    return browser.get(_INBOX).status == 200


def _hash(browser: Browser) -> str:
    return hash_token(browser.visitor.cookies[_COOKIE])
