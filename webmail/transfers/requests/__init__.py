"""Asking for files: pages on which people without an account send some to somebody who has one."""
