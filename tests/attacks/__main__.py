"""`python -m tests.attacks`: attacks a Traboule of its own on the demo's servers, and writes what came of it into docs/security.md.

With `--quick` a tenth of the tries, no waiting, and nothing is written. Names (`guessing timing ...`) choose a few; what was found
before of the others stays in the table. The exit code is 1 where something did not hold.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from deploy.demo.child import ServiceFailedError
from deploy.demo.place import PlaceError
from deploy.demo.services import Services
from tests.attacks import (
    codes,
    copies,
    devices,
    directory,
    doors,
    double_clicks,
    guessing,
    helping,
    keyrings,
    keys,
    mail_programs,
    names,
    pages,
    providers,
    recovery,
    scripts,
    takeover,
    timing,
    transfers,
)
from tests.attacks.ground import Ground
from tests.attacks.report import Finding, Report
from tests.bench import machine
from tests.bench.table import put_into
from tests.support.passing_folder import passing_folder

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENT = CHECKOUT / "docs" / "security.md"
KEPT = CHECKOUT / "instance" / "attacks"  # what was found last
ALL: dict[str, tuple[str, Callable[[Ground], list[Finding]]]] = {
    "guessing": ("Guessing passwords", guessing.attacks),
    "timing": ("Learning who has an account, by the time that refusals take", timing.attacks),
    "codes": ("Guessing and repeating codes", codes.attacks),
    "keys": ("Answering for a security key", keys.attacks),
    "takeover": ("Planted and stolen cookies", takeover.attacks),
    "copies": ("Stolen copies: the database without the files, the files without the database", copies.attacks),
    "keyrings": ("Private keys of encryption, in copies of database and files", keyrings.attacks),
    "programs": ("Mail programs, at Dovecot and Postfix", mail_programs.attacks),
    "devices": ("Calendars and contacts of devices, against their own users", devices.attacks),
    "directory": ("Signing in by an LDAP directory", directory.attacks),
    "recovery": ("Forgotten passwords: links and codes, and what the answers tell", recovery.attacks),
    "providers": ("Signing in by OpenID Connect", providers.attacks),
    "doors": ("Signing in by CAS, and by a proxy’s header", doors.attacks),
    "helping": ("Help in person, and the page for who needs help", helping.attacks),
    "transfers": ("Large files as links", transfers.attacks),
    "scripts": ("What scripts can ask for", scripts.attacks),
    "clicks": ("Double clicks, on two web processes", double_clicks.attacks),
    "names": ("Names that pretend", names.attacks),
    "pages": ("Pages in frames, and forms of other sites", pages.attacks),
    "proxies": ("Pretending to come from elsewhere", guessing.forged_addresses),
}


def attack(chosen: list[str], *, quick: bool) -> dict[str, Report]:
    """Start everything, attack, stop everything; what came of each."""
    reports: dict[str, Report] = {}
    where = "; ".join(f"{name} {value}" for name, value in machine.describe().items() if name != "chromium")
    with (
        passing_folder() as folder,
        Services(folder / "demo", web=False) as services,
        Ground(services, quick) as ground,
    ):
        for name in chosen:
            section, attacks = ALL[name]
            print(f"attacks: {section.lower()}", file=sys.stderr, flush=True)
            reports[name] = Report(notes=[f"{datetime.now().astimezone():%Y-%m-%d}; {where}."])
            reports[name].add(section, *attacks(ground))
    return reports


def main(arguments: list[str]) -> int:
    quick, chosen = "--quick" in arguments, [one for one in arguments if one != "--quick"] or list(ALL)
    if unknown := [name for name in chosen if name not in ALL]:
        print(f"There is no {', '.join(unknown)}; choose from: {', '.join(ALL)}.", file=sys.stderr)
        return 2
    began = time.monotonic()
    try:
        reports = attack(chosen, quick=quick)
    except (ServiceFailedError, PlaceError) as error:
        print(error, file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        files = {name: (Path(folder) if quick else KEPT) / f"{name}.json" for name in ALL}
        for name, report in reports.items():
            report.keep(files[name])
        whole = Report.kept([file for file in files.values() if file.exists()])
    print(whole.markdown())
    if not quick:
        put_into(DOCUMENT, whole.markdown())
    print(f"In {time.monotonic() - began:.0f} s.", file=sys.stderr)
    if whole.failed:
        print(f"Did not hold: {'; '.join(whole.failed)}", file=sys.stderr)
    return 1 if whole.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
