"""Tags page: managing tags; also the chips that show tags on list rows and messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from typing import NamedTuple, cast

from flask import g, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext, pgettext
from jinja2.utils import url_quote
from werkzeug.wrappers import Response

from webmail import imap
from webmail.database.connection import DATABASE_AWAY
from webmail.errors import LimitReachedError, MailError, NotAllowedError
from webmail.imap.connections.connection import Connection
from webmail.mail import Summary
from webmail.mailbox import selection, tags
from webmail.mailbox import undo as undoing
from webmail.mailbox.actions import ActionResult, apply_action
from webmail.mailbox.blueprint import blueprint
from webmail.models import Tag
from webmail.rights import Rights
from webmail.web import formatting
from webmail.web.current import after_the_answer, current_account, current_user, overview_beside
from webmail.web.forms.request_values import local_path
from webmail.web.frame.page_rows import add_rows, page_rows
from webmail.web.notices import notify
from webmail.web.rendering import page

_STANDARD_COLOURS = {
    "$Important": "red", "$Phishing": "red", "$Junk": "orange",
    "$label1": "red", "$label2": "orange", "$label3": "green", "$label4": "blue", "$label5": "purple",
}  # fmt: skip


_QUICK_TAGS = 2  # that a menu puts on at once; "Tags…" has them all


class Chip(NamedTuple):
    """A tag as displayed. `url`: the search for all messages that have it."""

    keyword: str
    name: str
    colour: str
    url: str


# --- how tags are shown ----------------------------------------------------------------------------------------------


add_rows("tags", Tag, (Tag.id, Tag.keyword, Tag.name, Tag.colour), lambda slot: Tag.user == slot("user"))


@blueprint.app_template_global()
def my_tags() -> list[Chip]:
    """The user's own tags, for menus."""
    return [_chip(tag.keyword, tag) for tag in _mine().values()]


@blueprint.app_template_global()
def quick_tags(rights: Rights | None, flags: Iterable[str] = ()) -> tuple[Chip, ...]:
    """The first of the user's tags, for the menu of a list or of a message with these flags; none where one may not flag."""
    if rights and not rights.may_flag:
        return ()
    worn = {flag.lower() for flag in flags}
    return tuple(chip for chip in my_tags() if chip.keyword.lower() not in worn)[:_QUICK_TAGS]


class TagLink(NamedTuple):
    """A tag of the side bar. `unread`: how many messages, None if not known; `current`: its search is what is shown."""

    chip: Chip
    unread: int | None
    current: bool


@blueprint.app_template_global()
def tag_links() -> tuple[TagLink, ...]:
    """The user's tags for the side bar, with counts as far as they are known; they are counted anew after the answer."""
    shown, found = my_tags()[: imap.tag_counts.MOST_KEYWORDS], overview_beside()
    if not shown or found is None:
        return ()
    keywords = [chip.keyword for chip in shown]
    names = imap.multi_search.within(found, "INBOX", below=False).names
    unread = [name for name in names if (mailbox := found.get(name)) and mailbox.unseen]
    after_the_answer(partial(imap.tag_counts.count_soon, current_account(), keywords, unread))
    counts, here = imap.tag_counts.cached(current_account()), _searched()
    return tuple(TagLink(chip, counts.get(chip.keyword), chip.url == here) for chip in shown)


@blueprint.after_request
def _recount(response: Response) -> Response:
    """After a change to messages, count what is unread of each tag while the browser fetches the next page."""
    if request.method == "POST" and "account" in g:
        imap.tag_counts.recount_soon(current_account())
    return response


def _searched() -> str:
    """The address of the search everywhere that is shown, as `Chip.url` has it."""
    query = " ".join(request.args.get("query", "").split())
    return _everywhere(query) if request.args.get("scope") == "all" else ""


def _everywhere(query: str) -> str:
    """The address of a search in all folders; a page has dozens, and `url_for` would take milliseconds."""
    return f"{request.script_root}/mailbox/INBOX?query={url_quote(query)}&scope=all"


@blueprint.app_template_global()
def unread_words(name: str, count: int) -> str:
    """A folder or a tag and its count, for those who listen."""
    return _unread_words(formatting.here().locale, name, count)


@lru_cache(maxsize=2000)
def _unread_words(_language: str, name: str, count: int) -> str:
    return ngettext("%(name)s, %(num)d unread message", "%(name)s, %(num)d unread messages", count, name=name)


@blueprint.app_template_global()
def chips(flags: Iterable[str], all_of_them: bool = False) -> list[Chip]:
    """The tags among a message's flags; queries the database only if there may be some."""
    flags = list(flags)
    if not tags.any_keyword(flags):
        return []
    return [_chip(keyword, tag) for keyword, tag in tags.tags_among(flags, _mine(), all_of_them=all_of_them)]


@blueprint.app_template_global()
def message_chips(flags: Iterable[str], *, suspicious: bool) -> list[Chip]:
    """All tags of a message, for its page. Beside a warning of danger nothing calls it legitimate."""
    return [chip for chip in chips(flags, True) if not (suspicious and chip.keyword == "$NotJunk")]


def row_chips(rows: Sequence[Summary], mailbox: str, junk: str) -> list[list[Chip]]:
    """The chips of each row; [] if no row has any. In the mailbox `junk` none says that the message is junk.

    `mailbox`: that of the rows which name none.
    """
    shown = {flags: chips(flags) for flags in {row.flags for row in rows}}  # most have the same few
    if not any(shown.values()):
        return []
    found = [shown[row.flags] for row in rows]
    return [
        [chip for chip in here if chip.keyword != "$Junk"] if (row.mailbox or mailbox) == junk else here
        for row, here in zip(rows, found, strict=True)
    ]


@blueprint.app_template_global()
def tag_name(keyword: str) -> str:
    """The display name of a keyword: the tag's name, or a standard translation, or the keyword itself."""
    tag = _mine().get(keyword.lower())
    return tag.name if tag else _standard(keyword) or keyword


@blueprint.app_template_global()
def colour_name(colour: str) -> str:
    names = {
        "grey": pgettext("colour", "Grey"), "red": pgettext("colour", "Red"), "orange": pgettext("colour", "Orange"),
        "green": pgettext("colour", "Green"), "teal": pgettext("colour", "Teal"), "blue": pgettext("colour", "Blue"),
        "purple": pgettext("colour", "Purple"), "pink": pgettext("colour", "Pink"),
    }  # fmt: skip
    return names.get(colour, colour)


def _mine() -> dict[str, Tag]:
    if "tags" not in g:
        g.tags = _read()
    return cast("dict[str, Tag]", g.tags)


def _read() -> dict[str, Tag]:
    """The user's tags by lower-case keyword; {} if the database is unavailable, so that lists still work."""
    try:
        rows = page_rows("tags")
    except DATABASE_AWAY:
        return {}
    return tags.by_keyword(Tag(id=row.number, keyword=row.text, name=row.text2, colour=row.text3) for row in rows)


def _chip(keyword: str, tag: Tag | None) -> Chip:
    made: dict[str, Chip] = g.setdefault("chips", {})  # a list has the same few on many rows
    if keyword not in made:
        made[keyword] = _made(keyword, tag)
    return made[keyword]


def _made(keyword: str, tag: Tag | None) -> Chip:
    words = tags.search_words(keyword, list(_mine().values()))
    url = _everywhere(words)
    if tag is not None:
        return Chip(keyword, tag.name, tag.colour, url)
    return Chip(keyword, _standard(keyword) or keyword, _STANDARD_COLOURS.get(keyword, tags.COLOURS[0]), url)


def _standard(keyword: str) -> str:
    """The translated name of a standard keyword; for the five labels, as in Thunderbird."""
    words = {
        "$Important": pgettext("tag", "Important"), "$Phishing": pgettext("tag", "Phishing"), "$Junk": pgettext("tag", "Junk"),
        "$NotJunk": pgettext("tag", "Not junk"), "$Forwarded": pgettext("tag", "Forwarded"),
        "$MDNSent": pgettext("tag", "Read receipt sent"), "$AwaitingReply": pgettext("tag", "Awaiting a reply"),
        "$label1": pgettext("tag", "Important"), "$label2": pgettext("tag", "Work"), "$label3": pgettext("tag", "Personal"),
        "$label4": pgettext("tag", "To do"), "$label5": pgettext("tag", "Later"),
    }  # fmt: skip
    return words.get(keyword, "")


def told_wrong(error: ValueError) -> str:
    """The error message for an invalid tag."""
    if isinstance(error, tags.NameTakenError):
        return _("You already have a tag with this name.")
    if isinstance(error, LimitReachedError):
        return _("You have reached the maximum number of tags. Delete one first.")
    return _("Give the tag a name of at most 60 characters.")


# --- the page --------------------------------------------------------------------------------------------------------


@blueprint.get("/tags")
def list_tags() -> Response:
    return _page()


@blueprint.post("/tags")
def change_tags() -> Response:
    form, user = request.form, current_user()
    keyword, name, colour = (form.get(field, "") for field in ("keyword", "name", "colour"))
    try:
        match form.get("action", ""):
            case "add":
                tags.add(user, name, colour, keyword)
                notify(_("Tag %(tag)s added.", tag=" ".join(name.split())))
            case "change" if tags.change(user, keyword, name, colour):
                notify(_("Tag %(tag)s saved.", tag=" ".join(name.split())))
            case "remove" if tag := tags.get(user, keyword):
                return page("mailbox/tags_remove.html", tag=tag)
            case "forget" | "strip" as how if tag := tags.get(user, keyword):
                _remove(tag, strip=how == "strip")
            case _:
                notify(_("This tag no longer exists."), "caution")
    except ValueError as error:
        return _page(told_wrong(error), name if form.get("action") == "add" else "", 422)
    return redirect(local_path(form.get("back", "")) or url_for("mailbox.list_tags"), 303)


def _page(error: str = "", name: str = "", status: int = 200) -> Response:
    """The user's tags, and unnamed keywords of the inbox; only the tags while the mail server is unreachable."""
    found: list[Chip] = []
    keeps = True
    try:
        with imap.connect(current_account()) as connection:
            connection.select("INBOX")
            keeps = connection.keeps("NewTag")
            nameless = [keyword for keyword, tag in tags.tags_among(connection.flags, _mine()) if tag is None]
            found = [_chip(keyword, None) for keyword in nameless if not tags.is_system(keyword)]
    except MailError:
        found = []
    return page(
        "mailbox/tags.html", status, tags=my_tags(), found=found, keeps=keeps, colours=tags.COLOURS, error=error, name=name
    )


def _remove(tag: Tag, strip: bool) -> None:
    """Remove the tag, with `strip` from the messages first, so that a failure there can be retried."""
    done = ActionResult("untag", keyword=tag.keyword)
    if strip:
        with imap.connect(current_account()) as connection:
            done = _stripped(connection, tag.keyword)
    tags.remove(current_user(), tag.keyword)
    offer = None
    if done.undo:
        name = undoing.offer(current_user(), done.undo)
        offer = (url_for("mailbox.undo_last"), {"undo": name, "back": url_for("mailbox.list_tags")})
    words = _("Tag %(tag)s deleted.", tag=tag.name)
    if done.count:
        words += " " + ngettext("It was removed from %(num)d message.", "It was removed from %(num)d messages.", done.count)
    notify(words, "done", offer)


def _stripped(connection: Connection, keyword: str) -> ActionResult:
    """Remove a keyword from all of the user's messages: SELECT and SEARCH per folder, and STORE where it occurs."""
    done = ActionResult("untag", keyword=keyword)
    key = b"KEYWORD " + imap.actions.keyword(keyword)
    overview = imap.mailboxes.overview(connection)
    names = [m.name for m in overview.mailboxes if m.selectable and not m.owner and m.rights.may_flag]
    places, _skipped = imap.multi_search.matching(connection, names, key)
    for place in places:
        if place.uids:
            here = [selection.Selection(place.mailbox, place.uidvalidity, place.uids)]
            try:
                part = apply_action(connection, here, "untag", keyword=keyword)
            except NotAllowedError:
                continue
            done.count += part.count
            done.undo.extend(part.undo)
    return done
