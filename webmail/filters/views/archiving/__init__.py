"""Pages of archiving."""
