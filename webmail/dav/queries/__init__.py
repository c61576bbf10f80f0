"""Questions of devices about many items: their filters, what is asked of each item, and what an answer may cost."""
