"""Pictures and videos, in and out, within limits."""
