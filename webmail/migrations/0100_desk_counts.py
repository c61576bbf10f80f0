"""Counting the open cases of the desk by kind from an index alone."""


def up(migrator, db):
    migrator.migrate(migrator.add_index("desk_cases", ("state", "kind", "domain"), False))


def down(migrator, db):
    migrator.migrate(migrator.drop_index("desk_cases", "desk_cases_state_kind_domain"))
