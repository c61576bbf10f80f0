"""Uploads: bytes as they come, by forms and by tus, then checked as whole files."""
