"""The register of processing activities, for administrators: what everybody may read, with who is responsible, to print."""

from __future__ import annotations

from flask import Response
from flask_babel import get_locale
from flask_babel import gettext as _

from webmail.accounts import data_places, data_register
from webmail.admin.blueprint import blueprint
from webmail.admin.views.access import whole_installation
from webmail.models import now
from webmail.web.current import settings
from webmail.web.rendering import page


@blueprint.get("/settings/register")
def show_register() -> Response:
    whole_installation()
    here = settings()
    shown = here.presentation
    head = (
        (_("Responsible for the data"), shown.controller),
        (_("Whom to ask"), shown.data_contact),
        (_("Data protection officer"), shown.data_officer),
        (_("Who runs the machine"), shown.host),
        (_("Country of the machine"), shown.country),
    )
    return page(
        "admin/establishment/register.html", head=head, at=now(), register=data_register.register(here), measures=_measures(),
        kept=data_places.kept_at(here), sent=data_places.sent_to(here, str(get_locale())),
    )  # fmt: skip


def _measures() -> list[str]:
    """What is true of each installation, and of this one by its settings."""
    here = settings()
    found = [
        _("Pages and mail servers are reached by TLS; pages load nothing from other services."),
        _("Passwords are kept as Argon2id fingerprints; app passwords can each be ended."),
        _("Large files are kept encrypted."),
        _("Changes and sign-ins are in an audit log that no page can alter."),
    ]
    if here.second_step_for:
        found.append(_("Two-step verification is required (%(whom)s).", whom=here.second_step_for))
    if here.transfers.clamd:
        found.append(_("Large files are checked for viruses."))
    return found
