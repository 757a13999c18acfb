"""The shared kernel: what a comment is, which changes of it are legal, and what they do to what is public."""
