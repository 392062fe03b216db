"""Fitting directions for a pack that came without."""

from stylemask_demo.calibration.calibrator import Calibrator, PackCalibration

__all__ = ["Calibrator", "PackCalibration"]
