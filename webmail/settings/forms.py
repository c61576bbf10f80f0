"""Preferences form: one field per preference, with its name, the sentence under it, and the page it stands on."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel.speaklater import LazyString
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Field, RadioField, SelectField, StringField, ValidationError
from wtforms.fields.choices import SelectChoice

from webmail.filters.absence import holidays
from webmail.preferences import CHOICES
from webmail.settings import time_zones
from webmail.web.formatting import lazy_text as _l
from webmail.web.formatting import whole_hour

_FALSE = ("", "false", None)


def _choices(*pairs: tuple[str | int, Any]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in pairs]


def _clock(hour: str | int) -> LazyString:
    """A whole hour as the person who reads writes it."""
    return LazyString(whole_hour, int(hour))


class PreferencesForm(FlaskForm):
    """One field for each preference, named like the attribute of `Preferences`; and the language."""

    class Meta:
        csrf = False  # checked globally for every POST

    # --- reading
    layout = SelectField(
        _l("Message view"), description=_l("On a narrow screen, messages always open on their own page."),
        choices=_choices(("list", _l("On its own page")), ("below", _l("Below the list")), ("right", _l("Beside the list"))),
    )  # fmt: skip
    page_size = SelectField(
        _l("Messages per page"), description=_l("Shorter pages load faster on a slow connection."), coerce=int,
        choices=_choices((25, "25"), (50, "50"), (100, "100")),
    )  # fmt: skip
    snippets = BooleanField(_l("Message preview"), description=_l("Shows the first words of each message in the list."))
    conversations = BooleanField(
        _l("Conversation view"), description=_l("Groups a message and its replies in one row of the list.")
    )
    others_below = BooleanField(
        _l("Conversation below the message"),
        description=_l("Lists the other messages of a conversation, folded, below the one you read."),
    )
    prefer_text = BooleanField(
        _l("Prefer plain text"),
        description=_l("Opens messages without formatting or remote images, which is faster on a slow connection."),
    )
    images = SelectField(
        _l("Remote images"), description=_l("Loading an image can tell the sender that you opened the message."),
        choices=_choices(
            ("ask", _l("Only when I ask")), ("contacts", _l("From my contacts")),
            ("known", _l("From my contacts and people I have written to")), ("always", _l("Always")),
        ),
    )  # fmt: skip
    receipts = SelectField(
        _l("Read receipts"),
        description=_l(
            "Nothing is sent without your permission. “Always” applies only if the mail server has verified the sender."
        ),
        choices=_choices(
            ("ask", _l("Ask me each time")), ("inside-sent", _l("Always send within my organisation, otherwise ask me")),
            ("inside", _l("Ask me within my organisation, never send outside")), ("never", _l("Never send")),
        ),
    )  # fmt: skip
    archive_by = SelectField(
        _l("Archive folders"), description=_l("Where messages go when you archive them."),
        choices=_choices(("", _l("A single folder")), ("year", _l("One folder per year")), ("month", _l("One folder per month"))),
    )  # fmt: skip

    # --- writing
    undo_seconds = SelectField(
        _l("Time to undo sending"), coerce=int,
        description=_l("How long you can still stop a message after you press Send."),
        choices=_choices(
            (-1, _l("My organisation’s default")), (0, _l("None, send immediately")), (5, _l("5 seconds")),
            (10, _l("10 seconds")), (30, _l("30 seconds")),
        ),
    )  # fmt: skip
    write_format = SelectField(
        _l("Format of new messages"), description=_l("You can change the format of each message while you write it."),
        choices=_choices(
            ("", _l("Formatted text")), ("same", _l("Formatted text, plain text in replies to plain text")),
            ("plain", _l("Plain text")), ("markdown", _l("Formatted text, as Markdown without JavaScript")),
        ),
    )  # fmt: skip
    quote = SelectField(
        _l("Quoted text in replies"), description=_l("Where the message you reply to is quoted."),
        choices=_choices(("below", _l("Below my reply")), ("above", _l("Above my reply")), ("none", _l("Not included"))),
    )  # fmt: skip
    without_signatures = BooleanField(
        _l("Quotes without signatures"), description=_l("Leaves the sender’s signature out of the text you quote.")
    )

    protect_encrypt = SelectField(
        _l("Encrypt messages"),
        description=_l("Once you have keys (page “Encryption”). You can always choose otherwise while you write."),
        choices=_choices(
            ("never", _l("Only when I choose to")), ("ask", _l("Ask me when everyone has a key")),
            ("possible", _l("Always when everyone has a key")),
        ),
    )  # fmt: skip
    protect_sign = BooleanField(
        _l("Sign messages"),
        description=_l("Once you have keys: recipients can check that a message is from you. Asks for your passphrase."),
    )
    protect_kind = SelectField(
        _l("Kind of encryption"), description=_l("Which keys are used when everyone has both kinds."),
        choices=_choices(("", _l("No preference")), ("openpgp", "OpenPGP"), ("smime", "S/MIME")),
    )  # fmt: skip

    # --- notifications
    notifications = BooleanField(
        _l("Desktop notifications"), description=_l("Tells you about new messages while your mail is open in the browser.")
    )
    refresh_minutes = SelectField(
        _l("Automatic refresh (without JavaScript)"), coerce=int,
        description=_l("How often lists reload in a browser where JavaScript is turned off."),
        choices=_choices(
            (0, _l("Never")), (1, _l("Every minute")), (5, _l("Every 5 minutes")), (15, _l("Every 15 minutes")),
        ),
    )  # fmt: skip

    # --- appearance
    theme = RadioField(
        _l("Theme"), description=_l("“Same as my device” switches between light and dark when your device does."),
        choices=_choices(
            ("", _l("Same as my device")), ("light", _l("Light")), ("dark", _l("Dark")), ("contrast", _l("High contrast")),
        ),
    )  # fmt: skip
    dark_mail = BooleanField(
        _l("Formatted messages in dark colours"),
        description=_l("In the dark theme, adapts the colours of messages where they stay readable. Pictures do not change."),
    )
    text_size = RadioField(
        _l("Text size"), description=_l("Applies everywhere except in messages with their own formatting."),
        choices=_choices(("small", _l("Small")), ("", _l("Normal")), ("large", _l("Large")), ("larger", _l("Larger"))),
    )  # fmt: skip
    density = RadioField(
        _l("Row height"), description=_l("Compact rows show more messages on the screen."),
        choices=_choices(("cosy", _l("Comfortable")), ("compact", _l("Compact"))),
    )  # fmt: skip

    # --- language and time
    language = SelectField(
        _l("Language"), description=_l("The language of menus, dates and notices."),
        choices=_choices(("", _l("Same as my browser")), ("fr", "Français"), ("en", "English")),
    )  # fmt: skip
    time_zone = StringField(
        _l("Time zone"), description=_l("Used for all dates and times. Leave empty to use your organisation’s time zone."),
    )  # fmt: skip

    # --- calendar
    calendar_view = SelectField(
        _l("Default view"), description=_l("What the calendar opens with."),
        choices=_choices(
            ("", _l("Month, or list on phones")), ("day", _l("Day")), ("workweek", _l("Work week")), ("week", _l("Week")),
            ("month", _l("Month")), ("agenda", _l("List")), ("year", _l("Year")),
        ),
    )  # fmt: skip
    first_day = SelectField(
        _l("First day of the week"), description=_l("Applies to weeks and months."),
        choices=_choices(("monday", _l("Monday")), ("sunday", _l("Sunday")), ("saturday", _l("Saturday"))),
    )  # fmt: skip
    hours_from = SelectField(
        _l("First hour shown"), coerce=int, description=_l("Earlier events are still shown."),
        choices=_choices(*((hour, _clock(hour)) for hour in CHOICES["hours_from"])),
    )  # fmt: skip
    hours_to = SelectField(
        _l("Last hour shown"), coerce=int, description=_l("Later events are still shown."),
        choices=_choices(*((hour, _clock(hour)) for hour in CHOICES["hours_to"])),
    )  # fmt: skip
    second_zone = StringField(
        _l("Second time zone"), description=_l("Its hours appear beside yours, for example New York. Leave empty for none."),
    )  # fmt: skip
    school_zone = SelectField(_l("School holidays"), description=_l("The zone whose holidays are marked."))
    busy_shown = BooleanField(
        _l("Show when I am busy"),
        description=_l("Colleagues who look for a time for a meeting see when you are busy, never what you do."),
    )
    ask_services = BooleanField(
        _l("Ask Google and Microsoft when guests are busy"),
        description=_l(
            "When you look for a time, your connected account tells when people of its organisation are busy. It learns whom you "
            "plan to meet."
        ),
    )
    pencil_in = SelectField(
        _l("Pencil in invitations"),
        description=_l("Proven invitations stand in your calendar as soon as they arrive. Nothing is answered."),
        choices=_choices(("", _l("From nobody")), ("known", _l("From colleagues and my contacts"))),
    )
    week_numbers = BooleanField(_l("Week numbers"), description=_l("Shows the number of each week."))
    todos_shown = BooleanField(
        _l("Tasks in the calendar"), description=_l("Days, weeks and months show the tasks that are due."),
    )  # fmt: skip
    birthdays = BooleanField(
        _l("Birthdays"),
        description=_l("A calendar of the birthdays in your contacts, on your devices too. It appears within a few minutes."),
    )
    week_a = StringField(
        _l("Weeks A and B"), render_kw={"type": "date"},
        description=_l("A day in a week A, if your weeks alternate. Leave empty to use your organisation’s."),
    )  # fmt: skip

    # --- reminders
    reminders = SelectField(
        _l("Event reminders"),
        description=_l("Where they appear. An event that asks for an email sends one too, unless you turn reminders off."),
        choices=_choices(
            ("screen", _l("On the pages of your mail")), ("both", _l("On the pages of your mail, and by email")),
            ("off", _l("No reminders")),
        ),
    )  # fmt: skip
    remind_before = SelectField(
        _l("New events"), coerce=int, description=_l("The reminder set for each new event. You can change it in the event."),
        choices=_choices(
            (-1, _l("No reminder")), (0, _l("At the start")), (5, _l("5 minutes before")), (10, _l("10 minutes before")),
            (15, _l("15 minutes before")), (30, _l("30 minutes before")), (60, _l("1 hour before")),
            (120, _l("2 hours before")), (1440, _l("1 day before")),
        ),
    )  # fmt: skip
    remind_days = SelectField(
        _l("New all-day events"), coerce=int, description=_l("The same for events without a time."),
        choices=_choices((-1, _l("No reminder")), (0, _l("On the day")), (1440, _l("The day before"))),
    )  # fmt: skip
    remind_hour = SelectField(
        _l("Time for all-day events"), coerce=int, description=_l("The time at which you are reminded of events without a time."),
        choices=_choices(*((hour, _clock(hour)) for hour in CHOICES["remind_hour"])),
    )  # fmt: skip
    agenda_hour = SelectField(
        _l("Daily agenda by email"), coerce=int,
        description=_l("The events of the day, sent at this time on days that have any."),
        choices=_choices(
            (-1, _l("No email")), *((hour, _clock(hour)) for hour in CHOICES["agenda_hour"] if int(hour) >= 0)
        ),
    )  # fmt: skip

    # --- shortcuts
    shortcuts = BooleanField(
        _l("Keyboard shortcuts"), description=_l("Lets you act on messages with single keys, such as R to reply.")
    )

    def offer_languages(self, languages: Collection[str]) -> PreferencesForm:
        """Only these languages, which the establishment decides."""
        self.language.choices = [choice for choice in self.language.choices if not choice.value or choice.value in languages]
        return self

    def offer_zones(self, zones: Iterable[str]) -> PreferencesForm:
        """Offer these school zones, which the establishment decides."""
        named = [(zone, _("Zone %(name)s", name=zone) if zone in holidays.ZONES else zone) for zone in zones]
        self.school_zone.choices = _choices(("", _("Only those of all zones")), *named)
        return self

    def validate_week_a(self, field: Field) -> None:
        try:
            field.data = date.fromisoformat(field.data).isoformat() if field.data else ""
        except ValueError as error:
            raise ValidationError(_("Enter a day such as %(day)s.", day=date.today().isoformat())) from error

    def validate_second_zone(self, field: Field) -> None:
        self.validate_time_zone(field)

    def validate_time_zone(self, field: Field) -> None:
        try:
            field.data = time_zones.named(field.data or "")
        except time_zones.UnknownZoneError as error:
            said = _("“%(zone)s” is not a known time zone. Choose one from the list, such as Europe/Paris.", zone=field.data[:80])
            raise ValidationError(said) from error

    def accepts(self, names: Collection[str]) -> bool:
        """Whether these fields hold what they may; else they have `errors`."""
        own = {name: getattr(type(self), f"validate_{name}", None) for name in names}
        accepted = [self[name].validate(self, [check] if check else ()) for name, check in own.items()]
        return all(accepted)

    def sent(self, posted: MultiDict[str, str], names: Collection[str]) -> list[str]:
        """The names of the fields that somebody changed, among `names`.

        With scripts one field comes by itself (`only`). Without, a page sends all of its fields, each with what it showed
        (`was-...`): what is the same as that was not touched, even if another tab has changed it meanwhile.
        """
        if only := posted.get("only", ""):
            return [only] if only in names else []
        return [name for name in names if self._was_sent(posted, name) and posted.get(f"was-{name}") != self._said(posted, name)]

    def _was_sent(self, posted: MultiDict[str, str], name: str) -> bool:
        return name in posted or f"was-{name}" in posted

    def _said(self, posted: MultiDict[str, str], name: str) -> str:
        """What was posted, written as `shown` writes it."""
        value = posted.get(name, "")
        return ("" if value in _FALSE else "y") if isinstance(self[name], BooleanField) else value

    @staticmethod
    def sent_value(field: Field) -> str:
        """The value of a field as the page sends it back in `was-...`."""
        if isinstance(field, BooleanField):
            return "y" if field.data else ""
        return str(field.data or "") if isinstance(field, StringField) else str(field.data)
