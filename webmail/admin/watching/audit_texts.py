"""Audit log, words: what each act is called on pages."""

from __future__ import annotations

from flask_babel import gettext as _

from webmail.admin.establishment import setting_texts
from webmail.establishments import page_settings
from webmail.models import AuditAct
from webmail.web.formatting import lazy_text as _l

_ACTS = {
    "sign-in": _l("Signed in"),
    "sign-in-refused": _l("Sign-in refused"),
    "sign-in-blocked": _l("Sign-in blocked after too many attempts"),
    "sign-out": _l("Signed out"),
    "session-ended": _l("Ended a session"),
    "sessions-ended": _l("Ended all other sessions"),
    "session-elsewhere": _l("Session in use somewhere else"),
    "share-given": _l("Shared"),
    "share-changed": _l("Changed a share"),
    "share-revoked": _l("Stopped sharing"),
    "phishing-reported": _l("Reported a message as phishing"),
    "phishing-report-undone": _l("Withdrew a phishing report"),
    "identity-added": _l("Added an identity"),
    "identity-changed": _l("Changed an identity"),
    "identity-removed": _l("Removed an identity"),
    "password-changed": _l("Changed the password"),
    "password-change-refused": _l("Password change refused"),
    "second-step-refused": _l("Second step refused"),
    "confirmed": _l("Confirmed their identity"),
    "factor-added": _l("Added a two-step method"),
    "factor-removed": _l("Removed a two-step method"),
    "key-copied": _l("Security key refused: there may be a copy"),
    "factors-reset": _l("Two-step verification reset"),
    "recovery-codes-made": _l("Created recovery codes"),
    "recovery-code-used": _l("Used a recovery code"),
    "recovery-address-set": _l("Set the recovery address"),
    "recovery-address-wanted": _l("Has somebody asked for a recovery address"),
    "recovery-address-removed": _l("Removed the recovery address"),
    "code-mailed": _l("Code sent by email"),
    "terms-accepted": _l("Accepted the terms of use"),
    "voucher-asked": _l("Asked a colleague to vouch"),
    "voucher-given": _l("Vouched for a colleague"),
    "voucher-refused": _l("Refused to vouch"),
    "voucher-used": _l("Signed in with a colleague’s help"),
    "device-trusted": _l("Trusted a browser"),
    "trust-ended": _l("Stopped trusting a browser"),
    "app-password-added": _l("Created an app password"),
    "app-password-fetched": _l("Downloaded a profile with an app password"),
    "app-password-revoked": _l("Revoked an app password"),
    "app-passwords-paused": _l("App passwords paused"),
    "account-role-set": _l("Set an account’s role"),
    "account-added": _l("Created an account"),
    "account-named": _l("Named an account"),
    "account-password-set": _l("Set an account’s password"),
    "account-quota-set": _l("Set an account’s quota"),
    "room-asked": _l("Asked for more space"),
    "account-limited": _l("Set an account’s sending limits"),
    "account-disabled": _l("Disabled an account"),
    "account-enabled": _l("Enabled an account"),
    "account-allowed": _l("Allowed an address or a name"),
    "account-disallowed": _l("No longer allowed an address or a name"),
    "password-reset-asked": _l("Asked for a new password"),
    "password-reset": _l("Chose a new password"),
    "phone-set": _l("Set the telephone number"),
    "phone-removed": _l("Removed the telephone number"),
    "code-texted": _l("Code sent by text message"),
    "deputy-changed": _l("Changed who helps a group"),
    "deputy-password-set": _l("Temporary password from a deputy"),
    "deputy-factors-removed": _l("Two-step verification removed by a deputy"),
    "support-asked": _l("Asked for help"),
    "support-closed": _l("Closed a request for help"),
    "own-name-set": _l("Changed their own name"),
    "own-data-asked": _l("Asked for their data"),
    "own-data-fetched": _l("Downloaded their data"),
    "deletion-asked": _l("Asked for their account to be deleted"),
    "deletion-withdrawn": _l("Withdrew the deletion request"),
    "account-deleted": _l("Deleted an account"),
    "provider-linked": _l("Connected a provider"),
    "provider-unlinked": _l("Disconnected a provider"),
    "provider-refused": _l("Provider’s answer refused"),
    "provider-sign-out": _l("Signed out by the provider"),
    "directory-left": _l("Left the directory"),
    "group-changed": _l("Changed a group"),
    "forwarding-set": _l("Set up forwarding"),
    "forwarding-ended": _l("Ended forwarding"),
    "absence-set": _l("Set an out-of-office reply"),
    "absence-ended": _l("Ended an out-of-office reply"),
    "archived": _l("Archived old messages"),
    "archive-undone": _l("Undid archiving"),
    "move-in-refused": _l("Other mail server refused the password"),
    "other-server-connected": _l("Connected another calendar server"),
    "other-server-refused": _l("Other calendar server refused the password"),
    "other-server-ended": _l("Disconnected another calendar server"),
    "service-connected": _l("Connected a service"),
    "service-disconnected": _l("Disconnected a service"),
    "calendar-asked": _l("Tried a calendar’s address"),
    "calendar-address-made": _l("Published a calendar"),
    "calendar-address-ended": _l("Stopped publishing a calendar"),
    "collection-changed": _l("Changed a calendar or address book"),
    "task-retried": _l("Began failed work again"),
    "room-changed": _l("Changed a room or thing"),
    "transfer-sent": _l("Sent large files as somebody, by a command"),
    "transfer-closed": _l("Closed a transfer of large files"),
    "transfer-limit-set": _l("Set a limit for large files"),
    "phishing-read": _l("Looked at a reported message"),
    "phishing-searched": _l("Searched mailboxes for phishing"),
    "phishing-pulled": _l("Moved phishing to quarantine"),
    "phishing-put-back": _l("Put messages back from quarantine"),
    "reporters-thanked": _l("Thanked who reported phishing"),
    "sender-refused": _l("Refused a sender"),
    "sender-allowed": _l("No longer refused a sender"),
    "desk-taken": _l("Took a request"),
    "desk-answered": _l("Answered a request"),
    "desk-closed": _l("Closed a request"),
    "things-handed-over": _l("Handed over what others use"),
    "handover-asked": _l("Asked to hand over a mailbox"),
    "handover-agreed": _l("Approved the handover of a mailbox"),
    "handover-refused": _l("Declined the handover of a mailbox"),
    "handover-begun": _l("Handover of a mailbox began"),
    "handover-ended": _l("Handover of a mailbox ended"),
    "account-renamed": _l("Changed an account’s address"),
    "account-end-set": _l("Set an account’s last day"),
    "account-removed": _l("Deleted an account, which can be restored"),
    "account-restored": _l("Restored an account"),
    "factor-required": _l("Required two-step verification"),
    "establishment-changed": _l("Changed an establishment"),
    "setting-changed": _l("Changed a setting"),
    "cloud-program-used": _l("Signed in through a program that keeps passwords elsewhere"),
}
_DETAILS = {
    "by": _l("by"),
    "address": _l("address"),
    "name": _l("name"),
    "factor": _l("method"),
    "uses": _l("for"),
    "before": _l("before"),
    "change": _l("change"),
    "group": _l("group"),
    "folder": _l("folder"),
    "collection": _l("calendar or address book"),
    "level": _l("rights"),
    "role": _l("role"),
    "room": _l("space"),
    "reason": _l("reason"),
    "sessions": _l("sessions"),
    "messages": _l("messages"),
    "day": _l("day"),
    "times": _l("times"),
    "until": _l("until"),
    "sent": _l("sent"),
}
_VALUES = {
    ("by", "import"): _l("an import"),
    ("by", "import-undo"): _l("undoing an import"),
    ("by", "command"): _l("command"),
    ("change", "made"): _l("created"),
    ("change", "added"): _l("added"),
    ("change", "changed"): _l("changed"),
    ("change", "renamed"): _l("renamed"),
    ("change", "removed"): _l("taken out"),
    ("change", "deleted"): _l("deleted"),
    ("change", "policy"): _l("what it gives"),
    ("factor", "password"): _l("password"),
    ("factor", "app"): _l("code of an app"),
    ("factor", "key"): _l("security key"),
    ("factor", "passkey"): _l("passkey"),
    ("factor", "code"): _l("recovery code"),
    ("factor", "mail"): _l("code by email"),
    ("factor", "voucher"): _l("a colleague’s help"),
    ("factor", "provider"): _l("identity provider"),
    ("sent", "True"): _l("yes"),
    ("sent", "False"): _l("no"),
}  # of details that are words of ours; all others stand as they are


def act_text(act: str) -> str:
    """In words; the act itself where it has none."""
    return str(_ACTS[act]) if act in _ACTS else act


def target_text(act: str, target: str) -> str:
    """To whom or what something was done; the codes of settings in words."""
    if act != AuditAct.SETTING_CHANGED or target not in page_settings.ALL:
        return target
    section = setting_texts.section_words()[page_settings.ALL[target].section].title
    return f"{section} – {setting_texts.label_of(target)}"


def act_choices() -> list[tuple[str, str]]:
    """Each act and its words, as one looks for them."""
    return sorted(((str(act), act_text(act)) for act in AuditAct), key=lambda one: one[1].casefold())


def detail_text(name: str, value: str | int) -> str:
    return _("%(name)s: %(value)s", name=str(_DETAILS.get(name, name)), value=str(_VALUES.get((name, str(value)), value)))
