"""Address books of other programs: their files as entries, and entries as cards."""
