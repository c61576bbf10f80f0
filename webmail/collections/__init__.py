"""Collections: what books and calendars have in common: who has them, shares, names, numbers of changes, trash."""
