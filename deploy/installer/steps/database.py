"""Database: SQLite needs nothing; PostgreSQL a role for each that reads it, made here with passwords that nobody has to know."""

from __future__ import annotations

import secrets

from deploy.installer.job import CODE, DATABASE, ETC, Job

_ROLES = ("dovecot", "postfix")
POSTFIX_FILE = "/etc/postfix/traboule-database"
DOVECOT_TABLES = "accounts, app_passwords, people_groups, group_members, mail_aliases, refused_networks"
POSTFIX_TABLES = (
    "accounts, allowed_addresses, resources, mail_aliases, people_groups, group_members, group_owners, mailbox_handovers, "
    "refused_senders, establishment_domains"
)


def words(job: Job) -> str:
    return (
        "make a database and three roles in PostgreSQL"
        if job.on_postgresql
        else f"keep accounts, contacts and calendars in {DATABASE}"
    )


def url(job: Job) -> str:
    """As Traboule's setting `database_url`."""
    return "postgresql://traboule@/traboule?host=/run/postgresql" if job.on_postgresql else f"sqlite:///{DATABASE}"


def for_dovecot(job: Job) -> str:
    """As `render.py --database` takes it."""
    return f"postgresql://dovecot:{_password(job, 'dovecot')}@127.0.0.1/traboule" if job.on_postgresql else DATABASE


def for_postfix(job: Job) -> str:
    """As `postfix.sh` takes it."""
    return POSTFIX_FILE if job.on_postgresql else DATABASE


def take(job: Job) -> None:
    if not job.on_postgresql:
        return
    changes = job.changes
    changes.enable("postgresql")
    there = set(_psql(job, "postgres", "SELECT rolname FROM pg_roles").split())
    if "traboule" not in there:
        _psql(job, "postgres", "CREATE ROLE traboule LOGIN")
        changes.tell("made the role traboule in PostgreSQL")
    for role in _ROLES:
        if role not in there:
            _psql(job, "postgres", f"CREATE ROLE {role} LOGIN PASSWORD '{_password(job, role)}'")
            changes.tell(f"made the role {role} in PostgreSQL")
    if "traboule" not in _psql(job, "postgres", "SELECT datname FROM pg_database").split():
        _psql(job, "postgres", "CREATE DATABASE traboule OWNER traboule ENCODING 'UTF8' TEMPLATE template0")
        changes.tell("made the database traboule")
    changes.file(
        POSTFIX_FILE,
        f"hosts = 127.0.0.1\nuser = postfix\npassword = {_password(job, 'postfix')}\ndbname = traboule\n",
        mode=0o600,
    )


def allow_reading(job: Job) -> None:
    """What Dovecot and Postfix read, once the tables are there."""
    if job.on_postgresql:
        for role, tables in (("dovecot", DOVECOT_TABLES), ("postfix", POSTFIX_TABLES)):
            job.changes.run(
                "runuser", "-u", "traboule", "--", "psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", "/run/postgresql", "traboule",
                "-c", f"GRANT SELECT ON {tables} TO {role}", folder=CODE,
            )  # fmt: skip


def _password(job: Job, role: str) -> str:
    return job.changes.secret(f"{ETC}/secrets/database-{role}", lambda: secrets.token_hex(24))


def _psql(job: Job, database: str, command: str) -> str:
    return job.changes.run(
        "runuser", "-u", "postgres", "--", "psql", "-qtA", "-v", "ON_ERROR_STOP=1", database, typed=command, folder="/"
    )  # fmt: skip
