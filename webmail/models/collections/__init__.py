"""Tables of books and calendars, of what is in them, and of those that live elsewhere."""
