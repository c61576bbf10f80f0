"""Pages of the organiser of a meeting: a time that suits all, what the guests answered."""
