"""Shows verdicts."""
