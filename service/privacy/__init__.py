"""Keeping addresses private: the keys, and the vault in which every address lies encrypted."""
