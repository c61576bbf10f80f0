"""A whole small establishment on this machine: Dovecot, an SMTP server, the web application and filled mailboxes."""
