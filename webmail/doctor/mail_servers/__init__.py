"""What the doctor looks at in Dovecot, Postfix and DNS around them."""
