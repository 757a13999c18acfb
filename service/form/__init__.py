"""The comment form: the table of its fields, and what each of them is checked by."""
