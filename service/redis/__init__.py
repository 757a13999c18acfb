"""Connections to Redis: one server, Sentinels or a cluster, by their URL."""
