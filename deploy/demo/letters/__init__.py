"""Demo mail: generates plausible, invented messages, deterministic for a given day, dated back from today."""
