"""Large files of a message, which it carries as a link."""
