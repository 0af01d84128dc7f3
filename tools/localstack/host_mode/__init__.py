"""Runs LocalStack 4.14 without Docker. What it answers is LocalStack's own; only where functions run is ours."""
