"""The directory: pages of the establishment's people, groups and functional mailboxes, as the person who is asking sees them."""

from __future__ import annotations

from flask import abort, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.providers import people_elsewhere
from webmail.contacts import store
from webmail.contacts.blueprint import blueprint
from webmail.contacts.views.sources import SOURCES, PeopleSource, SourcePerson
from webmail.mail import Address
from webmail.mime.headers.address_input import address_key
from webmail.mime.headers.address_text import address_text
from webmail.mime.headers.encoded_words import sort_key
from webmail.models import User
from webmail.people import directory_cards, listed
from webmail.people.listed import ListedPerson
from webmail.people.visibility import Sight, sight_of
from webmail.preferences import change
from webmail.web.current import current_user, preferences, settings
from webmail.web.notices import notify
from webmail.web.rendering import page
from webmail.web.responses.downloads import named
from webmail.web.responses.qr_code import qr_code

_LONGEST_WORDS = 100
_MOST_SHOWN = 500  # people of a group


@blueprint.get("/contacts/directory")
def directory() -> Response:
    sight, words = _sight(), request.args.get("words", "")[:_LONGEST_WORDS]
    size = preferences().page_size or settings().page_size
    at = max(request.args.get("page", 1, int), 1)
    found, total = listed.people(sight, words, (at - 1) * size, size)
    last = max((total - 1) // size, 0) + 1
    if at > last:
        return redirect(url_for("contacts.directory", words=words or None, page=last), 303)
    first = at == 1
    return page(
        "contacts/directory.html", people=found, total=total, number=at, last=last, words=words, mine=_mine(found),
        groups=listed.groups(sight, words) if first else [], addresses=listed.addresses(sight, words) if first else [],
        asks_elsewhere=people_elsewhere.is_asked(sight, words, settings()), on_devices=preferences().directory_on_devices,
    )  # fmt: skip


@blueprint.get("/contacts/directory/elsewhere")
def directory_elsewhere() -> Response:
    """Who else is in LDAP, bounded in time and number; a part of the page, or a page where there are no scripts."""
    sight, words = _sight(), request.args.get("words", "")[:_LONGEST_WORDS]
    return page("contacts/directory_elsewhere.html", found=people_elsewhere.find(sight, words, settings()), words=words)


@blueprint.post("/contacts/directory")
def directory_on_devices() -> Response:
    """`action`: show the directory on one's devices, or no longer."""
    wanted = request.form.get("action") == "show"
    change(current_user(), directory_on_devices=wanted)
    told = _("Your devices will show the directory the next time they synchronise contacts.")
    notify(told if wanted else _("Your devices no longer show the directory."))
    return redirect(url_for("contacts.directory"), 303)


@blueprint.get("/contacts/directory/people/<path:address>")
def directory_person(address: str) -> Response:
    one = _person(address)
    return page("contacts/directory_person.html", one=one, card=_card(one), mine=_mine([one]))


@blueprint.get("/contacts/directory/qr/<path:address>")
def directory_qr(address: str) -> Response:
    one = _person(address)
    return page("contacts/directory_qr.html", one=one, picture=qr_code(_card(one)))


@blueprint.get("/contacts/directory/cards/<path:address>")
def directory_card(address: str) -> Response:
    one = _person(address)
    return named(_card(one).encode(), "text/vcard; charset=utf-8", f"{one.name}.vcf")


@blueprint.get("/contacts/directory/groups/<identifier>")
def directory_group(identifier: str) -> Response:
    sight = _sight()
    found = listed.group(sight, current_user().domain, identifier)
    if found is None:
        abort(404)
    shown = listed.with_groups(sight, sorted(found.people, key=lambda one: sort_key(one.name))[:_MOST_SHOWN])
    return page("contacts/directory_group.html", group=found, people=shown, more=len(found.people) - len(shown))


@blueprint.app_template_global()
def directory_entry(person: ListedPerson) -> str:
    """What stands in an address field for somebody of the directory."""
    return address_text([Address(person.name, person.email)])


def _sight() -> Sight:
    sight = sight_of(current_user(), settings())
    if sight.nobody and not sight.addresses:
        abort(404)
    return sight


def _person(address: str) -> ListedPerson:
    one = listed.person(_sight(), address[:254])
    if one is None:
        abort(404)
    return one


def _card(person: ListedPerson) -> str:
    return directory_cards.card_of(
        person.name, person.email, settings().name, [name for _identifier, name in person.groups], person.about
    )


def _mine(people: list[ListedPerson]) -> set[str]:
    """The addresses among these that are contacts already. 1 query."""
    known = store.by_address(current_user(), [address_key(one.email) for one in people])
    return {one.email for one in people if address_key(one.email) in known}


def _find(user: User, text: str, most: int) -> tuple[list[SourcePerson], int]:
    sight = sight_of(user, settings())
    found, total = listed.people(sight, text, 0, most)
    more = listed.addresses(sight, text)
    rows = [SourcePerson(one.name, one.email, url_for("contacts.directory_person", address=one.email)) for one in [*more, *found]]
    return rows[:most], total + len(more)


def _is_on() -> bool:
    sight = sight_of(current_user(), settings())
    return not sight.nobody or bool(sight.addresses)


SOURCES.append(
    PeopleSource(
        "directory",
        label=lambda: _("Directory"),
        url=lambda words: url_for("contacts.directory", words=words or None),
        find=_find,
        is_on=_is_on,
    )
)
