"""Commands about the installation as a whole: where its database is, its version, what comes from other servers and backups."""
