"""Demo: a complete small installation on this machine: Dovecot, an SMTP server, the web application and filled mailboxes."""
