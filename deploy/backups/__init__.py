"""Backups of a whole server, by restic: every night, a sample brought back every week, all of it by `sudo deploy/restore`.

As root, since mail, keys and settings belong to several users; the standard library alone, as the installer. `places.py` is what
is in one, `contents.py` what is counted, `mail_copy.py` how mail is copied while it arrives, `repository.py` restic,
`restoring.py` the way back, `asked.py` what people ask for on a page, of which `person.py` is mail and `kept_items.py` calendars
and books. docs/administrator/backup.md.
"""
