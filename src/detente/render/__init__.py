"""Described results for the terminal, as a web page, and as data for programs."""
