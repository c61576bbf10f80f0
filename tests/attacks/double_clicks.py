"""Double clicks: forms that make or mail something, clicked ten times at once, on two web processes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from tests.attacks.ground import Browser, Ground, Web
from tests.attacks.report import Finding
from tests.bench.visitor import fields
from webmail.models import AppPassword, FileRequest, Session, SystemMessage, Tag, User, now

CLICKS = 10


@dataclass(frozen=True, slots=True)
class Form:
    """A form, what is typed into it, and what it makes of a person's: how many rows."""

    what: str
    page: str
    action: str
    typed: dict[str, str]
    made: Callable[[User], int]


def _letters(user: User) -> int:
    return int(SystemMessage.select().where(SystemMessage.recipient.contains("friend")).count())


FORMS = [
    Form(
        "a request for files, to two people", "/transfers/requests/new", "/transfers/requests/new",
        {"title": "Photos", "who": "named", "people": "friend1@world.test, friend2@world.test", "most": "0"},
        lambda user: int(FileRequest.select().where(FileRequest.owner == user).count()),
    ),
    Form(
        "an app password", "/devices", "/devices/new", {"name": "Phone", "use": "imap"},
        lambda user: int(AppPassword.select().where(AppPassword.user == user).count()),
    ),
    Form(
        "a tag", "/tags", "/tags", {"action": "add", "name": "Urgent", "colour": "red"},
        lambda user: int(Tag.select().where(Tag.user == user).count()),
    ),
]  # fmt: skip


def attacks(ground: Ground) -> list[Finding]:
    found = []
    with ground.web() as one, ground.web() as other:
        for form in FORMS:
            without, with_id = (_clicked(ground, [one, other], form, carries=carries) for carries in (False, True))
            told, rows, letters = with_id
            words = f"{rows} made, {letters} letters, {told} answers; without the form's id, as before: {without[1]} and {without[2]}, {without[0]} answers"
            good = rows == 1 and told == 1
            found.append(Finding(f"{CLICKS} clicks at once for {form.what}", 2 * CLICKS, words, good))
    return found


def _clicked(ground: Ground, webs: list[Web], form: Form, *, carries: bool) -> tuple[int, int, int]:
    """How many different answers there were, how many rows it made, and how many letters."""
    address = ground.person()
    first = webs[0].browser()
    assert first.sign_in(address).status == 303
    with ground.tables():
        Session.update(confirmed=now()).execute()
        user = User.get(User.address == address)
        before = _letters(user)
    page = fields(first.get(form.page).text)
    data = {"csrf_token": page["csrf_token"], **form.typed, **({"form_id": page["form_id"]} if carries else {})}
    start, answers = threading.Barrier(CLICKS), []

    def click(hand: Browser) -> None:
        start.wait()
        answer = hand.post(form.action, **data)
        answers.append((answer.status, answer.headers.get("location", "")))

    hands = [_same(first, webs[number % len(webs)]) for number in range(CLICKS)]
    threads = [threading.Thread(target=click, args=(hand,)) for hand in hands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ground.tables():
        return len(set(answers)), form.made(user), _letters(user) - before


def _same(browser: Browser, web: Web) -> Browser:
    """The same browser at another process: its cookies."""
    other = web.browser()
    other.visitor.cookies.update(browser.visitor.cookies)
    return other
