"""Doctor, sender rights: whether the mail server lets a signed-in person send under an address of yours that is not theirs."""

from __future__ import annotations

from webmail import smtp
from webmail.account import Account
from webmail.config.settings import Settings
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult
from webmail.doctor.result import lazy_gettext as _l

_NAME = "Sender rights"
_NOBODYS = "traboule-doctor"  # the local part of an address that nobody may send under


def examine(account: Account, settings: Settings) -> CheckResult:
    """Ask as far as the recipient, and send nothing. Raises as `smtp.check` does."""
    domain = account.address.rpartition("@")[2]
    sender = f"{_NOBODYS}@{domain}"
    code, text = smtp.answer_to_sender(account, sender)
    if code >= 500:
        return CheckResult(_NAME, OK, _l("the server refuses %(sender)s, which is not theirs.", sender=sender))
    if code >= 400:
        words = _l("were not tested: the server puts the message off (%(why)s). Look at its log.", why=text.rstrip("."))
        return CheckResult(_NAME, WARNING, words)
    words = _l(
        "%(address)s may send as %(sender)s: anyone who can sign in may write in anybody’s name. Run `sh deploy/postfix.sh "
        "DOMAIN` again, or let your server refuse senders that are not theirs.",
        address=account.address, sender=sender,
    )  # fmt: skip
    return CheckResult(_NAME, PROBLEM if settings.sign_in == "accounts" else WARNING, words)
