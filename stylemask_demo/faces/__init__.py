"""Faces in photos: finding them, cutting them out in the FFHQ way, and describing them by parameters."""
