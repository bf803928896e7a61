"""What an analyst asks of a game beyond its forecast."""
