"""The HTTP server: connections, how a process goes out of service, and the workers of several."""
