"""Sharing a book or calendar: given to people and groups, changed and taken back by who owns or manages it; who is suggested."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as Answer

from webmail import rate_limits
from webmail.calendar import links
from webmail.collection_pages.blueprint import blueprint
from webmail.collection_pages.notifications.shares import tell_of_share
from webmail.collection_pages.views.collection_page import one_page
from webmail.collection_pages.views.common import is_own, title_of, who_words
from webmail.collection_pages.views.delegation import lost, managed, note, owner_in_audit, tell_owner, title_for_all
from webmail.collections import shares
from webmail.collections.manager_notes import ManagerAct
from webmail.collections.shares import Named, NotTheirsError, OwnRightError, ShareDoubt, Sharee
from webmail.collections.store import Access
from webmail.compose.recipients import suggestions
from webmail.errors import LimitReachedError
from webmail.mail import Address
from webmail.mime.headers.address_text import address_text
from webmail.models import AuditAct, PeopleGroup, User
from webmail.people import groups as people_groups
from webmail.people.visibility import sight_of
from webmail.rate_limits import DAY, RateLimit
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.notices import notify, undone
from webmail.web.rendering import fragment

_MAILS = RateLimit("mail of what is shared", 5, DAY)  # from one person to one person or group
_LONGEST_FIELD = 5_000
_WHO = re.compile(r"(person|group):(.{1,254})")


@blueprint.get("/collections/<int:number>/shares")
def shown_again(number: int) -> Answer:
    """Where the form stands that was refused: who loads that page again gets the one that it is a part of."""
    return redirect(url_for("collections.one", number=managed(number).collection.id, _anchor="sharing"), 303)


@blueprint.post("/collections/<int:number>/shares")
def share(number: int) -> Answer:
    """`action`: give to whom the form names, change or revoke one (`share`), restore what was revoked (`who`), or say who sees
    private events (`hidden`)."""
    access, action = managed(number), request.form.get("action", "")
    try:
        if action == "give":
            if (refused := _give(access)) is not None:
                return refused
        elif action in ("change", "revoke"):
            _change(access, request.form.get("rights", "") if action == "change" else "")
        elif action == "restore":
            _restore(access)
        elif action == "private":
            _hide_private(access)
        else:
            abort(400)
    except NotTheirsError:  # deleted, or the right taken back, at this moment
        lost(number)
    except OwnRightError:
        words = _("You would no longer manage “%(name)s”, so nothing was changed. Ask its owner.", name=title_of(access))
        notify(words, "caution")
    except ValueError:
        abort(400)
    return redirect(url_for("collections.one", number=number, _anchor="sharing"), 303)


# --- giving ----------------------------------------------------------------------------------------------------------


def _give(access: Access) -> Response | None:
    """Share with all that the form names, or with nobody: the page again, with what was typed and what is wrong with it."""
    typed, rights = request.form.get("who", ""), request.form.get("rights", "")
    found = shares.named(typed[:_LONGEST_FIELD], current_user(), settings(), owner=access.collection.user_id)
    _add_group(found, request.form.get("group", ""))
    errors = [_doubt(*doubt, own=is_own(access)) for doubt in found.doubts]
    if found.rest or len(typed) > _LONGEST_FIELD:  # nobody is left out without a word
        errors = [_("Type up to %(most)d people and groups at a time.", most=shares.MOST_AT_ONCE)]
    if not errors and not found.people:
        errors = [_("Type who to share with: a name or an address of your organisation.")]
    if rights not in shares.levels(access.collection.kind):
        errors.append(_("Choose what they can do."))
    if not errors:
        try:
            done = shares.give(current_user(), access.collection.id, found.people, rights)
        except LimitReachedError:
            errors = [
                _("You can share this with up to %(most)d people and groups. Share it with a group instead.", most=shares.MOST)
            ]
    if errors:
        return one_page(access, 422, typed=request.form, share_errors=errors)
    for who, before in done:
        if before != rights:
            _audited(AuditAct.SHARE_CHANGED if before else AuditAct.SHARE_GIVEN, access, who, rights)
    notes = [
        note(access, ManagerAct.CHANGED if before else ManagerAct.GIVEN, shares.called(who), rights)
        for who, before in done
        if before != rights
    ]
    tell_owner(access, "sharing", notes)
    _say_given(access, [who for who, _before in done], [who for who, before in done if not before], rights)
    return None


def _add_group(found: Named, chosen: str) -> None:
    """The group that was chosen from the list, of the person's own domain."""
    if not chosen:
        return
    seen = shares.groups_of(current_user(), settings()) if _number(chosen) else []
    group = next((one for one in seen if str(one.id) == chosen), None)
    if group is None:
        found.doubts.append(("", ShareDoubt.GONE, ()))
    elif group not in found.people:
        found.people.append(group)


def _number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _doubt(item: str, doubt: ShareDoubt, meant: Sequence[str], *, own: bool) -> str:
    match doubt:
        case ShareDoubt.ONESELF if own:
            return _("“%(typed)s” is you: it is already yours.", typed=item)
        case ShareDoubt.ONESELF:
            return _("“%(typed)s” is you: it is already shared with you.", typed=item)
        case ShareDoubt.OWNER:
            return _("“%(typed)s” is the owner, who already has access.", typed=item)
        case ShareDoubt.OUTSIDE:
            return _(
                "%(typed)s is not in your organisation. You can only share with people who have an account here.", typed=item
            )
        case ShareDoubt.UNKNOWN:
            return _("Nobody in your organisation has the address %(typed)s. Check the spelling.", typed=item)
        case ShareDoubt.SEVERAL:
            return _(
                "Several people are called “%(typed)s”. Type an address: %(addresses)s.", typed=item, addresses=", ".join(meant)
            )
        case ShareDoubt.GONE:
            return _("This person or group is no longer here.")
        case ShareDoubt.NAMELESS:
            return _("No person or group is called “%(typed)s”. Check the spelling, or type an address.", typed=item)


def _may_now(who: Sharee, access: Access, rights: str) -> str:
    words = {
        "busy": _("%(who)s can now see when you are busy."), "read": _("%(who)s can now read “%(name)s”."),
        "write": _("%(who)s can now read and edit “%(name)s”."), "manage": _("%(who)s can now manage “%(name)s”."),
    }  # fmt: skip
    return words[rights] % {"who": who_words(who), "name": title_of(access)}


def _say_given(access: Access, people: Sequence[Sharee], fresh: Sequence[Sharee], rights: str) -> None:
    if len(people) == 1:
        words = _may_now(people[0], access, rights)
    else:
        words = ngettext(
            "“%(name)s” is now shared with %(num)d person or group.", "“%(name)s” is now shared with %(num)d people and groups.",
            len(people), name=title_of(access),
        )  # fmt: skip
    if request.form.get("mail") and (told := _to_tell(fresh)):
        often = [who for who in fresh if not rate_limits.may(settings(), _MAILS.by(current_user().id, _target(who)))]
        told = _to_tell([who for who in fresh if who not in often]) if often else told
        sent = tell_of_share(access, told, rights, current_user())
        words += " " + (
            ngettext("%(num)d person was told by email.", "%(num)d people were told by email.", sent)
            if sent
            else _("No emails were sent: there would be too many.")
        )
    notify(words)


def _to_tell(people: Sequence[Sharee]) -> list[User]:
    """Those people, and those of the groups; nobody where there is no address to write from. 1 query for each group."""
    if settings().system_sender is None:
        return []
    members = [user for who in people if isinstance(who, PeopleGroup) for user in people_groups.members(who) if user.active]
    found = {user.id: user for user in [*(who for who in people if isinstance(who, User)), *members]}
    return [user for user in found.values() if user.id != current_user().id]


def _target(who: Sharee) -> str:
    return who.identifier if isinstance(who, PeopleGroup) else who.address


# --- changing and taking back ----------------------------------------------------------------------------------------


def _change(access: Access, rights: str) -> None:
    number = request.form.get("share", "")
    before = shares.change(current_user(), access.collection.id, int(number), rights) if _number(number) else None
    if before is None:
        notify(_("This was already changed in another window."), "caution")
        return
    who = shares.of_row(before)
    if rights:
        if rights != before.rights:
            _audited(AuditAct.SHARE_CHANGED, access, who, rights)
            tell_owner(access, "sharing", [note(access, ManagerAct.CHANGED, shares.called(who), rights)])
        notify(_may_now(who, access, rights))
        _say_addresses(access, before.rights, rights)
        return
    _audited(AuditAct.SHARE_REVOKED, access, who)
    tell_owner(access, "sharing", [note(access, ManagerAct.REVOKED, shares.called(who))])
    # a number of a person could be counted up, and would tell who has an account
    key = f"group:{who.id}" if isinstance(who, PeopleGroup) else f"person:{who.address}"
    fields = {"action": "restore", "who": key, "rights": before.rights}
    undo = (url_for("collections.share", number=access.collection.id), fields) if _can_give(who) else None
    notify(_("%(who)s can no longer see “%(name)s”.", who=who_words(who), name=title_of(access)), undo=undo)
    _say_addresses(access, before.rights, "")


def _can_give(who: Sharee) -> bool:
    """Not to a group that the owner sees in the directory, and who manages it does not."""
    return isinstance(who, User) or who in shares.groups_of(current_user(), settings())


def _say_addresses(access: Access, before: str, rights: str) -> None:
    """Who no longer manages a calendar still knows the addresses that they made."""
    if before == "manage" != rights and any(one.made_by for one in links.for_collection(access.collection)):
        link = {"url": url_for("collections.addresses", number=access.collection.id), "text": _("View"), "here": True}
        notify(_("Addresses that managers of this calendar made still work."), "caution", link=link)


def _restore(access: Access) -> None:
    """Give back what was revoked. Raises ValueError."""
    found = _WHO.fullmatch(request.form.get("who", ""))
    rights, user = request.form.get("rights", ""), current_user()
    who: Sharee | None = None
    if found is not None and found[1] == "group":
        who = next((one for one in shares.groups_of(user, settings()) if str(one.id) == found[2]), None)
    elif found is not None and found[2] != user.address:
        ours = settings().own_domains(user.domain)
        who = User.get_or_none(User.address == found[2], User.domain.in_(ours), User.active == 1)
    if who is None:
        notify(_("This person or group is no longer here."), "caution")
        return
    try:
        shares.give(user, access.collection.id, [who], rights)
    except LimitReachedError:
        notify(
            _("You can share this with up to %(most)d people and groups. Share it with a group instead.", most=shares.MOST),
            "caution",
        )
        return
    _audited(AuditAct.SHARE_GIVEN, access, who, rights, undo=True)
    tell_owner(access, "sharing", [note(access, ManagerAct.GIVEN, shares.called(who), rights)])
    undone(_("%(who)s has access to “%(name)s” again.", who=who_words(who), name=title_of(access)))


def _hide_private(access: Access) -> None:
    """The owner's choice who sees private events. Raises NotTheirsError."""
    hidden = request.form.get("hidden") == "1"
    if shares.hide_private(current_user(), access.collection.id, hidden):
        change = "private-hidden" if hidden else "private-shown"
        audited(AuditAct.COLLECTION_CHANGED, current_user().address, collection=title_for_all(access.collection), change=change)
    words = (
        _("Private events in “%(name)s” are now hidden from everyone else, who see only their times.")
        if hidden
        else _("Private events in “%(name)s” are now visible to people who can edit it.")
    )
    notify(words % {"name": title_of(access)})


def _audited(act: AuditAct, access: Access, who: Sharee, rights: str | None = None, undo: bool | None = None) -> None:
    group = who.name if isinstance(who, PeopleGroup) else None
    name, owner = title_for_all(access.collection), owner_in_audit(access)
    audited(act, _target(who), collection=name, address=owner, group=group, level=rights, undo=undo)


# --- who is suggested ------------------------------------------------------------------------------------------------


@blueprint.get("/collections/people")
def suggest() -> Response:
    """People and groups here for what was typed so far, as options for `static/js/compose/recipients.js`."""
    words, user = request.args.get("words", "")[: suggestions.MOST_WORDS], current_user()
    return fragment("collections/_people.html", people=_found(user, words) if words.strip() and settings().directory else [])


def _found(user: User, text: str) -> list[tuple[str, str, str]]:
    """(entry, name, what stands beside it)."""
    seen = sight_of(user, settings()).listed_groups()
    groups = [(one.name, one.name, _("Group")) for one in people_groups.matching(user.domain, text, seen, 3)]
    ours = settings().own_domains(user.domain)
    people = [
        (address_text((Address(one.name, one.email),)), one.name or one.email, one.email if one.name else "")
        for one in suggestions.find(user, text, settings(), 40)
        if one.group is None and one.email.rpartition("@")[2] in ours and one.email != user.address
    ]
    return [*groups, *people][: suggestions.MOST_SUGGESTED]
