"""Pages of messages on their way: the outbox, sending later, sending on."""
