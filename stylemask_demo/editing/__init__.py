"""Sliders: what each commands, its safe range, and the correction of what a result misses."""
