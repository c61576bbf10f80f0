"""Audit table: who did what to whom, when and from where. No secrets, and nothing of what messages say."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now


class AuditAct(StrEnum):
    """What can be done, as it is stored; an administrator filters by these words."""

    SIGN_IN = "sign-in"
    SIGN_IN_REFUSED = "sign-in-refused"
    SIGN_IN_BLOCKED = "sign-in-blocked"  # too many attempts: the password was not even checked
    SIGN_OUT = "sign-out"
    SESSION_ENDED = "session-ended"
    SESSIONS_ENDED = "sessions-ended"
    SESSION_ELSEWHERE = "session-elsewhere"  # its cookie turned up in another browser and another network
    SHARE_GIVEN = "share-given"
    SHARE_CHANGED = "share-changed"
    SHARE_REVOKED = "share-revoked"
    PHISHING_REPORTED = "phishing-reported"
    PHISHING_REPORT_UNDONE = "phishing-report-undone"
    PHISHING_READ = "phishing-read"  # a reported message, by an administrator; the target is who reported it
    PHISHING_SEARCHED = "phishing-searched"  # in others' mailboxes, by an administrator; the target is the sender
    PHISHING_PULLED = "phishing-pulled"  # into quarantine, out of others' mailboxes
    PHISHING_PUT_BACK = "phishing-put-back"
    REPORTERS_THANKED = "reporters-thanked"
    SENDER_REFUSED = "sender-refused"  # for everybody, or for an establishment
    SENDER_ALLOWED = "sender-allowed"
    IDENTITY_ADDED = "identity-added"
    IDENTITY_CHANGED = "identity-changed"
    IDENTITY_REMOVED = "identity-removed"
    PASSWORD_CHANGED = "password-changed"
    PASSWORD_CHANGE_REFUSED = "password-change-refused"
    SECOND_STEP_REFUSED = "second-step-refused"  # the password was right
    CONFIRMED = "confirmed"  # asked for a factor again, before a change
    FACTOR_ADDED = "factor-added"
    FACTOR_REMOVED = "factor-removed"
    KEY_COPIED = "key-copied"  # refused: its counter went backwards, so there may be a copy
    FACTORS_RESET = "factors-reset"  # all of somebody's, by an administrator
    RECOVERY_CODES_MADE = "recovery-codes-made"
    RECOVERY_CODE_USED = "recovery-code-used"
    RECOVERY_ADDRESS_SET = "recovery-address-set"
    RECOVERY_ADDRESS_WANTED = "recovery-address-wanted"  # an administrator has somebody asked for one
    RECOVERY_ADDRESS_REMOVED = "recovery-address-removed"
    CODE_MAILED = "code-mailed"
    TERMS_ACCEPTED = "terms-accepted"
    VOUCHER_ASKED = "voucher-asked"  # by somebody whose password was right
    VOUCHER_GIVEN = "voucher-given"
    VOUCHER_REFUSED = "voucher-refused"
    VOUCHER_USED = "voucher-used"
    DEVICE_TRUSTED = "device-trusted"
    TRUST_ENDED = "trust-ended"
    APP_PASSWORD_ADDED = "app-password-added"
    APP_PASSWORD_FETCHED = "app-password-fetched"  # a telephone downloaded the profile with it, without signing in
    APP_PASSWORD_REVOKED = "app-password-revoked"
    CLOUD_PROGRAM_USED = "cloud-program-used"  # one that keeps the password on servers of its maker, for the first time
    APP_PASSWORDS_PAUSED = "app-passwords-paused"  # somebody's, whose provider has not vouched for them in a long time
    ACCOUNT_ROLE_SET = "account-role-set"
    ACCOUNT_ADDED = "account-added"
    ACCOUNT_NAMED = "account-named"
    ACCOUNT_PASSWORD_SET = "account-password-set"
    ACCOUNT_QUOTA_SET = "account-quota-set"
    ROOM_ASKED = "room-asked"  # somebody asks the administrator for more room
    ACCOUNT_LIMITED = "account-limited"
    ACCOUNT_DISABLED = "account-disabled"
    ACCOUNT_ENABLED = "account-enabled"
    ACCOUNT_ALLOWED = "account-allowed"
    ACCOUNT_DISALLOWED = "account-disallowed"
    PASSWORD_RESET_ASKED = "password-reset-asked"  # by whoever knows the name; a link or code was sent
    PASSWORD_RESET = "password-reset"
    PHONE_SET = "phone-set"
    PHONE_REMOVED = "phone-removed"
    CODE_TEXTED = "code-texted"
    DEPUTY_CHANGED = "deputy-changed"  # who may help which group
    DEPUTY_PASSWORD_SET = "deputy-password-set"
    DEPUTY_FACTORS_REMOVED = "deputy-factors-removed"
    SUPPORT_ASKED = "support-asked"
    SUPPORT_CLOSED = "support-closed"
    DESK_TAKEN = "desk-taken"  # somebody looks after what somebody asked for
    DESK_ANSWERED = "desk-answered"
    DESK_CLOSED = "desk-closed"  # without an answer
    OWN_NAME_SET = "own-name-set"
    OWN_DATA_ASKED = "own-data-asked"  # all of it as one file
    OWN_DATA_FETCHED = "own-data-fetched"
    DELETION_ASKED = "deletion-asked"
    DELETION_WITHDRAWN = "deletion-withdrawn"
    THINGS_HANDED_OVER = "things-handed-over"  # calendars, files and what else others use, to a colleague
    HANDOVER_ASKED = "handover-asked"  # somebody is to look after a mailbox
    HANDOVER_AGREED = "handover-agreed"
    HANDOVER_REFUSED = "handover-refused"
    HANDOVER_BEGUN = "handover-begun"  # the mail server gave the rights
    HANDOVER_ENDED = "handover-ended"
    ACCOUNT_DELETED = "account-deleted"
    ACCOUNT_RENAMED = "account-renamed"  # it has another address
    ACCOUNT_END_SET = "account-end-set"  # from which day on it is disabled
    ACCOUNT_REMOVED = "account-removed"  # disabled, and deleted for good on a day unless it is restored
    ACCOUNT_RESTORED = "account-restored"
    FACTOR_REQUIRED = "factor-required"  # a second factor, of one person
    ESTABLISHMENT_CHANGED = "establishment-changed"  # made, changed, deleted; who administers it
    PROVIDER_LINKED = "provider-linked"
    PROVIDER_UNLINKED = "provider-unlinked"
    PROVIDER_REFUSED = "provider-refused"  # the provider's answer was not one to sign in by
    PROVIDER_SIGN_OUT = "provider-sign-out"  # the provider ended sessions
    DIRECTORY_LEFT = "directory-left"  # no longer in the directory: the account is disabled
    GROUP_CHANGED = "group-changed"
    FORWARDING_SET = "forwarding-set"  # all mail goes on to other addresses
    FORWARDING_ENDED = "forwarding-ended"
    ABSENCE_SET = "absence-set"  # automatic replies, by the person or an administrator
    ABSENCE_ENDED = "absence-ended"
    ARCHIVED = "archived"  # old messages by rules, at an administrator's command
    ARCHIVE_UNDONE = "archive-undone"
    MOVE_IN_REFUSED = "move-in-refused"  # another mail server refused the password that somebody gave for it
    OTHER_SERVER_CONNECTED = "other-server-connected"  # calendars and contacts are kept in step with one
    OTHER_SERVER_REFUSED = "other-server-refused"  # it refused the password
    OTHER_SERVER_ENDED = "other-server-ended"
    SERVICE_CONNECTED = "service-connected"  # an account at Google, Microsoft, a Nextcloud ...; the target is which, and whose
    SERVICE_DISCONNECTED = "service-disconnected"
    CALENDAR_ASKED = "calendar-asked"  # an address of a calendar was tried, to subscribe to it
    CALENDAR_ADDRESS_MADE = "calendar-address-made"  # by which anybody can read a calendar
    CALENDAR_ADDRESS_ENDED = "calendar-address-ended"
    COLLECTION_CHANGED = "collection-changed"  # name, colour or description, by somebody who manages it; who sees private events
    TASK_RETRIED = "task-retried"  # somebody's long work that had failed, by an administrator
    ROOM_CHANGED = "room-changed"  # what people book: made, changed or deleted by an administrator
    TRANSFER_SENT = "transfer-sent"  # large files as somebody, by a command
    TRANSFER_CLOSED = "transfer-closed"  # large files of somebody, by an administrator
    SETTING_CHANGED = "setting-changed"  # of the establishment, by an administrator; `target`: its name
    KEYRING_MADE = "keyring-made"
    KEYRING_CHANGED = "keyring-changed"  # what opens it: the passphrase, the recovery sheet, a passkey
    KEYRING_DELETED = "keyring-deleted"
    MAIL_KEY_MADE = "mail-key-made"  # the target of these is its fingerprint
    MAIL_KEY_IMPORTED = "mail-key-imported"
    MAIL_KEY_EXPORTED = "mail-key-exported"  # with the private key
    MAIL_KEY_REVOKED = "mail-key-revoked"
    MAIL_KEY_REMOVED = "mail-key-removed"
    MAIL_KEY_PUBLISHED = "mail-key-published"
    MAIL_KEY_WITHDRAWN = "mail-key-withdrawn"
    RESTORE_ASKED = "restore-asked"  # from a backup; `target`: for whom
    TRANSFER_LIMIT_SET = "transfer-limit-set"  # how much one person may store


class AuditEntry(Table):
    """One thing that was done. The actor's address is kept beside the account, which may go."""

    at = pw.DateTimeField(default=now, index=True)
    actor = pw.ForeignKeyField(User, null=True, on_delete="SET NULL")  # null also: nobody signed in, or a command
    actor_address = pw.CharField(max_length=254, default="")
    act = pw.CharField(max_length=40)  # an AuditAct
    target = pw.CharField(max_length=254, default="")  # an address, a group, the words for a browser
    network = pw.CharField(max_length=64, default="")  # as in `Session`
    details = pw.TextField(default="{}")  # JSON, a few keys: webmail/audit.py
    times = pw.IntegerField(default=1)  # how often within a minute; more than 1 only where `fold` is set
    fold = pw.CharField(max_length=64, null=True, unique=True)  # the same for all that is counted in one entry
    if TYPE_CHECKING:
        actor_id: int | None

    class Meta:
        table_name = "audit"
        indexes = ((("actor_address", "at"), False), (("target", "at"), False), (("act", "at"), False))
