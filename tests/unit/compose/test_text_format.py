"""The format of a new text: from the URL, the preference, the message answered, and whether scripts run."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from flask import Flask

from webmail.compose.drafts.message_options import FORMATTED
from webmail.compose.views import text_format
from webmail.preferences import Preferences

PLAIN, HTML = SimpleNamespace(structure=SimpleNamespace(html=())), SimpleNamespace(structure=SimpleNamespace(html=("1",)))


@pytest.fixture
def asked(monkeypatch):
    """What is wanted, and whether scripts may choose: of a preference, an address, by htmx or not, for a message."""

    def ask(choice, address="/compose", htmx=False, message=None):
        monkeypatch.setattr(text_format, "preferences", lambda: Preferences(write_format=choice))
        with Flask(__name__).test_request_context(address):
            monkeypatch.setattr(text_format.request._get_current_object(), "htmx", htmx, raising=False)
            return text_format.wanted(message), text_format.is_free(message)

    return ask


def test_nothing_preferred_is_formatted_where_scripts_run(asked):
    assert asked("") == ("", True)
    assert asked("", htmx=True) == (FORMATTED, True)
    assert asked("", htmx=True, message=PLAIN) == (FORMATTED, True)


def test_plain_and_markdown_are_what_they_say(asked):
    assert asked("plain", htmx=True) == ("", False)
    assert asked("markdown") == (FORMATTED, False)


def test_replies_to_plain_text_may_be_plain(asked):
    assert asked("same", htmx=True, message=PLAIN) == ("", False)
    assert asked("same", htmx=True, message=HTML) == (FORMATTED, True)
    assert asked("same", htmx=True) == (FORMATTED, True)


def test_the_address_wins(asked):
    assert asked("", "/compose?format=", htmx=True) == ("", False)
    assert asked("plain", "/compose?format=markdown") == (FORMATTED, False)
    assert asked("plain", "/compose?format=<b>") == ("", False)
