"""Writing: a folder for each part of a message on its way: draft, recipients, attachments, replies, the outbox."""
