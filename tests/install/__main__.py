"""An installation by the manual, as root: `make install-test` (SQLite), `make install-test DATABASE=postgresql`.

The commands of docs/administrator/install.md are typed in a Debian 13 that was just made and booted. Then it is used as people use it, after each
restart of a service in every order, after all of them were down, and after a reboot. Not part of `make test`: it needs root, some 3 GB
below PLACE, and some minutes. The first time it fetches Debian's and Python's packages into PLACE.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.install import machine, manual
from tests.install.machine import Machine

PLACE = Path(os.environ.get("PLACE", "/var/tmp/traboule-install-test"))
HERE = Path(__file__).parent
DOMAIN, PASSWORD = "lycee.example", "un long mot de passe 42"
ALICE, BOB = f"alice@{DOMAIN}", f"bob@{DOMAIN}"
SERVICES = ("traboule-web", "traboule-bodies", "traboule-jobs", "traboule-milter", "dovecot", "postfix", "nginx")
REQUIREMENTS = {"sqlite": ["requirements.txt"], "postgresql": ["requirements.txt", "requirements-postgresql.txt"]}
SECONDS = 60  # in which all works again after a restart
_began = time.monotonic()


def say(words: str) -> None:
    print(f"{time.monotonic() - _began:6.0f} s  {words}", flush=True)


def install(here: Machine, database: str) -> None:
    """Type the commands of the manual."""
    written = ["set -eu", "exec </dev/null"]
    for name, commands in manual.steps(database):
        commands = commands.replace("<address of this repository>", "/repository")
        written += [f"echo '== {name}'", *([f"exec <<<'{PASSWORD}'"] if "doctor" in commands else []), commands]
    here.run("tee", "/root/steps", typed="\n".join(written))
    said = here.run("bash", "/root/steps", check=False, timeout=1200)
    (PLACE / "steps.log").write_text(said.stdout)
    if said.returncode:
        raise SystemExit(f"a step fails ({said.returncode}):\n{said.stdout[-4000:]}")
    doctor = said.stdout.rpartition("== The first account")[2]
    say("installed by the manual; the doctor says:\n" + "\n".join(f"          {line}" for line in doctor.splitlines()[1:]))
    # the one account more that mail programs can use at once
    here.run("/opt/traboule/deploy/flask", "accounts", "add", BOB, "--password-stdin", "--lasting", typed=f"{PASSWORD}\n")


def works(here: Machine, when: str, *more: str) -> bool:
    began = time.monotonic()
    done = here.run("python3", "/root/visit.py", DOMAIN, BOB, PASSWORD, str(SECONDS), *more, check=False)
    took = f"{time.monotonic() - began:.1f} s"
    if done.returncode == 0:
        say(f"ok ({took})  {when}")
        return True
    say(f"FAULT ({took})  {when}\n{done.stdout}")
    print(here.run("/opt/traboule/deploy/flask", "doctor", check=False).stdout, flush=True)
    print(here.run("ls", "-la", "/var/lib/traboule/db", check=False).stdout, flush=True)
    print(here.run("journalctl", "--no-pager", "-n", "60", "-p", "warning", check=False).stdout, flush=True)
    return False


def restarts(here: Machine) -> list[bool]:
    """Each service after each other one: one walk over all ordered pairs."""
    return [
        here.run("systemctl", "restart", service).returncode == 0 and works(here, f"{service} restarted after {before}")
        for before, service in walk(SERVICES)
    ]


def walk(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """All ordered pairs, each beginning where the one before ended (Hierholzer)."""
    left = {name: [other for other in names if other != name] for name in names}
    stack, path = [names[0]], []
    while stack:
        if left[stack[-1]]:
            stack.append(left[stack[-1]].pop())
        else:
            path.append(stack.pop())
    return list(itertools.pairwise(reversed(path)))


def starts(here: Machine) -> list[bool]:
    """All down, then started in an order that has each service at each place, and each directly after each other one (or all orders).

    Mail comes at once where Postfix is up: it asks the database while Traboule may be down.
    """
    orders = list(itertools.permutations(SERVICES)) if os.environ.get("ORDERS") == "all" else list(squares(SERVICES))
    found = []
    for order in orders:
        here.run("systemctl", "stop", *SERVICES)
        for service in order:
            here.run("systemctl", "start", service)
            if service == "postfix":  # whatever it answers
                here.run(
                    "python3",
                    "-c",
                    f"import sys; sys.path.insert(0, '/root'); import visit; visit.tried(visit.port_25, 0, {DOMAIN!r}, {BOB!r}, '')",
                )
        found.append(works(here, f"all started: {', '.join(order)}"))
    return found


def squares(names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """A Latin square in which each name follows each other one once (Williams); for an odd number of names two, and twice."""
    first = [index // 2 if index % 2 == 0 else len(names) - 1 - index // 2 for index in range(len(names))]
    found = [tuple(names[(index + row) % len(names)] for index in first) for row in range(len(names))]
    return found + [one[::-1] for one in found] if len(names) % 2 else found


DATA, SENDERS = "/var/lib/traboule", "/etc/postfix/traboule-senders.cf"
# what is done by hand, how it is mended, and what the doctor says of it
BROKEN = {
    "": [
        ("systemctl stop nginx", "systemctl start nginx", "is nginx running"),
        ("systemctl stop traboule-web", "systemctl start traboule-web", "is traboule-web running"),
        ("systemctl stop traboule-bodies", "systemctl start traboule-bodies", "Is traboule-bodies running"),
        ("systemctl stop traboule-milter", "systemctl start traboule-milter", "systemctl restart traboule-milter"),
        (f"chmod 600 {SENDERS} && systemctl restart postfix", f"chmod 640 {SENDERS} && systemctl restart postfix", f"can't read {SENDERS}"),
        (f"chmod 644 {DATA}/config.toml", f"chmod 600 {DATA}/config.toml", f"chmod 600 {DATA}/config.toml"),
        (f"mv {DATA}/secret_key /root", f"mv /root/secret_key {DATA}", "secret_key is missing"),
        (
            f"sed -i 's/^proxies = 1/proxies = 0/' {DATA}/config.toml && systemctl restart traboule-web",
            f"sed -i 's/^proxies = 0/proxies = 1/' {DATA}/config.toml && systemctl restart traboule-web",
            "Set proxies = 1",
        ),
    ],
    "sqlite": [
        (f"chown postfix: {DATA}/db/*-wal {DATA}/db/*-shm", f"chown traboule: {DATA}/db/*-wal {DATA}/db/*-shm", "belongs to postfix:postfix"),
        (
            "gpasswd -d postfix traboule && systemctl restart postfix",
            "usermod -a -G traboule postfix && systemctl restart postfix",
            "usermod -a -G traboule postfix",
        ),
    ],
    "postgresql": [
        (
            "runuser -u traboule -- psql -q traboule -c 'REVOKE SELECT ON app_passwords FROM dovecot'",
            "runuser -u traboule -- psql -q traboule -c 'GRANT SELECT ON app_passwords TO dovecot'",
            "dovecot may not read app_passwords",
        ),
        (
            "runuser -u traboule -- psql -q traboule -c 'REVOKE SELECT ON app_passwords FROM dovecot'",
            "runuser -u traboule -- psql -q traboule -c 'GRANT SELECT ON app_passwords TO dovecot'",
            "can't look anybody up",
        ),
        (
            "runuser -u traboule -- psql -q traboule -c 'REVOKE SELECT ON allowed_addresses FROM postfix'",
            "runuser -u traboule -- psql -q traboule -c 'GRANT SELECT ON allowed_addresses TO postfix'",
            "postfix may not read allowed_addresses",
        ),
    ],
}  # fmt: skip


def broken(here: Machine, database: str) -> list[bool]:
    """Break one thing, ask the doctor, mend it; at the end all works."""
    found = []
    for done, mended, words in [*BROKEN[""], *BROKEN[database]]:
        here.run("sh", "-c", done, check=False)
        said = here.run("/opt/traboule/deploy/flask", "doctor", "--as", ALICE, check=False).stdout
        here.run("sh", "-c", mended, check=False)
        told = [line for line in said.splitlines() if line.startswith("problem") and words in line]
        say(f"{'ok' if told else 'FAULT'}  {done}\n          {told[0] if told else said}")
        found.append(bool(told))
    return [*found, works(here, "after all was mended")]


def renewed(here: Machine) -> bool:
    """A new certificate reaches each port by the hook."""
    here.run("certbot", "renew")
    wanted = here.run(
        "openssl", "x509", "-noout", "-serial", "-in", f"/etc/letsencrypt/live/webmail.{DOMAIN}/fullchain.pem"
    ).stdout
    found = True
    for name, port, more in (("webmail", 443, []), ("mail", 993, []), ("mail", 465, []), ("mail", 587, ["-starttls", "smtp"])):
        command = ["openssl", "s_client", "-connect", f"{name}.{DOMAIN}:{port}", *more]
        for _ in range(20):  # a reload takes a moment
            shown = here.run(*command, typed="", check=False).stdout
            serial = here.run("openssl", "x509", "-noout", "-serial", typed=shown, check=False).stdout
            if serial == wanted:
                break
            time.sleep(0.5)
        say(f"{'ok' if serial == wanted else 'FAULT'}  port {port} after a renewal")
        found = found and serial == wanted
    return found


def main(database: str) -> int:
    if os.geteuid():
        raise SystemExit("make install-test needs root")
    PLACE.mkdir(parents=True, exist_ok=True)
    machine.prerequisites()
    archive = machine.store(PLACE, manual.packages(database), REQUIREMENTS[database])
    folder, log = PLACE / "machine", PLACE / "boot.log"
    machine.unpack(archive, folder, [f"mail.{DOMAIN}", f"webmail.{DOMAIN}"])
    for name, target in (("certbot", "usr/local/sbin/certbot"), ("visit.py", "root/visit.py")):
        (folder / target).write_bytes((HERE / name).read_bytes())
        (folder / target).chmod(0o755)
    say(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {database}: a new Debian in {folder}")
    with machine.booted(folder, log) as here:
        install(here, database)
        found = [works(here, "after the installation", "with-mail")]
        found += restarts(here)
        found += starts(here)
        found.append(renewed(here))
        found += broken(here, database)
    with machine.booted(folder, log) as here:
        found.append(works(here, "after a reboot", "with-mail"))
    bad = found.count(False)
    print(f"{len(found) - bad} passed, {bad} failed", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*(sys.argv[1:] or ["sqlite"])))
