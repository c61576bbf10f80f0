"""The report: what was attacked, how often, what came of it, and whether it held."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.bench.table import line


@dataclass(frozen=True, slots=True)
class Finding:
    """One attack. `tried`: how often, or with how many things; `result` in words, with its counts; `held`: nobody got in."""

    attack: str
    tried: int
    result: str
    held: bool


@dataclass
class Report:
    """All findings, in sections, and what they depend on."""

    sections: dict[str, list[Finding]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, section: str, *findings: Finding) -> None:
        self.sections.setdefault(section, []).extend(findings)

    def keep(self, file: Path) -> None:
        """Write it down, for `kept`."""
        file.parent.mkdir(parents=True, exist_ok=True)
        told = {"sections": {name: [asdict(one) for one in found] for name, found in self.sections.items()}, "notes": self.notes}
        file.write_text(json.dumps(told, ensure_ascii=False, indent=1))

    @classmethod
    def kept(cls, files: list[Path]) -> Report:
        """Several reports that were written down, as one."""
        report = cls()
        for file in files:
            told = json.loads(file.read_text())
            for section, found in told["sections"].items():
                report.add(section, *(Finding(**one) for one in found))
            report.notes += [note for note in told["notes"] if note not in report.notes]
        return report

    @property
    def failed(self) -> list[str]:
        return [one.attack for findings in self.sections.values() for one in findings if not one.held]

    def markdown(self) -> str:
        lines = [line(["", "attack", "tries", "what came of it", "held"]), line(["--:", "---", "--:", "---", "---"])]
        number = 0
        for section, findings in self.sections.items():
            lines.append(line(["", f"**{section}**", "", "", ""]))
            for one in findings:
                number += 1
                lines.append(line([str(number), one.attack, f"{one.tried:,}", one.result, "yes" if one.held else "**NO**"]))
        return "\n".join([*lines, "", *(f"- {note}" for note in self.notes)]) + "\n"
