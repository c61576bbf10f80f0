"""Mailboxes: the list of them with counts and roles, quota and rights; made, renamed, deleted."""
