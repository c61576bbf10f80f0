"""Sanitizing and rendering HTML: HTML mail, Markdown, links and conversion to text."""
