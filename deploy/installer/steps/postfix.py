"""Postfix: mail from outside, mail of people, and what goes out; what one adds is in /etc/traboule/postfix.cf."""

from __future__ import annotations

import re

from deploy.installer.changes import InstallError
from deploy.installer.job import CODE, ETC, Job
from deploy.installer.steps import database

LOCAL = f"{ETC}/postfix.cf"
_LOCAL_BEGINNING = """# Your own lines of Postfix's main.cf, one "name = value" a line: they are set last.
# After a change: sudo deploy/install
"""
_LINE = re.compile(r"[a-z][a-z0-9_]*\s*=.*")
# what a server of a few hundred people allows one stranger; our own pages are not counted (mynetworks)
_LIMITS = {
    "smtpd_client_connection_count_limit": "20",
    "smtpd_client_connection_rate_limit": "60",
    "smtpd_client_message_rate_limit": "120",
    "smtpd_client_auth_rate_limit": "30",
    "smtpd_hard_error_limit": "10",
    "smtpd_soft_error_limit": "5",
    "postscreen_greet_action": "enforce",
    "postscreen_access_list": "permit_mynetworks",
    "smtp_tls_security_level": "may",
    "smtp_tls_CAfile": "/etc/ssl/certs/ca-certificates.crt",
    "smtpd_tls_protocols": ">=TLSv1.2",
    "smtpd_tls_mandatory_protocols": ">=TLSv1.2",
    "strict_rfc821_envelopes": "yes",
    "biff": "no",
    "compatibility_level": "3.9",
}


def words(job: Job) -> str:
    signed = "rspamd" if job.spam_filter else "OpenDKIM"
    domains = ", ".join(job.answers.domains)
    return f"let Postfix take mail for {domains} (25) and of people (465, 587), signed by {signed}; your own lines: {LOCAL}"


def take(job: Job) -> None:
    changes, answers = job.changes, job.answers
    before = _configuration(job)
    certificate, key = job.certificate
    changes.run(
        "postconf",
        "-e",
        f"myhostname = {answers.mail_host}",
        f"smtpd_tls_chain_files = {key}, {certificate}",
        "inet_interfaces = all",
    )
    said = changes.run("sh", f"{CODE}/deploy/postfix.sh", " ".join(answers.domains), database.for_postfix(job), folder=CODE)
    for line in said.splitlines()[:-1]:
        changes.note(line)
    _postscreen(job)
    milters = ["$traboule_milter", "inet:127.0.0.1:11332" if job.spam_filter else "inet:127.0.0.1:8891"]
    settings = {**_LIMITS, "smtpd_milters": ", ".join(milters), **own_lines(job)}
    changes.run("postconf", "-e", *(f"{name} = {value}" for name, value in settings.items()))
    changes.run("postfix", "check")
    _aliases(job)
    if _configuration(job) != before:
        changes.tell("set Postfix")
        job.restart_later("postfix")
    changes.enable("postfix")


def make_ready(job: Job) -> None:
    """A Postfix that nobody has set up has no folders, in which Dovecot has its sockets."""
    changes = job.changes
    texts = {"main.cf": "queue_directory = /var/spool/postfix\n", "master.cf": ""}
    missing = [name for name in texts if not changes.path(f"/etc/postfix/{name}").is_file()]
    for name in missing:
        text = texts[name] or changes.path(f"/usr/share/postfix/{name}.dist").read_text()
        changes.path(f"/etc/postfix/{name}").write_text(text)
    if missing or not changes.path("/var/spool/postfix/private").is_dir():
        changes.run("postfix", "check")


def own_lines(job: Job) -> dict[str, str]:
    """What one added. Raises InstallError for a line that is none of main.cf."""
    place = job.changes.path(LOCAL)
    if not place.is_file():
        job.changes.file(LOCAL, _LOCAL_BEGINNING)
        return {}
    lines = [line.strip() for line in place.read_text().splitlines() if line.strip() and not line.startswith("#")]
    for line in lines:
        if not _LINE.fullmatch(line):
            raise InstallError(f"{LOCAL}: “{line}” is no line of the form name = value.")
    return {name.strip(): value.strip() for name, _equals, value in (line.partition("=") for line in lines)}


def _postscreen(job: Job) -> None:
    """Who talks before it is greeted is a program that sends spam: it never meets smtpd."""
    job.changes.run("postconf", "-M", "smtp/inet=smtp inet n - y - 1 postscreen")
    for service in ("smtpd", "dnsblog", "tlsproxy"):
        kind, count = ("pass", "-") if service == "smtpd" else ("unix", "0")
        job.changes.run("postconf", "-M", f"{service}/{kind}={service} {kind} - - y - {count} {service}")


def _aliases(job: Job) -> None:
    """Mail to root and postmaster of the machine itself goes to the administrator."""
    place = job.changes.path("/etc/aliases")
    if not place.is_file() or "root:" not in place.read_text():
        before = place.read_text() if place.is_file() else ""
        job.changes.file("/etc/aliases", f"{before}postmaster: root\nroot: {job.answers.administrator}\n")
        job.changes.run("newaliases")


def _configuration(job: Job) -> str:
    return job.changes.tried("postconf", "-n").stdout + job.changes.tried("postconf", "-M").stdout
