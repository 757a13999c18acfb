"""Pages for people: signing in, the list of pending comments, the demo, the problems and the reference."""
