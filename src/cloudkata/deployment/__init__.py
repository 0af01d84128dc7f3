"""Runs learner code apart from us, and verifies what it claims to have made."""
