"""App password form: what one is called, what it is for and until when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import Field, SelectMultipleField, StringField, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from webmail.models import AppPassword
from webmail.web.current import time_zone
from webmail.web.formatting import lazy_text as _l
from webmail.web.formatting import today
from webmail.web.forms.form_fields import MaxLength, required, trimmed

USES = {  # a box of a form, and what it allows
    "imap": ("imap",),
    "smtp": ("smtp",),
    "mail": ("imap", "smtp"),
    "dav": ("caldav", "carddav"),
    "api": ("api",),
}
LONGEST_YEARS = 10


def _printable(text: str | None) -> str:
    return "".join(letter for letter in trimmed(text) if letter.isprintable())


class _Boxes(SelectMultipleField):
    """Boxes to tick, at least one."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def pre_validate(self, form: Any) -> None:
        if not self.data or not set(self.data) <= {value for value, _words in self.choices}:
            raise ValidationError(_("Choose at least one."))


def _is_a_day(form: FlaskForm, field: Field) -> None:
    if not field.data:
        return
    try:
        day = date.fromisoformat(field.data)
    except ValueError:
        raise ValidationError(_("Write the date as year, month and day, such as 2027-01-31.")) from None
    if day < today():
        raise ValidationError(_("This day is over. Choose a later one."))
    if day.year > today().year + LONGEST_YEARS:
        raise ValidationError(_("Choose a day within the next ten years, or leave this empty."))


class _NamedForm(FlaskForm):
    name = StringField(
        _l("Name"), [required, MaxLength(AppPassword.name.max_length)], filters=[_printable], render_kw={"autocomplete": "off"}
    )
    use: _Boxes

    @property
    def uses(self) -> Sequence[str]:
        """What it allows, of app_passwords.USES."""
        return [use for box in self.use.data or [] for use in USES[box]]


class ConnectForm(_NamedForm):
    """The app password of a device that is being connected. `dav` says whether calendars and contacts are offered for it."""

    use = _Boxes(_l("What for?"), default=["mail", "dav"])

    def __init__(self, *, dav: bool, **given: Any) -> None:
        super().__init__(**given)
        self.use.choices = [("mail", _("Mail")), *([("dav", _("Calendars and contacts"))] if dav else [])]
        if not dav:  # nothing to choose, and nothing shown
            self.use.data = ["mail"]


class AppPasswordForm(_NamedForm):
    """`dav` says whether calendars and contacts are offered, `api` whether scripts are."""

    use = _Boxes(_l("What for?"), default=["imap", "smtp"])
    expires = StringField(_l("Last day (optional)"), [_is_a_day], filters=[trimmed], render_kw={"type": "date"})

    def __init__(self, *, dav: bool, api: bool, **given: Any) -> None:
        super().__init__(**given)
        choices = [("imap", _("Reading mail (IMAP)")), ("smtp", _("Sending mail (SMTP)"))]
        choices += [("dav", _("Calendars and contacts"))] if dav else []
        self.use.choices = [*choices, *([("api", _("Scripts (API)"))] if api else [])]

    @property
    def ends(self) -> datetime | None:
        """The end of the last day where the person is, as naive UTC."""
        if not self.expires.data:
            return None
        morning = datetime.fromisoformat(self.expires.data) + timedelta(days=1)
        return morning.replace(tzinfo=time_zone()).astimezone(UTC).replace(tzinfo=None)
