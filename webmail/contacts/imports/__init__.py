"""Files of contacts brought in: read, looked through, merged with what is there; and handed out."""
