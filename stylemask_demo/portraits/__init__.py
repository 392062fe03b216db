"""Portraits: what is known of one face picture, made once and kept."""
