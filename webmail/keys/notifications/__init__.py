"""Notifications of keys: system mail to people about their own."""
