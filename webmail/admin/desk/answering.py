"""Answering a case: what somebody asked for is done or refused, the case says so, and the person is told, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from webmail import audit, system_mail
from webmail.accounts import deletion, support
from webmail.admin.people import changes
from webmail.admin.people.changes import Act, Step
from webmail.admin.people.record import ChangedBy
from webmail.config.settings import Settings
from webmail.database.connection import db
from webmail.desk import cases
from webmail.errors import BadAddressError, MailError
from webmail.mailbox.quota import quota_request
from webmail.message import phishing_reports
from webmail.models import AuditAct, DeskCase, DeskKind, DeskState, SystemMessage, User
from webmail.transfers.public import reports

MAIL = "desk-answer"  # the kind of system mail


@dataclass(frozen=True, slots=True)
class AnswerLetter:
    """The mail about an answer, in the language of who gets it."""

    subject: str
    body: str
    language: str


@dataclass(frozen=True, slots=True)
class TellingResult:
    """`message`: to be sent; None where nobody could be told by mail."""

    message: SystemMessage | None = None
    undo: str = ""  # the name of what takes a change of the account back


class NotGrantedError(MailError):
    """The space of this account can't be changed here: a directory says how much it has."""

    status = 409


Write = Callable[[DeskCase, str], AnswerLetter]


@dataclass(frozen=True, slots=True)
class Desk:
    """Who answers, from where, and how the mail is written."""

    helper: User
    settings: Settings
    write: Write
    network: str = ""

    def take(self, case: DeskCase, version: int) -> None:
        """Raises CaseChangedError."""
        cases.take(case, self.helper, version)
        self._noted(AuditAct.DESK_TAKEN, case)

    def give_back(self, case: DeskCase, version: int) -> None:
        """Raises CaseChangedError."""
        cases.give_back(case, version)
        self._noted(AuditAct.DESK_TAKEN, case, change="removed")

    def answer(self, case: DeskCase, text: str, version: int) -> TellingResult:
        """Tell the person, and close what they asked for: more space and deletion are refused so. Raises CaseChangedError."""
        with db.atomic():
            cases.answer(case, self.helper, text, version)
            self._close_source(case)
            sent = self._mailed(case, text)
        self._noted(AuditAct.DESK_ANSWERED, case, sent=sent is not None)
        return TellingResult(sent)

    def grant(self, case: DeskCase, user: User, quota_bytes: int, text: str, version: int) -> TellingResult:
        """More space for mail, with these words. Raises CaseChangedError, and NotGrantedError."""
        with db.atomic():
            cases.answer(case, self.helper, text, version)
            by = ChangedBy(self.helper, self.network)
            outcome = changes.apply([user], Step(Act.QUOTA, quota_bytes), by, self.settings)
            if outcome.refused:
                raise NotGrantedError(user.address)
            sent = self._mailed(case, text)
        self._noted(AuditAct.DESK_ANSWERED, case, sent=sent is not None)
        return TellingResult(sent, outcome.undo)

    def close(self, case: DeskCase, version: int) -> None:
        """Without a word. Raises CaseChangedError."""
        with db.atomic():
            cases.answer(case, self.helper, "", version, state=DeskState.CLOSED)
            self._close_source(case)
        self._noted(AuditAct.DESK_CLOSED, case)

    # --- parts -------------------------------------------------------------------------------------------------------

    def _close_source(self, case: DeskCase) -> None:
        """What was asked for is done with, where it is kept too."""
        match case.kind:
            case DeskKind.SUPPORT:
                support.close_number(case.number)
            case DeskKind.SPACE if case.user is not None:
                quota_request.close(case.user, case.user.quota_bytes)
            case DeskKind.DELETION if case.user is not None:
                deletion.refuse(case.user)
            case DeskKind.PHISHING:
                phishing_reports.set_handled(case.number, self.helper.address)
            case DeskKind.ABUSE:
                if (report := reports.find(case.number)) is not None:
                    reports.settle(report, self.helper.address)

    def _mailed(self, case: DeskCase, text: str) -> SystemMessage | None:
        """None where there is no address to write to, or it had too many today."""
        recipient = mail_address(case)
        if not recipient or self.settings.system_sender is None:
            return None
        letter = self.write(case, text)
        dedup = f"{case.id} {case.version}"
        try:
            return system_mail.send(recipient, MAIL, letter.subject, letter.body, letter.language, dedup)
        except BadAddressError:
            return None  # as it was typed by somebody outside

    def _noted(self, act: AuditAct, case: DeskCase, **details: str | int | None) -> None:
        audit.record(act, actor=self.helper, target=case.address, network=self.network, kind=case.kind, case=case.id, **details)


def mail_address(case: DeskCase) -> str:
    """Where the person reads an answer: their mailbox, or what they typed where it is an address; "" for none."""
    if case.user is not None:
        return str(case.user.address)
    typed = cases.seen_of(case).get("contact", "") if case.kind == DeskKind.SUPPORT else case.address
    return typed if "@" in typed and " " not in typed else ""
