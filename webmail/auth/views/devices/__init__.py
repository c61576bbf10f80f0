"""Pages of sessions, telephones and programs; and the addresses that these ask by themselves."""
