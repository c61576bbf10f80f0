"""Signing in: a folder for each of its parts. Here: who may see a page (guard), what administrators change of an account,
and whose an address is."""
