"""Demo Postfix: configured by deploy/postfix.sh, as in production, with all its folders below one, on ports of this machine.

Only root may start Postfix. Where it can't run, deploy/demo/smtp.py takes its place.
"""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
from collections.abc import Iterable
from pathlib import Path

from deploy.demo.child import HOST, ServiceFailedError
from deploy.demo.dovecot import Ports
from deploy.demo.place import Owner
from deploy.dovecot import render

PROGRAM = Path("/usr/sbin/postfix")
MASTER_PROGRAM = Path("/usr/lib/postfix/sbin/master")
SCRIPT = Path(__file__).resolve().parents[1] / "postfix.sh"
MASTER = Path("/usr/share/postfix/master.cf.dist")
_WATCH = '"$@" & master=$!; trap "kill $master" TERM INT; wait $master; wait $master'  # the first wait ends with the signal
PACKAGES = Path("/usr/lib/python3/dist-packages")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def missing(kind: str = "sqlite") -> str:
    """Why Postfix can't run here, "" if it can. `kind` is that of the database: "sqlite" or "pgsql"."""
    if not PROGRAM.exists() or not MASTER.exists():
        return "not installed: the package postfix"
    if not Path(f"/usr/lib/postfix/postfix-{kind}.so").exists():
        return f"not installed: the package postfix-{kind}"
    return "" if os.geteuid() == 0 else "not installed: the package postfix for this user, since only root may start it"


def door_missing() -> str:
    """Why deploy/milter can't run here, "" if it can."""
    found = {name for name in ("Milter", "dkim", "spf.py", "dns") if (PACKAGES / name).exists()}
    names = {"Milter": "milter", "dkim": "dkim", "spf.py": "spf", "dns": "dnspython"}
    absent = [f"python3-{name}" for module, name in names.items() if module not in found]
    return f"not installed: the package {' and '.join(absent)}" if absent else ""


def door_command(root: Path, ports: Ports, resolver: str) -> list[str]:
    """The command that runs deploy/milter, with Debian's Python. `resolver` is HOST:PORT of a DNS server, or ""."""
    command = ["/usr/bin/python3", "-m", "deploy.milter", f"--settings={root / 'web' / 'config.toml'}"]
    command += [f"--senders={root / 'postfix' / 'etc' / 'traboule-senders.cf'}", f"--socket=inet:{ports.milter}@{HOST}"]
    return [*command, f"--trusted={HOST}/32", *([f"--resolver={resolver}", "--dns-seconds=4"] if resolver else [])]


def owner_with_group(owner: Owner) -> Owner:
    """Dovecot's user as a member of Postfix's group as well: both write the SQLite files."""
    return Owner(owner.name, owner.group, owner.uid, owner.gid, (grp.getgrnam("postfix").gr_gid,))


def prepare(root: Path, ports: Ports, database: Path | str, domains: Iterable[str], hostname: str) -> None:
    """Write Postfix's configuration below `root`/postfix and let it read the accounts. Raises ServiceFailedError."""
    place = root / "postfix"
    user = pwd.getpwnam("postfix")
    for name in ("etc", "spool", "data"):
        (place / name).mkdir(parents=True, exist_ok=True)
        (place / name).chmod(0o755)
    os.chown(place / "data", user.pw_uid, -1)
    _make_certificate(place, hostname)
    _write_main(place, ports, hostname)
    services = MASTER.read_text().splitlines(keepends=True)
    with (place / "etc" / "master.cf").open("w") as out:
        out.writelines(f"{ports.relay}{line[4:]}" if line.startswith("smtp      inet") else line for line in services)
    _run_script(place, ports, _connection(place, database, user.pw_gid), domains)
    _run([str(PROGRAM), "-c", str(place / "etc"), "check"])  # makes the queue's folders, and what is in the chroot


def command(root: Path) -> list[str]:
    """The command that runs Postfix in the foreground, with its log on the standard output.

    A shell keeps watch: master changes its user for moments, by which it loses the signal it should get when we die, and it makes
    a session of its own, where nobody who stops `postfix start-fg` finds it.
    """
    return ["/bin/sh", "-c", _WATCH, "watch", str(MASTER_PROGRAM), "-c", str(root / "postfix" / "etc"), "-s"]


def certificate(root: Path) -> Path:
    """The certificate for 127.0.0.1, signed by itself, to be trusted as `ca_file`."""
    return root / "postfix" / "certificate.pem"


def _write_main(place: Path, ports: Ports, hostname: str) -> None:
    values = {
        "compatibility_level": "3.6",
        "queue_directory": place / "spool",
        "data_directory": place / "data",
        "maillog_file": "/dev/stdout",
        "myhostname": hostname,
        "myorigin": "$myhostname",
        "inet_interfaces": HOST,
        "inet_protocols": "ipv4",
        "mynetworks": f"{HOST}/32",  # a test that comes from 127.0.0.2 is the outside world
        "relayhost": f"[{HOST}]:{ports.outside}",
        "alias_maps": "",
        "alias_database": "",
        "smtpd_tls_chain_files": f"{place}/key.pem, {place}/certificate.pem",
        # what one waits for in the demo and in tests: a refusal at once, and another try after seconds
        "smtpd_error_sleep_time": "0",
        "smtpd_client_connection_count_limit": 0,
        "minimal_backoff_time": "2s",
        "queue_run_delay": "2s",
    }
    lines = [f"{name} = {value}\n" for name, value in values.items()]
    (place / "etc" / "main.cf").write_text("# Written anew at each start of the demo.\n" + "".join(lines))


def _connection(place: Path, database: Path | str, group: int) -> Path:
    """What postfix.sh is told of the database: its file, shared with Postfix's group, or a file that says how to connect."""
    if isinstance(database, Path):
        os.chown(database.parent, -1, group)
        database.parent.chmod(0o2770)
        for file in database.parent.iterdir():
            os.chown(file, -1, group)
            file.chmod(0o660)
        return database
    values = render.postgresql(database)
    host = f"unix:{values['host']}" if values["host"].startswith("/") else f"inet:{values['host']}:{values.get('port', 5432)}"
    lines = [f"hosts = {host}", *(f"{name} = {values[name]}" for name in ("user", "password", "dbname") if name in values)]
    file = place / "etc" / "postgresql"
    file.touch(mode=0o600)
    file.write_text("\n".join(lines))
    return file


def _run_script(place: Path, ports: Ports, database: Path, domains: Iterable[str]) -> None:
    environment = {
        **ENVIRONMENT,
        "MAIL_CONFIG": str(place / "etc"),
        "DOVECOT_AUTH": f"inet:{HOST}:{ports.auth}",
        "DOVECOT_LMTP": f"inet:{HOST}:{ports.lmtp}",
        "DOVECOT_QUOTA": f"inet:{HOST}:{ports.quota}",
        "MILTER": "none" if door_missing() else f"inet:{HOST}:{ports.milter}",
        "SUBMISSIONS": str(ports.smtp),
        "SUBMISSION": str(ports.submission),
    }
    _run(["/bin/sh", str(SCRIPT), " ".join(domains), str(database)], environment)


def _run(words: list[str], environment: dict[str, str] = ENVIRONMENT) -> None:
    """Raises ServiceFailedError."""
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServiceFailedError(f"{' '.join(words[:2])} failed:\n{done.stderr}")


def _make_certificate(place: Path, hostname: str) -> None:
    """An existing one is kept. Debian installs openssl with Postfix."""
    key, pem = place / "key.pem", place / "certificate.pem"
    if pem.exists():
        return
    what = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650"]
    extensions = (f"subjectAltName=IP:{HOST},DNS:localhost", "keyUsage=critical,digitalSignature,keyCertSign")
    added = [word for extension in extensions for word in ("-addext", extension)]
    key.touch(mode=0o600)
    _run(["/usr/bin/openssl", *what, "-subj", f"/CN={hostname}", *added, "-keyout", str(key), "-out", str(place / "new.pem")])
    (place / "new.pem").rename(pem)
