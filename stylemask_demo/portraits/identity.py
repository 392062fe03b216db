"""Who a portrait shows, as a vector."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image

from stylemask_demo.media.tensors import to_tensor
from stylemask_demo.networks.arcface import ArcFace
from stylemask_demo.networks.identity_network import IdentityNetwork


@torch.inference_mode()
def identities(network: IdentityNetwork | ArcFace, crops: Sequence[Image.Image]) -> np.ndarray:
    """Unit vectors (B, D) of B aligned crops of one size, which point the same way for pictures of one person.

    D is 256 for the embedded pack's network and 512 for ArcFace (Deng et al. 2019).
    """
    device = next(network.parameters()).device
    return network(to_tensor(crops).to(device)).float().cpu().numpy()
