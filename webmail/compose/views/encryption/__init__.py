"""What the writing page says and asks of signing and encrypting."""
