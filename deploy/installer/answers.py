"""Answers: what the installer asks, read from a file or typed, checked, and kept for the next time."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from deploy.installer.changes import InstallError

FILE = "/etc/traboule/install.toml"
_NAME = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_LOCAL = re.compile(r"[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?")
CERTIFICATES = ("letsencrypt", "own", "files")
DATABASES = ("sqlite", "postgresql")
SPAM = ("auto", "rspamd", "none")
MAIL_ENCRYPTION = ("none", "indexed", "full")  # deploy.dovecot.render's, which needs packages that the installer has not yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What one installation is to be. The first four are asked; the others have a usual answer, and are changed in the file."""

    domain: str  # everybody's addresses end in it
    name: str  # of the establishment, on the sign-in page
    administrator: str  # address of the first one
    administrator_name: str
    language: str = "fr"
    timezone: str = "Europe/Paris"
    mail_host: str = ""  # mail.<domain>
    webmail_host: str = ""  # webmail.<domain>
    certificate: str = "letsencrypt"  # "own": an authority of this machine, where the internet does not reach it; "files"
    certificate_file: str = ""
    certificate_key: str = ""
    database: str = "sqlite"
    spam: str = "auto"  # rspamd from 2 GB of memory, else signatures (DKIM) alone
    mail_encryption: str = "none"  # "indexed": files of messages are encrypted; "full": and no index holds their words
    antivirus: bool = False
    firewall: bool = True
    upgrades: bool = True  # Debian's security updates by themselves
    backup: str = "/var/backups/traboule"  # a repository of restic: a folder, sftp:..., s3:...; "" for none
    dkim_selector: str = "traboule"
    other_domains: str = ""  # mail to these is taken too, separated by spaces: what `domain` was before is added by itself

    @property
    def domains(self) -> tuple[str, ...]:
        """All of which mail is taken, the domain first."""
        return tuple(dict.fromkeys((self.domain, *self.other_domains.split())))


_WORDS = {
    "domain": "Domain, what everybody's addresses end in (such as lycee.example)",
    "name": "Name of the establishment, as people see it",
    "administrator": "Address of the first administrator (such as alice@lycee.example)",
    "administrator_name": "Their name",
}


def read(file: Path) -> dict[str, Any]:
    """What a file answers; {} where there is none. Raises InstallError."""
    try:
        with file.open("rb") as opened:
            given = tomllib.load(opened)
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InstallError(f"{file} can't be read: {error}") from error
    kinds = {each.name: each.type for each in fields(Answers)}
    for name, value in given.items():
        if name not in kinds:
            raise InstallError(f"{file}: there is no answer called {name}. There are: {', '.join(kinds)}.")
        if not isinstance(value, bool if kinds[name] == "bool" else str):
            raise InstallError(f"{file}: {name} is {'true or false' if kinds[name] == 'bool' else 'a text in quotes'}.")
    return given


def complete(given: Mapping[str, Any], ask: Callable[[str, str], str] | None) -> Answers:
    """The answers; those that are missing are asked for: `ask(words, usual)`, None where nobody can be. Raises InstallError."""
    found = dict(given)
    for name, words in _WORDS.items():
        if found.get(name):
            continue
        if ask is None:
            raise InstallError(f"{name} is not answered. Write it into the file of answers ({FILE}), or answer at a terminal.")
        usual = f"admin@{found['domain']}" if name == "administrator" else ""
        asked = words
        while True:
            found[name] = ask(asked, usual).strip()
            if not (fault := _fault(found, name)):
                break
            asked = f"{fault} {words}"
    answers = Answers(**found)
    answers = replace(
        answers,
        mail_host=answers.mail_host or f"mail.{answers.domain}",
        webmail_host=answers.webmail_host or f"webmail.{answers.domain}",
    )
    given_back = {each.name: getattr(answers, each.name) for each in fields(Answers)}
    for name in given_back:
        if fault := _fault(given_back, name):
            raise InstallError(f"{name}: {fault}")
    return answers


def _fault(given: Mapping[str, Any], name: str) -> str:
    """What is wrong with an answer, "" if nothing."""
    value = given[name]
    if isinstance(value, str) and re.search(r"[\x00-\x1f\x7f\"\\$`]", value):
        return "Quotes, backslashes, dollar signs and line ends can't be in it."
    if name in ("domain", "mail_host", "webmail_host") and not _NAME.fullmatch(value):
        return "That is no name of the internet, in small letters, such as lycee.example."
    if name == "other_domains" and not all(_NAME.fullmatch(each) for each in value.split()):
        return "Names of the internet, in small letters, separated by spaces."
    if name == "administrator":
        local, _at, domain = value.partition("@")
        if domain != given["domain"] or not _LOCAL.fullmatch(local):
            return f"The address is of the form somebody@{given['domain']}, in small letters."
    if name in ("name", "administrator_name") and not 1 <= len(value) <= 60:
        return "Between 1 and 60 characters, please."
    for known, choices in (
        ("certificate", CERTIFICATES),
        ("database", DATABASES),
        ("spam", SPAM),
        ("mail_encryption", MAIL_ENCRYPTION),
        ("language", ("fr", "en")),
    ):
        if name == known and value not in choices:
            return f"One of: {', '.join(choices)}."
    if name == "certificate" and value == "files" and not (given.get("certificate_file") and given.get("certificate_key")):
        return "With “files”, certificate_file and certificate_key say where they are."
    if (
        name in ("certificate_file", "certificate_key")
        and value
        and not (value.startswith("/") and re.fullmatch(r"[\w./+-]+", value))
    ):
        return "A path that begins with /, of letters, digits and ._+-."
    if name == "timezone" and not re.fullmatch(r"[A-Za-z_]+(/[A-Za-z_+-]+[0-9]*){0,2}", value):
        return "A time zone such as Europe/Paris."
    if name == "dkim_selector" and not re.fullmatch(r"[a-z0-9]{1,30}", value):
        return "Small letters and digits."
    return ""


def with_former(given: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Answers of a machine that had others: a domain that was another one goes on to take mail."""
    others = str(given.get("other_domains", "")).split()
    former = str(before.get("domain", ""))
    if former and former not in (given.get("domain"), *others):
        others.append(former)
    others = [each for each in others if each != given.get("domain")]
    return {**given, **({"other_domains": " ".join(others)} if others or "other_domains" in given else {})}


def as_text(answers: Answers) -> str:
    """As a file, to be read again and edited."""
    lines = ["# What this server is: edit, then type `sudo deploy/install` again. docs/install.md explains each line."]
    for each in fields(Answers):
        value = getattr(answers, each.name)
        written = str(value).lower() if isinstance(value, bool) else f'"{value}"'
        lines.append(f"{each.name} = {written}")
    return "\n".join([*lines, ""])
