"""Sieve (RFC 5228): scripts as a tree, read and written. What rules mean: `webmail/filters/`; the server: `managesieve.py`."""
