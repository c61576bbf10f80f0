"""Lines of browsers that wait for their turn to sign in, and the turns that were taken."""

import peewee as pw

from webmail.models.base import now


def up(migrator, db):
    class WaitingPlace(pw.Model):
        line = pw.CharField(max_length=64)
        place = pw.CharField(max_length=32, index=True)
        source = pw.CharField(max_length=64)
        since = pw.DateTimeField(default=now)
        until = pw.DateTimeField(index=True)

        class Meta:
            database = db
            table_name = "waiting_places"
            indexes = ((("line", "place"), True),)

    class TakenTurn(pw.Model):
        line = pw.CharField(max_length=64)
        source = pw.CharField(max_length=64)
        at = pw.DateTimeField(default=now, index=True)

        class Meta:
            database = db
            table_name = "taken_turns"
            indexes = ((("line", "at"), False),)

    db.create_tables([WaitingPlace, TakenTurn])


def down(migrator, db):
    db.execute_sql("DROP TABLE waiting_places")
    db.execute_sql("DROP TABLE taken_turns")
