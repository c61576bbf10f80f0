"""Networks at which an account's own password was right on a telephone or program."""

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

    class DeviceNetwork(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        network = pw.CharField(max_length=64)
        seen = pw.DateTimeField()

        class Meta:
            table_name = "device_networks"
            indexes = ((("user", "network"), True),)

    return [DeviceNetwork]
