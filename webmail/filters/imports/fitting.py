"""Fitting: the folders that other programs name, as they are called here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from webmail.filters.rules.rules import ActionKind, FilterRule
from webmail.imap.mailbox_list.mailboxes import Overview
from webmail.mailbox import folders

_IN_FOLDERS = (ActionKind.MOVE, ActionKind.COPY)


def folders_of(rule: FilterRule) -> Iterator[str]:
    return (action.value for action in rule.actions if action.kind in _IN_FOLDERS)


def with_folders(rule: FilterRule, named: Mapping[str, str]) -> FilterRule:
    """The rule with these folders instead of those it has."""
    actions = tuple(
        replace(one, value=named.get(one.value, one.value)) if one.kind in _IN_FOLDERS else one for one in rule.actions
    )
    return replace(rule, actions=actions)


def folder_here(name: str, found: Overview) -> str:
    """The folder that is meant: with this server's delimiter, with or without INBOX before it, in any case; "" for none."""
    names = {one.name.casefold(): one.name for one in found.mailboxes if one.selectable}
    for candidate in _spellings(name, found):
        if candidate.casefold() in names:
            return names[candidate.casefold()]
    return ""


def new_name(name: str, found: Overview) -> str:
    """How it would be called here, as a path to be made."""
    return _bare(name).replace("/", folders.delimiter_of(found))


def _spellings(name: str, found: Overview) -> Iterator[str]:
    mark, root = folders.delimiter_of(found), found.namespaces.root[0]
    yield name
    for path in (name.strip("/"), _bare(name)):
        for other in ("/", "."):
            yield path.replace(other, mark)
            yield root + path.replace(other, mark)


def _bare(name: str) -> str:
    path = name.strip("/")
    for before in ("INBOX/", "INBOX."):
        if path.upper().startswith(before) and len(path) > len(before):
            return path[len(before) :]
    return path
