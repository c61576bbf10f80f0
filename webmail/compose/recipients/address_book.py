"""Address book: contacts and groups as recipients, searched by prefix, and groups expanded to their members.

Groups are a person's own (of contacts), and those of their establishment that they see (`people/visibility.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webmail.collections.store import Access
from webmail.contacts import book_access, categories, membership
from webmail.contacts.categories import Category
from webmail.mail import Address
from webmail.mime.headers import addresses
from webmail.mime.headers.address_input import address_key
from webmail.mime.headers.address_text import address_text
from webmail.mime.headers.encoded_words import fold, sort_key, words_in
from webmail.models import Contact, User
from webmail.people import groups as people_groups
from webmail.people.groups import GroupPeople
from webmail.people.visibility import Sight

MOST_GROUPS = 200  # offered at once
_TOKEN, _TOKEN_OURS, _TOKEN_CATEGORY = "group:", "people:", "category:"


@dataclass(frozen=True, slots=True)
class Group:
    uid: str
    name: str
    people: tuple[Address, ...]  # members with an address, deduplicated
    keys: frozenset[str]  # their addresses, normalised for comparison
    domain: str = ""  # of a group of the establishment
    category: bool = False  # of contacts: its `uid` is its key

    @property
    def token(self) -> str:
        """Identifies the group in the recipient picker's form."""
        return (_TOKEN_CATEGORY if self.category else _TOKEN_OURS if self.domain else _TOKEN) + self.uid


def groups(user: User, text: str = "", most: int = 0, shelf: Sequence[Access] | None = None) -> list[Group]:
    """Matching groups with at least one address, sorted by name, with the people of groups inside them; at most `most`,
    unless it is 0. 2 queries, 2 more without the person's `shelf` of books, and 1 for each level of groups.
    """
    found = _with_people(user, _fitting(user, text, shelf), most or MOST_GROUPS)
    return _and_categories(user, text, found)[: most or MOST_GROUPS]


def groups_of_domain(user: User, text: str, sight: Sight, most: int = 0) -> list[Group]:
    """Matching groups of the establishment that one sees, with at least one active account, sorted by name. 1 query."""
    return _ours(user, people_groups.matching(user.domain, text, sight.listed_groups(), most))


def _ours(user: User, found: Iterable[GroupPeople]) -> list[Group]:
    return [
        Group(one.identifier, one.name, one.people, frozenset(address_key(person.email) for person in one.people), user.domain)
        for one in found
    ]


def _fitting(user: User, text: str, shelf: Sequence[Access] | None) -> list[Any]:
    return [book_access.visible(user, found=shelf), *(Contact.words.contains(f" {word}") for word in words_in(text)[:10])]


def _with_people(user: User, conditions: Sequence[Any], most: int = MOST_GROUPS) -> list[Group]:
    found: Any = (
        Contact.select(Contact.id, Contact.uid, Contact.name).where(Contact.kind == "group", *conditions)
    ).order_by(Contact.sort, Contact.id).limit(most).tuples()  # fmt: skip
    rows = list(found)
    if not rows:
        return []
    inside = membership.people_of(user, [number for number, _uid, _name in rows])
    return [
        Group(uid, name, tuple(inside[number].values()), frozenset(inside[number]))
        for number, uid, name in rows
        if inside.get(number)
    ]


def _and_categories(user: User, text: str, found: list[Group]) -> list[Group]:
    """These groups, with the categories that fit; a group of a category's name stands for it."""
    there = {fold(group.name) for group in found}
    others = [one for one in categories.of_user(user, text) if fold(one.name) not in there]
    return sorted([*found, *_categories(user, others)], key=lambda group: sort_key(group.name))


def _categories(user: User, wanted: Sequence[Category]) -> list[Group]:
    """Categories of a person's contacts as groups. 1 query, none for no categories."""
    people = categories.people(user, [one.key for one in wanted]) if wanted else {}
    return [_category(one.key, one.name, people[one.key]) for one in wanted if one.key in people]


def _category(key: str, name: str, people: Iterable[Address]) -> Group:
    known = {address_key(person.email): person for person in reversed(list(people))}
    ordered = dict(reversed(list(known.items())))
    return Group(key, name, tuple(ordered.values()), frozenset(ordered), category=True)


def unfolded(user: User, entries: Iterable[str], sight: Sight | None = None) -> list[str]:
    """The picker's entries with each group expanded to its members' addresses; those of the domain that one sees.

    2 queries if there are groups of contacts, 1 if there are groups of the domain, 1 if there are categories.
    """
    entries = list(entries)
    uids = [entry.removeprefix(_TOKEN) for entry in entries if entry.startswith(_TOKEN)]
    ours = [entry.removeprefix(_TOKEN_OURS) for entry in entries if entry.startswith(_TOKEN_OURS)]
    found = _with_people(user, [book_access.visible(user), Contact.uid.in_(uids[:MOST_GROUPS])]) if uids else []
    found += (
        _ours(user, people_groups.identified(user.domain, ours[:MOST_GROUPS], sight.listed_groups())) if ours and sight else []
    )
    keys = [entry.removeprefix(_TOKEN_CATEGORY) for entry in entries if entry.startswith(_TOKEN_CATEGORY)]
    found += _categories(user, [Category(key, key, 0) for key in keys[:MOST_GROUPS]])
    known = {group.token: group for group in found}
    flat: list[str] = []
    for entry in entries:
        if not entry.startswith((_TOKEN, _TOKEN_OURS, _TOKEN_CATEGORY)):
            flat.append(entry)
        elif group := known.get(entry):
            flat += [address_text([person]) for person in group.people]
    return flat


def with_groups(user: User, lists: Mapping[str, str], sight: Sight | None = None) -> dict[str, str]:
    """The address fields with bare group names expanded to the groups' members. 6 queries, or none if there is no bare name.

    A category of contacts stands for those who have it, where no group has its name. A name shared by two groups is ambiguous
    and stays as it is. Names that no group of contacts has, or that others could have given to one (2 queries more), are looked
    up among the groups of the domain that one sees; the user name of an account stays one.
    """
    items = {name: [item.strip() for item in addresses.split_list(text, ",;\n") if item.strip()] for name, text in lists.items()}
    names = {_name(item) for inside in items.values() for item in inside if "@" not in item}
    if not names:
        return dict(lists)
    named = _with_people(user, [Contact.user == user, Contact.sort.in_([sort_key(name) for name in list(names)[:100]])])
    times = Counter(fold(group.name) for group in named)
    known = {name: group for group in named if times[name := fold(group.name)] == 1}
    asked = {name: Category(categories.named(name), name, 0) for name in list(names - times.keys())[:100]}
    by_key = {group.uid: group for group in _categories(user, list(asked.values()))}
    known |= {name: by_key[one.key] for name, one in asked.items() if one.key in by_key}
    if sight and (unknown := (names - times.keys() - known.keys()) | _of_any_hand(user, known)):
        found = people_groups.named(user.domain, unknown, sight.listed_groups())
        known |= {fold(group.name): group for group in _ours(user, found)}
    if unknown := names - times.keys() - known.keys():
        known |= _of_others(user, unknown)
    filled = {}
    for field, inside in items.items():
        groups_in = {item: known[_name(item)] for item in inside if "@" not in item and _name(item) in known}
        whole = (address_text(groups_in[item].people) if item in groups_in else item for item in inside)
        filled[field] = ", ".join(whole) if groups_in else lists[field]
    return filled


def _of_any_hand(user: User, existing: Mapping[str, Group]) -> set[str]:
    """The names of groups and categories that stand only in one's books into which others write: whoever does so takes no mail
    from a group of the establishment by giving its name to theirs. 1 query, 3 where there are such books."""
    if not existing or not (shared := book_access.written_by_others(user)):
        return set()
    keys = categories.kept_alone(user, [one.uid for one in existing.values() if one.category], shared)
    uids = [one.uid for one in existing.values() if not one.category]
    alone = Contact.collection.is_null() | Contact.collection.not_in(shared)
    found: Any = Contact.select(Contact.uid).where(Contact.user == user, Contact.uid.in_(uids), alone).tuples()
    kept = {uid for (uid,) in found}
    return {name for name, one in existing.items() if one.uid not in (keys if one.category else kept)}


def _of_others(user: User, unknown: Iterable[str]) -> dict[str, Group]:
    """Groups in books that others share, by these names, where one group has it. They come last: nobody may take mail from what a
    name means without them. 2 queries, 2 more where books are shared."""
    if not (shared := book_access.shared(user)):
        return {}
    wanted = [sort_key(name) for name in list(unknown)[:100]]
    found = _with_people(user, [Contact.collection.in_(shared), Contact.sort.in_(wanted)])
    times = Counter(fold(group.name) for group in found)
    return {name: group for group in found if times[name := fold(group.name)] == 1}


def _name(item: str) -> str:
    return fold(" ".join(item.strip(' "').split()))
