"""Import kinds: what the tasks that bring mail in are called, for pages that tell of them without doing any of it."""

IMPORT = "mail-import"
MOVE_IN = "mail-move-in"
UNDO = "mail-import-undo"
