"""One table of what is limited by time, in the place of those that each area had; they stay, for the code of before."""

import peewee as pw


def up(migrator, db):
    class LimitUse(pw.Model):
        key = pw.CharField(max_length=64)
        mark = pw.CharField(max_length=64)
        at = pw.DateTimeField()
        until = pw.DateTimeField(index=True)

        class Meta:
            database = db
            table_name = "limit_uses"
            indexes = ((("key", "at"), False),)

    db.create_tables([LimitUse])
    db.execute_sql("DELETE FROM guest_visits")  # networks of strangers and hashes of their addresses, which nobody needs any more
    db.execute_sql("DELETE FROM transfer_tries")


def down(migrator, db):
    migrator.migrate(migrator.drop_table("limit_uses"))
