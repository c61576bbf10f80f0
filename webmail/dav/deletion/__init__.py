"""Deletion by devices and of whole collections, and what brings things back."""
