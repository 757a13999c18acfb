"""Bounds on how often something may be tried: the rules, and the limiters that count.

The arithmetic is GCRA (the generic cell rate algorithm of ITU-T I.371): for each subject one moment
is kept, the one at which its window will be empty again. `rules` is pure; `redis` counts for all
processes together, `in_process` is its twin without a server, and `fallback` puts the twin in its
place while Redis is missing. `clients` says which network address a request counts for.
"""
