"""Texts about other servers: what went wrong, what is asked, and why an item is on one side only."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from webmail.collections.following.faults import FollowFault, FollowTroubleError
from webmail.collections.store import BOOK
from webmail.dav.blueprint import blueprint
from webmail.dav.remote.side import THERE, ItemNote
from webmail.models import RemoteItem, RemoteLink
from webmail.web.texts.following_texts import not_found_words, not_now_words


@blueprint.app_template_global()
def server_trouble_words(kind: str, host: str, target: str = "") -> str:
    """`kind`: a FollowFault; `target`: the host that it sent us on to."""
    match kind:
        case FollowFault.PASSWORD:
            return _("%(host)s refuses the password, so nothing is synchronised. Enter a new one.", host=host)
        case FollowFault.GONE:
            return _("It no longer exists on %(host)s. What is here stays.", host=host)
        case FollowFault.REFUSED:
            return _("%(host)s does not allow this.", host=host)
        case FollowFault.ELSEWHERE if target:
            return _("%(host)s redirects to %(target)s, which will not get your password.", host=host, target=target)
        case FollowFault.ELSEWHERE:
            return _("%(host)s redirects to another server, which will not get your password.", host=host)
        case FollowFault.NOT_DAV:
            return _("The answer from %(host)s could not be understood.", host=host)
        case FollowFault.TOO_LARGE | FollowFault.TOO_MANY:
            return _("It has too many entries to be synchronised.")
        case FollowFault.FULL:
            return _("%(host)s has no space left.", host=host)
    return not_now_words(kind, host)


@blueprint.app_template_global()
def service_trouble_words(kind: str, title: str) -> str:
    """Of a connected service. `kind`: a FollowFault."""
    match kind:
        case FollowFault.PASSWORD:
            return _("%(title)s no longer gives access, so nothing is synchronised. Connect it again.", title=title)
        case FollowFault.REFUSED:
            return _(
                "%(title)s does not allow this: the access was not given, or your organisation there refuses it.", title=title
            )
    return server_trouble_words(kind, title)


def connect_trouble_words(trouble: FollowTroubleError, host: str) -> str:
    """Why a server can't be connected."""
    match trouble.kind:
        case FollowFault.PASSWORD:
            return _("%(host)s refused this user name and password. Many servers require an app password.", host=host)
        case FollowFault.INSECURE:
            return _("Enter an address that begins with https: otherwise your password would not be protected.")
        case FollowFault.ELSEWHERE:
            return _(
                "%(host)s redirects to %(other)s. If you trust that server, enter its address.", host=host, other=trouble.target
            )
        case FollowFault.FORBIDDEN_PLACE if "." not in host:  # a word, or half an address
            return _("Type the address of the server. It looks like cloud.example.org.")
        case FollowFault.FORBIDDEN_PLACE:
            return server_trouble_words(trouble.kind, host)
    return not_found_words(trouble.kind, host) or _(
        "No calendars or address books were found at this address. You will find it in the help of your provider."
    )


@blueprint.app_template_global()
def missing_words(link: RemoteLink, host: str) -> str:
    """Of how much is missing on one side."""
    book, count = link.collection.kind == BOOK, link.missing_count
    if link.missing == THERE and book:
        return ngettext(
            "%(num)d contact is missing on %(host)s. Nothing is synchronised until you decide.",
            "%(num)d contacts are missing on %(host)s. Nothing is synchronised until you decide.", count, host=host,
        )  # fmt: skip
    if link.missing == THERE:
        return ngettext(
            "%(num)d event is missing on %(host)s. Nothing is synchronised until you decide.",
            "%(num)d events are missing on %(host)s. Nothing is synchronised until you decide.", count, host=host,
        )  # fmt: skip
    if book:
        return ngettext(
            "%(num)d contact was deleted here. Nothing is synchronised until you decide.",
            "%(num)d contacts were deleted here. Nothing is synchronised until you decide.", count,
        )  # fmt: skip
    return ngettext(
        "%(num)d event was deleted here. Nothing is synchronised until you decide.",
        "%(num)d events were deleted here. Nothing is synchronised until you decide.", count,
    )  # fmt: skip


@blueprint.app_template_global()
def item_note_words(item: RemoteItem, host: str) -> str:
    """Why it is on one side only, or a copy."""
    title = item.title or _("An entry without a title")
    match item.note:
        case ItemNote.CONFLICT:
            return _("“%(title)s”: changed here and on %(host)s, so both versions were kept.", title=title, host=host)
        case ItemNote.LARGE:
            return _("“%(title)s”: too large for the other server.", title=title)
        case ItemNote.NO_ROOM:
            return _("“%(title)s”: only on %(host)s, because you have no space left here.", title=title, host=host)
        case ItemNote.SAME_UID:
            return _("“%(title)s”: only on %(host)s, because another entry has the same identifier.", title=title, host=host)
        case ItemNote.REFUSED:
            return _("“%(title)s”: %(host)s does not accept this change.", title=title, host=host)
        case ItemNote.BROKEN:
            return _("“%(title)s”: %(host)s reports a fault of its own. It is tried again every hour.", title=title, host=host)
    return _("“%(title)s”: only on %(host)s, because it can’t be read here.", title=title, host=host)
