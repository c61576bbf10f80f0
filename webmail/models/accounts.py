"""Account tables: people, and the addresses and names that they may write as. Dovecot and Postfix read them too."""

from __future__ import annotations

import peewee as pw

from webmail.models.base import Table, now


class User(Table):
    """A person. Dovecot's passdb and userdb read this table too (deploy/dovecot), so accounts are managed in one place."""

    address = pw.CharField(max_length=254, unique=True)
    local = pw.CharField(max_length=190)
    domain = pw.CharField(max_length=190)
    name = pw.CharField(max_length=190, default="")
    name_given = pw.CharField(max_length=190, null=True)  # by the administrator or a provider, where the person shows another
    password = pw.CharField(max_length=255, default="")  # Argon2id hash; empty: the IMAP server checks passwords
    must_change = pw.IntegerField(default=0)  # 1: the password is a temporary one, to be changed before anything else
    temporary_until = pw.DateTimeField(null=True)  # until when a temporary password from a deputy's sheet is good
    second_step = pw.IntegerField(default=0)  # 1: signing in takes a second factor; IMAP and SMTP refuse the password then
    mailed_step = pw.IntegerField(default=0)  # 1: codes mailed to the recovery address are a second factor of their own
    reset_by_mail = pw.IntegerField(default=0)  # 1: a link to the recovery address gave the password: a code there proves no more
    second_step_due = pw.DateTimeField(null=True)  # from when on a second factor must be set up, where it is required
    recovery_address = pw.CharField(max_length=254, default="")  # outside, confirmed by a code
    recovery_from = pw.DateTimeField(null=True)  # from when on it leads to a new password; null: at once
    recovery_asked = pw.DateTimeField(null=True)  # when the person was last asked for one
    phone = pw.CharField(max_length=20, default="")  # "+33612345678" (E.164), confirmed by a code
    phone_from = pw.DateTimeField(null=True)  # the same
    provider = pw.CharField(max_length=40, default="")  # who made the account at its first sign-in: see `LinkedAccount`
    deletion_asked = pw.DateTimeField(null=True)  # when the person asked for the account to be deleted
    deletion_reason = pw.CharField(max_length=500, default="")  # as they typed it
    terms = pw.CharField(max_length=40, default="")  # the version of the terms of use that was accepted
    terms_at = pw.DateTimeField(null=True)
    quota_bytes = pw.BigIntegerField(default=1024**3)
    quota_own = pw.BigIntegerField(null=True)  # what quota_bytes is without their groups; null: quota_bytes (people/policies.py)
    quota_fixed = pw.IntegerField(null=True)  # 1: given to this person, whatever groups say; null: if it is not the usual one
    quota_messages = pw.IntegerField(null=True)  # how many messages, as Dovecot reads it; null or 0: without limit
    policy = pw.TextField(null=True)  # JSON: what holds for the person: their own, by groups, establishment (people/policies.py)
    own_policy = pw.TextField(null=True)  # JSON: of that, what was given to the person alone
    active = pw.IntegerField(default=1)  # 0 or 1, not a boolean: Dovecot's SQL reads it on either database
    # when a password of theirs, or an app password, ended last (seconds since 1970): the door ends what was open before
    credential_ended = pw.BigIntegerField(null=True)
    role = pw.CharField(max_length=20, default="person")  # or "admin"; "establishment": administers some, see establishments.py
    language = pw.CharField(max_length=5, default="")  # empty: the browser's
    spoken = pw.CharField(max_length=5, default="")  # that of the pages at the last sign-in, to write to who chose none
    preferences = pw.TextField(null=True)  # JSON, see preferences.py
    recipients_per_hour = pw.IntegerField(null=True)  # overrides the setting of that name; 0: no limit
    recipients_per_day = pw.IntegerField(null=True)
    created = pw.DateTimeField(default=now)
    last_sign_in = pw.DateTimeField(null=True)  # to the pages, to the hour; null: never
    used_bytes = pw.BigIntegerField(null=True)  # of mail, as the mail server said at `used_at`
    used_at = pw.DateTimeField(null=True)
    ends_on = pw.DateTimeField(null=True)  # from when on the account is disabled
    ends_told = pw.DateTimeField(null=True)  # when the person was told of that day
    removal_due = pw.DateTimeField(null=True)  # deleted, and until then can be restored: it is disabled meanwhile
    factor_asked = pw.DateTimeField(null=True)  # since when an administrator requires a second factor of this person
    home = pw.CharField(max_length=400, null=True)  # the folder of the mailbox below that of all; null: domain/local
    version = pw.BigIntegerField(null=True)  # one more with each change by an administrator
    has_keys = pw.IntegerField(null=True)  # 1: has a keyring (webmail/keys/keyring.py), so that pages of others ask nothing
    is_authenticated = True  # required by flask-login
    renamed_to = ""  # no column: where a device asks under the address of before (webmail/dav/sign_in.py), that of now

    class Meta:
        table_name = "accounts"


class AllowedAddress(Table):
    """Another address that the administrator allows a person to write as. Postfix reads this table too."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="allowed_addresses")
    address = pw.CharField(max_length=254, index=True)  # lower case

    class Meta:
        table_name = "allowed_addresses"
        indexes = ((("user", "address"), True),)


class AllowedName(Table):
    """A name that the administrator allows a person to write under, though it is a colleague's or a function's."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="allowed_names")
    name = pw.CharField(max_length=190)

    class Meta:
        table_name = "allowed_names"
        indexes = ((("user", "name"), True),)


class MailAlias(Table):
    """Another address whose mail goes to an account. Postfix reads it, and Dovecot: who was called so before signs in by it."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="aliases")
    address = pw.CharField(max_length=254, unique=True)  # lower case; "@domain": whatever nobody of the domain has
    former = pw.IntegerField(default=0)  # 1: the account's own before it was renamed
    created = pw.DateTimeField(default=now)

    class Meta:
        table_name = "mail_aliases"


class RestedAddress(Table):
    """An address that was somebody's, and is given to nobody before `until`. `home`: the folder that its mailbox was in."""

    address = pw.CharField(max_length=254, unique=True)  # lower case
    home = pw.CharField(max_length=400, default="")
    until = pw.DateTimeField(index=True)

    class Meta:
        table_name = "rested_addresses"
