"""What the figures depend on: the machine, how busy it is, and how much memory programs take."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

MIB = 1024
_PROCESS_CLOCK = 2  # with a process id before it, as clock_getcpuclockid(3) makes it


@dataclass(frozen=True, slots=True)
class Memory:
    """KiB. PSS counts a page that n programs share as 1/n for each; RSS counts it in full."""

    pss: int
    rss: int
    processes: int


def describe() -> dict[str, str]:
    """The machine and the versions of what runs on it."""
    cpu = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    total = re.search(r"^MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return {
        "processor": f"{os.cpu_count()} x {cpu[1] if cpu else platform.machine()}",
        "memory": f"{int(total[1]) // MIB**2 if total else 0} GiB",
        "system": _first_line(["sh", "-c", '. /etc/os-release; echo "$PRETTY_NAME"']),
        "python": platform.python_version(),
        "dovecot": _first_line(["/usr/sbin/dovecot", "--version"]).split()[0],
        "chromium": _first_line(["sh", "-c", "chromium --version || chromium-headless-shell --version"]),
    }


def memory(roots: Iterable[int]) -> Memory:
    """Of these processes and all they started."""
    pss = rss = count = 0
    for pid in family(roots):
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except (ProcessLookupError, FileNotFoundError):
            continue  # ended meanwhile
        sizes = {name: int(kib) for name, kib in re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)}
        pss, rss, count = pss + sizes.get("Pss", 0), rss + sizes.get("Rss", 0), count + 1
    return Memory(pss, rss, count)


def processor_ms(roots: Iterable[int]) -> float:
    """Milliseconds of processor time that these processes and all they started have taken, threads that ended included."""
    spent = 0.0
    for pid in family(roots):
        with suppress(OSError):  # ended meanwhile
            spent += time.clock_gettime(~pid << 3 | _PROCESS_CLOCK)
    return spent * 1000


class Metered:
    """A measure (a call that returns milliseconds by the clock) that notes each time what it cost these processes too.

    The clock tells what a person waits, on a machine that has nothing else to do; processor time hardly changes on a busy one.
    """

    def __init__(self, measure: Callable[[], float], roots: Iterable[int], spent: list[float] | None = None) -> None:
        self._measure, self._roots = measure, list(roots)
        self.spent = [] if spent is None else spent

    def __call__(self) -> float:
        before = processor_ms(self._roots)
        ms = self._measure()
        self.spent.append(processor_ms(self._roots) - before)
        return ms


@dataclass
class Growth:
    """KiB: by how much the RSS of processes was at most above what it was before (`peak`), and how much was kept (`kept`)."""

    before: dict[int, int] = field(default_factory=dict)
    peak: int = 0
    kept: int = 0


@contextmanager
def growth(roots: Iterable[int]) -> Iterator[Growth]:
    """What a block costs in the memory of these processes and all they had started; known when the block is over.

    The kernel keeps the highest RSS (VmHWM), so no peak is missed between two looks. Raises PermissionError where the
    processes are another user's.
    """
    found = Growth()
    for pid in family(roots):
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # VmHWM begins anew (proc(5))
        found.before[pid] = _status(pid, "VmRSS")
    yield found
    for pid, before in found.before.items():
        found.peak += max(_status(pid, "VmHWM") - before, 0)
        found.kept += _status(pid, "VmRSS") - before


def highest(root: int) -> int:
    """KiB: the highest RSS that a process and its descendants have had, added up."""
    return sum(_status(pid, "VmHWM") for pid in family([root]))


def _status(pid: int, name: str) -> int:
    """A figure of /proc/PID/status in KiB; 0 of a process that has ended."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    value = re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)
    return int(value[1]) if value else 0


def family(roots: Iterable[int]) -> list[int]:
    """Process ids of these and of their descendants."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except (ProcessLookupError, FileNotFoundError):
                continue
            children.setdefault(parent, []).append(int(folder.name))
    found: list[int] = []
    waiting = [*roots]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


def settle(limit: float = 0.1, seconds: float = 20) -> float:
    """Wait until the processors have little to do, for `seconds` at most; returns how busy they are then, 0 to 1."""
    end = time.monotonic() + seconds
    while (busy := _busy(0.5)) > limit and time.monotonic() < end:
        continue
    return round(busy, 2)


def rest() -> float:
    """Wait as long as a person who reads, then until the machine is quiet: Dovecot keeps indexes open for 10 seconds,
    and what it costs to open them again belongs to a page. Returns how busy the processors are, 0 to 1."""
    time.sleep(12)
    return settle()


def _busy(seconds: float) -> float:
    before = _ticks()
    time.sleep(seconds)
    total, idle = (after - b for after, b in zip(_ticks(), before, strict=True))
    return 1 - idle / max(total, 1)


def _ticks() -> tuple[int, int]:
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return sum(fields[:8]), fields[3] + fields[4]


def _first_line(command: list[str]) -> str:
    try:
        words = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return "not there"
    return (words.splitlines() or [""])[0].strip() or "unknown"
