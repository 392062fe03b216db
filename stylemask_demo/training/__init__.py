"""Training of the networks of the embedded pack: `python -m stylemask_demo train NETWORK ...`."""

from stylemask_demo.training.command import main

__all__ = ["main"]
