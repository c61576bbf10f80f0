"""Blocked and safe senders."""
