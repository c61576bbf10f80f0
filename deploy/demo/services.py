"""Demo services: starts all servers of the demo, reports their ports, and stops them; used by tests and benchmarks too."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import IO

from deploy.demo import accounts, dovecot, nginx, postfix
from deploy.demo.child import HOST, Child, ServiceFailedError, free_ports, greets, is_free, listens, start
from deploy.demo.place import mail_owner, settle

CHECKOUT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
ISSUER = "https://webmail.lycee.example"
MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": "524288",
    "MALLOC_TRIM_THRESHOLD_": "524288",
    "MALLOC_ARENA_MAX": "2",
}  # as in deploy/traboule-web.service
_TABLES = """
[sms]
url = "console"  # text messages stand in log/web.log

[support]
text = "Le secrétariat aide à se connecter : venez avec votre carte."
telephone = "04 56 78 90 12"
hours = "Du lundi au vendredi, de 8 h à 17 h"

[[sites]]
name = "Site Ampère"
place = "12 rue des Tilleuls, bureau 3"

[[sites]]
name = "Annexe"
place = "4 place du Marché"
telephone = "04 56 78 90 34"
hours = "Le mardi, de 9 h à 12 h"
"""  # settings that the environment can't hold


class Services:
    """Dovecot, SMTP and, if requested, the job worker and the web server, all on 127.0.0.1, with files below one folder.

    SMTP is a small server of ours (smtp.py), or with `postfix=True` Postfix as in production (postfix.py), with the door of
    deploy/milter where it is installed, which asks the DNS server `resolver` (HOST:PORT; "": that of this machine).
    A context manager: entering starts them and returns once each responds, leaving stops them. `ports` sets fixed ports by
    the fields of `dovecot.Ports`; others are chosen. Traboule's tables are in an SQLite file below the folder, or in the
    PostgreSQL of `database_url`. Dovecot tells the web server of sign-ins; with `reports`, one that the caller starts.
    With `newcomers`, people see what one sees at a first visit. `mail_encryption`: how Dovecot keeps messages (render.Values).
    With `front`, nginx stands at the port of the web, before a service for pages and one for bodies and streams.
    The programs also end if the thread that started them dies.
    Raises ServiceFailedError and PlaceError, with a message for the user.
    """

    def __init__(
        self,
        base: Path,
        *,
        web: bool = True,
        jobs: bool | None = None,
        ports: Mapping[str, int] | None = None,
        database_url: str = "",
        postfix: bool = False,
        resolver: str = "",
        reports: bool | None = None,
        front: bool = False,
        newcomers: bool = False,
        mail_encryption: str = "none",
    ) -> None:
        self.owner = mail_owner()
        self.postfix = postfix
        self._resolver = resolver
        self.base = settle(base, self.owner)
        self.password = accounts.demo_password()
        self.children: list[Child] = []
        self._lock: IO[str] | None = None
        self.web = web
        self._jobs = web if jobs is None else jobs
        self._database_url = database_url
        self._reports = web if reports is None else reports
        self.front = front and web
        self._newcomers = newcomers
        self._mail_encryption = mail_encryption
        names = list(dovecot.Ports.__dataclass_fields__)
        fixed = dict(ports or {})
        self._pages_port, self._bodies_port, *picked = free_ports(2 + len(names), fixed.values())
        self.ports = dovecot.Ports(**{name: fixed.get(name) or port for name, port in zip(names, picked, strict=True)})
        if not self.front:
            self._pages_port = self.ports.web

    def __enter__(self) -> Services:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        self._refuse_a_second_start()
        self._refuse_taken_ports()
        words = (accounts.DOMAIN, ISSUER)
        behind = replace(self.ports, web=self._pages_port)
        options = {"reports": self._reports, "mail_encryption": self._mail_encryption}
        dovecot.prepare(self.base, self.owner, behind, self.database, *words, **options)
        accounts.prepare(self.database, self.owner, self.password, newcomers=self._newcomers)
        self._write_configuration()
        if self.postfix:
            self._prepare_postfix()
        mail = self._start("dovecot", dovecot.command(self.base, self.owner), self.ports.imap)
        smtp = self._start_smtp()
        mail.wait_for(greets(b"* OK"))
        for port, greeting in ((self.ports.lmtp, b"220"), (self.ports.sieve, b'"IMPLEMENTATION"')):
            replace(mail, port=port).wait_for(greets(greeting))
        if self._jobs:
            self._start("jobs", [str(BIN / "flask"), "--app", "wsgi", "jobs"])
        if self.web:
            self.start_web()
        for port in (smtp.port, self.ports.relay):
            replace(smtp, port=port).wait_for(greets(b"220"))
        self._write_report()

    def stop(self) -> None:
        """Stop everything, in reverse order. Idempotent."""
        while self.children:
            self.children.pop().stop()
        if self._lock:
            (self.base / "services.json").unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def watch(self) -> None:
        """Wait until a program ends on its own, then raise ServiceFailedError. Never returns."""
        while True:
            for child in self.children:
                if child.ended:
                    raise child.failure()
            time.sleep(0.3)

    @property
    def database(self) -> accounts.Database:
        return self._database_url or dovecot.database_file(self.base)

    @property
    def address(self) -> str:
        """The URL of the web application, without a trailing slash."""
        return f"http://{HOST}:{self.ports.web}"

    def add_account(self, address: str, name: str = "", quota: int = 1024**3) -> None:
        """Add an account with the demo's password; `quota` in bytes."""
        accounts.add(self.database, accounts.Person(address, name or address, quota=quota), self.password)

    def settings(self) -> dict[str, str]:
        """The WEBMAIL_ environment variables of an application that uses these servers."""
        web = self.base / "web"
        secret = web / "secret_key"
        if not secret.exists():
            secret.touch(mode=0o600)
            secret.write_text(secrets.token_urlsafe(48))
        values = {**self._settings(), "instance": web, "secret_key": secret.read_text().strip()}
        words = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()}
        return {f"WEBMAIL_{name.upper()}": value for name, value in words.items()}

    def _settings(self) -> dict[str, str | int | bool]:
        """The settings that differ from the defaults, except the instance folder and its secret key."""
        web = self.base / "web"
        return {
            "name": "Lycée Ampère",
            "public_url": f"http://localhost:{self.ports.web}",
            "system_address": f"Lycée Ampère <{accounts.SYSTEM.address}>",
            "admin_address": accounts.ADMIN.address,
            "domain": accounts.DOMAIN,
            "authserv_id": accounts.DOMAIN,
            "phishing_address": f"admin@{accounts.DOMAIN}",
            "imap_host": HOST,
            "imap_port": self.ports.imap,
            "imap_security": "none",
            "mail_server": f"mail.{accounts.DOMAIN}",  # what phones are told; here, nothing answers by that name
            "smtp_host": HOST,
            "smtp_port": self.ports.smtp,
            "smtp_security": "tls" if self.postfix else "none",
            "ca_file": str(postfix.certificate(self.base)) if self.postfix else "",
            "sieve_host": HOST,
            "sieve_port": self.ports.sieve,
            "sieve_security": "none",
            "forwarding": "domains",
            "forwarding_domains": "world.test",
            "sign_in": "accounts",
            "passkey_sign_in": True,
            "api": True,
            "new_browser_mail": False,  # the demo's mailboxes hold what they are described to hold
            "group_prefix": "$",
            "services": "google, microsoft, nextcloud",  # their pages are there; Google and Microsoft know no such client
            **{f"{one}_client_{part}": "demo" for one in ("google", "microsoft") for part in ("id", "secret")},
            "token_key_file": str(dovecot.token_key(self.base)),
            "token_issuer": ISSUER,
            "token_client": dovecot.CLIENT,
            "token_key_id": dovecot.KEY_ID,
            "doveadm_url": f"http://{HOST}:{self.ports.doveadm}",
            "dovecot_sockets": str(dovecot.process_sockets(self.base)),
            "doveadm_key": dovecot.key_file(self.base).read_text(),
            "database_url": accounts.address(self.database),
            "jobs_file": str(web / "jobs.sqlite"),
            "uploads_folder": str(web / "uploads"),
            "secure_cookies": False,
            "bodies_address": f"{HOST}:{self._bodies_port}",
            **({"proxies": 1} if self.front else {}),
        }

    def _write_configuration(self) -> None:
        """Write the same settings to web/config.toml, so that the administrator's commands work while the demo runs."""
        file = self.base / "web" / "config.toml"
        file.touch(mode=0o600)
        # JSON strings, numbers and booleans are valid TOML too
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in self._settings().items()]
        file.write_text("# Written anew at each start of the demo.\n" + "".join(lines) + _TABLES, encoding="utf-8")

    def _start(self, name: str, command: list[str], port: int = 0, **told: str) -> Child:
        environment = {**MEMORY, **os.environ, **self.settings(), **told, "PYTHONUNBUFFERED": "1"}
        log = self.base / "log" / f"{name}.log"
        if name in ("dovecot", "postfix", "milter"):  # they need nothing of our environment
            environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(self.base)}
        if name == "dovecot":  # it switches user and writes its log itself
            log.touch(mode=0o600)
            self.owner.own(log)
        else:
            command = ["/usr/bin/setpriv", "--pdeathsig", "TERM", "--", *command]
        child = start(name, command, log, port, environment, CHECKOUT)
        self.children.append(child)
        return child

    def start_web(self) -> Child:
        """Start the web server; again, for tests that have killed it."""
        told = {"WEBMAIL_SERVICE": "pages"} if self.front else {}
        web = self._start("web", _web_command(self._pages_port), self._pages_port, **told)
        if self.front:
            command = ["nice", "-n", "10", *_web_command(self._bodies_port)]  # as its unit says
            bodies = self._start("bodies", command, self._bodies_port, WEBMAIL_SERVICE="bodies")
            self._start_nginx()
            bodies.wait_for(_healthy)
        web.wait_for(_healthy)
        return web

    def _start_nginx(self) -> None:
        folder = self.base / "nginx"
        folder.mkdir(exist_ok=True)
        command = nginx.command(folder, nginx.site(self.ports.web, [self._pages_port], self._bodies_port))
        self.owner.own(folder, *folder.iterdir())
        child = start("nginx", [*self.owner.prefix, *command], self.base / "log" / "nginx.log", self.ports.web, cwd=Path("/"))
        self.children.append(child)

    def start_door(self) -> Child:
        """Start the milter, and wait for it: Postfix greets without it, and then puts everybody off for as long as they stay."""
        child = self._start("milter", postfix.door_command(self.base, self.ports, self._resolver), self.ports.milter)
        child.patience = 0.2  # it looks only every five seconds whether it shall end, and has nothing to lose
        child.wait_for(listens)
        return child

    def _prepare_postfix(self) -> None:
        self.owner = postfix.owner_with_group(self.owner)
        domains = sorted({person.address.partition("@")[2] for person in accounts.PEOPLE})
        postfix.prepare(self.base, self.ports, self.database, domains, f"mail.{accounts.DOMAIN}")

    def _start_smtp(self) -> Child:
        """Start Postfix and the world outside, or the small server that is both; returns what people submit to."""
        ports = self.ports
        numbers = {"auth": ports.auth, "lmtp": ports.lmtp, "relay": ports.outside if self.postfix else ports.relay}
        if not self.postfix:
            numbers["smtp"] = ports.smtp
        words = [f"--database={accounts.address(self.database)}", *(f"--{name}={port}" for name, port in numbers.items())]
        program = [sys.executable, "-m", "deploy.demo.smtp", str(self.base), *words]
        small = self._start("outside" if self.postfix else "smtp", program, numbers.get("smtp", ports.outside))
        if not self.postfix:
            return small
        if not postfix.door_missing():
            self.start_door()
        small.wait_for(greets(b"220"))
        return self._start("postfix", postfix.command(self.base), ports.submission)  # `smtp` greets only after a TLS handshake

    def _refuse_a_second_start(self) -> None:
        lock = (self.base / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise ServiceFailedError(
                f"A demo runs in {self.base} already. Stop it there (Ctrl-C), or make reset, which also throws its mail away."
            ) from None
        self._lock = lock

    def _refuse_taken_ports(self) -> None:
        for name, port in asdict(self.ports).items():
            if (name != "web" or self.web) and not is_free(port):
                way_out = f"choose another: PORT={port + 1} make run" if name == "web" else "stop what listens there"
                raise ServiceFailedError(f"Port {port} ({name}) is taken on this machine: {way_out}.")

    def _write_report(self) -> None:
        """Write services.json: the running services, for people, tests and benchmarks."""
        running = [{"name": c.name, "host": HOST, "port": c.port, "pid": c.process.pid, "log": str(c.log)} for c in self.children]
        report = {
            "pid": os.getpid(),
            "services": running,
            "ports": asdict(self.ports),
            "web": self.address if self.web else None,
            "accounts": [
                {"address": p.address, "name": p.name, "role": p.role, "password": self.password} for p in accounts.PEOPLE
            ],
            "environment": {name: value for name, value in self.settings().items() if name != "WEBMAIL_SECRET_KEY"},
        }
        file = self.base / "services.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(report, ensure_ascii=False, indent=2))


def _web_command(port: int) -> list[str]:
    options = f"--interface wsgi --host {HOST} --port {port} --workers 1 --blocking-threads 16"
    return [str(BIN / "granian"), *options.split(), "--no-ws", "wsgi:app"]


def _healthy(port: int) -> bool:
    """Whether /healthz reports that the application and its database work."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return False
