"""Jinja: its environment, compiled templates, addresses in them, fragments that are remembered."""
