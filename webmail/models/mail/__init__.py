"""Tables beside mail, which itself stays on the IMAP server: drafts, outbox, tags, rules' copies, habits."""
