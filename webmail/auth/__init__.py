"""Signing in: a folder for each of its parts. Here: who may see a page (guard), and what administrators change of an account."""
