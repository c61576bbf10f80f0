"""Import report: what importing a file would do, and what of it was not understood, before anything is written."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from webmail.contacts import store
from webmail.contacts.imports import merge
from webmail.contacts.imports.merge import ImportPlan
from webmail.mime.formats.address_books.entry import Remark, RemarkKind
from webmail.mime.formats.cards import vcard_edit

MOST_NAMED = 50
MOST_REMARKS = 200


@dataclass(slots=True)
class ImportReport:
    """Counts, and the first of each: `names` of new contacts, `changes` (name, what is added), `remarks`."""

    fresh: int = 0
    changed: int = 0
    present: int = 0
    doubled: int = 0
    refused: int = 0
    cut: int = 0
    room: int = 0  # how many more contacts than now there may be
    names: list[str] = field(default_factory=list)
    changes: list[tuple[str, list[str]]] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    more_remarks: int = 0
    repairs: dict[str, int] = field(default_factory=dict)  # how many cards, by CardRepair

    @property
    def any_cards(self) -> bool:
        return bool(self.fresh or self.changed or self.present)

    @property
    def is_useful(self) -> bool:
        """Whether importing would change anything, and can."""
        return bool(self.fresh or self.changed) and self.fresh <= self.room

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ImportReport:
        known = {name: data[name] for name in cls.__slots__ if name in data}
        changes = [(str(name), list(lines)) for name, lines in data.get("changes", [])]
        remarks = [Remark(one["line"], RemarkKind(one["kind"]), one["detail"]) for one in data.get("remarks", [])]
        return cls(**{**known, "changes": changes, "remarks": remarks})


def report_of(planned: ImportPlan, present_before: int) -> ImportReport:
    """The report of a plan; `present_before`: how many contacts there are now."""
    remarks = sorted(planned.remarks, key=lambda one: one.line)
    return ImportReport(
        fresh=len(planned.fresh), changed=len(planned.updates), present=len(planned.present), doubled=planned.doubled,
        refused=planned.refused, cut=planned.cut, room=store.MOST - present_before,
        names=[vcard_edit.read(card).name for card in planned.fresh[:MOST_NAMED]],
        changes=[(row.name, merge.additions(row, card)[:10]) for row, card in planned.updates[:MOST_NAMED]],
        remarks=remarks[:MOST_REMARKS], more_remarks=max(len(remarks) - MOST_REMARKS, 0),
        repairs=dict(planned.repairs),
    )  # fmt: skip
