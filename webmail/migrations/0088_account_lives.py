"""When an account ends, the room it uses, when its person was last here, where its mail lies; addresses that rest."""

import peewee as pw

COLUMNS = {
    "last_sign_in": pw.DateTimeField,
    "ends_on": pw.DateTimeField,
    "ends_told": pw.DateTimeField,
    "removal_due": pw.DateTimeField,
    "factor_asked": pw.DateTimeField,
    "used_at": pw.DateTimeField,
    "used_bytes": pw.BigIntegerField,
    "version": pw.BigIntegerField,
}


def up(migrator, db):
    migrator.migrate(
        *(migrator.add_column("accounts", name, kind(null=True)) for name, kind in COLUMNS.items()),
        migrator.add_column("accounts", "home", pw.CharField(max_length=400, null=True)),
    )
    db.create_tables(_tables(db))
    db.execute_sql(
        "UPDATE accounts SET last_sign_in = "
        "(SELECT MAX(at) FROM audit WHERE audit.actor_address = accounts.address AND audit.act = 'sign-in')"
    )


def down(migrator, db):
    db.drop_tables(_tables(db))
    migrator.migrate(*(migrator.drop_column("accounts", name) for name in (*COLUMNS, "home")))


def _tables(db):
    class RestedAddress(pw.Model):
        address = pw.CharField(max_length=254, unique=True)
        home = pw.CharField(max_length=400, default="")
        until = pw.DateTimeField(index=True)

        class Meta:
            database = db
            table_name = "rested_addresses"

    return [RestedAddress]
