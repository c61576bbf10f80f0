"""One desk for what people ask: a case for each request that waits."""

import json
from datetime import UTC, datetime

import peewee as pw


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def up(migrator, db):
    cases, answers = _tables(db)
    db.create_tables([cases, answers])
    _fill(cases, db)


def down(migrator, db):
    cases, answers = _tables(db)
    db.drop_tables([answers, cases])


def _fill(cases, db):
    """A case for what waits already."""

    def opened(kind, number, asked, user, address, topic="", text="", seen=None):
        domain = (address or "").rpartition("@")[2].lower()
        cases.insert(
            kind=kind, number=number, user=user, address=address or "", domain=domain[:190], topic=topic or "", text=text or "",
            seen=json.dumps({name: value for name, value in (seen or {}).items() if value}), asked=asked, changed=now(),
        ).on_conflict_ignore().execute()  # fmt: skip

    def rows(sql):
        return db.execute_sql(sql).fetchall()

    def moment(value):
        return datetime.fromisoformat(value) if isinstance(value, str) else value

    for row in rows(
        "SELECT s.id, s.created, s.user_id, COALESCE(a.address, s.username), s.kind, s.text, s.contact, s.browser, s.network, "
        "s.reference FROM support_requests s LEFT JOIN accounts a ON a.id = s.user_id WHERE s.closed IS NULL"
    ):
        seen = dict(zip(("contact", "browser", "network", "reference"), row[6:], strict=True))
        opened("support", row[0], moment(row[1]), row[2], row[3], row[4], row[5], seen)
    for row in rows(
        "SELECT r.id, r.asked, r.user_id, a.address, r.note FROM room_requests r JOIN accounts a ON a.id = r.user_id "
        "WHERE r.closed IS NULL"
    ):
        opened("space", row[0], moment(row[1]), row[2], row[3], "", row[4])
    for row in rows("SELECT id, deletion_asked, address, deletion_reason FROM accounts WHERE deletion_asked IS NOT NULL"):
        opened("deletion", row[0], moment(row[1]), row[0], row[2], "", row[3])
    for row in rows(
        "SELECT p.id, p.created, p.user_id, a.address, p.subject FROM phishing_reports p JOIN accounts a ON a.id = p.user_id "
        "WHERE p.handled IS NULL"
    ):
        opened("phishing", row[0], moment(row[1]), row[2], row[3], "", row[4])
    for row in rows(
        "SELECT r.id, r.created, r.address, r.reason, r.text, a.domain FROM transfer_reports r "
        "JOIN transfers t ON t.id = r.transfer_id JOIN accounts a ON a.id = t.owner_id WHERE r.settled IS NULL"
    ):
        opened("abuse", row[0], moment(row[1]), None, row[2], row[3], row[4])
        cases.update(domain=row[5]).where((cases.kind == "abuse") & (cases.number == row[0])).execute()


def _tables(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class DeskCase(Base):
        kind = pw.CharField(max_length=12)
        number = pw.BigIntegerField()
        user = pw.ForeignKeyField(User, null=True, on_delete="CASCADE", backref="+", index=False)
        address = pw.CharField(max_length=254, default="")
        domain = pw.CharField(max_length=190, default="")
        topic = pw.CharField(max_length=20, default="")
        text = pw.TextField(default="")
        seen = pw.TextField(default="{}")
        state = pw.CharField(max_length=10, default="new")
        holder = pw.ForeignKeyField(User, null=True, on_delete="SET NULL", backref="+")
        holder_address = pw.CharField(max_length=254, default="")
        version = pw.IntegerField(default=0)
        asked = pw.DateTimeField(default=now)
        changed = pw.DateTimeField(default=now)

        class Meta:
            table_name = "desk_cases"
            indexes = (
                (("kind", "number"), True),
                (("state", "asked"), False),
                (("domain", "state", "asked"), False),
                (("user", "asked"), False),
                (("address",), False),
            )

    class DeskAnswer(Base):
        case = pw.ForeignKeyField(DeskCase, on_delete="CASCADE", backref="answers")
        author = pw.ForeignKeyField(User, null=True, on_delete="SET NULL", backref="+")
        author_address = pw.CharField(max_length=254, default="")
        theirs = pw.IntegerField(default=0)
        text = pw.TextField(default="")
        created = pw.DateTimeField(default=now)

        class Meta:
            table_name = "desk_answers"

    return DeskCase, DeskAnswer
