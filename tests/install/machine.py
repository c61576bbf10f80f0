"""A Debian 13 that is booted in a container without a network: a root made by mmdebstrap, started by systemd-nspawn."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "192.0.2.10"  # of the machine, as the world sees it
_BASE = "systemd,systemd-sysv,dbus,adduser,ca-certificates,openssl,procps,iproute2,python3,libpam-systemd"
_MIRRORS = (
    "deb http://deb.debian.org/debian trixie main",
    "deb http://deb.debian.org/debian trixie-updates main",
    "deb http://deb.debian.org/debian-security trixie-security main",
)
_BUILDERS = ("setuptools", "wheel", "flit_core", "hatchling", "poetry-core")  # what packages without a wheel are built with
_PATIENCE = 60.0  # seconds


def prerequisites() -> None:
    """Install what makes and boots the machine. Needs root."""
    packages = {"mmdebstrap": "mmdebstrap", "systemd-nspawn": "systemd-container", "nsenter": "util-linux"}
    if missing := [package for program, package in packages.items() if not shutil.which(program)]:
        subprocess.run(["apt-get", "update", "-q"], check=True)
        subprocess.run(["apt-get", "install", "-q", "-y", "--no-install-recommends", *missing], check=True)


def store(place: Path, packages: list[str], requirements: list[str]) -> Path:
    """A root with nothing but Debian, in which all that the manual installs lies ready: made once for the same names."""
    wanted = "".join([*packages, *((ROOT / name).read_text() for name in requirements), *_MIRRORS, _BASE])
    archive = place / f"store-{hashlib.sha256(wanted.encode()).hexdigest()[:16]}.tar"
    if archive.exists():
        return archive
    folder = place / "store"
    shutil.rmtree(folder, ignore_errors=True)
    settings = 'APT::Get::Assume-Yes "true";'
    command = [
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        f"--include={_BASE}",
        "--skip=cleanup/apt",
        f"--aptopt={settings}",
    ]
    subprocess.run([*command, "trixie", str(folder), *_MIRRORS], check=True)
    _copy_network_settings(folder)
    _in_root(folder, "apt-get", "install", "-q", "--download-only", *packages)
    # pip fetches in a copy, which is thrown away: the manual itself installs it
    other = place / "fetching"
    shutil.rmtree(other, ignore_errors=True)
    subprocess.run(["cp", "-a", str(folder), str(other)], check=True)
    _in_root(other, "apt-get", "install", "-q", "--no-install-recommends", "python3-venv")
    _in_root(other, "python3", "-m", "venv", "/venv")
    for name in requirements:
        shutil.copy(ROOT / name, other / name)
        _in_root(other, "/venv/bin/pip", "download", "-q", "--require-hashes", "-r", f"/{name}", "-d", "/wheels")
    _in_root(other, "/venv/bin/pip", "download", "-q", *_BUILDERS, "-d", "/wheels")
    shutil.copytree(other / "wheels", folder / "wheels")
    shutil.rmtree(other)
    (folder / "etc" / "pip.conf").write_text(
        "[global]\nno-index = true\nfind-links = /wheels\ndisable-pip-version-check = true\n"
    )
    (folder / "etc" / "resolv.conf").unlink(missing_ok=True)
    subprocess.run(["tar", "-C", str(folder), "-cf", f"{archive}.new", "."], check=True)
    Path(f"{archive}.new").rename(archive)
    shutil.rmtree(folder)
    return archive


def _copy_network_settings(folder: Path) -> None:
    """How this machine reaches the packages of Debian and Python, as far as files of /etc say it."""
    for name in ("resolv.conf", "pip.conf", "apt/apt.conf.d/99artifact-registry", "ssl/certs/ca-certificates.crt"):
        if (given := Path("/etc", name)).exists():
            shutil.copy(given, folder / "etc" / name)


def _in_root(folder: Path, *command: str) -> None:
    environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["chroot", str(folder), *command], check=True, env=environment)


def unpack(archive: Path, folder: Path, names: list[str]) -> None:
    """A machine out of the store, which knows itself by these names, with a copy of this repository as others would clone it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run(["tar", "-C", str(folder), "-xf", str(archive)], check=True)
    (folder / "etc" / "hostname").write_text("mail\n")
    (folder / "etc" / "hosts").write_text(f"127.0.0.1 localhost\n::1 localhost\n{ADDRESS} {' '.join(names)}\n")
    (folder / "etc" / "systemd" / "system" / "outside.service").write_text(
        f"[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/sbin/ip address add {ADDRESS}/32 dev lo\n"
        "[Install]\nWantedBy=sysinit.target\n[Unit]\nDefaultDependencies=no\nBefore=sysinit.target\n"
    )
    (folder / "etc" / "systemd" / "system" / "sysinit.target.wants").mkdir(exist_ok=True)
    (folder / "etc/systemd/system/sysinit.target.wants/outside.service").symlink_to("../outside.service")
    subprocess.run(["git", "clone", "-q", "--bare", "--no-local", str(ROOT), str(folder / "repository")], check=True)


class Machine:
    """A machine that runs."""

    def __init__(self, leader: int, bound: Path | None = None) -> None:
        self.leader = leader
        self._enter = [*_within(bound), "nsenter", "--target", str(leader), "--all", "--"]

    def run(self, *command: str, typed: str = "", check: bool = True, timeout: float = 900) -> subprocess.CompletedProcess[str]:
        """A command of root's in it; its output, with what went wrong in it, is in `stdout`."""
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
        }  # fmt: skip
        done = subprocess.run(
            [*self._enter, *command], input=typed, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise SystemExit(f"{' '.join(command)} failed ({done.returncode}):\n{done.stdout}")
        return done


_MEMORY = Path("/sys/fs/cgroup/memory")  # where the machine bounds memory by itself (control groups of the first kind)


def _bound(name: str, memory: int) -> Path | None:
    """A control group with this much memory, in bytes."""
    if not memory:
        return None
    if not (_MEMORY / "memory.limit_in_bytes").exists():
        raise SystemExit("memory can't be bounded here: there are no control groups for it in /sys/fs/cgroup/memory")
    group = _MEMORY / f"traboule-{name}"
    group.mkdir(exist_ok=True)
    (group / "memory.limit_in_bytes").write_text(str(memory))
    return group


def _within(group: Path | None) -> list[str]:
    return ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', str(group)] if group else []


def memory_of(machine: Machine) -> str:
    """What it has, and the most that it used, in MB."""
    found = [
        machine.run("cat", f"{_MEMORY}/memory.{name}").stdout.strip()
        for name in ("limit_in_bytes", "max_usage_in_bytes", "failcnt")
    ]
    limit, used, refused = map(int, found)
    return f"{limit // 1_000_000} MB, with the cache of files at most {used // 1_000_000} used, {refused} times made free"


@contextmanager
def booted(folder: Path, log: Path, memory: int = 0) -> Iterator[Machine]:
    """Boot it, with this much memory (bytes; 0: all there is); it is powered off at the end."""
    bound = _bound(folder.name, memory)
    command = [
        *_within(bound),
        "systemd-nspawn",
        "-q",
        "-D",
        str(folder),
        "--register=no",
        "--keep-unit",
        "--private-network",
        "-b",
    ]
    with log.open("ab") as out:
        started = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        machine = _ready(started, log, bound)
        yield machine
        machine.run("systemctl", "poweroff", check=False)
        started.wait(3 * _PATIENCE)  # services have 90 s to stop
    finally:
        started.terminate()
        started.wait(_PATIENCE)


def _ready(nspawn: subprocess.Popen[bytes], log: Path, bound: Path | None) -> Machine:
    """The machine, once it is up. Its process number 1 is the last child of systemd-nspawn: others come and go before."""
    children, state = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children"), "systemd-nspawn starts nothing"
    for _ in range(int(_PATIENCE)):
        if nspawn.poll() is not None:
            raise SystemExit(f"systemd-nspawn ended ({nspawn.returncode}): see {log}")
        if found := children.read_text().split():
            machine = Machine(int(found[-1]), bound)
            state = machine.run("systemctl", "is-system-running", check=False).stdout.strip()
            if state in ("running", "degraded"):
                return machine
        time.sleep(1)
    raise SystemExit(f"the machine does not boot ({state}): see {log}")
