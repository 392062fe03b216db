"""Training of the networks of the embedded pack: `python -m stylemask_demo train NETWORK ...`."""
