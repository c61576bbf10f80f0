"""What fails runs once more, by itself and on fresh servers: `python -m tests.support.again LEVEL [words of pytest]`.

A level runs in parallel, where hundreds of processes start and stop. What passes only then is a fault all the same, of the test or
worse, of the product: both runs stand in the output, and `python -m tests.support.again` lists all of it at the end of `make test`,
in one table. Of more than MOST files they fail it: files, since what their tests share (a server, a thread that answers) is one fault
when it breaks, however many of them fail with it. None runs again with AGAIN= in the environment.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

MOST = 3
KEPT = Path(".pytest_cache")
TOLD = "passed-again.json"
# this module is a plugin of the second run; the times are those of the first
_AGAIN = ("--last-failed", "--last-failed-no-failures", "none", "-n", "0", "-p", "tests.support.again", "--junit-xml=")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What failed, and is skipped the second time, has not passed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"skipped, though it failed before: {report.longrepr}"
    return report


def _pytest(level: str, words: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", "-o", f"cache_dir={KEPT / level}", *words]
    return subprocess.run(command, check=False).returncode


def _failed(level: str) -> dict[str, bool]:
    """The names of tests that failed in the last run."""
    file = KEPT / level / "v" / "cache" / "lastfailed"
    return json.loads(file.read_text()) if file.exists() else {}


def run(level: str, words: list[str]) -> int:
    """Pytest's own code: 1 where a test failed twice, or could not be asked a second time."""
    shutil.rmtree(KEPT / level, ignore_errors=True)
    code = _pytest(level, ["-rfE", "--dist", "loadfile", *words])
    failed = _failed(level)
    if code != 1 or not failed or not os.environ.get("AGAIN", "yes"):
        return code
    print("Once more, what failed:", flush=True)
    code = _pytest(level, ["-rfE", *words, *_AGAIN])
    left = _failed(level)  # whose name was another then was not run, and stands there still
    passed = sorted(failed.keys() - left.keys()) if code in (0, 1) else []
    (KEPT / level / TOLD).write_text(json.dumps(passed))
    return code or int(bool(left))


def table() -> tuple[str, int]:
    """What passed only at its second run in all levels since the last `make test` began, and of how many files these are."""
    found = {file.parent.name: json.loads(file.read_text()) for file in sorted(KEPT.glob(f"*/{TOLD}"))}
    rows = [(level, name) for level, names in found.items() for name in names]
    if not rows:
        return "Everything passed at the first run.", 0
    wide = max(len(level) for level, _name in rows)
    files = {(level, name.partition("::")[0]) for level, name in rows}
    head = f"Passed only at the second run: {len(rows)} in {len(files)} files (at most {MOST} may)"
    return "\n".join([head, *[f"  {level:{wide}}  {name}" for level, name in rows]]), len(files)


def main(words: list[str]) -> int:
    if words == ["forget"]:
        shutil.rmtree(KEPT, ignore_errors=True)
        return 0
    if words:
        return run(words[0], words[1:])
    told, count = table()
    print(told)
    return 1 if count > MOST else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
