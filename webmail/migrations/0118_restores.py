"""Nights of which there are backups, and what people asked to have back of them."""

import peewee as pw


def up(migrator, db):
    class User(pw.Model):
        class Meta:
            database = db
            table_name = "accounts"

    class BackupNight(pw.Model):
        snapshot = pw.CharField(max_length=64, primary_key=True)
        at = pw.DateTimeField(index=True)

        class Meta:
            database = db
            table_name = "backup_nights"
            legacy_table_names = False

    class RestoreRequest(pw.Model):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
        asked_by = pw.CharField(max_length=254)
        open_for = pw.IntegerField(null=True, unique=True)
        snapshot = pw.CharField(max_length=64)
        night = pw.DateTimeField()
        kind = pw.CharField(max_length=8)
        what = pw.CharField(max_length=500)
        title = pw.CharField(max_length=255)
        place = pw.CharField(max_length=255)
        state = pw.CharField(max_length=8)
        asked = pw.DateTimeField()
        begun = pw.DateTimeField(null=True)
        ended = pw.DateTimeField(null=True)
        number = pw.IntegerField()
        left_out = pw.IntegerField()
        problem = pw.CharField(max_length=20)

        class Meta:
            database = db
            table_name = "restore_requests"
            legacy_table_names = False
            indexes = ((("user", "asked"), False), (("state", "asked"), False))

    db.create_tables([BackupNight, RestoreRequest], safe=False)


def down(migrator, db):
    migrator.migrate(migrator.drop_table("restore_requests"), migrator.drop_table("backup_nights"))
