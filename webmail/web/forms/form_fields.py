"""Form fields: filters, validators and the base class for forms of several areas."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import Field, Form, ValidationError

from webmail.errors import BadAddressError, UnsafeValueError
from webmail.mime import builder


def trimmed(text: str | None) -> str:
    return " ".join((text or "").replace("\0", "").split())


class MaxLength:
    """Validator: at most `most` characters."""

    def __init__(self, most: int) -> None:
        self.most = most

    def __call__(self, form: Form, field: Field) -> None:
        if len(field.data or "") > self.most:
            raise ValidationError(_("This is too long. Use at most %(count)d characters.", count=self.most))


def required(form: Form, field: Field) -> None:
    if not (field.data or "").strip():
        raise ValidationError(_("Fill in this field."))


def are_addresses(form: Form, field: Field) -> None:
    """Validator: a list of addresses, or empty."""
    try:
        builder.parse_addresses(field.data or "")
    except (BadAddressError, UnsafeValueError) as error:
        value = error.value if isinstance(error, BadAddressError) else field.data
        raise ValidationError(_("“%(value)s” is not an email address.", value=value[:80])) from error


class AreaForm(FlaskForm):
    class Meta(FlaskForm.Meta):
        csrf = False  # checked globally for every POST

        def bind_field(self, form: FlaskForm, unbound_field: Any, options: dict[str, Any]) -> Any:
            """Give fields unique ids: the compose form has fields with the same names."""
            options["id"] = f"writing-{options['name']}"
            return super().bind_field(form, unbound_field, options)


def is_one_address(form: Form, field: Field) -> None:
    try:
        found = builder.parse_addresses(field.data or "")
    except (BadAddressError, UnsafeValueError):
        found = ()
    if len(found) != 1 or found[0].email != field.data:
        raise ValidationError(_("Type one address, such as alice@lycee.example."))
