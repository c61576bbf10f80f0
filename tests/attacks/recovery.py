"""The way back in: links and codes guessed, repeated, old, of others and asked for without end; and what the answers tell."""

from __future__ import annotations

import random
import re
import secrets
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from tests.attacks.ground import PASSWORD, Browser, Ground, Web, networks, without_tokens
from tests.attacks.report import Finding
from tests.attacks.timing import compared
from tests.support.waiting import eventually
from webmail import system_mail
from webmail.auth.factors import authenticator, recovery_codes, second_step
from webmail.auth.passwords import hashing
from webmail.auth.recovery import password_reset
from webmail.auth.recovery.password_reset import Channel
from webmail.models import AuditAct, AuditEntry, PasswordReset, SystemMessage, User

_NEW = "violon herbe cuivre lampe"
_OTHER = "sable orage bouton tilleul"
_INBOX = "/mailbox/INBOX"
_VISITOR = "traboule-visitor"
_AT_ONCE = 4  # programs at each of two processes
_KNOWN = "an account with a recovery address and a telephone"


@dataclass
class Victim:
    """Somebody with a recovery address and a telephone."""

    address: str
    outside: str
    phone: str


def attacks(ground: Ground) -> list[Finding]:
    with ground.web() as one, ground.web() as other:
        return [
            _guessed(ground, one),
            _reused(ground, one),
            _expired(ground, one),
            _of_somebody_else(ground, one),
            _at_once(ground, [one, other]),
            _asked_without_end(ground, [one, other]),
            _when_told_to_wait(ground, one),
            _forged_hosts(ground, one),
            _codes_in_one_browser(ground, one),
            _codes_in_many_browsers(ground, [one, other]),
            _codes_at_once(ground, [one, other]),
            _planted(ground, one),
            _while_signed_in(ground, one),
            _second_step_stays(ground, one),
            *_told_by_answers(ground, one),
        ]


# --- links -----------------------------------------------------------------------------------------------------------


def _guessed(ground: Ground, web: Web) -> Finding:
    victim, browser, tries = _victim(ground), _asker(web), ground.times(5000)
    token = _link(ground, web, victim)
    near = [token[:-1], token[:-1] + "A", token.swapcase(), token.upper(), f"{token}x", token[::-1], "%00", "..", "0"]
    guesses = [*near, *(secrets.token_urlsafe(32) for _ in range(tries - len(near)))]
    answers = Counter(browser.get(f"/forgot/{guess}").status for guess in guesses if guess != token)
    chosen = [_choose(browser, guess) for guess in guesses[: tries // 10] if guess != token]
    held = not answers[200] and 303 not in chosen and _is_password(ground, victim, PASSWORD)
    words = (
        f"{answers[410]:,} times over, {answers.total() - answers[410]} times no page; none opened the form, and none was taken"
    )
    return Finding("Tokens of links guessed, and the right one changed a little", tries + tries // 10, words, held)


def _reused(ground: Ground, web: Web) -> Finding:
    victim, tries = _victim(ground), ground.times(100)
    token, unused = _link(ground, web, victim), _link(ground, web, victim)
    first = _choose(_asker(web), token)
    again = Counter(_choose(_asker(web), one, _OTHER) for _ in range(tries // 2) for one in (token, unused))
    held = first == 303 and set(again) == {410} and _is_password(ground, victim, _NEW)
    return Finding(
        "A link used again, and another one that was mailed before", again.total(), "taken once; then both are over", held
    )


def _expired(ground: Ground, web: Web) -> Finding:
    victim = _victim(ground)
    token = _link(ground, web, victim)
    with ground.tables():
        PasswordReset.update(created=PasswordReset.get().created - password_reset.LIFE - timedelta(seconds=1)).execute()
    answers = {_asker(web).get(f"/forgot/{token}").status, _choose(_asker(web), token)}
    return Finding("A link of an hour ago", 2, "over", answers == {410} and _is_password(ground, victim, PASSWORD))


def _of_somebody_else(ground: Ground, web: Web) -> Finding:
    """The attacker's own link, with the victim's name in every field that might be believed."""
    attacker, victim = _victim(ground), _victim(ground)
    with ground.tables():
        number = str(User.get(User.address == victim.address).id)
    names = {"username": victim.address, "user": number, "address": victim.address, "user_id": number, "id": number}
    token = _link(ground, web, attacker)
    status = _choose(_asker(web), token, **names)
    held = status == 303 and _is_password(ground, attacker, _NEW) and _is_password(ground, victim, PASSWORD)
    return Finding("One's own link with another's name in the form", len(names), "it changes one's own password alone", held)


def _at_once(ground: Ground, webs: Sequence[Web]) -> Finding:
    rounds, won = 2 if ground.quick else 12, Counter[int]()
    for _ in range(rounds):
        victim = _victim(ground)
        token = _link(ground, webs[0], victim)
        browsers = [_asker(web) for web in webs for _ in range(_AT_ONCE)]
        for browser in browsers:
            browser.open(f"/forgot/{token}")
        together = threading.Barrier(len(browsers))

        def choose(browser: Browser, together: threading.Barrier = together, token: str = token) -> int:
            together.wait()
            fields = {"token": token, "new_password": _NEW, "new_password_again": _NEW}
            return browser.post("/forgot/new", **fields).status

        with ThreadPoolExecutor(len(browsers)) as people:
            won[list(people.map(choose, browsers)).count(303)] += 1
    words = f"{rounds} times by {2 * _AT_ONCE} together: each time {', '.join(map(str, won))} chose"
    return Finding("One link used in two processes at the same instant", rounds * 2 * _AT_ONCE, words, set(won) == {1})


def _asked_without_end(ground: Ground, webs: Sequence[Web]) -> Finding:
    victim, tries = _victim(ground), ground.times(5000)
    first = _link(ground, webs[0], victim)
    places = iter(networks(tries, seed=7))
    lock = threading.Lock()

    def ask(web: Web) -> Counter[int]:
        browser, answers = _asker(web), Counter[int]()
        for number in range(tries // (2 * _AT_ONCE)):
            with lock:
                browser.visitor.headers["X-Forwarded-For"] = next(places)
            action = ("mail", "sms")[number % 2]
            answers[browser.post("/forgot", username=victim.address, action=action).status] += 1
        return answers

    with ThreadPoolExecutor(2 * _AT_ONCE) as programs:
        answers = sum(programs.map(ask, [web for web in webs for _ in range(_AT_ONCE)]), Counter[int]())
    with ground.tables():
        mails = SystemMessage.select().where(SystemMessage.recipient == victim.outside).count()
        texts = AuditEntry.select().where(AuditEntry.act == AuditAct.CODE_TEXTED, AuditEntry.target == victim.address).count()
        rows = PasswordReset.select().where(PasswordReset.user == User.get(User.address == victim.address)).count()
    works = _asker(webs[0]).get(f"/forgot/{first}").status == 200
    others = "".join(f"; {count} times answered {status}" for status, count in answers.items() if status != 303)
    words = f"{mails} mails, {texts} text messages, {rows} rows are kept; the owner's first link still works{others}"
    few = answers[503] <= tries // 100  # a database that so many write to at once may ask to wait
    held = set(answers) <= {303, 503} and few and mails <= 3 and texts <= 3 and rows <= 5_100 and works
    return Finding("Asked for in somebody's name, each time from another network, in two processes", answers.total(), words, held)


def _when_told_to_wait(ground: Ground, web: Web) -> Finding:
    """One network asks in one name without end: it must be told to wait as early for everybody, and for nobody."""
    names = [_victim(ground).address, ground.person(), _victim(ground, active=0).address, "nobody-at-all@lycee.example"]
    first, tries = list[int](), 0
    for place, name in zip(networks(len(names), seed=13), names, strict=True):
        browser, statuses = _asker(web, place), list[int]()
        while len(statuses) < 3 * password_reset.ASKED.most and 429 not in statuses:
            statuses.append(browser.post("/forgot", username=name, action="mail").status)
        first.append(len(statuses))
        tries += len(statuses)
    return Finding(
        "From which request on a network is told to wait, for names that exist and that do not", tries,
        f"from the {' and '.join(f'{number}th' for number in sorted(set(first)))} on, for each of them", len(set(first)) == 1,
    )  # fmt: skip


def _forged_hosts(ground: Ground, web: Web) -> Finding:
    forged = [
        {"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}, {"Forwarded": "host=evil.example;proto=https"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "444"}, {"X-Host": "evil.example"},
        {"X-Forwarded-Server": "evil.example"}, {"X-Original-URL": "//evil.example/"}, {"X-Forwarded-Prefix": "//evil.example"},
        {"Host": "localhost@evil.example"}, {"Host": "localhost:80@evil.example"},
    ]  # fmt: skip
    told = []
    for headers in forged:
        victim, browser = _victim(ground), _asker(web)
        browser.visitor.headers.update(headers)
        if browser.post("/forgot", username=victim.address, action="mail").status == 303:
            told.append(_letter(ground, victim))
    held = all(ground.settings.public_url in letter and "evil" not in letter for letter in told)
    words = f"{len(told)} mails were sent, each with the host of the settings; {len(forged) - len(told)} requests were refused"
    return Finding("Links asked for with another host: Host, X-Forwarded-Host and the like", len(forged), words, held)


# --- codes -----------------------------------------------------------------------------------------------------------


def _codes_in_one_browser(ground: Ground, web: Web) -> Finding:
    victim, tries = _victim(ground), ground.times(5000)
    browser = _asker(web)
    right = _text(ground, browser, victim)
    wrong = (f"{number:06}" for number in range(10**6) if f"{number:06}" != right)
    answers = Counter(browser.post("/forgot/code", code=code).status for _number, code in zip(range(tries), wrong, strict=False))
    after = browser.post("/forgot/code", code=right).status
    held = set(answers) == {422} and after == 422
    words = f"{password_reset.TRIES} were looked at; after them the right one is worth nothing either"
    return Finding("Codes by SMS guessed in the browser that asked", tries, words, held)


def _codes_in_many_browsers(ground: Ground, webs: Sequence[Web]) -> Finding:
    """Each browser asks for a code of its own: nothing is sent for most, and what was not sent is never right."""
    victim, tries = _victim(ground), ground.times(2000)
    places = networks(tries, seed=9)

    def attempt(number: int) -> list[int]:
        browser = _asker(webs[number % 2], places[number])
        browser.post("/forgot", username=victim.address, action="sms")
        return [browser.post("/forgot/code", code=f"{secrets.randbelow(10**6):06}").status for _ in range(2)]

    with ThreadPoolExecutor(2 * _AT_ONCE) as programs:
        answers = Counter(status for found in programs.map(attempt, range(tries)) for status in found)
    with ground.tables():
        settings, user = ground.settings, User.get(User.address == victim.address)
        unsent = password_reset.ask(victim.address, Channel.SMS, "", settings)
        claimed = password_reset.take_sending(unsent, settings)
        try:
            opened = bool(password_reset.check_code([unsent.token], unsent.code, settings))
        except password_reset.CodeRefusedError:
            opened = False
        sent = PasswordReset.select().where(PasswordReset.user == user, PasswordReset.sent.is_null(False)).count()
    words = f"{sent} codes were sent, and only those could be right, {password_reset.TRIES} tries each; the right code of one that was not sent opens nothing"
    return Finding(
        "Codes by SMS guessed in many browsers, each with a request of its own", answers.total(), words,
        set(answers) == {422} and sent <= 3 and claimed is None and not opened,
    )  # fmt: skip


def _codes_at_once(ground: Ground, webs: Sequence[Web]) -> Finding:
    rounds, taken = 2 if ground.quick else 8, Counter[int]()
    for _ in range(rounds):
        victim, browser = _victim(ground), _asker(webs[0])
        code = _text(ground, browser, victim)
        browsers = [_copy(web, browser) for web in webs for _ in range(_AT_ONCE)]
        together = threading.Barrier(len(browsers))

        def say(browser: Browser, together: threading.Barrier = together, code: str = code) -> int:
            together.wait()
            return browser.post("/forgot/code", code=code).status

        with ThreadPoolExecutor(len(browsers)) as people:
            taken[list(people.map(say, browsers)).count(303)] += 1
    words = f"{rounds} times by {2 * _AT_ONCE} copies of the browser: each time {', '.join(map(str, taken))} went on"
    return Finding("The right code by SMS said at the same instant", rounds * 2 * _AT_ONCE, words, set(taken) <= {0, 1})


def _planted(ground: Ground, web: Web) -> Finding:
    """The attacker asks in the victim's name, and plants the session of it in the victim's browser, where the code is typed."""
    victim, attacker, browser = _victim(ground), _asker(web), web.browser()
    code = _text(ground, attacker, victim)
    browser.visitor.cookies[_VISITOR] = attacker.visitor.cookies[_VISITOR]
    browser.open("/forgot/code")
    proved = browser.post("/forgot/code", code=code).status
    answers = {attacker.get("/forgot/new").status, attacker.post("/forgot/code", code=code).status, _choose(attacker, "")}
    held = proved == 303 and 200 not in answers and 303 not in answers and _is_password(ground, victim, PASSWORD)
    words = "the token changes when the code is right; the attacker's is over"
    return Finding("The attacker's session planted in the browser where the victim types the code", 3, words, held)


# --- sessions and the second step ------------------------------------------------------------------------------------


def _while_signed_in(ground: Ground, web: Web) -> Finding:
    victim, other = _victim(ground), ground.person()
    browser, elsewhere, stolen = web.browser(), web.browser(), web.browser()
    assert browser.sign_in(other).status == 303 and elsewhere.sign_in(victim.address).status == 303
    stolen.visitor.cookies.update(browser.visitor.cookies)
    token = _link(ground, web, victim)
    status = _choose(browser, token)
    page = browser.get("/account").text
    with ground.tables():
        theirs = User.get(User.address == other).password
    ended = elsewhere.get(_INBOX).status != 200 and stolen.get(_INBOX).status != 200
    held = status == 303 and victim.address in page and other not in page and hashing.verify(theirs, PASSWORD) and ended
    return Finding(
        "A link used while signed in as somebody else", 1,
        "that session is over, its copy too, and the other's password is as it was; the victim's other sessions are over", held,
    )  # fmt: skip


def _second_step_stays(ground: Ground, web: Web) -> Finding:
    """Whoever reads the recovery address, and nothing else."""
    victim, settings = _victim(ground), ground.settings
    with ground.tables():
        user = User.get(User.address == victim.address)
        with second_step.changing(user):
            authenticator.add(user, "App", authenticator.new_secret(), 0, settings)
            recovery_codes.make(user, settings)
    token, browser = _link(ground, web, victim), _asker(web)
    status = _choose(browser, token)
    later = web.browser()
    later.sign_in(victim.address, _NEW)
    found = []
    for one in (browser, later):
        one.open("/login/code")
        found += [one.get(_INBOX).status, one.post("/login/code/mail").status]
    with ground.tables():
        mails = SystemMessage.select().where(SystemMessage.recipient == victim.outside, SystemMessage.kind == "code").count()
    held = status == 303 and not {200, 303} & set(found) and not mails
    return Finding(
        "The second step skipped by a link, at once and by signing in later, or done by a code to the same address", len(found),
        "it is asked for each time, and no code is mailed", held,
    )  # fmt: skip


# --- what answers tell -----------------------------------------------------------------------------------------------


def _told_by_answers(ground: Ground, web: Web) -> list[Finding]:
    """All kinds in turn, in another order each time; then wrong codes.

    What is sent is sent after the answer, so each of these comes after a request for somebody drawn by lot: or none would come
    after one of its own kind.
    """
    rounds, chance = ground.times(200), random.Random(1)
    kinds = {
        _KNOWN: lambda: _victim(ground).address,
        "a name that does not exist": lambda: f"nobody{chance.random()}@lycee.example",
        "an account that is switched off": lambda: _victim(ground, active=0).address,
        "an account without a recovery address": lambda: ground.person(),
        "an account of a provider": lambda: _victim(ground, password="", provider="oidc:ent").address,
    }
    times: dict[str, dict[str, list[float]]] = {action: {kind: [] for kind in kinds} for action in ("mail", "sms", "code")}
    pages: dict[str, set[str]] = {action: set() for action in times}
    places = iter(networks((rounds + 2) * len(kinds) * 5, seed=11))
    drawn, before = _asker(web), list[str]()
    browsers = {kind: _asker(web) for kind in kinds}
    for number in range(rounds + 2):
        names = {kind: name() for kind, name in kinds.items()}
        before = [name() for name in kinds.values()] if number % 10 == 0 else before
        for action in times:
            order = list(kinds)
            chance.shuffle(order)
            for kind in order:
                drawn.visitor.headers["X-Forwarded-For"] = next(places)
                drawn.post("/forgot", username=chance.choice(before), action="mail")
                browser = browsers[kind]
                if action == "code":
                    answer = browser.post("/forgot/code", code="abcdef")
                else:
                    browser.visitor.headers["X-Forwarded-For"] = next(places)
                    answer = browser.post("/forgot", username=names[kind], action=action)
                    assert answer.status == 303, (kind, answer.status)
                pages[action].add(without_tokens(answer.text) + answer.headers.get("location", ""))
                if number >= 2:  # the first ones warm up
                    times[action][kind].append(answer.ms)
    same = all(len(found) == 1 for found in pages.values())
    words = {"mail": "a link for {}", "sms": "a code for {}", "code": "a wrong code of {}"}
    return [
        Finding(
            "What the answers to requests and wrong codes say, whoever it is for", len(kinds) * 3, "the same to the letter", same
        ),
        *(
            compared(f"The time of the answer to {words[action].format(kind)}", times[action][kind], times[action][_KNOWN])
            for action in times
            for kind in kinds
            if kind != _KNOWN
        ),
    ]


# --- what attacks are made of ----------------------------------------------------------------------------------------


def _victim(ground: Ground, **values: object) -> Victim:
    with ground.tables():
        PasswordReset.update(network="elsewhere").execute()  # the next attack finds its network quiet
    address = ground.person(**values)
    name, number = address.partition("@")[0], int(re.sub(r"\D", "", address.partition("@")[0]))
    found = Victim(address, f"{name}@private.example", f"+336{number:08}")
    with ground.tables():
        User.update(recovery_address=found.outside, phone=found.phone).where(User.address == address).execute()
    return found


def _asker(web: Web, network: str = "") -> Browser:
    browser = web.browser(network)
    browser.open("/forgot")
    return browser


def _copy(web: Web, browser: Browser) -> Browser:
    """The same browser at another process, as a thief of its cookie has it."""
    other = web.browser()
    other.visitor.cookies.update(browser.visitor.cookies)
    other.form = dict(browser.form)
    return other


def _link(ground: Ground, web: Web, victim: Victim) -> str:
    """The token in the link that is mailed when it is asked for."""
    with ground.tables():
        before = SystemMessage.select().where(SystemMessage.recipient == victim.outside).count()
    assert _asker(web).post("/forgot", username=victim.address, action="mail").status == 303
    found = re.search(r"/forgot/(\S+)", _letter(ground, victim, before))
    assert found
    return found[1]


def _letter(ground: Ground, victim: Victim, before: int = 0) -> str:
    """The text of the mail that was queued last, once there are more than `before`."""

    def newest() -> str:
        with ground.tables():
            rows = list(SystemMessage.select().where(SystemMessage.recipient == victim.outside).order_by(SystemMessage.id))
            return system_mail.text_of(rows[-1], ground.settings.secret_key) if len(rows) > before else ""

    return eventually(newest, what=f"a mail to {victim.outside}")


def _text(ground: Ground, browser: Browser, victim: Victim) -> str:
    """The code of the text message that is sent when this browser asks for it; the demo's gateway is the log."""
    assert browser.post("/forgot", username=victim.address, action="sms").status == 303
    log = ground.services.base / "log" / "web-apart.log"

    def newest() -> str:
        found = re.findall(rf"Text message to {re.escape(victim.phone)}: (\d{{6}})", log.read_text(errors="replace"))
        return found[-1] if found else ""

    return eventually(newest, what=f"a text message to {victim.phone}")


def _choose(browser: Browser, token: str, new: str = _NEW, **more: str) -> int:
    """The status of the answer to a new password."""
    browser.open("/forgot")
    return browser.post("/forgot/new", token=token, new_password=new, new_password_again=new, **more).status


def _is_password(ground: Ground, victim: Victim, password: str) -> bool:
    with ground.tables():
        return hashing.verify(User.get(User.address == victim.address).password, password)
