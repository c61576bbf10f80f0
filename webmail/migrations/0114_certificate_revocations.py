"""What authorities said of the certificates that signed people's messages (S/MIME): whether they withdrew them."""

from datetime import UTC, datetime

import peewee as pw


def up(migrator, db):
    db.create_tables([_table(db)])


def down(migrator, db):
    db.drop_tables([_table(db)])


def _now():
    return datetime.now(UTC).replace(tzinfo=None)


def _table(db):
    class CertificateRevocation(pw.Model):
        fingerprint = pw.CharField(max_length=128, unique=True)
        certificate = pw.BlobField()
        chain = pw.BlobField()
        revoked = pw.DateTimeField(null=True)
        reason = pw.CharField(max_length=40, default="")
        due = pw.DateTimeField(null=True, index=True)
        asked = pw.DateTimeField(null=True)
        fresh_until = pw.DateTimeField(null=True)
        wanted = pw.DateTimeField(default=_now, index=True)

        class Meta:
            database = db
            table_name = "certificate_revocations"

    return CertificateRevocation
