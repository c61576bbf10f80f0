"""The list of people."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin import people_texts
from webmail.admin.blueprint import blueprint
from webmail.admin.people import listing
from webmail.admin.people.listing import PeopleWanted
from webmail.admin.views.access import administrator
from webmail.establishments import establishments
from webmail.web.rendering import page

_LONGEST = 100


@blueprint.get("/people")
def people() -> AnyResponse:
    """Three SELECTs, and those of the access."""
    scope, wanted = administrator(), wanted_in(request.args)
    number = min(max(request.args.get("page", 1, int), 1), 100_000)
    rows, total = listing.page(scope, wanted, number)
    last = max((total - 1) // listing.SIZE, 0) + 1
    if number > last:
        return redirect(url_for("admin.people", page=last, **values_of(wanted)), 303)
    return _page(rows=rows, total=total, number=number, last=last, wanted=wanted, everything=scope.everything)


def _page(*, wanted: PeopleWanted, everything: bool, **shown: Any) -> Response:
    return page(
        "admin/people/list.html", wanted=wanted, values=values_of(wanted), states=people_texts.states(),
        sorts=people_texts.sorts(), state_of=people_texts.state_of, most=listing.MOST_AT_ONCE,
        establishments=establishments.listed() if everything else [], **shown,
    )  # fmt: skip


def wanted_in(typed: MultiDict[str, str]) -> PeopleWanted:
    """Whom the list shows, by its address or by the hidden fields of its form."""
    words, group = " ".join(typed.get("query", "")[:_LONGEST].split()), typed.get("group", "")[:_LONGEST].strip()
    sort = typed.get("sort", "address")[:20]
    return PeopleWanted(words, typed.get("state", "")[:20], group, typed.get("establishment", 0, int), sort)


def values_of(wanted: PeopleWanted) -> dict[str, Any]:
    """The same as values of an address, without those that say nothing."""
    found = {
        "query": wanted.words, "state": wanted.state, "group": wanted.group, "establishment": wanted.establishment,
        "sort": wanted.sort if wanted.sort != "address" else "",
    }  # fmt: skip
    return {name: value for name, value in found.items() if value}
