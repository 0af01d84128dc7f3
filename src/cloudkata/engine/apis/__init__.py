"""What API Gateway does beside MiniStack's own data plane."""
