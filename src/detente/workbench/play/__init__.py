"""A stand-off played by people, and by its solution where there are none; then the debrief."""
