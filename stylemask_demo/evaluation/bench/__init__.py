"""The command `bench`: what a machine needs for each kind of work, and how much more plain ways to the same take."""
