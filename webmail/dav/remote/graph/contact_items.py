"""Contacts as items of a book at Graph: read, made, changed."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, urlencode

from webmail.dav.remote.graph import contact_cards, extra_lines
from webmail.dav.remote.graph.contact_cards import UnreadableContactError, card_from, contact_from, differing, extra_of
from webmail.dav.remote.graph.event_items import NAME_PROPERTY, change_key, odata_etag
from webmail.dav.remote.graph.graph_client import GraphAnswer, GraphClient, Json

_QUERY = urlencode(
    {"$expand": f"singleValueExtendedProperties($filter=id eq '{extra_lines.PROPERTY}')"}, quote_via=quote, safe="$,()'="
)
_CHANGES = (400, 403, 404, 405, 409, 410, 412, 413, 422)


def question(name: str) -> str:
    return f"/me/contacts/{name}?{_QUERY}"


def read(contact: Json, card_here: Callable[[], str]) -> tuple[str, str]:
    """Entity tag and card; "" for what can't be read. `card_here` gives the card here, where Graph can't have all of it."""
    try:
        return change_key(contact)[:200], card_from(contact, card_here() if contact_cards.is_incomplete(contact) else "")
    except UnreadableContactError:
        return change_key(contact)[:200], ""


def create(client: GraphClient, where: str, name: str, card: str, _zone_name: str) -> GraphAnswer:
    properties = [*extra_lines.as_property(extra_of(card)), {"id": NAME_PROPERTY, "value": name}]
    return client.request("POST", where, {**contact_from(card), "singleValueExtendedProperties": properties}, refused=_CHANGES)


def change(client: GraphClient, name: str, card: str, etag: str, _zone_name: str) -> GraphAnswer:
    """`etag`: what is there has it; "" for whatever is there."""
    found = client.request("GET", question(name), refused=(404, 410))
    if found.status >= 400:
        return found
    there = found.body
    if etag and change_key(there)[:200] != etag:
        return GraphAnswer(412, there)
    bare = {key: value for key, value in there.items() if key != "singleValueExtendedProperties"}
    patch = differing(contact_from(card), contact_from(card_from(bare)))
    patch["singleValueExtendedProperties"] = extra_lines.as_property(extra_of(card, there))
    condition = {"If-Match": odata_etag(change_key(there))}
    return client.request("PATCH", f"/me/contacts/{name}", patch, condition, refused=_CHANGES)
