"""People: whom a person knows, has written to, and what they said about senders. Below the areas, since most of them ask."""
