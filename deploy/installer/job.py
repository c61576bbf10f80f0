"""Job: one run of the installer: what was answered, what the machine is like, and where everything goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.installer import preflight
from deploy.installer.answers import Answers
from deploy.installer.changes import Changes
from deploy.installer.facts import Facts

CODE = "/opt/traboule"  # a link to the release that serves
RELEASES = "/opt/traboule-releases"
DATA = "/var/lib/traboule"
MAIL = "/var/vmail"
ETC = "/etc/traboule"
DATABASE = f"{DATA}/db/traboule.sqlite"
_FIRST = ("dovecot", "opendkim", "rspamd", "traboule-web", "traboule-bodies", "traboule-jobs", "traboule-milter", "nginx")


@dataclass(slots=True)
class Job:
    """`source`: the checkout that the installer runs from. `passwords`: what is printed once at the end, by account."""

    answers: Answers
    facts: Facts
    changes: Changes
    source: Path
    former: dict[str, Any] = field(default_factory=dict)  # answers of the last time, {} at the first
    passwords: dict[str, str] = field(default_factory=dict)
    restarts: set[str] = field(default_factory=set)  # units that read something that changed

    @property
    def spam_filter(self) -> bool:
        return preflight.has_spam_filter(self.answers, self.facts)

    @property
    def names(self) -> tuple[str, str]:
        """Whom the certificate is for, in any case."""
        return self.answers.webmail_host, self.answers.mail_host

    @property
    def certificate(self) -> tuple[str, str]:
        """Files of the certificate with its chain, and of its key."""
        answers = self.answers
        if answers.certificate == "files":
            return answers.certificate_file, answers.certificate_key
        if answers.certificate == "own":
            return f"{ETC}/certificates/server.pem", f"{ETC}/certificates/server.key"
        live = f"/etc/letsencrypt/live/{answers.webmail_host}"
        return f"{live}/fullchain.pem", f"{live}/privkey.pem"

    @property
    def on_postgresql(self) -> bool:
        return self.answers.database == "postgresql"

    def flask(self, *command: str, typed: str | None = None) -> str:
        """A command of Traboule's, as the user of its services. Raises InstallError."""
        return self.changes.run(f"{CODE}/deploy/flask", *command, typed=typed, folder=CODE)

    def restart_later(self, *units: str) -> None:
        self.restarts.update(units)

    def restart(self) -> None:
        """Each program whose settings changed, in the order in which they need each other."""
        for unit in sorted(self.restarts, key=lambda unit: _FIRST.index(unit) if unit in _FIRST else len(_FIRST)):
            if unit == "nginx":
                self.changes.reload(unit)
            else:
                self.changes.restart(unit)
            self.changes.say(f"  restarted {unit}")
        self.restarts.clear()
