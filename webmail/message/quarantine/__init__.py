"""Quarantine: a reported message is looked for in the mailboxes of others, put into their junk, and back where it was."""
