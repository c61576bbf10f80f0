"""Invitations that were declined or pencilled in by themselves."""

import peewee as pw


def up(migrator, db):
    db.create_tables([_automatic_answers(db)])


def down(migrator, db):
    db.drop_tables([_automatic_answers(db)])


def _automatic_answers(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class AutomaticAnswer(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        uid = pw.CharField(max_length=255)
        kind = pw.CharField(max_length=12)
        reason = pw.CharField(max_length=12, default="")
        owed = pw.IntegerField(default=0)
        at = pw.DateTimeField(index=True)

        class Meta:
            table_name = "automatic_answers"
            indexes = ((("user", "uid"), True),)

    return AutomaticAnswer
