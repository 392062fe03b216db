"""Stand-ins for published packs: files of the published layout whose networks draw and read rendered people."""
