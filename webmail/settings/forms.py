"""Preferences form: one field per preference."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField
from wtforms.fields.choices import SelectChoice

from webmail.preferences import Preferences


class PreferencesForm(FlaskForm):
    """One field for each preference on the page, named like the attribute of `Preferences`."""

    class Meta:
        csrf = False  # checked globally for every POST

    page_size = SelectField(
        _l("Messages on a page"), choices=[SelectChoice(25, "25"), SelectChoice(50, "50"), SelectChoice(100, "100")], coerce=int
    )
    density = SelectField(_l("Rows"), choices=[SelectChoice("cosy", _l("Comfortable")), SelectChoice("compact", _l("Compact"))])
    layout = SelectField(
        _l("A message opens"),
        choices=[
            SelectChoice("list", _l("On a page of its own")),
            SelectChoice("below", _l("Below the list")),
            SelectChoice("right", _l("Beside the list")),
        ],
    )
    snippets = BooleanField(_l("Show the first words of each message in the list"))
    conversations = BooleanField(_l("Group messages of a conversation together"))
    shortcuts = BooleanField(_l("Keyboard shortcuts (press ? in a list to see them)"))
    notifications = BooleanField(_l("Tell me of new mail with a desktop notification"))
    refresh_minutes = SelectField(
        _l("Without scripts, lists load themselves anew"),
        choices=[
            SelectChoice(0, _l("Never")),
            SelectChoice(1, _l("Every minute")),
            SelectChoice(5, _l("Every 5 minutes")),
            SelectChoice(15, _l("Every 15 minutes")),
        ],
        coerce=int,
    )
    prefer_text = BooleanField(_l("Show plain text first, and no pictures by themselves (for slow lines)"))
    undo_seconds = SelectField(
        _l("After “Send”, a message can be stopped for"),
        choices=[
            SelectChoice(-1, _l("As long as usual here")),
            SelectChoice(0, _l("No time: it leaves at once")),
            SelectChoice(5, _l("5 seconds")),
            SelectChoice(10, _l("10 seconds")),
            SelectChoice(30, _l("30 seconds")),
        ],
        coerce=int,
    )
    write_format = SelectField(
        _l("New messages are"), choices=[SelectChoice("", _l("Plain text")), SelectChoice("markdown", _l("Formatted"))]
    )
    quote = SelectField(
        _l("An answer quotes the message"),
        choices=[
            SelectChoice("below", _l("Below what I write")),
            SelectChoice("above", _l("Above what I write")),
            SelectChoice("none", _l("Not at all")),
        ],
    )
    without_signatures = BooleanField(_l("Leave the sender’s signature out of replies"))
    receipts = SelectField(
        _l("When a sender wants to know that I read a message"),
        choices=[
            SelectChoice("ask", _l("Ask me each time")),
            SelectChoice("inside-sent", _l("Always confirm to people in my establishment, ask me for others")),
            SelectChoice("inside", _l("Ask me for people of my establishment only")),
            SelectChoice("never", _l("Never tell anybody")),
        ],
    )
    images = SelectField(
        _l("Remote images in messages are shown"),
        choices=[
            SelectChoice("ask", _l("When I ask for them")),
            SelectChoice("contacts", _l("From my contacts")),
            SelectChoice("known", _l("From my contacts and people I have written to")),
            SelectChoice("always", _l("Always")),
        ],
    )
    archive_by = SelectField(
        _l("Archived messages go to"),
        choices=[
            SelectChoice("", _l("One folder")),
            SelectChoice("year", _l("A folder for each year")),
            SelectChoice("month", _l("A folder for each month")),
        ],
    )

    @classmethod
    def showing(cls, preferences: Preferences, page_size: int, images: str) -> PreferencesForm:
        """The form showing a user's preferences; `page_size` and `images` are the defaults if none were chosen."""
        values = asdict(preferences) | {"page_size": preferences.page_size or page_size, "images": preferences.images or images}
        return cls(formdata=None, data=values)

    def chosen(self) -> dict[str, Any]:
        return {field.name: field.data for field in self}
