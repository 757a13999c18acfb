"""Administration: sites, their settings and articles, and who may do what on them."""
