"""Pages of books and calendars as such: listed, shared, managed, their trash."""
