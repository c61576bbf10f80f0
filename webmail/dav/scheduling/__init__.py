"""Scheduling for devices (RFC 6638): what leaves when they write, the outbox that tells when people are free, the inbox."""
