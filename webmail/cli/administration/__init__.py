"""Commands of administration that have pages too: one implementation beneath both."""
