"""Second factors: what proves that it is the person, besides the password: apps, keys, codes, colleagues who vouch."""
