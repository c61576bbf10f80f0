"""Rules: as data, as Sieve, tried out and applied to mail that is there already."""
