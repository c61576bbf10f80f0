"""Pages of folders: all of them, one of them, with whom it is shared."""
