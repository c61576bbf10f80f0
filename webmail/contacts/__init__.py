"""Contacts: cards in the person's books, and what lists, look-ups and duplicates need of them."""
