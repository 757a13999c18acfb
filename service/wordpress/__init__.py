"""The WordPress form: its names of fields, its traps, and the pages that were saved with it."""
