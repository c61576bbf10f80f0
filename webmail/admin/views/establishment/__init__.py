"""Views of the establishment: its settings, and the register of what is done with data."""
