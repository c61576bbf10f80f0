"""Doctor, malware: whether clamd listens, knows what it is to look for, and looks at files as large as the settings say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from webmail.config.settings import Settings
from webmail.doctor.result import OK, PROBLEM, WARNING, CheckResult, lazy_ngettext
from webmail.doctor.result import lazy_gettext as _l
from webmail.transfers.limits import MB
from webmail.transfers.uploads import scan
from webmail.transfers.uploads.scan import ScanVerdict

CONFIGURATION = Path("/etc/clamav/clamd.conf")  # Debian's; only where it is this machine's
_NAME = "Malware scanner"
# the harmless text of eicar.org, that every scanner reports; in parts, so that none reports this file
_TEST = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANT" + rb"IVIRUS-TEST-FILE!$H+H*"
_OLD = timedelta(days=7)
# what each is unless the file says otherwise, in bytes (clamd.conf(5))
_LIMITS = {"StreamMaxLength": 100 * MB, "MaxScanSize": 400 * MB, "MaxFileSize": 100 * MB}
_UNITS = {"": 1, "K": 1024, "M": MB}


def examine(settings: Settings, configuration: Path = CONFIGURATION) -> Iterator[CheckResult]:
    """Says nothing where no scanner is set."""
    where = settings.transfers.clamd
    if not settings.transfers.on or not where:
        return
    if not (version := scan.ask(where, "VERSION")):
        words = _l(
            "nobody answers at %(where)s. Is clamd running, and may this user open its socket? Check transfers.clamd.",
            where=where,
        )
        yield CheckResult(_NAME, PROBLEM, words)
        return
    found = scan.scan([_TEST], len(_TEST), settings, 30.0)
    if found.verdict is not ScanVerdict.INFECTED:
        words = _l(
            "clamd does not report the harmless test file (%(why)s). Has freshclam fetched its base?",
            why=found.finding or str(found.verdict),
        )
        yield CheckResult(_NAME, PROBLEM, words)
    elif (age := _age(version)) is not None and age > _OLD:
        yield CheckResult(_NAME, WARNING, _old(age.days))
    else:
        yield CheckResult(
            _NAME, OK, _l("%(version)s answers, and finds the harmless test file.", version=version.partition("/")[0])
        )
    if where.startswith("/") and configuration.is_file():
        yield from _limits(settings, configuration)


def _old(days: int) -> str:
    return lazy_ngettext(
        "what it looks for is %(num)d day old. Is freshclam running?",
        "what it looks for is %(num)d days old. Is freshclam running?",
        days,
    )


def _limits(settings: Settings, configuration: Path) -> Iterator[CheckResult]:
    """clamd calls what it did not look at "OK", unless it is told to say so."""
    lines = [line.split(None, 1) for line in configuration.read_text(errors="replace").splitlines()]
    given = {line[0]: line[1].strip() for line in lines if len(line) == 2 and not line[0].startswith("#")}
    largest = settings.transfers.scan_mb * MB
    small = [name for name, usual in _LIMITS.items() if 0 < _bytes(given.get(name, ""), usual) < largest]
    if small:
        words = _l(
            "looks at less than transfers.scan_mb (%(size)s MB): raise %(names)s in %(file)s, or lower transfers.scan_mb.",
            size=settings.transfers.scan_mb, names=", ".join(small), file=configuration,
        )  # fmt: skip
        yield CheckResult(_NAME, WARNING, words)
    if given.get("AlertExceedsMax", "no").lower() not in ("yes", "true", "1"):
        words = _l(
            "calls files clean that it did not look into to their end: set AlertExceedsMax yes in %(file)s.", file=configuration
        )
        yield CheckResult(_NAME, WARNING, words)


def _bytes(text: str, usual: int) -> int:
    found = re.fullmatch(r"(\d+)([KM]?)", text.upper())
    return int(found[1]) * _UNITS[found[2]] if found else usual


def _age(version: str) -> timedelta | None:
    """How old its base is: "ClamAV 1.4.3/27800/Thu Oct  2 08:26:49 2026"; None where it does not say."""
    try:
        made = datetime.strptime(" ".join(version.split("/")[2].split()), "%a %b %d %H:%M:%S %Y")
    except (IndexError, ValueError):
        return None
    return datetime.now(UTC).replace(tzinfo=None) - made
