"""Links of the establishment, as every page shows them."""

from __future__ import annotations

from typing import NamedTuple, cast

from flask import g

from webmail.accounts import links
from webmail.accounts.blueprint import blueprint
from webmail.web.current import current_user, settings
from webmail.web.frame.icons import icon_names


class OwnLink(NamedTuple):
    """A link and its icon; none ("") if there is no icon of that name."""

    name: str
    url: str
    icon: str


@blueprint.app_template_global()
def own_links() -> tuple[OwnLink, ...]:
    """The links for the signed-in person, in the order of the configuration; cached per request."""
    if "own_links" not in g:
        found = links.for_person(settings().links, current_user())
        known = icon_names()
        g.own_links = tuple(OwnLink(link.name, link.url, link.icon if link.icon in known else "") for link in found)
    return cast("tuple[OwnLink, ...]", g.own_links)
