"""Groups in administration: what is typed of them, who is added by it, and how a deletion is undone."""
