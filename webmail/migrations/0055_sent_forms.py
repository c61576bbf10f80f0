"""Forms that were sent, so that a second click is answered as the first one was."""

import peewee as pw


def up(migrator, db):
    class SentForm(pw.Model):
        id = pw.CharField(max_length=64, primary_key=True)
        created = pw.DateTimeField(index=True)
        status = pw.IntegerField(default=0)
        location = pw.TextField(default="")
        answer = pw.BlobField(null=True)

        class Meta:
            database = db
            table_name = "sent_forms"

    db.create_tables([SentForm])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("sent_forms"))
