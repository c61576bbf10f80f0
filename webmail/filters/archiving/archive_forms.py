"""Archive form: a rule as it was typed, and the rule that it says."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from webmail.filters.archiving import archive_rules
from webmail.filters.archiving.archive_rules import MOST_DAYS, MOST_MONTHS, AgeUnit, ArchiveAction, ArchivePlan, BadPlanError
from webmail.imap.mailbox_list.mailboxes import Overview


@dataclass(slots=True)
class ArchiveForm:
    """The fields; `errors` by field."""

    mailbox: str = "INBOX"
    amount: str = "12"
    unit: str = str(AgeUnit.MONTHS)
    action: str = str(ArchiveAction.ARCHIVE)
    split: str = "year"
    keyword: str = ""
    keep_unread: bool = True
    keep_flagged: bool = True
    keep_tagged: bool = False
    on: bool = True
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def showing(cls, plan: ArchivePlan) -> ArchiveForm:
        return cls(
            plan.mailbox, str(plan.amount or 12), str(plan.unit), str(plan.action), plan.split, plan.keyword,
            plan.keep_unread, plan.keep_flagged, plan.keep_tagged, plan.on,
        )  # fmt: skip

    @classmethod
    def typed(cls, values: MultiDict[str, str]) -> ArchiveForm:
        def text(name: str, most: int = 60) -> str:
            return values.get(name, "")[:most].strip()

        return cls(
            values.get("folder", "")[:1000], text("amount"), text("unit"), text("do"), text("split"), text("tag"),
            text("keep_unread") == "1", text("keep_flagged") == "1", text("keep_tagged") == "1", text("on") != "0",
        )  # fmt: skip

    def read(self, found: Overview, key: str = "") -> ArchivePlan | None:
        """The rule, None where something is wrong; `errors` says what."""
        if self.unit not in list(AgeUnit) or self.action not in list(ArchiveAction) or self.split not in ("year", "month"):
            self.errors["action"] = _("Choose one of these.")
            return None
        counts = self.unit != AgeUnit.SCHOOL_YEAR
        amount = int(self.amount) if self.amount.isdecimal() and len(self.amount) < 6 else 0
        tagged = self.action == ArchiveAction.TAG
        plan = ArchivePlan(
            self.mailbox, AgeUnit(self.unit), amount if counts else 0, ArchiveAction(self.action), self.split,
            self.keyword if tagged else "", self.keep_unread, self.keep_flagged, self.keep_tagged, self.on, key,
        )  # fmt: skip
        try:
            archive_rules.check(plan, found)
        except BadPlanError as error:
            self.errors[error.what] = self._typed_texts(error.what)
            return None
        return plan

    def _typed_texts(self, what: str) -> str:
        most = MOST_DAYS if self.unit == AgeUnit.DAYS else MOST_MONTHS
        emptied = _("Messages in Junk and Trash can’t be archived: choose “Delete”.")
        return {
            "mailbox": _("This folder no longer exists. Choose another one."),
            "amount": _("Enter a number from 1 to %(most)d.", most=most),
            "action": emptied if self.action == ArchiveAction.ARCHIVE else _("Only messages in Junk and Trash can be deleted."),
            "keyword": _("Choose a tag."),
        }[what]
