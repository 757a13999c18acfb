"""Publication: what the world reads. Only visible comments and tombstones, through one serialiser."""
