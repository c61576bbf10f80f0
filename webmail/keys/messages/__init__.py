"""Messages that are signed or encrypted, read with a person's keys: what is inside, who signed it and how their key is known."""
