"""What the steps of tasks changed, so that an import can be undone however it ended."""

import peewee as pw


def up(migrator, db):
    db.create_tables(_tables(db))


def down(migrator, db):
    db.drop_tables(_tables(db))


def _tables(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class Task(Base):
        id = pw.CharField(max_length=32, primary_key=True)

        class Meta:
            table_name = "tasks"

    class TaskUndo(Base):
        task = pw.ForeignKeyField(Task, on_delete="CASCADE", backref="+")
        count = pw.IntegerField()
        steps = pw.TextField()

        class Meta:
            table_name = "task_undo"

    return [TaskUndo]
