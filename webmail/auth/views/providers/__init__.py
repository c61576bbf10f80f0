"""Pages of signing in elsewhere: OpenID Connect, CAS, a proxy's header."""
