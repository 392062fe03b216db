"""Colour profiles as cameras write them, and what they mean: matrix profiles, made here of their published numbers."""

import struct
from typing import NamedTuple

import numpy as np
from PIL import Image

D50 = (0.9642, 1.0, 0.8249)
# XYZ under D50 -> linear sRGB (Bradford-adapted; Lindbloom, "RGB/XYZ Matrices").
TO_SRGB = np.array(
    [[3.1338561, -1.6168667, -0.4906146], [-0.9787684, 1.9161415, 0.0334540], [0.0719453, -0.2289914, 1.4052427]]
)


class Profile(NamedTuple):
    """A space of colours: XYZ under D50 of its red, green and blue, and the gamma of its levels."""

    red: tuple[float, float, float]
    green: tuple[float, float, float]
    blue: tuple[float, float, float]
    gamma: float

    def bytes(self) -> bytes:
        """The ICC profile, version 2."""
        tags = {
            b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(79),
            b"cprt": b"text\0\0\0\0none\0",
            b"wtpt": _xyz(D50),
            b"rXYZ": _xyz(self.red),
            b"gXYZ": _xyz(self.green),
            b"bXYZ": _xyz(self.blue),
            **{
                name: b"curv\0\0\0\0" + struct.pack(">IH", 1, round(self.gamma * 256))
                for name in (b"rTRC", b"gTRC", b"bTRC")
            },
        }
        table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
        for name, content in tags.items():
            content += bytes(-len(content) % 4)
            table += name + struct.pack(">II", start + len(body), len(content))
            body += content
        header = struct.pack(">I4sI4s4s4s", start + len(body), bytes(4), 0x02400000, b"mntr", b"RGB ", b"XYZ ")
        header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", *(round(65536 * value) for value in D50))
        return header + bytes(128 - len(header)) + struct.pack(">I", len(tags)) + table + body

    def meant(self, picture: Image.Image) -> np.ndarray:
        """Levels of a picture in this space -> the levels (H, W, 3) in sRGB that are the same colours, in 0..255."""
        linear = (np.asarray(picture, np.float64) / 255) ** (round(self.gamma * 256) / 256)
        linear = linear @ np.array([self.red, self.green, self.blue]) @ TO_SRGB.T
        linear = np.clip(linear, 0, 1)
        return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def _xyz(value: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * part) for part in value))


PROFILES = {
    "Display P3": Profile((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407), 2.2),
    "Adobe RGB": Profile((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457), 2.2),
    "ProPhoto RGB": Profile((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82490), 1.8),
}
