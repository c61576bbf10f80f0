"""Dovecot: one template for the demo, the tests and production."""
