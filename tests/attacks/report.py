"""The report: what was attacked, how often, what came of it, and whether it held."""

from __future__ import annotations

from dataclasses import dataclass, field

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
