"""A scenario solved anew in many worlds that its ranges allow, and what they have in common."""
