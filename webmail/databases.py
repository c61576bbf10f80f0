"""Which class of peewee opens a `database_url`: its own, but for PostgreSQL."""

from __future__ import annotations

from typing import Any

import peewee as pw
from playhouse.db_url import connect, register_database


class Postgresql(pw.PostgresqlDatabase):
    """Its texts hold no NUL, and it refuses a statement with one: what has some is stored and looked for without them."""

    def execute_sql(self, sql: str, params: Any = None, *more: Any, **options: Any) -> Any:
        if params:
            params = [value.replace("\0", "") if isinstance(value, str) else value for value in params]
        return super().execute_sql(sql, params, *more, **options)


register_database(Postgresql, "postgres", "postgresql")


def connect_url(url: str, **options: Any) -> Any:
    return connect(url, **options)
