"""The workbench: a page on the user's own machine on which assumptions are moved and seen."""
