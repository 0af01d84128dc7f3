"""The command `kata`."""
