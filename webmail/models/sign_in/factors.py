"""Tables of the second step and of app passwords: what proves that it is the person, besides the account's own password."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class Authenticator(Table):
    """An application that shows a code every 30 seconds (TOTP, RFC 6238), kept once one of its codes was typed."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="authenticators")
    name = pw.CharField(max_length=60, default="")
    secret = pw.BlobField()  # sealed (vault.py)
    last_step = pw.BigIntegerField(default=0)  # the latest accepted one, in steps of 30 seconds since 1970: never again
    created = pw.DateTimeField(default=now)
    used = pw.DateTimeField(null=True)

    class Meta:
        table_name = "authenticators"


class SecurityKey(Table):
    """A security key or passkey (WebAuthn)."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="security_keys")
    name = pw.CharField(max_length=60, default="")
    credential_hash = pw.CharField(max_length=64, unique=True)  # SHA-256 of the identifier, which may be 1,023 bytes long
    credential_id = pw.BlobField()
    public_key = pw.BlobField()  # COSE
    sign_count = pw.BigIntegerField(default=0)
    transports = pw.CharField(max_length=60, default="")  # "usb,nfc"
    passkey = pw.BooleanField(default=False)  # holds the account's name itself and asks for its own PIN or fingerprint
    created = pw.DateTimeField(default=now)
    used = pw.DateTimeField(null=True)

    class Meta:
        table_name = "security_keys"


class UsedChallenge(Table):
    """A WebAuthn challenge that was answered: challenges are signed rather than stored, and each is good for one answer."""

    hash = pw.CharField(max_length=64, primary_key=True)
    at = pw.DateTimeField(default=now, index=True)

    class Meta:
        table_name = "used_challenges"


class RecoveryCode(Table):
    """A printed code, good once. `code_hash` is keyed with the secret of the installation (vault.py)."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="recovery_codes")
    code_hash = pw.CharField(max_length=64, index=True)
    created = pw.DateTimeField(default=now)
    used = pw.DateTimeField(null=True)

    class Meta:
        table_name = "recovery_codes"


class MailedCode(Table):
    """A code of six digits that was mailed to an address, good once and for a few minutes. One at a time for each purpose."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="mailed_codes", index=False)
    purpose = pw.CharField(max_length=20)  # a word of auth.mailed_codes.CodePurpose
    address = pw.CharField(max_length=254)
    code_hash = pw.CharField(max_length=64)  # keyed as above
    tries = pw.IntegerField(default=0)
    created = pw.DateTimeField(default=now, index=True)

    class Meta:
        table_name = "mailed_codes"
        indexes = ((("user", "purpose"), True),)


class Voucher(Table):
    """Somebody without a second factor at hand asks a colleague to vouch for them: good for one sign-in, in one browser."""

    giver = pw.ForeignKeyField(User, null=True, on_delete="CASCADE", backref="vouchers_given")  # null: nobody who may vouch
    receiver = pw.ForeignKeyField(User, on_delete="CASCADE", backref="vouchers")
    named = pw.CharField(max_length=254)  # the address that the receiver named, whether there is such an account or not
    session = pw.CharField(max_length=64, index=True)  # `id_hash` of the pending session in which it was asked for
    number = pw.CharField(max_length=4)  # on the receiver's screen; the giver types it
    tries = pw.IntegerField(default=0)  # wrong numbers
    user_agent = pw.CharField(max_length=255, default="")  # the receiver's, as is the network
    network = pw.CharField(max_length=64, default="")
    created = pw.DateTimeField(default=now)
    expires = pw.DateTimeField(index=True)
    given = pw.DateTimeField(null=True)
    refused = pw.DateTimeField(null=True)  # by the giver, or withdrawn by the receiver, who asked somebody else
    used = pw.DateTimeField(null=True)
    if TYPE_CHECKING:
        giver_id: int | None

    class Meta:
        table_name = "vouchers"


class RefusedChange(Table):
    """What a telephone or program wanted to change in a calendar or book and was refused (auth/devices/refused_changes.py)."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="refused_changes", index=False)
    place = pw.CharField(max_length=255)  # below the person's own address: "calendar/a.ics"
    kind = pw.CharField(max_length=11, default="")  # of its collection, as in `Collection`; "": there is none
    collection = pw.CharField(max_length=100, default="")  # what that was called
    title = pw.CharField(max_length=200, default="")  # of the event or contact, "" where it is not known
    reason = pw.CharField(max_length=20)  # a RefusalReason
    device = pw.CharField(max_length=100, default="")  # what the person calls it, or its program
    count = pw.IntegerField(default=1)
    seen = pw.IntegerField(default=0)  # 1: the person knows
    first = pw.DateTimeField(default=now)
    last = pw.DateTimeField(default=now)

    class Meta:
        table_name = "refused_changes"
        indexes = ((("user", "place"), True),)


class AppPassword(Table):
    """A password of one telephone or program. Dovecot and Postfix read this table too: numbers, not booleans."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="app_passwords")
    name = pw.CharField(max_length=60)
    sha = pw.CharField(max_length=64, unique=True)  # SHA-256 in hex; needs no salt, because a generated password is random enough
    imap = pw.IntegerField(default=0)
    smtp = pw.IntegerField(default=0)
    caldav = pw.IntegerField(default=0)
    carddav = pw.IntegerField(default=0)
    api = pw.IntegerField(default=0)  # programs and scripts (webmail/api/)
    created = pw.DateTimeField(default=now)
    expires = pw.BigIntegerField(null=True)  # seconds since 1970, which Dovecot compares on either database
    before_pause = pw.BigIntegerField(null=True)  # `expires` before it paused, 0 for none: see app_password_pause.py
    used = pw.DateTimeField(null=True)
    used_protocol = pw.CharField(max_length=10, default="")
    used_network = pw.CharField(max_length=64, default="")
    kind = pw.CharField(max_length=20, default="")  # a word of auth.devices.kinds.DeviceKind; "": made by hand
    profile_hash = pw.CharField(max_length=64, null=True, index=True)  # SHA-256 of its address's key (auth/devices/handover.py)
    profile_sealed = pw.BlobField(null=True)  # the password, by that key, until it is fetched or the next clean-up
    profile_until = pw.DateTimeField(null=True)
    profile_taken = pw.DateTimeField(null=True)  # when the profile was fetched last, and from where
    profile_network = pw.CharField(max_length=64, default="")
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "app_passwords"
