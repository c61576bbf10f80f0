"""Watching an installation: figures, metrics, the audit log as pages, and lists to act on. No Flask here."""
