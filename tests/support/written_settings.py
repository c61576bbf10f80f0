"""The settings as they are written down for administrators: in the manual's chapters, and in instance/config.example.toml.

`defaults()` is what both must say, by name: `page_size`, and `links.url` for the values of tables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path

from webmail.config.settings import Settings
from webmail.config.tables import TABLES

ROOT = Path(__file__).resolve().parents[2]
MANUAL = [ROOT / "docs" / "administrator" / name for name in ("settings.md", "settings-tables.md")]
EXAMPLE = ROOT / "instance" / "config.example.toml"
NONE = "none"  # instead of a default: the value has to be written

_ROW = re.compile(r"\| `([\w.]+)` \| (?:(none)|`([^`]*)`) \| (.+) \|")
_GROUP = re.compile(r"# --- (.+?) -+")
_HEADING = re.compile(r"#\[{1,2}(\w+)\]{1,2}")
_VALUE = re.compile(r"#(\w+) = (.+)")


@dataclass(frozen=True, slots=True)
class Written:
    name: str
    default: str
    about: str
    group: str  # the heading below which it stands


def toml(value: object) -> str:
    """A default as it is written in config.toml."""
    if isinstance(value, tuple):
        return "[]"
    if value is None or is_dataclass(value):
        return "{}"
    return json.dumps(value) if isinstance(value, bool | str) or not float(value).is_integer() else f"{value:g}"  # type: ignore[arg-type]


def defaults() -> dict[str, str]:
    """What is true: each setting and each value of a table, with its default or NONE. `presentation` is set in pages alone."""
    found = {field.name: toml(field.default) for field in fields(Settings) if field.name != "presentation"}
    for name, table in TABLES.items():
        found |= {f"{name}.{one.name}": NONE if one.default is MISSING else toml(one.default) for one in fields(table.entry)}
    return found


def manual() -> str:
    """Its chapters of settings."""
    return "\n".join(chapter.read_text(encoding="utf-8") for chapter in MANUAL)


def in_the_manual() -> list[Written]:
    group, found = "", []
    for line in manual().splitlines():
        if line.startswith("#"):
            group = line.lstrip("# ")
        elif row := _ROW.fullmatch(line):
            found.append(Written(row[1], row[2] or row[3], row[4], group))
    return found


def in_the_example() -> list[Written]:
    """Its settings; the default of what is required is an example, and counts as NONE."""
    group = table = about = ""
    found = []
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if heading := _GROUP.fullmatch(line):
            group, table = heading[1], ""
        elif heading := _HEADING.fullmatch(line):
            table = f"{heading[1]}."
        elif value := _VALUE.fullmatch(line):
            required = about.endswith("; required")
            found.append(Written(table + value[1], NONE if required else value[2], about, group))
            about = ""
            continue
        about = line.removeprefix("# ") if line.startswith("# ") else ""
    return found


def uncommented() -> Iterator[tuple[str, str]]:
    """The example without the # before settings: what stands above the tables, with the name "", and each table."""
    name, lines = "", [""]
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if heading := _HEADING.fullmatch(line):
            yield name, "\n".join(lines)
            name, lines = heading[1], []
        lines.append(re.sub(r"^#(?=\S)", "", line))
    yield name, "\n".join(lines)
