"""Snoozed messages: they wait in a folder of their own and come back at their time."""
