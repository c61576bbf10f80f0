"""Forms and what comes with requests: fields, limits, sent twice, from other sites, kept for going back."""
