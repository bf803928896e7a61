"""Many worlds: draws of all that is not known, each solved anew."""
