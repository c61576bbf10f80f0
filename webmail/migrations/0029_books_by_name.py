"""Contacts of a book by name, without reading their cards."""


def up(migrator, db):
    db.execute_sql("CREATE INDEX contacts_collection_id_sort ON contacts (collection_id, sort)")


def down(migrator, db):
    db.execute_sql("DROP INDEX contacts_collection_id_sort")
