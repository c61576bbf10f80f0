"""The guests of a meeting: who is invited, what leaves to them, what they answered. The texts of iTIP are in `webmail/itip/`."""
