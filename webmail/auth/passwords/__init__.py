"""Passwords of accounts: hashed, judged, changed, and how many are checked at once."""
