"""Domains in which there are addresses: the aliases of each, and who gets the mail for addresses that nobody has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from webmail.admin.blueprint import blueprint
from webmail.admin.people import other_addresses
from webmail.admin.views.access import administrator, changed_by, domains_here
from webmail.auth import account_management, aliases
from webmail.auth.aliases import AliasTakenError, InsideOnlyError, UnusableAliasError
from webmail.models import MailAlias, User
from webmail.web.notices import notify, undone
from webmail.web.rendering import page


@blueprint.get("/domains")
def domains_page() -> Response:
    domains = domains_here()
    return page("admin/people/domains.html", domains=domains, catch_alls=aliases.catch_alls(domains), shown=_is_shown)


@blueprint.get("/domains/<domain>")
def domain_page(domain: str) -> Response:
    return _domain_page(_domain_or_404(domain))


@blueprint.post("/domains/<domain>")
def change_domain(domain: str) -> AnyResponse:
    """`action` add: `alias` for `account`; remove: those ticked (`alias`); catch-all: for `account`; no-catch-all."""
    domain, action = _domain_or_404(domain), request.form.get("action", "")
    if action == "remove":
        _remove(domain)
    elif action == "no-catch-all":
        there = aliases.among([f"@{domain}"], administrator().condition())
        if there:
            _offer_undo(other_addresses.change(there, [], changed_by()), _("Mail for unknown addresses is refused again."))
    elif action in ("add", "catch-all"):
        typed = {name: " ".join(request.form.get(name, "").split())[:254] for name in ("alias", "account")}
        error = _add(domain, typed) if action == "add" else _catch_all(domain, typed)
        if error:
            return _domain_page(domain, 422, typed={action: typed}, errors={action: error})
    return redirect(url_for("admin.domain_page", domain=domain), 303)


@blueprint.post("/domains/undo")
def undo_domain() -> AnyResponse:
    domain = other_addresses.undo(request.form.get("undo", "")[:64], changed_by(), administrator())
    if domain is None:
        undone(_("This can no longer be undone."), "caution")
        return redirect(url_for("admin.domains_page"), 303)
    undone()
    return redirect(url_for("admin.domain_page", domain=domain), 303)


def _add(domain: str, typed: dict[str, str]) -> str:
    """What is wrong, in words; "" where it was done."""
    local, at, rest = typed["alias"].lower().rpartition("@")
    local, rest = (local, rest) if at else (rest, domain)
    if not local or rest != domain:
        return _("Enter an address that ends with @%(domain)s.", domain=domain)
    user = _account(typed["account"], domain)
    if user is None:
        return _("Nobody here is called %(name)s.", name=typed["account"][:80])
    words = _("Mail to %(alias)s goes to %(person)s.", alias=f"{local}@{domain}", person=user.address)
    return _done([], user, f"{local}@{domain}", words)


def _catch_all(domain: str, typed: dict[str, str]) -> str:
    user, there = _account(typed["account"], domain), aliases.catch_alls([domain]).get(domain)
    if user is None:
        return _("Nobody here is called %(name)s.", name=typed["account"][:80])
    if there is not None and not _is_shown(there):
        return _("Somebody whom you don’t look after has this mail.")
    if there is not None and there.user.id == user.id:
        return ""
    words = _("Mail for unknown addresses of %(domain)s goes to %(person)s.", domain=domain, person=user.address)
    return _done([there] if there else [], user, f"@{domain}", words)


def _done(taken: Sequence[MailAlias], user: User, address: str, text: str) -> str:
    try:
        undo = other_addresses.change(taken, [(user, address)], changed_by())
    except (AliasTakenError, UnusableAliasError):
        return _("%(address)s is in use, or can’t be given.", address=address)
    except InsideOnlyError:
        return _("This person gets mail from inside only, so %(address)s can’t lead to them.", address=address)
    _offer_undo(undo, text)
    return ""


def _remove(domain: str) -> None:
    ticked = [one for one in request.form.getlist("alias")[: aliases.PAGE] if one.rpartition("@")[2] == domain]
    there = aliases.among(ticked, administrator().condition())
    if not there:
        notify(_("Tick the aliases to remove first."), "caution")
        return
    undo = other_addresses.change(there, [], changed_by())
    _offer_undo(undo, ngettext("%(num)d alias was removed.", "%(num)d aliases were removed.", len(there)))


def _offer_undo(undo: str, text: str) -> None:
    notify(text, undo=(url_for("admin.undo_domain"), {"undo": undo}))


def _domain_page(domain: str, status: int = 200, **more: Any) -> Response:
    words = request.args.get("words", "")[:100]
    found = aliases.in_domain(domain, administrator().condition(), words, request.args.get("page", 1, int))
    catch_all = aliases.catch_alls([domain]).get(domain)
    values = {"errors": {}, **more, "typed": {"add": {}, "catch-all": {}, **more.get("typed", {})}}
    return page(
        "admin/people/domain.html", status, domain=domain, found=found, words=words, catch_all=catch_all,
        shown=_is_shown, inside_only=aliases.is_inside_only, **values,
    )  # fmt: skip


def _domain_or_404(domain: str) -> str:
    domain = domain.lower()
    return domain if domain in domains_here() else abort(404)


def _account(typed: str, domain: str) -> User | None:
    """Whom they look after, by an address, or by what stands before the @."""
    found = account_management.find(typed, domain) if typed else None
    return found if found is not None and administrator().includes(found) else None


def _is_shown(alias: MailAlias) -> bool:
    """Whether whose it is may be named here."""
    return administrator().includes(alias.user)
