"""Connecting telephones and mail programs: their servers, Apple's profile, what they ask by themselves, DNS records. No Flask."""
