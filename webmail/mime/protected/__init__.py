"""Messages that are signed or encrypted (RFC 1847, RFC 3156, RFC 8551): what in their bytes is, and how they are written. No
cryptography: that is webmail/crypto/."""
