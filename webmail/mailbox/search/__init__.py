"""The search box: its words and operators, suggestions, and what was found marked in the rows."""
