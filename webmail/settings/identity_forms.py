"""Identity forms: editing identities, signatures and templates."""

from __future__ import annotations

from collections.abc import Iterable

from flask_babel import gettext as _
from flask_babel import pgettext
from werkzeug.datastructures import FileStorage
from wtforms import BooleanField, Field, FileField, Form, SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice

from webmail.compose import signatures
from webmail.compose.drafts.message_options import FORMATTED
from webmail.mime.formats.cards.pictures import LARGEST_UPLOAD
from webmail.models import ReadyText, Signature, WritingIdentity
from webmail.web.formatting import lazy_text as _l
from webmail.web.forms.form_fields import AreaForm, MaxLength, are_addresses, is_one_address, required, trimmed


def is_offered(form: Form, field: SelectField) -> None:
    if field.data not in [choice.value for choice in field.choices]:
        raise ValidationError(_("You can’t send from this address. Ask your administrator to allow it."))


class IdentityForm(AreaForm):
    """An identity's form. `address` is chosen among the allowed ones; see FreeIdentityForm for typed addresses."""

    PLAIN = ("name", "address", "reply_to", "organisation", "cc", "bcc", "sent_mailbox", "is_default")
    name = StringField(_l("Name"), filters=[trimmed], validators=[MaxLength(190)])
    address = SelectField(_l("Address"), validate_choice=False, validators=[is_offered])
    reply_to = StringField(_l("Reply-To"), filters=[trimmed], validators=[MaxLength(2000), are_addresses])
    organisation = StringField(_l("Organisation"), filters=[trimmed], validators=[MaxLength(190)])
    cc = StringField(_l("Always in Cc"), filters=[trimmed], validators=[MaxLength(2000), are_addresses])
    bcc = StringField(_l("Always in Bcc"), filters=[trimmed], validators=[MaxLength(2000), are_addresses])
    sent_mailbox = SelectField(_l("Folder for sent messages"))
    signature = SelectField(_l("Signature"), coerce=int)
    signature_above = SelectField(
        _l("Signature position in replies"),
        choices=[SelectChoice("above", _l("Above the quoted message")), SelectChoice("below", _l("Below the quoted message"))],
    )
    is_default = BooleanField(_l("Default identity"))

    @classmethod
    def showing(cls, identity: WritingIdentity) -> IdentityForm:
        """The identity's form, with the submitted values if any, else the stored ones."""
        above = "above" if identity.signature_above else "below"
        stored = {name: getattr(identity, name) for name in cls.PLAIN}
        return cls(data={**stored, "signature": identity.signature_id or 0, "signature_above": above})

    def offer(self, addresses: Iterable[str], signatures: Iterable[Signature], mailboxes: Iterable[tuple[str, str]]) -> None:
        self.address.choices = [SelectChoice(address, address) for address in addresses]
        self.signature.choices = [
            SelectChoice(0, pgettext("signature", "None")),
            *(SelectChoice(s.id, s.name) for s in signatures),
        ]
        self.sent_mailbox.choices = [SelectChoice("", _("Default folder")), *(SelectChoice(*one) for one in mailboxes)]

    def put_into(self, identity: WritingIdentity) -> None:
        for name in self.PLAIN:
            setattr(identity, name, self[name].data)
        identity.signature = self.signature.data or None
        identity.signature_above = self.signature_above.data == "above"


class FreeIdentityForm(IdentityForm):
    """For installations where only the mail server restricts sender addresses: any address can be typed."""

    address = StringField(_l("Address"), filters=[trimmed], validators=[MaxLength(254), is_one_address])

    def offer(self, addresses: Iterable[str], signatures: Iterable[Signature], mailboxes: Iterable[tuple[str, str]]) -> None:
        typed = self.address.data
        super().offer(addresses, signatures, mailboxes)
        self.address.data = typed


class SignatureForm(AreaForm):
    """A signature's form. `previewed`: the text is only shown, so that what is missing is no fault yet."""

    name = StringField(_l("Name"), filters=[trimmed], validators=[required, MaxLength(100)])
    text = TextAreaField(_l("Text"), validators=[MaxLength(10_000)])
    format = SelectField(
        _l("Format"), choices=[SelectChoice("", _l("Plain text")), SelectChoice(FORMATTED, _l("Formatted"))], default=""
    )
    picture = FileField(_l("Picture"))
    no_picture = BooleanField(_l("Remove the picture"))

    @property
    def upload(self) -> tuple[str, bytes] | None:
        """The picture that was chosen, and its name."""
        file = self.picture.data
        if not isinstance(file, FileStorage) or not file.filename:
            return None
        return file.filename, file.stream.read(LARGEST_UPLOAD + 1)

    def validate_text(self, field: Field) -> None:
        if not (field.data or "").strip() and not self.picture.data:
            raise ValidationError(_("Fill in this field."))

    def put_into(self, signature: Signature) -> bool:
        """Whether the form is valid for saving: the picture can be read, too."""
        was_formatted = signatures.is_formatted(signature)
        signature.name, signature.text, signature.format = self.name.data, signatures.tidy(self.text.data or ""), self.format.data
        if not signatures.is_formatted(signature):
            signatures.drop_picture(signature)
            if was_formatted:
                signature.text = signatures.plain(signature.text)
            return True
        if self.no_picture.data or not signatures.shows_picture(signature):
            signatures.drop_picture(signature)
        if upload := self.upload:
            try:
                signatures.put_picture(signature, *upload)
            except signatures.PictureRefusedError:
                self.picture.errors = [_("This picture can’t be read. Choose a JPEG, PNG, GIF or WebP picture of up to 20 MB.")]
                return False
        return True


class TemplateForm(AreaForm):
    name = StringField(_l("Name"), filters=[trimmed], validators=[required, MaxLength(100)])
    subject = StringField(_l("Subject"), filters=[trimmed], validators=[MaxLength(900)])
    body = TextAreaField(_l("Text"), validators=[MaxLength(100_000)])
    shared = BooleanField(_l("For everyone"))

    def put_into(self, text: ReadyText) -> None:
        text.name, text.subject, text.body = self.name.data, self.subject.data, self.body.data or ""
        text.shared = self.shared.data

    def validate_body(self, field: Field) -> None:
        if not (field.data or "").strip() and not (self.subject.data or "").strip():
            raise ValidationError(_("Enter some text or a subject."))
