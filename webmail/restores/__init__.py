"""Restores: what people, or administrators for them, ask to have back from a backup, and putting calendars and books back.

Belongs here: the request, its page, its words. Reading backups is for root alone, in `deploy/backups/`, which asks by commands.
"""
