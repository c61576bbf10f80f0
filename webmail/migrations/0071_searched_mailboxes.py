"""In which mailboxes something arrived that the worker has not read, and how far it has read them: so far, inboxes alone."""

import peewee as pw


def up(migrator, db):
    table = _searched_mailboxes(db)
    db.create_tables([table])
    db.execute_sql(
        "INSERT INTO searched_mailboxes (user_id, mailbox, told, due, uidvalidity, uidnext) "
        "SELECT user_id, 'INBOX', 0, 0, uidvalidity, uidnext FROM reply_searches"
    )


def down(migrator, db):
    db.drop_tables([_searched_mailboxes(db)])


def _searched_mailboxes(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class SearchedMailbox(Base):
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+", index=False)
        mailbox = pw.CharField(max_length=500)
        told = pw.IntegerField(default=0)
        due = pw.BigIntegerField(default=0, index=True)
        uidvalidity = pw.BigIntegerField(default=0)
        uidnext = pw.BigIntegerField(default=0)

        class Meta:
            table_name = "searched_mailboxes"
            indexes = ((("user", "mailbox"), True),)

    return SearchedMailbox
