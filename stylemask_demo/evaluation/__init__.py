"""Measuring the pipeline on labelled pictures: `python -m stylemask_demo evaluate`."""
