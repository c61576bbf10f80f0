"""Many messages at once: acted on, copied, searched through by a task."""
