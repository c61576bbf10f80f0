"""Settings pages: preferences, identities, signatures, and the catalogue in which a setting is found."""
