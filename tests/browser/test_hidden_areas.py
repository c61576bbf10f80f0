"""Areas that a group hides from its people: no page that is left leads to one. Visits over HTTP, without a browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from urllib.parse import urlsplit

import pytest
from werkzeug.exceptions import HTTPException

from deploy.demo import accounts
from deploy.demo.services import Services
from tests.support.every_page import ALICE
from tests.support.http_visits import HttpVisitor
from webmail import create_app
from webmail.auth.guard import is_public
from webmail.database.connection import db
from webmail.models import User
from webmail.people import policies
from webmail.people.policies import AREAS, Policy

AreaOf = Callable[[str], str]
_LEADS = re.compile(r'\b(?:href|action|formaction|hx-get|hx-post)="(/[^"]*)"')
_OF_BOTH = ("collections", "dav")  # calendars and address books


@pytest.fixture
def scripts() -> bool:
    return False


@pytest.fixture(scope="module")
def area_of(tmp_path_factory: pytest.TempPathFactory) -> AreaOf:
    """The blueprint of what somebody signed in finds at an address; "" where everybody may look."""
    before = db.obj
    app = create_app(tmp_path_factory.mktemp("routes"))
    if before is not None:
        db.initialize(before)
    here = app.url_map.bind("localhost")

    def find(address: str) -> str:
        for method in ("GET", "POST"):
            try:
                endpoint, _values = here.match(urlsplit(address).path, method)
            except HTTPException:
                continue
            return "" if is_public(app, endpoint) else endpoint.partition(".")[0]
        return ""

    return find


@pytest.fixture
def hide(demo: Services) -> Iterator[Callable[..., None]]:
    """Hides areas from Alice, for the time of a test."""

    def policy(said: Policy) -> None:
        with accounts.tables(demo.database):
            policies.set_own(User.get(User.address == ALICE), said)

    yield lambda *areas: policy(Policy(hidden=areas))
    policy(Policy())


@pytest.mark.parametrize("shown", ["", "calendar", "contacts", "transfers"])
def test_no_page_leads_to_a_hidden_area(
    demo: Services, every_page: dict[str, str], hide: Callable[..., None], area_of: AreaOf, shown: str
) -> None:
    hidden = [one for one in AREAS if one != shown]
    hide(*hidden)
    closed = {*hidden, *(_OF_BOTH if shown not in ("calendar", "contacts") else ())}
    http = HttpVisitor(demo.address, "", ALICE, demo.password, "fr").sign_in().http
    wrong, seen = {}, 0
    for name, place in every_page.items():
        area = area_of(place)
        if shown and area not in (shown, *_OF_BOTH):
            continue  # as where nothing is shown
        answer = http.get(place, follow_redirects=True)
        seen += answer.status_code == 200
        if area in closed:
            assert answer.status_code == 403, place
        led = {unescape(one) for one in _LEADS.findall(answer.text)}
        if bad := sorted(one for one in led if area_of(one) in closed):
            wrong[name] = bad[:3]
    assert not wrong
    assert seen
