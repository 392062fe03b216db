"""A network that lays the photo's own detail, strands of hair and texture of skin, over what the generator made of it."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylemask_demo.networks.correspondence import CELL, Correspondence, CorrespondenceNetwork, centres, moved
from stylemask_demo.networks.unet import UNet, cells

BLENDED = 2  # pixels on each side of the cells in which layers are blended


class Layers(NamedTuple):
    """What a result is made of.

    `base` (B, 3, S, S) is the generator's part with all that is corrected. Of shares (B, 1, S, S), `moved` is that of the
    photo moved to where the result shows it, as what the inversion has missed of it and in the result's place, and
    `unmoved` that of the photo where it is. `drawn` (B, 3, S, S) is all of it together; `first` and `found` are the
    correspondences by which the photo is moved.
    """

    drawn: Tensor
    base: Tensor
    moved: Tensor
    unmoved: Tensor
    first: Correspondence
    found: Correspondence

    def of(self, number: int) -> "Layers":
        """The layers of one result of the batch, as a batch of its own."""
        one = slice(number, number + 1)
        first, found = (Correspondence(*(part[one] for part in look)) for look in (self.first, self.found))
        return Layers(self.drawn[one], self.base[one], self.moved[one], self.unmoved[one], first, found)

    def within(self, mask: Tensor, photo: Tensor) -> "Layers":
        """The layers where `mask` (B, 1, S, S) is 1, and the photo (B, 3, S, S) where it is 0."""
        drawn = torch.lerp(photo, self.drawn, mask)
        base, shared, unmoved = mask * self.base, mask * self.moved, 1 - mask + mask * self.unmoved
        return Layers(drawn, base, shared, unmoved, self.first, self.found)


class DetailNetwork(nn.Module):
    """Photo, inversion and result -> the result with the photo's detail.

    Photo and inversion are moved to where the result shows the same parts of the head. A U-Net chooses for each pixel how
    much of the moved photo is added, as what the inversion has missed, or put in the result's place, where the background
    shows the photo unmoved, and what is corrected. After Wang et al., "High-Fidelity GAN Inversion for Image Attribute
    Editing" (2022), who align and add what an inversion has missed too, within the generator.
    """

    def __init__(self) -> None:
        super().__init__()
        self.correspondence = CorrespondenceNetwork()
        # Down to maps of 8 by 8 for 256 pixels: what a turning head uncovers can only be told from far around.
        self.blend = UNet(13 * BLENDED**2 + 3, (32, 48, 64, 96, 128), 6 * BLENDED**2)

    def forward(self, photo: Tensor, inversion: Tensor, made: Tensor, places: Tensor, poses: Tensor) -> Layers:
        """Pictures (B, 3, S, S) in -1..1, `places` of `find_places` and `poses` (B, 6), degrees of yaw, pitch and roll in
        photo and result -> the layers of the result."""
        of_made = places[:, 2]
        known = torch.cat([photo, torch.ones_like(photo[:, :1])], 1)
        made = moved(made, of_made, beyond="border")
        first, found = self.correspondence(known, inversion, made, places[:, :2], poses)
        lent = moved(known, found.places)
        moved_inversion = moved(inversion, places[:, 1] + found.places - places[:, 0])
        motion = torch.cat([found.places - centres(found.places.shape[-1], found.places), found.seen], 1)
        motion = F.interpolate(motion, scale_factor=float(CELL // BLENDED), mode="bilinear", align_corners=False)
        looked_at = cells([lent, moved_inversion, made, photo], [motion], BLENDED)
        layers = F.pixel_shuffle(self.blend(looked_at), BLENDED).float()
        correction, *shares = layers.split([3, 1, 1, 1], 1)
        missed, instead, unmoved = (torch.sigmoid(share - start) for share, start in zip(shares, (0, 3, 3), strict=True))
        base = made - missed * moved_inversion - (instead + unmoved) * made + correction
        drawn = base + (missed + instead) * lent[:, :3] + unmoved * photo
        return Layers(drawn, base, missed + instead, unmoved, first, found)
