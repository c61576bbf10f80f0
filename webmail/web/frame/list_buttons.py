"""List buttons: those above a list or a message that do more than change its messages, each with the view that it leads to.

They are in the one form that stands there, and text browsers know neither `formaction` nor the `form` of a button: so `act_on` of
`webmail/mailbox/views/actions.py`, to which it posts, calls the view by the button's word (`action` is "word:argument").
An area registers its own; each view also has an address of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from werkzeug.wrappers import Response

LIST_BUTTONS: dict[str, Callable[[str, str], Response]] = {}  # word -> its view, given the mailbox and the argument
