"""One request of a person after another, and a form for something new that is sent twice makes one thing."""

from __future__ import annotations

from webmail.models import Table, User


def in_turn(user: User) -> None:
    """Within a transaction: whatever else of this person does so waits until it ends, on PostgreSQL too. One UPDATE."""
    User.update(active=User.active).where(User.id == user.id).execute()


def is_there(row: Table) -> bool:
    """Within the transaction of the INSERT: whether the table has a row of this person with all the same values."""
    in_turn(row.user)  # type: ignore[attr-defined]
    fields = [field for field in row._meta.sorted_fields if not field.primary_key]
    values = {field: row.__data__.get(field.name) for field in fields}
    same = [field.is_null() if value is None else field == value for field, value in values.items()]
    return bool(type(row).select().where(*same).exists())


def removed(table: type[Table], number: int, user: User) -> bool:
    """Remove a row of this person by its number; False where a first click did so already, or it is not theirs."""
    mine = (table.id == number) & (table.user == user)  # type: ignore[attr-defined]
    return number < 2**63 and bool(table.delete().where(mine).execute())
