"""Request texts: what people ask of the desk, and how far it is, in words."""

from __future__ import annotations

from webmail.models import DeskKind, DeskState
from webmail.web.formatting import lazy_text as _l

KINDS = {
    DeskKind.SUPPORT: _l("Help"),
    DeskKind.SPACE: _l("More space"),
    DeskKind.DELETION: _l("Account deletion"),
    DeskKind.PHISHING: _l("Reported phishing"),
    DeskKind.ABUSE: _l("Abuse of large files"),
}
STATES = {
    DeskState.NEW: _l("New"),
    DeskState.TAKEN: _l("In progress"),
    DeskState.ANSWERED: _l("Answered"),
    DeskState.CLOSED: _l("Closed"),
}


def kind_words(kind: str) -> str:
    return str(KINDS.get(kind, kind))  # type: ignore[call-overload]


def state_words(state: str) -> str:
    return str(STATES.get(state, state))  # type: ignore[call-overload]
