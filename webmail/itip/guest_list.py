"""Invitee lists that guests do not see: each is invited as if they were alone (parents must not see each other)."""

from __future__ import annotations

from webmail.mime.formats.calendars.component_tree import Component, made, parsed

_NAME = "X-TRABOULE-GUESTS"


def is_hidden(event: Component) -> bool:
    """Whether guests do not see who else is invited."""
    return event.value(_NAME).upper() == "HIDDEN"


def hide(text: str, *, hidden: bool = True) -> str:
    """The event with its list hidden, or shown again."""
    root = parsed(text)
    for event in root.parts("VEVENT"):
        event.put(made(_NAME, "HIDDEN")) if hidden else event.remove(_NAME)
    return str(root)
