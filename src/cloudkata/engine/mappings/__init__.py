"""What event source mappings of all kinds share: calls on behalf of a function, and what its role permits."""
