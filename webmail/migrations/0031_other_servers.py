"""Collections that live on another CalDAV or CardDAV server."""

import peewee as pw


def up(migrator, db):
    db.create_tables(_tables(db)[2:])


def down(migrator, db):
    db.drop_tables(list(reversed(_tables(db)[2:])))


def _tables(db):
    class User(pw.Model):
        class Meta:
            database = db
            table_name = "accounts"

    class Collection(pw.Model):
        class Meta:
            database = db
            table_name = "collections"

    class RemoteAccount(pw.Model):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
        url = pw.CharField(max_length=1000)
        login = pw.CharField(max_length=254)
        secret = pw.BlobField()
        created = pw.DateTimeField()
        due = pw.DateTimeField(index=True)
        working = pw.IntegerField(default=0)
        failures = pw.IntegerField(default=0)
        tried = pw.DateTimeField(null=True)
        succeeded = pw.DateTimeField(null=True)
        error = pw.CharField(max_length=20, default="")

        class Meta:
            database = db
            table_name = "remote_accounts"

    class RemoteLink(pw.Model):
        account = pw.ForeignKeyField(RemoteAccount, on_delete="CASCADE", backref="+", index=False)
        collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="+", unique=True)
        url = pw.CharField(max_length=1000)
        writable = pw.IntegerField(default=1)
        syncs = pw.IntegerField(default=1)
        token = pw.TextField(default="")
        ctag = pw.CharField(max_length=255, default="")
        whole = pw.DateTimeField(null=True)
        seq = pw.BigIntegerField(default=-1)
        tried = pw.DateTimeField(null=True)
        succeeded = pw.DateTimeField(null=True)
        error = pw.CharField(max_length=20, default="")
        missing = pw.CharField(max_length=5, default="")
        missing_count = pw.IntegerField(default=0)
        answer = pw.CharField(max_length=7, default="")
        done = pw.IntegerField(default=0)
        total = pw.IntegerField(default=0)
        created = pw.DateTimeField()

        class Meta:
            database = db
            table_name = "remote_links"
            indexes = ((("account", "url"), True),)

    class RemoteItem(pw.Model):
        link = pw.ForeignKeyField(RemoteLink, on_delete="CASCADE", backref="+", index=False)
        name = pw.CharField(max_length=500)
        href = pw.CharField(max_length=255, default="")
        etag = pw.CharField(max_length=255, default="")
        local = pw.CharField(max_length=64, default="")
        sending = pw.CharField(max_length=64, default="")
        note = pw.CharField(max_length=10, default="")
        title = pw.CharField(max_length=190, default="")
        at = pw.DateTimeField()

        class Meta:
            database = db
            table_name = "remote_items"
            indexes = ((("link", "name"), True), (("link", "href"), False))

    return [User, Collection, RemoteAccount, RemoteLink, RemoteItem]
