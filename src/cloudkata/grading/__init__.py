"""One attempt: deploy, verify, check."""
