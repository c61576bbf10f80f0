"""Doctor, roles of PostgreSQL: whether those that read the accounts for Dovecot and Postfix may read all that these ask for."""

from __future__ import annotations

from collections.abc import Iterator

import peewee as pw

from webmail.config.settings import Settings
from webmail.database.connection import DATABASE_AWAY, db
from webmail.doctor.result import OK, PROBLEM, CheckResult
from webmail.doctor.result import lazy_gettext as _l

DOVECOT = ("accounts", "app_passwords", "people_groups", "group_members", "mail_aliases")  # deploy/dovecot/dovecot.conf.in
POSTFIX = ("accounts", "allowed_addresses")  # deploy/postfix.sh
_GRANTED = (
    "SELECT grantee, table_name FROM information_schema.role_table_grants WHERE privilege_type = 'SELECT'"
    " AND table_schema = current_schema() AND grantee NOT IN (current_user, 'PUBLIC')"
)


def examine(settings: Settings) -> Iterator[CheckResult]:
    """Nothing where no role but our own reads the accounts. Which one Dovecot uses, and Postfix, only they can read."""
    if settings.sign_in != "accounts":
        return
    try:
        with db.connection_context():
            if isinstance(db.obj, pw.SqliteDatabase):
                return
            granted: dict[str, set[str]] = {}
            for role, table in db.execute_sql(_GRANTED).fetchall():
                granted.setdefault(role, set()).add(table)
    except (*DATABASE_AWAY, pw.DatabaseError):
        return
    for role, tables in sorted(granted.items()):
        if tables.isdisjoint({*DOVECOT, *POSTFIX}):
            continue
        if words := fault(role, tables):
            yield CheckResult("Database role", PROBLEM, words)
        else:
            yield CheckResult("Database role", OK, _l("%(role)s may read what Dovecot or Postfix asks for.", role=role))


def fault(role: str, tables: set[str]) -> str:
    """What a role that may read these tables lacks, and the command that gives it; "" if it serves one of the two."""
    for_dovecot, for_postfix = [[name for name in wanted if name not in tables] for wanted in (DOVECOT, POSTFIX)]
    if not for_dovecot or not for_postfix:
        return ""
    is_dovecots = "postfix" not in role and ("dovecot" in role or not tables.isdisjoint(DOVECOT[1:]))
    tables_missing = ", ".join(for_dovecot if is_dovecots else for_postfix)
    about = {"role": role, "tables": tables_missing, "command": f"GRANT SELECT ON {tables_missing} TO {role}"}
    if is_dovecots:
        return _l(
            "%(role)s may not read %(tables)s. If Dovecot uses it, nobody can sign in to mail: as the owner of the tables, "
            "`%(command)s`.",
            **about,
        )
    return _l(
        "%(role)s may not read %(tables)s. If Postfix uses it, nobody can send: as the owner of the tables, `%(command)s`.",
        **about,
    )
