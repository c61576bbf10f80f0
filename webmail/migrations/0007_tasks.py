"""Background work: tasks of people, workers that are alive, periodic work."""

from datetime import UTC, datetime

import peewee as pw


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def up(migrator, db):
    db.create_tables(tables(db))


def down(migrator, db):
    db.drop_tables(list(reversed(tables(db))))


def tables(db):
    class Table(pw.Model):
        class Meta:
            database = db
            legacy_table_names = False

    class User(Table):
        class Meta:
            table_name = "accounts"

    class Task(Table):
        id = pw.CharField(max_length=32, primary_key=True)
        user = pw.ForeignKeyField(User, on_delete="CASCADE", index=False)
        kind = pw.CharField(max_length=40)
        arguments = pw.TextField(default="{}")
        state = pw.CharField(max_length=12, default="waiting")
        progress = pw.IntegerField(default=0)
        total = pw.IntegerField(default=0)
        cursor = pw.TextField(default="null")
        turn = pw.IntegerField(default=0)
        tries = pw.IntegerField(default=0)
        worker = pw.CharField(max_length=32, default="")
        lease = pw.DateTimeField(null=True)
        due = pw.DateTimeField(default=now)
        cancelling = pw.BooleanField(default=False)
        result = pw.TextField(default="{}")
        error = pw.CharField(max_length=60, default="")
        created = pw.DateTimeField(default=now)
        finished = pw.DateTimeField(null=True)

        class Meta:
            table_name = "tasks"
            indexes = ((("user", "created"), False), (("state", "due"), False))

    class Worker(Table):
        id = pw.CharField(max_length=32, primary_key=True)
        host = pw.CharField(max_length=190)
        process = pw.IntegerField()
        started = pw.DateTimeField(default=now)
        seen = pw.DateTimeField(default=now, index=True)

        class Meta:
            table_name = "workers"

    class PeriodicJob(Table):
        name = pw.CharField(max_length=40, primary_key=True)
        begun = pw.DateTimeField(default=lambda: datetime(2000, 1, 1))

        class Meta:
            table_name = "periodic_jobs"

    return [Task, Worker, PeriodicJob]
