"""Fitting directions for a pack that came without."""
