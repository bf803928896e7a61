"""What an ensemble of worlds tells: who prefers what, where, and which assumptions decide it."""
