"""`make quick`: the unit tests that take a moment, of all areas. Which files take longer stands in not_quick.txt.

`python -m tests.support.quick measure` writes that list anew from the times of the last `make unit`.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

LIST = Path(__file__).with_name("not_quick.txt")
TIMES = Path(".pytest_cache/unit/times.xml")
BUDGET = 60.0  # seconds of all files together, in two processes at once


def slow_files(times: Counter[str], budget: float = BUDGET) -> list[str]:
    """The files that are left when the quickest are taken, as many as fit."""
    slow, spent = [], 0.0
    for name, seconds in sorted(times.items(), key=lambda one: (one[1], one[0])):
        spent += seconds
        if spent > budget:
            slow.append(name)
    return sorted(slow)


def measured(xml: Path) -> Counter[str]:
    """Seconds by file. A class of tests is none here; a package's name is a folder's."""
    times: Counter[str] = Counter()
    for case in ElementTree.parse(xml).iter("testcase"):
        parts = case.attrib["classname"].split(".")
        while parts and not (file := Path(*parts).with_suffix(".py")).is_file():
            parts.pop()
        if parts:
            times[str(file)] += float(case.attrib["time"])
    return times


def main(words: list[str]) -> int:
    if words == ["measure"]:
        LIST.write_text("".join(f"{name}\n" for name in slow_files(measured(TIMES))))
        return 0
    ignored = [f"--ignore={name}" for name in LIST.read_text().split()]
    how = ["-p", "no:cacheprovider", "-n", "2", "--dist", "loadfile", "-rfE", "-o", "tmp_path_retention_policy=failed"]
    command = [sys.executable, "-m", "pytest", *how, "-m", "not postgresql", *ignored]
    return subprocess.run([*command, *words, "tests/unit"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
