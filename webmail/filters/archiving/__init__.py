"""Archiving by rules: what is old goes each night to the archive, gets a tag, or is deleted (junk, trash). No Flask here.

`archive_rules` has the rules, `nights` says when whose turn it is, `archive_task` carries them out, `batches` does so safely,
`archive_log` tells it and `archive_undo` takes it back.
"""
