"""Transfers by a FileSender of the establishment's instead of our own: its REST API, and what stands between it and our pages."""
