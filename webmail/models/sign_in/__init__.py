"""Tables of signing in: sessions, factors, providers, recovery, devices."""
