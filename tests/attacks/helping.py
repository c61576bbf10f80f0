"""Help in person and the page for help: deputies who want more than they may, two of them at once, and strangers who ask without end."""

from __future__ import annotations

import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

from tests.attacks.ground import PASSWORD, Browser, Ground, Web, networks, without_tokens
from tests.attacks.report import Finding
from tests.bench.visitor import Answer
from tests.support.limits import forget_all
from webmail import rate_limits
from webmail.accounts import support
from webmail.auth.passwords import hashing
from webmail.auth.recovery import deputies, temporary_passwords
from webmail.models import (
    Deputy,
    GroupMember,
    PeopleGroup,
    Session,
    SupportRequest,
    SystemMessage,
    User,
    now,
)
from webmail.system_mail import delivery

_AT_ONCE = 4  # deputies at each of two processes
_ROUNDS = 12
_HEADERS = [
    "\r\nBcc: all@lycee.example", "\nBcc: all@lycee.example", "\rBcc: all@lycee.example", "%0d%0aBcc: all@lycee.example",
    "\x0bBcc: all@lycee.example", "\x0cBcc: all@lycee.example", "\u2028Bcc: all@lycee.example", "\u2029Bcc: all@lycee.example",
    "\x85Bcc: all@lycee.example", "\r\n\r\n<b>body</b>", "\r\n.\r\nMAIL FROM:<all@lycee.example>", "=?utf-8?Q?=0D=0ABcc:_all?=",
    "\x00\r\nBcc: all@lycee.example", "\u560d\u560aBcc: all@lycee.example", "alice@lycee.example, all@lycee.example",
]  # fmt: skip
_TYPED = ("username", "contact", "text")
_REFERENCE = re.compile(r"data-reference>([^<]+)<")


@dataclass
class Office:
    """A deputy who is signed in and has shown their second step, and somebody of their group."""

    deputy: str
    browser: Browser
    colleague: str
    group: int


def attacks(ground: Ground) -> list[Finding]:
    with ground.web() as one, ground.web() as other:
        return [
            _other_people(ground, one),
            _the_untouchable(ground, one),
            _without_factor(ground, one),
            _right_taken_back(ground, one),
            _sheet_of_others(ground, one),
            _at_once(ground, [one, other]),
            _an_hour(ground, [one, other]),
            _expired(ground, one),
            _without_end(ground, [one, other]),
            _into_headers(ground, one),
            _others_references(ground, one),
            _passwords_kept(ground, one),
        ]


# --- deputies --------------------------------------------------------------------------------------------------------


def _other_people(ground: Ground, web: Web) -> Finding:
    """Numbers of people outside the groups, and of nobody."""
    office, tries = _office(ground, web), ground.times(1000)
    outside = ground.person()
    numbers = [_number(ground, outside), *range(10**6, 10**6 + tries // 5 - 1)]
    pages = ["", "/password", "/factors", "/sheet"]
    answers = Counter(office.browser.get(f"/deputy/{number}{page}").status for number in numbers for page in pages)
    same = len({without_tokens(office.browser.get(f"/deputy/{number}").text) for number in numbers[:2]}) == 1
    answers.update(_press(office.browser, number, page).status for number in numbers[: tries // 10] for page in pages[1:3])
    held = set(answers) == {404} and same and _has(ground, outside, PASSWORD)
    words = "all alike: no such page" if held else f"answers: {dict(answers)}; the same page: {same}"
    return Finding("A deputy at people outside their groups, and at nobody", answers.total(), words, held)


def _the_untouchable(ground: Ground, web: Web) -> Finding:
    """Forms for those whom a deputy may not help, though they are in the group."""
    office = _office(ground, web)
    given: list[dict[str, object]] = [{"role": "admin"}, {"active": 0}, {"password": "", "provider": "ldap"}, {}]
    people = [ground.person(**values) for values in given]
    with ground.tables():
        for address in (*people, office.deputy):
            GroupMember.create(group=office.group, user=User.get(User.address == address))
        other = User.get(User.address == people[3])
        Deputy.create(user=other, group=office.group)
        User.update(second_step=1).where(User.address.in_(people)).execute()
        before = {row.address: row.password for row in User.select().where(User.address.in_([*people, office.deputy]))}
    answers = Counter[int]()
    for address in (*people, office.deputy):
        number, seen = _number(ground, address), _seen(ground, address)
        answers[_press(office.browser, number, "/password", seen=seen).status] += 1
        if address != people[2]:  # of a provider's account the factors may go
            answers[_press(office.browser, number, "/factors", reason="lost").status] += 1
    with ground.tables():
        now_there = {row.address: (row.password, row.second_step) for row in User.select().where(User.address.in_([*before]))}
    held = set(answers) == {403} and all(now_there[address] == (kept, 1) for address, kept in before.items())
    words = "all refused (403); passwords and second steps are as they were"
    return Finding("A deputy at administrators, other deputies, oneself, disabled accounts", answers.total(), words, held)


def _without_factor(ground: Ground, web: Web) -> Finding:
    """A deputy's stolen session, half an hour later; and a deputy whose password alone is known."""
    office = _office(ground, web)
    number, seen = _number(ground, office.colleague), _seen(ground, office.colleague)
    pages, statuses = ("/password", "/factors", "/sheet"), []
    with ground.tables():
        Session.update(confirmed=now() - timedelta(minutes=30)).execute()
    statuses += [office.browser.get(f"/deputy/{number}{page}").headers.get("location", "") for page in pages]
    statuses += [_press(office.browser, number, page, seen=seen, reason="lost").headers.get("location", "") for page in pages[:2]]
    led = all(location.startswith("/account/confirm") for location in statuses)
    with ground.tables():
        Session.update(confirmed=now()).execute()
        User.update(second_step=0).where(User.address == office.deputy).execute()
    refused = {_press(office.browser, number, page, seen=seen, reason="lost").status for page in pages[:2]}
    held = led and refused == {403} and _has(ground, office.colleague, PASSWORD)
    words = "the second step is asked for first; without one nothing is done"
    return Finding("A deputy's stolen session, and a deputy without a second step", len(statuses) + 2, words, held)


def _right_taken_back(ground: Ground, web: Web) -> Finding:
    office = _office(ground, web)
    number, seen = _number(ground, office.colleague), _seen(ground, office.colleague)
    with ground.tables():
        Deputy.delete().where(Deputy.group == office.group).execute()
    answers = {_press(office.browser, number, page, seen=seen, reason="lost").status for page in ("/password", "/factors")}
    held = answers == {404} and _has(ground, office.colleague, PASSWORD)
    return Finding("An open page, once the right was taken back", 2, "no such page any more", held)


def _sheet_of_others(ground: Ground, web: Web) -> Finding:
    """Another deputy of the same group wants to see the sheet; so does whoever comes later, and who reads the database."""
    office, other = _office(ground, web), _deputy(ground, web)
    with ground.tables():
        Deputy.create(user=User.get(User.address == other.deputy), group=office.group)
    number = _number(ground, office.colleague)
    assert _press(office.browser, number, "/password", seen=_seen(ground, office.colleague)).status == 303
    theirs = other.browser.get(f"/deputy/{number}/sheet")
    with ground.tables():
        stored = " ".join(row.data for row in Session.select())
    letters = _letters(office.browser.get(f"/deputy/{number}/sheet").text)
    again = office.browser.get(f"/deputy/{number}/sheet")
    hidden = letters and letters not in stored and letters.replace(" ", "") not in stored
    held = bool(hidden) and (theirs.status, again.status) == (410, 410) and letters not in theirs.text + again.text
    return Finding("A sheet asked for by another deputy, in the database, and again", 3, "shown once, to who made it", held)


def _at_once(ground: Ground, webs: list[Web]) -> Finding:
    rounds, won, good = 2 if ground.quick else _ROUNDS, Counter[int](), []
    for _ in range(rounds):
        office = _office(ground, webs[0])
        others = [_deputy(ground, web) for web in webs for _ in range(_AT_ONCE)]
        with ground.tables():
            for each in others:
                Deputy.create(user=User.get(User.address == each.deputy), group=office.group)
        number, seen = _number(ground, office.colleague), _seen(ground, office.colleague)
        together = threading.Barrier(len(others))

        def press(each: Office, together: threading.Barrier = together, number: int = number, seen: str = seen) -> int:
            together.wait()
            return _press(each.browser, number, "/password", seen=seen).status

        with ThreadPoolExecutor(len(others)) as people:
            statuses = list(people.map(press, others))
        won[statuses.count(303)] += 1
        for each, status in zip(others, statuses, strict=True):
            if status == 303:
                letters = _letters(each.browser.get(f"/deputy/{number}/sheet").text)
                good.append(_has(ground, office.colleague, letters.replace(" ", "")))
    held = set(won) == {1} and all(good) and len(good) == rounds
    words = f"{rounds} times by {2 * _AT_ONCE} together: each time {', '.join(map(str, won))} sheet, and it is good"
    return Finding("Deputies who help one person at the same instant, in two processes", rounds * 2 * _AT_ONCE, words, held)


def _an_hour(ground: Ground, webs: list[Web]) -> Finding:
    office, tries = _office(ground, webs[0]), 12 if ground.quick else 60
    people = ground.people(tries)
    with ground.tables():
        for address in people:
            GroupMember.create(group=office.group, user=User.get(User.address == address))
        helped = deputies.HELPED.by(User.get(User.address == office.deputy).id)
        for _ in range(deputies.HELPED.most - 4 if ground.quick else 0):  # as if they had been helped already
            rate_limits.note(ground.settings, helped)
    answers = Counter(
        _press(office.browser, _number(ground, address), "/password", seen=_seen(ground, address)).status for address in people
    )
    most = 4 if ground.quick else deputies.HELPED.most
    held = answers == {303: most, 429: tries - most}
    return Finding("A deputy's session at everybody of the group", tries, f"{answers[303]} passwords, then told to wait", held)


def _expired(ground: Ground, web: Web) -> Finding:
    office = _office(ground, web)
    number = _number(ground, office.colleague)
    _press(office.browser, number, "/password", seen=_seen(ground, office.colleague))
    letters = _letters(office.browser.get(f"/deputy/{number}/sheet").text)
    near = [letters[:-1], letters[::-1], f"{letters}a", letters.replace(" ", "")[:-1] + "i"]
    wrong = {web.browser().sign_in(office.colleague, guess).status for guess in near}
    with ground.tables():
        User.update(temporary_until=now() - timedelta(seconds=1)).where(User.id == number).execute()
    late = web.browser().sign_in(office.colleague, letters).status
    with ground.tables():
        User.update(temporary_until=now() + temporary_passwords.VALID).where(User.id == number).execute()
    ground.forget()
    good = web.browser().sign_in(office.colleague, letters.upper()).status
    held = wrong == {401} and (late, good) == (401, 303)
    return Finding("A sheet after its last day, and its password changed a little", 5, "opens nothing; before that it does", held)


# --- the page for help -----------------------------------------------------------------------------------------------


def _without_end(ground: Ground, webs: list[Web]) -> Finding:
    tries = ground.times(5000)
    places = networks(tries // 2)
    with ground.tables():
        SupportRequest.delete().execute()
        forget_all()
        SystemMessage.delete().execute()

    def ask(number: int) -> int:
        browser = webs[number % 2].browser(places[number % len(places)])
        browser.open("/support")
        return _ask(browser, username=f"p{number}", text=str(number)).status

    with ThreadPoolExecutor(8) as people:
        answers = Counter(people.map(ask, range(tries)))
    with ground.tables():
        rows, mails = SupportRequest.select().count(), SystemMessage.select().count()
    most = min(tries, support.OF_STRANGERS.most)
    known = _ask(_signed_in(ground, webs[0]), kind="mail").status
    held = (
        rows == answers[303] == most and mails <= support.MAILS_OF_STRANGERS.most and set(answers) <= {303, 429} and known == 303
    )
    words = f"{rows} requests were stored and {mails} mails sent; who is signed in is still heard"
    return Finding(f"Requests from {len(places):,} networks, in two processes", tries, words, held)


def _into_headers(ground: Ground, web: Web) -> Finding:
    sender, admin, faults, tries = ground.settings.system_sender, ground.settings.admin_address, [], 0
    assert sender is not None
    with ground.tables():
        SupportRequest.delete().execute()
        forget_all()
        SystemMessage.delete().execute()
    places = iter(networks(len(_HEADERS) * len(_TYPED), seed=5))
    for at, words in enumerate(_HEADERS):
        for name in _TYPED:
            browser, tries = web.browser(next(places)), tries + 1
            browser.open("/support")
            _ask(browser, **{"username": f"q{tries}", name: f"x{at}{words}"})
            with ground.tables():
                sent = list(SystemMessage.select())
                SystemMessage.delete().execute()
                forget_all()  # or the limit of a day would keep back the rest
            mails = [message_from_bytes(delivery.content(row, sender), policy=policy.default) for row in sent]
            if [row.recipient for row in sent] != [admin] or not all(_is_plain(mail, admin) for mail in mails):
                faults.append((name, words))
    words = "each is one mail, to the administrator alone, with the headers of every other"
    return Finding("Line ends and headers in each field of a request", tries, words, not faults)


def _is_plain(mail: EmailMessage, admin: str) -> bool:
    alone = (mail["To"], mail["Bcc"], mail["Cc"], len(mail.get_all("Subject", []))) == (admin, None, None, 1)
    return alone and not mail.is_multipart() and mail.get_content_type() == "text/plain"


def _others_references(ground: Ground, web: Web) -> Finding:
    with ground.tables():
        SupportRequest.delete().execute()
        forget_all()
    owner, tries = web.browser("93.184.216.7"), ground.times(500)
    owner.open("/support")
    assert _ask(owner, text="privé").status == 303
    said = _REFERENCE.search(owner.get("/support/sent").text)
    assert said
    stranger = web.browser()
    asked = [f"/support/sent?reference={said[1]}", f"/support/{said[1]}", f"/support/sent/{said[1]}"]
    asked += [f"/support/sent?reference=AAA-{number:03}" for number in range(tries)]
    shown = [path for path in asked if (answer := stranger.get(path)).status == 200 or said[1] in answer.text]
    return Finding("Somebody else's reference, known or guessed", len(asked), "shows nothing", not shown)


def _passwords_kept(ground: Ground, web: Web) -> Finding:
    """People who write their password all the same, in the words they use."""
    with ground.tables():
        SupportRequest.delete().execute()
        forget_all()
        SystemMessage.delete().execute()
    before = ("mot de passe : {}", "Mon mot de passe est {}", "mdp={}", "password: {}", "my password is {}", "PASSWORD : {}")
    secrets = ("Zebre-7491", "quokka", "p4ss!word")
    places = iter(networks(len(before) * len(secrets), seed=9))
    answers = Counter[int]()
    for words in before:
        for secret in secrets:
            browser = web.browser(next(places))
            browser.open("/support")
            answers[_ask(browser, username=f"r{answers.total()}", text=words.format(secret)).status] += 1
    with ground.tables():
        stored = SupportRequest.select().count() + SystemMessage.select().count()
    words = "taken out and shown to be sent again; nothing is stored"
    return Finding("Passwords in the text of a request", answers.total(), words, set(answers) == {422} and not stored)


# --- parts -----------------------------------------------------------------------------------------------------------


def _office(ground: Ground, web: Web) -> Office:
    made, colleague = _deputy(ground, web), ground.person()
    with ground.tables():
        domain = colleague.rpartition("@")[2]
        group = PeopleGroup.create(identifier=f"g-{colleague}", name=colleague, sort=colleague, domain=domain)
        GroupMember.create(group=group, user=User.get(User.address == colleague))
        Deputy.create(user=User.get(User.address == made.deputy), group=group)
    return Office(made.deputy, made.browser, colleague, group.id)


def _deputy(ground: Ground, web: Web) -> Office:
    """Somebody who has a second step and has just shown it, and no group yet."""
    address = ground.person()
    browser = web.browser()
    assert browser.sign_in(address).status == 303
    with ground.tables():
        user = User.get(User.address == address)
        User.update(second_step=1).where(User.id == user.id).execute()
        Session.update(confirmed=now()).where(Session.user == user).execute()
    browser.open("/account/password")
    return Office(address, browser, "", 0)


def _signed_in(ground: Ground, web: Web) -> Browser:
    browser = web.browser()
    assert browser.sign_in(ground.person()).status == 303
    browser.open("/support")
    return browser


def _press(browser: Browser, number: int, page: str, **fields: str) -> Answer:
    return browser.post(f"/deputy/{number}{page}", **{"seen": "", "reason": "", **fields})


def _ask(browser: Browser, **fields: str) -> Answer:
    return browser.post("/support", **{"username": "somebody", "kind": "other", "text": "x", "contact": "y", **fields})


def _number(ground: Ground, address: str) -> int:
    with ground.tables():
        return int(User.get(User.address == address).id)


def _seen(ground: Ground, address: str) -> str:
    with ground.tables():
        return deputies.state_of(User.get(User.address == address), ground.settings)


def _has(ground: Ground, address: str, password: str) -> bool:
    with ground.tables():
        return hashing.verify(User.get(User.address == address).password, password)


def _letters(text: str) -> str:
    found = re.search(r"data-temporary-password[^>]*>([^<]+)<", text)
    return found[1] if found else ""
