"""Reenactment methods: the codes of a source and a target face in, the code of the result out."""

from stylemask_demo.generator.style_space import PictureCode, StyleSpace
from stylemask_demo.methods.code import FaceCode
from stylemask_demo.methods.directions import Directions
from stylemask_demo.methods.motion import Motion
from stylemask_demo.methods.stylemask import StyleMask

__all__ = ["Directions", "FaceCode", "Motion", "PictureCode", "StyleMask", "StyleSpace"]
