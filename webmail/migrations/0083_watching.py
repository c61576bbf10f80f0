"""What requests were counted, figures of each day, and what the doctor found last."""

from datetime import UTC, datetime

import peewee as pw


def up(migrator, db):
    db.create_tables(_tables(db))


def down(migrator, db):
    db.drop_tables(_tables(db))


def _now():
    return datetime.now(UTC).replace(tzinfo=None)


def _tables(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class MetricCount(Base):
        name = pw.CharField(max_length=100, primary_key=True)
        value = pw.BigIntegerField(default=0)

        class Meta:
            table_name = "metric_counts"

    class DailyFigure(Base):
        day = pw.CharField(max_length=10)
        name = pw.CharField(max_length=40)
        value = pw.BigIntegerField()
        at = pw.DateTimeField(default=_now)

        class Meta:
            table_name = "daily_figures"
            indexes = ((("name", "day"), True),)

    class CheckNote(Base):
        name = pw.CharField(max_length=60)
        state = pw.CharField(max_length=10)
        text = pw.TextField(default="")
        days = pw.IntegerField(null=True)
        at = pw.DateTimeField(default=_now)

        class Meta:
            table_name = "check_notes"

    return [MetricCount, DailyFigure, CheckNote]
