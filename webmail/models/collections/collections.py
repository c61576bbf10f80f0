"""Tables of collections: the books and calendars that telephones keep in step, what is gone, the trash.

`seq` is the number of a collection's latest change. It is counted by an UPDATE of the collection's row, whose lock makes changes
take effect in the order of their numbers: whoever knows all up to one number misses nothing by asking for what came after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import peewee as pw

from webmail.models.accounts import User
from webmail.models.base import Table, now
from webmail.models.people import PeopleGroup


class Collection(Table):
    """A book of contacts or a calendar."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="collections", index=False)  # the owner
    name = pw.CharField(max_length=190)  # in its address
    kind = pw.CharField(max_length=11)  # "addressbook" or "calendar"
    components = pw.CharField(max_length=60, default="")  # of a calendar: "VEVENT,VTODO"
    props = pw.TextField(default="{}")  # JSON: name, colour, order and what else programs store, by names like "D:displayname"
    seq = pw.BigIntegerField(default=0)
    floor = pw.BigIntegerField(default=0)  # what was deleted up to this number is forgotten
    size = pw.BigIntegerField(default=0)  # bytes
    count = pw.IntegerField(default=0)
    chosen = pw.IntegerField(default=0)  # 1: new things go here, not into the oldest of its kind
    created = pw.DateTimeField(default=now)
    modified = pw.DateTimeField(default=now)
    derived = pw.CharField(max_length=12, default="")  # what it is made from ("birthdays"), where only we write it
    hides_private = pw.IntegerField(default=0)  # 1: also who may write sees of private events only when they are
    private_news = pw.IntegerField(default=0)  # 1: the owner was not told yet what those see now who have it
    if TYPE_CHECKING:
        user_id: int

    class Meta:
        table_name = "collections"
        indexes = ((("user", "name"), True),)


class CollectionShare(Table):
    """Somebody else, or a group, who may use a collection; or (`rights` is "") only how it looks to somebody, who may be in such
    a group, or get rights again, and whether they were told that they lost theirs.
    """

    collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="shares", index=False)
    user = pw.ForeignKeyField(User, null=True, on_delete="CASCADE", backref="collection_shares")
    group = pw.ForeignKeyField(PeopleGroup, null=True, on_delete="CASCADE", backref="collection_shares")
    rights = pw.CharField(max_length=6, default="")  # "busy", "read", "write" or "manage"
    props = pw.TextField(default="{}")  # JSON, laid over the collection's
    hidden = pw.IntegerField(default=0)  # 1: this person wants it on no page and no device
    # 1: this person knows that it is shared with them; 2: not yet that it no longer is, 3: nor with a group of theirs
    seen = pw.IntegerField(default=0)
    lowered = pw.CharField(max_length=6, default="")  # the rights that they had, where they don't know yet that they have less
    created = pw.DateTimeField(default=now)
    if TYPE_CHECKING:
        collection_id: int
        user_id: int | None
        group_id: int | None

    class Meta:
        table_name = "collection_shares"
        indexes = ((("collection", "user"), True), (("collection", "group"), True))


class GroupCollection(Table):
    """A book or calendar that belongs to a group and to no person: its owner is an account that nobody signs in to.

    Who reads and writes in it are shares like any other.
    """

    collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="+", unique=True)
    group = pw.ForeignKeyField(PeopleGroup, on_delete="CASCADE", backref="+")
    writers = pw.CharField(max_length=8, default="members")  # or "owners" of the group, or "named": its members with a share
    created = pw.DateTimeField(default=now)
    if TYPE_CHECKING:
        collection_id: int
        group_id: int

    class Meta:
        table_name = "group_collections"


class CollectionNote(Table):
    """What somebody who manages a collection did with it, which its owner is told."""

    collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="+")
    by = pw.CharField(max_length=254)  # an address
    act = pw.CharField(max_length=8)  # a ManagerAct
    about = pw.CharField(max_length=254, default="")  # an address, or the name of a group; a kind of CalendarLink
    rights = pw.CharField(max_length=6, default="")  # as in `CollectionShare`
    seen = pw.IntegerField(default=0)  # 1: the owner knows
    at = pw.DateTimeField(default=now, index=True)
    if TYPE_CHECKING:
        collection_id: int

    class Meta:
        table_name = "collection_notes"


class GoneItem(Table):
    """An item that a collection no longer has, for those who synchronise."""

    collection = pw.ForeignKeyField(Collection, on_delete="CASCADE", backref="gone", index=False)
    href = pw.CharField(max_length=255)
    seq = pw.BigIntegerField()
    at = pw.DateTimeField(default=now, index=True)

    class Meta:
        table_name = "gone_items"
        indexes = ((("collection", "href"), True), (("collection", "seq"), False))


class TrashedCollection(Table):
    """A book or calendar that was deleted, kept for a while with what was in it (`TrashedItem.whole`)."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="trashed_collections")
    name = pw.CharField(max_length=190)  # in its address
    kind = pw.CharField(max_length=11)
    components = pw.CharField(max_length=60, default="")
    props = pw.TextField(default="{}")
    shares = pw.TextField(default="[]")  # JSON: [user's id or null, group's id or null, rights, props, hidden, seen]
    hides_private = pw.IntegerField(default=0)
    by = pw.CharField(max_length=254, default="")  # who did it
    device = pw.CharField(max_length=60, default="")
    at = pw.DateTimeField(default=now, index=True)
    batch = pw.BigIntegerField()  # of its items

    class Meta:
        table_name = "trashed_collections"


class LostShare(Table):
    """What was shared with somebody who was not told yet that it was deleted. It is while `collection` is still there."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    collection = pw.ForeignKeyField(Collection, null=True, on_delete="SET NULL", backref="+")
    whole = pw.ForeignKeyField(TrashedCollection, on_delete="CASCADE", backref="+")  # it may come back
    kind = pw.CharField(max_length=11)  # as in `Collection`
    title = pw.CharField(max_length=190)  # as they had it
    owner = pw.CharField(max_length=254)  # their name

    class Meta:
        table_name = "lost_shares"


class ToldNotice(Table):
    """What somebody was told of what is shared, and has dismissed: the words, in the language that they read them in."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="+")
    words = pw.TextField()
    at = pw.DateTimeField(default=now)

    class Meta:
        table_name = "told_notices"


class TrashedItem(Table):
    """A contact or calendar object that was deleted by a telephone or program, or with its collection, kept for a while."""

    user = pw.ForeignKeyField(User, on_delete="CASCADE", backref="trashed_items")  # the owner of the collection
    collection = pw.ForeignKeyField(Collection, null=True, on_delete="SET NULL", backref="+")
    collection_name = pw.CharField(max_length=190)  # in its address: it may be gone
    kind = pw.CharField(max_length=11)  # as in `Collection`
    href = pw.CharField(max_length=255)
    uid = pw.CharField(max_length=255)
    title = pw.CharField(max_length=190, default="")
    words = pw.CharField(max_length=400, default="")  # of the title, without case and accents, a space before each
    by = pw.CharField(max_length=254, default="")  # who did it
    device = pw.CharField(max_length=60, default="")  # what they call it; "" for pages
    place = pw.CharField(max_length=190, default="")  # what the collection was called
    at = pw.DateTimeField(default=now, index=True)
    batch = pw.BigIntegerField(default=0)  # the same for what a device deleted within minutes: when that began, in microseconds
    whole = pw.IntegerField(null=True, index=True)  # the `TrashedCollection` that it was deleted with
    size = pw.IntegerField(default=0)  # bytes
    text = pw.TextField()
    if TYPE_CHECKING:
        collection_id: int | None

    class Meta:
        table_name = "trashed_items"
        indexes = ((("user", "batch"), False),)
