"""Drives that speak WebDAV (RFC 4918): Nextcloud, ownCloud and their kin, kDrive, any other server."""
