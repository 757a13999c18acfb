"""The state of the running service: is it alive, is it ready, what does it count."""
