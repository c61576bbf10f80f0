"""What telephones and programs were refused, for their owners."""

import peewee as pw


def up(migrator, db):
    db.create_tables(_tables(db))


def down(migrator, db):
    db.drop_tables(_tables(db))


def _tables(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class RefusedChange(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        place = pw.CharField(max_length=255)
        kind = pw.CharField(max_length=11, default="")
        collection = pw.CharField(max_length=100, default="")
        title = pw.CharField(max_length=200, default="")
        reason = pw.CharField(max_length=20)
        device = pw.CharField(max_length=100, default="")
        count = pw.IntegerField(default=1)
        seen = pw.IntegerField(default=0)
        first = pw.DateTimeField()
        last = pw.DateTimeField()

        class Meta:
            table_name = "refused_changes"
            indexes = ((("user", "place"), True),)

    return [RefusedChange]
