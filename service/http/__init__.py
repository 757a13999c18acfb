"""What every route shares: reading requests, answering, the edge in front of the router, and OpenAPI."""
