"""A scenario solved anew in many draws that its ranges allow, and what they have in common."""
