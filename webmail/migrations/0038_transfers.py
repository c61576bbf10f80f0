"""Large files sent as links: their bytes, who they were sent to, who was asked for files."""

import peewee as pw


def up(migrator, db):
    _users, *tables = _tables(db)
    db.create_tables(tables)


def down(migrator, db):
    _users, *tables = _tables(db)
    db.drop_tables(list(reversed(tables)))


def _tables(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class FileRequest(Base):
        owner = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
        nonce = pw.CharField(max_length=32)
        link_hash = pw.CharField(max_length=64, unique=True)
        title = pw.CharField(max_length=200, default="")
        message = pw.TextField(default="")
        invited_only = pw.IntegerField(default=0)
        once = pw.IntegerField(default=0)
        asks_name = pw.IntegerField(default=1)
        until = pw.DateTimeField(null=True)
        days = pw.IntegerField(default=0)
        most_bytes = pw.BigIntegerField(default=0)
        most_files = pw.IntegerField(default=0)
        notify = pw.IntegerField(default=1)
        language = pw.CharField(max_length=5, default="")
        options = pw.TextField(default="{}")
        created = pw.DateTimeField()
        closed = pw.DateTimeField(null=True)

        class Meta:
            table_name = "file_requests"

    class FileRequestInvite(Base):
        request = pw.ForeignKeyField(FileRequest, on_delete="CASCADE", backref="+")
        address = pw.CharField(max_length=254)
        name = pw.CharField(max_length=190, default="")
        nonce = pw.CharField(max_length=32)
        link_hash = pw.CharField(max_length=64, unique=True)
        invited = pw.DateTimeField()
        reminded = pw.DateTimeField(null=True)
        removed = pw.DateTimeField(null=True)
        used = pw.IntegerField(default=0)
        last_used = pw.DateTimeField(null=True)

        class Meta:
            table_name = "file_request_invites"
            indexes = ((("request", "address"), True),)

    class Transfer(Base):
        owner = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        request = pw.ForeignKeyField(FileRequest, on_delete="SET NULL", null=True, backref="+")
        invite = pw.ForeignKeyField(FileRequestInvite, on_delete="SET NULL", null=True, backref="+")
        guest_name = pw.CharField(max_length=190, default="")
        guest_address = pw.CharField(max_length=254, default="")
        nonce = pw.CharField(max_length=32)
        link_hash = pw.CharField(max_length=64, unique=True)
        state = pw.CharField(max_length=10, default="open")
        subject = pw.CharField(max_length=200, default="")
        message = pw.TextField(default="")
        language = pw.CharField(max_length=5, default="")
        options = pw.TextField(default="{}")
        password = pw.CharField(max_length=255, default="")
        key_check = pw.CharField(max_length=64, default="")
        end_to_end = pw.TextField(default="")
        draft_id = pw.CharField(max_length=32, default="", index=True)
        created = pw.DateTimeField()
        published = pw.DateTimeField(null=True)
        expires = pw.DateTimeField(index=True)
        closed = pw.DateTimeField(null=True, index=True)
        closed_by = pw.CharField(max_length=10, default="")
        files_gone = pw.IntegerField(default=0)

        class Meta:
            table_name = "transfers"
            indexes = ((("owner", "created"), False),)

    class StoredContent(Base):
        owner = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        name = pw.CharField(max_length=32, unique=True)
        size = pw.BigIntegerField()
        received = pw.BigIntegerField(default=0)
        sha256 = pw.CharField(max_length=64, default="")
        key = pw.BlobField()
        key_in_link = pw.IntegerField(default=0)
        state = pw.CharField(max_length=10, default="uploading", index=True)
        scan = pw.CharField(max_length=10, default="")
        finding = pw.CharField(max_length=200, default="")
        touched = pw.DateTimeField(index=True)
        created = pw.DateTimeField()

        class Meta:
            table_name = "stored_contents"
            indexes = ((("owner", "sha256"), False),)

    class ContentPiece(Base):
        content = pw.ForeignKeyField(StoredContent, on_delete="CASCADE", backref="+", index=False)
        start = pw.BigIntegerField()
        size = pw.IntegerField()
        name = pw.CharField(max_length=40)

        class Meta:
            table_name = "content_pieces"
            indexes = ((("content", "start"), True),)

    class TransferFile(Base):
        transfer = pw.ForeignKeyField(Transfer, on_delete="CASCADE", backref="+", index=False)
        content = pw.ForeignKeyField(StoredContent, on_delete="SET NULL", null=True, backref="+")
        upload = pw.CharField(max_length=32, unique=True)
        path = pw.CharField(max_length=500)
        media_type = pw.CharField(max_length=180, default="application/octet-stream")
        size = pw.BigIntegerField()
        position = pw.IntegerField(default=0)
        downloads = pw.IntegerField(default=0)
        created = pw.DateTimeField()

        class Meta:
            table_name = "transfer_files"
            indexes = ((("transfer", "position"), False),)

    class TransferRecipient(Base):
        transfer = pw.ForeignKeyField(Transfer, on_delete="CASCADE", backref="+", index=False)
        address = pw.CharField(max_length=254)
        name = pw.CharField(max_length=190, default="")
        nonce = pw.CharField(max_length=32)
        link_hash = pw.CharField(max_length=64, unique=True)
        added = pw.DateTimeField()
        notified = pw.DateTimeField(null=True)
        reminded = pw.DateTimeField(null=True)
        removed = pw.DateTimeField(null=True)
        downloads = pw.IntegerField(default=0)
        first_download = pw.DateTimeField(null=True)
        last_download = pw.DateTimeField(null=True)

        class Meta:
            table_name = "transfer_recipients"
            indexes = ((("transfer", "address"), True),)

    class TransferEvent(Base):
        transfer = pw.ForeignKeyField(Transfer, on_delete="CASCADE", backref="+", index=False)
        at = pw.DateTimeField()
        kind = pw.CharField(max_length=20)
        recipient = pw.ForeignKeyField(TransferRecipient, on_delete="SET NULL", null=True, backref="+")
        file = pw.ForeignKeyField(TransferFile, on_delete="SET NULL", null=True, backref="+")
        detail = pw.CharField(max_length=500, default="")
        told = pw.IntegerField(default=0)

        class Meta:
            table_name = "transfer_events"
            indexes = ((("transfer", "at"), False),)

    class TransferAllowance(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", unique=True)
        limit_bytes = pw.BigIntegerField()

        class Meta:
            table_name = "transfer_allowances"

    return [
        User,
        FileRequest,
        FileRequestInvite,
        Transfer,
        StoredContent,
        ContentPiece,
        TransferFile,
        TransferRecipient,
        TransferEvent,
        TransferAllowance,
    ]
