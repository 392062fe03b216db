"""Reenactment methods: the codes of a source and a target face in, the code of the result out."""

from stylemask_demo.methods.available import check_method, methods_of
from stylemask_demo.methods.code import FaceCode
from stylemask_demo.methods.directions import Directions
from stylemask_demo.methods.motion import Motion
from stylemask_demo.methods.stylemask import StyleMask
from stylemask_demo.methods.transfer import Transfer

__all__ = ["Directions", "FaceCode", "Motion", "StyleMask", "Transfer", "check_method", "methods_of"]
