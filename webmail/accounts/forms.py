"""Forms of one's account: the name shown, and what one asks."""

from __future__ import annotations

from wtforms import StringField, TextAreaField

from webmail.accounts.deletion import LONGEST_REASON
from webmail.people.own_name import LONGEST
from webmail.web.formatting import lazy_text as _l
from webmail.web.forms.form_fields import AreaForm, MaxLength, trimmed


class OwnNameForm(AreaForm):
    """The name that others see. Empty: the administrator's."""

    name = StringField(
        _l("Name, as others see it"),
        filters=[trimmed],
        validators=[MaxLength(LONGEST)],
        render_kw={"autocomplete": "name", "maxlength": LONGEST},
    )


class DeletionForm(AreaForm):
    """Why somebody asks for their account to be deleted, if they like to say."""

    reason = TextAreaField(_l("Reason (optional)"), validators=[MaxLength(LONGEST_REASON)], render_kw={"rows": 3})
