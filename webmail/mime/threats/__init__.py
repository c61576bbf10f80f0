"""Threats: detection of dangerous attachments, lookalike names and phishing texts."""
