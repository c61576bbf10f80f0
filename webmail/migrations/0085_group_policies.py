"""What groups give their people, and what holds for somebody after all; groups with an address, and who looks after them."""

import peewee as pw

ACCOUNTS = {
    "quota_own": pw.BigIntegerField(null=True),
    "quota_fixed": pw.IntegerField(null=True),
    "quota_messages": pw.IntegerField(null=True),
    "policy": pw.TextField(null=True),
    "own_policy": pw.TextField(null=True),
}
GROUPS = {
    "address": pw.CharField(max_length=254, null=True, unique=True),
    "writers": pw.CharField(max_length=10, null=True),
    "policy": pw.TextField(null=True),
    "version": pw.IntegerField(null=True, default=0),
}


def up(migrator, db):
    db.create_tables([_group_owners(db)])
    for table, columns in (("accounts", ACCOUNTS), ("people_groups", GROUPS)):
        migrator.migrate(*(migrator.add_column(table, name, field) for name, field in columns.items()))


def down(migrator, db):
    migrator.migrate(migrator.drop_index("people_groups", "people_groups_address"))
    for table, columns in (("people_groups", GROUPS), ("accounts", ACCOUNTS)):
        migrator.migrate(*(migrator.drop_column(table, name) for name in columns))
    db.drop_tables([_group_owners(db)])


def _group_owners(db):
    class Base(pw.Model):
        class Meta:
            database = db

    class User(Base):
        class Meta:
            table_name = "accounts"

    class PeopleGroup(Base):
        class Meta:
            table_name = "people_groups"

    class GroupOwner(Base):
        group = pw.ForeignKeyField(PeopleGroup, on_delete="CASCADE", backref="+", index=False)
        user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")

        class Meta:
            table_name = "group_owners"
            indexes = ((("group", "user"), True),)

    return GroupOwner
