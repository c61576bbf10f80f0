"""Facts: what the machine is like, asked before anything is changed."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PORTS = {25: "mail from outside", 80: "pages", 443: "pages", 465: "sending", 587: "sending", 993: "IMAP", 4190: "filters"}
_OURS = (
    "master",
    "nginx",
    "dovecot",
    "smtpd",
    "postscreen",
    "managesieve-login",
    "imap-login",
)  # programs that these ports are for
# what a container may use, by control groups of either kind
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`memory` and `disk` are bytes: all of it, and what is free below /var."""

    system: str  # "debian 13"
    is_root: bool
    memory: int
    disk: int
    host_name: str
    addresses: tuple[str, ...]  # of this machine, but for loopback
    taken: Mapping[int, str]  # ports of ours that another program listens on
    ssh_ports: tuple[int, ...]
    has_systemd: bool
    clock_set: bool | None  # by the network; None where that is not known
    sends_mail_out: bool | None  # port 25 of another server answers; None: not asked


def look(root: Path = Path("/"), *, outward: str = "") -> Facts:
    """All facts. `outward`: a server whose port 25 is tried, "" for none."""
    listening = _listening()
    return Facts(
        system=_system(root),
        is_root=os.geteuid() == 0,
        memory=_memory(),
        disk=shutil.disk_usage(root / "var").free,
        host_name=socket.getfqdn(),
        addresses=_addresses(),
        taken={port: program for port, program in listening if port in PORTS and program not in _OURS},
        ssh_ports=tuple(sorted({port for port, program in listening if program == "sshd"})) or (22,),
        has_systemd=Path("/run/systemd/system").is_dir(),
        clock_set=_clock_set(),
        sends_mail_out=_answers(outward, 25) if outward else None,
    )


def resolves_to(name: str) -> tuple[str, ...]:
    """The addresses of a name, () if it has none."""
    try:
        found = socket.getaddrinfo(name, None, proto=socket.IPPROTO_TCP)
    except OSError:
        return ()
    return tuple(sorted({str(each[4][0]) for each in found}))


def name_of(address: str) -> str:
    """The reverse name of an address, "" if it has none."""
    try:
        return socket.gethostbyaddr(address)[0]
    except OSError:
        return ""


def _system(root: Path) -> str:
    try:
        text = (root / "etc/os-release").read_text()
    except OSError:
        return ""
    found = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.MULTILINE))
    return f"{found.get('ID', '')} {found.get('VERSION_ID', '')}".strip()


def _memory() -> int:
    found = re.search(r"^MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    total = int(found[1]) * 1024 if found else 0
    limits = [text for name in _LIMITS if (text := _text(Path(name)).strip()).isdigit()]
    return min(total, *map(int, limits)) if limits else total


def _text(file: Path) -> str:
    """ "" where it is not there."""
    try:
        return file.read_text()
    except OSError:
        return ""


def _listening() -> list[tuple[int, str]]:
    """Ports on which anything listens, and the program."""
    done = _said("ss", "-Hltnp")
    found = []
    for line in done.splitlines():
        columns = line.split()
        port = columns[3].rpartition(":")[2] if len(columns) > 3 else ""
        program = re.search(r'users:\(\("([^"]+)"', line)
        if port.isdigit():
            found.append((int(port), program[1] if program else "?"))
    return found


def _addresses() -> tuple[str, ...]:
    found = re.findall(r"inet6? ([0-9a-f.:]+)/\d+ .*scope global", _said("ip", "address"))
    return tuple(dict.fromkeys(found))


def _clock_set() -> bool | None:
    said = _said("timedatectl", "show", "-p", "NTPSynchronized", "--value").strip()
    return {"yes": True, "no": False}.get(said)


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=5):
            return True
    except OSError:
        return False


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
