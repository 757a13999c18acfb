"""What the person at the keyboard meets: checks before a start and one line for what is wrong."""
