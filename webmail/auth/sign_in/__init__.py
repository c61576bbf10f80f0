"""The moment of signing in: name and password checked, slowed down for whoever guesses, and what comes before the first page."""
