"""Text: the form in which it is stored, and the markup that becomes HTML."""
