"""What an ensemble of draws tells: who prefers what, where, and which assumptions decide it."""
