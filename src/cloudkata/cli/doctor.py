"""`kata doctor`."""


def doctor() -> None:
    """Show what this machine's sandbox and the target do, by doing it."""
