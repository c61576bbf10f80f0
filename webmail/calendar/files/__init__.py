"""Calendar files brought in and handed out."""
