"""Signing in by what the establishment already has: providers of OpenID Connect, an LDAP directory, CAS, a proxy's header.

Each has a module of its own that finds out who somebody is and says so as `Claims`; `accounts.py` decides whose account that is.
"""
