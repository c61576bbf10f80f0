"""`python -m tests.attacks`: attacks a Traboule of its own on the demo's servers, and writes what came of it into docs/security.md.

With `--quick` a tenth of the tries, no waiting, and nothing is written. Names of modules (`guessing timing ...`) choose a few.
The exit code is 1 where something did not hold.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from deploy.demo.child import ServiceFailed
from deploy.demo.place import PlaceError
from deploy.demo.services import Services
from tests.attacks import codes, copies, guessing, keys, pages, takeover, timing
from tests.attacks.ground import Ground
from tests.attacks.report import Finding, Report
from tests.bench import machine
from tests.bench.table import put_into

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "security.md"
ALL: dict[str, tuple[str, Callable[[Ground], list[Finding]]]] = {
    "guessing": ("Guessing passwords", guessing.attacks),
    "timing": ("Learning who has an account, by the time that refusals take", timing.attacks),
    "codes": ("Guessing and repeating codes", codes.attacks),
    "keys": ("Answering for a security key", keys.attacks),
    "takeover": ("Planted and stolen cookies", takeover.attacks),
    "copies": ("Stolen copies: the database without the files, the files without the database", copies.attacks),
    "pages": ("Pages in frames, and forms of other sites", pages.attacks),
    "proxies": ("Pretending to come from elsewhere", guessing.forged_addresses),
}


def attack(names: list[str], *, quick: bool) -> Report:
    """Start everything, attack, stop everything."""
    report, began = Report(), time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        Services(Path(folder) / "demo", web=False) as services,
        Ground(services, quick) as ground,
    ):
        for name in names:
            section, attacks = ALL[name]
            print(f"attacks: {section.lower()}", file=sys.stderr, flush=True)
            report.add(section, *attacks(ground))
    where = "; ".join(f"{name} {value}" for name, value in machine.describe().items() if name != "chromium")
    report.notes.append(f"{datetime.now().astimezone():%Y-%m-%d %H:%M}, in {time.monotonic() - began:.0f} s; {where}.")
    return report


def main(arguments: list[str]) -> int:
    quick, names = "--quick" in arguments, [one for one in arguments if one != "--quick"]
    if unknown := [name for name in names if name not in ALL]:
        print(f"There is no {', '.join(unknown)}; choose from: {', '.join(ALL)}.", file=sys.stderr)
        return 2
    try:
        report = attack(names or list(ALL), quick=quick)
    except (ServiceFailed, PlaceError) as error:
        print(error, file=sys.stderr)
        return 1
    print(report.markdown())
    if not quick and not names:
        put_into(DOCUMENT, report.markdown())
    if report.failed:
        print(f"Did not hold: {'; '.join(report.failed)}", file=sys.stderr)
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
