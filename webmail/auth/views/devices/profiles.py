"""Apple's profile at the address that a telephone reads from a picture: for whoever has it, once. Nobody signs in for it."""

from __future__ import annotations

from flask import abort
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webmail.auth.blueprint import blueprint
from webmail.auth.devices import app_passwords, apple_profile, handover
from webmail.auth.devices.apple_profile import ProfileOwner, ProfileWords
from webmail.auth.devices.kinds import kind_of
from webmail.auth.guard import public
from webmail.auth.sessions.cookies import visit
from webmail.auth.views.devices.dav import dav_link
from webmail.models import AuditAct
from webmail.web.audit import audited
from webmail.web.current import current_user, settings
from webmail.web.rendering import page
from webmail.web.responses import downloads


@blueprint.get("/devices/profile/<key>")
@public
def show_profile(key: str) -> Response:
    """Opening the address takes nothing: programs that look at links before people do would use it up."""
    try:
        row = handover.holder(key)
    except handover.HandoverOverError:
        return page("auth/profile_over.html", 410)
    return _private(page("auth/profile.html", key=key, row=row))


@blueprint.post("/devices/profile/<key>")
@public
def download_profile(key: str) -> Response:
    """The file with the app password in it. The second one to come gets nothing, and the person sees that it was fetched."""
    try:
        row, letters = handover.take(key, visit().network, settings())
    except handover.HandoverOverError:
        return page("auth/profile_over.html", 410)
    user = row.user
    audited(AuditAct.APP_PASSWORD_FETCHED, row.name, actor=user)
    owner = ProfileOwner(user.address, user.name, row.id, letters, frozenset(app_passwords.uses_of(row)), app_passwords.ends(row))
    return _file(owner)


@blueprint.post("/devices/connect/<kind>/profile")
def download_plain_profile(kind: str) -> Response:
    """The file without a password, for which the device asks: where the mail server keeps the passwords."""
    user = current_user()
    if app_passwords.are_available(settings()) or not kind_of(kind).takes_profile:
        abort(404)
    uses = app_passwords.USES if dav_link(own_password=True) else app_passwords.PROTOCOLS
    return _file(ProfileOwner(user.address, user.name, 0, "", frozenset(uses)))


def _file(owner: ProfileOwner) -> Response:
    name = settings().name
    words = ProfileWords(name, _("Sets up %(address)s on this device.", address=owner.address))
    answer = Response(apple_profile.profile(owner, words, settings()), content_type=apple_profile.TYPE)
    answer.headers["Content-Disposition"] = downloads.disposition(f"{name}.mobileconfig")
    return _private(answer)


def _private(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "origin"  # the key stands in the address
    return answer
