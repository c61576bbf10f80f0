"""Support texts: what people can have trouble with, as the form and the mail about it call it."""

from __future__ import annotations

from webmail.accounts.blueprint import blueprint
from webmail.accounts.support import TroubleKind
from webmail.web.formatting import lazy_text as _l

KINDS = {
    TroubleKind.PASSWORD: _l("I forgot my password"),
    TroubleKind.FACTOR: _l("I lost my phone or security key"),
    TroubleKind.DISABLED: _l("My account is disabled"),
    TroubleKind.MAIL: _l("Messages are missing"),
    TroubleKind.BROKEN: _l("A page does not work"),
    TroubleKind.OTHER: _l("Something else"),
}


@blueprint.app_template_global()
def trouble_words(kind: str) -> str:
    return str(KINDS.get(kind, kind))  # type: ignore[call-overload]
