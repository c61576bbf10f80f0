"""Header fields (RFC 5322): parsed and decoded, addresses and names in them, and what they prove."""
