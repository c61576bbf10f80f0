"""Events from words: what is typed in one line, and dates in the text of a message."""
