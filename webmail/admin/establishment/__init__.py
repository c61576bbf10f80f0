"""The establishment in pages: its settings, read from forms and told in words, and the register of what is done with data."""
