"""Where an attempt is deployed."""
