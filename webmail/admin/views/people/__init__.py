"""People: the list, one person, new accounts, changes of one or many."""
