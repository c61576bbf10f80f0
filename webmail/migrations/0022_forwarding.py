"""Forwarding: the addresses that people confirmed, and a copy of what their scripts do."""

import peewee as pw


class User(pw.Model):
    class Meta:
        table_name = "accounts"


class ForwardTarget(pw.Model):
    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
    address = pw.CharField(max_length=254, index=True)
    confirmed = pw.DateTimeField(null=True)
    active = pw.BooleanField(default=False)
    keeps_copy = pw.BooleanField(default=True)
    until = pw.DateTimeField(null=True)
    created = pw.DateTimeField()

    class Meta:
        table_name = "forward_targets"
        indexes = ((("user", "address"), True),)


def up(migrator, db):
    with db.bind_ctx([User, ForwardTarget]):
        db.create_tables([ForwardTarget])


def down(migrator, db):
    with db.bind_ctx([User, ForwardTarget]):
        db.drop_tables([ForwardTarget])
