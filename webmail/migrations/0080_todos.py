"""What is to be done, as lists show it. A worker finds that of before."""

import peewee as pw

FOR_EVER = 2**53


def up(migrator, db):
    fill, objects, _collections, todos = _tables(db)
    db.create_tables([todos])
    last = objects.select(pw.fn.MAX(objects.id)).scalar()
    if last:
        fill.create(name="todos", upto=0, until=last)


def down(migrator, db):
    fill, _objects, _collections, todos = _tables(db)
    db.drop_tables([todos])
    fill.delete().where(fill.name == "todos").execute()


def _tables(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class IndexFill(Base):
        name = pw.CharField(max_length=20, unique=True)
        upto = pw.BigIntegerField(default=0)
        until = pw.BigIntegerField()

        class Meta:
            table_name = "index_fills"

    class CalendarObject(Base):
        class Meta:
            table_name = "calendar_objects"

    class Collection(Base):
        class Meta:
            table_name = "collections"

    class Todo(Base):
        object = pw.ForeignKeyField(CalendarObject, on_delete="CASCADE", backref="+", unique=True)
        collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="+", index=False)
        title = pw.CharField(max_length=300, default="")
        due = pw.BigIntegerField(default=FOR_EVER)
        whole_day = pw.IntegerField(default=0)
        start = pw.BigIntegerField(null=True)
        done = pw.IntegerField(default=0)
        completed = pw.BigIntegerField(default=0)
        priority = pw.IntegerField(default=10)
        percent = pw.IntegerField(default=0)
        repeats = pw.IntegerField(default=0)
        parent = pw.CharField(max_length=255, default="")
        message = pw.CharField(max_length=64, default="")
        private = pw.IntegerField(default=0)
        position = pw.BigIntegerField(default=0)

        class Meta:
            table_name = "todos"
            indexes = (
                (("collection", "done", "due"), False),
                (("collection", "parent"), False),
                (("message",), False),
            )

    return [IndexFill, CalendarObject, Collection, Todo]
