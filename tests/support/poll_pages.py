"""Polls in tests: made by their form, and answered by their public page."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.visits import Page, Visitor
from webmail.config import settings as config
from webmail.config.settings import Settings
from webmail.models import Poll, PollOption, User
from webmail.polls import store, voting
from webmail.polls.store import OptionTime, PollWishes
from webmail.polls.voting import Ballot, PollAnswer

NEXT_WEEK = date.today() + timedelta(days=7)


def day(ahead: int = 0) -> str:
    """A day of next week, and after it."""
    return (NEXT_WEEK + timedelta(days=ahead)).isoformat()


def new_poll(visitor: Visitor, *days: str, **fields: str) -> Page:
    """The page of the poll that is made, or the form again. Dates: "2026-12-10T14:00", or a day."""
    lists = {"option": list(days or (f"{day()}T14:00", f"{day(1)}T09:00", day(2))), "option_hour": [], "option_end": []}
    return visitor.submit(visitor.get("/polls/new"), "#poll-form", **{"title": "Conseil", "action": "save"} | fields, **lists)


def link_of(page: Page) -> str:
    """The path of the public page of the poll on its organiser's page."""
    return "/p/" + str(page.one("[data-public-link]")["data-public-link"]).rpartition("/")[2]


def vote(visitor: Visitor, link: str, *answers: str, follow: bool = True, **fields: str) -> Page:
    """PollAnswer the dates in their order."""
    page = visitor.get(link)
    names = list(dict.fromkeys(str(one["name"]) for one in page.all("[data-vote]")))
    given = dict(zip(names, answers, strict=False))
    asks = {"name": "Zoé Petit"} if page.all("#name") else {}
    return visitor.submit(page, "#poll-form", follow=follow, **asks | given | {"action": "vote"} | fields)


def totals(page: Page) -> list[tuple[int, ...]]:
    """Yes, if need be and no of each date, as a page shows them."""
    rows = page.all("table.poll:not(.who) tbody tr")
    return [tuple(int(one.text) for one in row.select("[data-totals] b") or row.select("td")[:3]) for row in rows]


def stored_poll(owner: User, settings: Settings, dates: int = 3, title: str = "Conseil", **wishes: object) -> Poll:
    """One without pages, an hour on each of so many days."""
    first = datetime.combine(NEXT_WEEK, datetime.min.time(), ZoneInfo("Europe/Paris")) + timedelta(hours=14)
    start = first.astimezone(UTC).replace(tzinfo=None)
    times = [OptionTime(start + timedelta(days=number), 60) for number in range(dates)]
    return store.make(owner, PollWishes(title, times, **wishes), "Europe/Paris", settings)  # type: ignore[arg-type]


def numbers(poll: Poll) -> list[int]:
    return [one.id for one in PollOption.select().where(PollOption.poll == poll).order_by(PollOption.start)]


def poll_pages(demo: Services, owner: str) -> dict[str, str]:
    """In the demo: polls open, answered, closed, with hidden answers; their organiser's pages and those of everybody."""
    known = config.load(Path(demo.base) / "web")
    with accounts.tables(demo.database):
        alice = User.get(User.address == owner)
        title = "Réunion interdisciplinaire extraordinaire de préparation"
        made = stored_poll(alice, known, 20, title, location="Salle 12", note="Ordre du jour :\nle voyage")
        given = list(PollAnswer)
        voters = [
            voting.vote(
                made,
                Ballot(
                    {option: given[(number + at) % 3] for at, option in enumerate(numbers(made))},
                    "Alice Leroy" if number == 3 else f"Prénom{number} Nom{number}-Composé",
                    f"{'x' * 40}@{'long-name-' * 5}.example" if number == 4 else "",
                    "Plutôt le soir, si cela convient à tout le monde" if number % 2 else "",
                ),
                known,
            )
            for number in range(32)
        ]
        closed = stored_poll(alice, known, title="Fini")
        store.close(closed)
        hidden = stored_poll(alice, known, title="Masqué", hidden=True)
        voting.vote(hidden, Ballot({numbers(hidden)[0]: PollAnswer.YES}, "Zoé"), known)
        mine = f"/p/{voting.token(voters[0], known)}"
        return {
            "polls": "/polls",
            "poll-new": "/polls/new",
            "poll": f"/polls/{made.id}",
            "poll-closed": f"/polls/{closed.id}",
            "poll-change": f"/polls/{made.id}/change",
            "poll-public": f"/p/{store.token(made, known)}",
            "poll-public-mine": f"{mine}?done=voted",
            "poll-public-closed": f"/p/{store.token(closed, known)}",
            "poll-public-hidden": f"/p/{store.token(hidden, known)}",
        }
