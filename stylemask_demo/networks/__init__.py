"""Every network as a plain module: no files, no devices.

`NETWORKS` maps the class names that `pack.json` uses to the classes.
"""

from torch import nn

from stylemask_demo.networks.arcface import ArcFace
from stylemask_demo.networks.compact_motion_encoder import CompactMotionEncoder
from stylemask_demo.networks.deca import DecaEncoder
from stylemask_demo.networks.detail import DetailNetwork
from stylemask_demo.networks.direction_matrix import DirectionMatrix
from stylemask_demo.networks.e4e import Encoder4Editing
from stylemask_demo.networks.identity_network import IdentityNetwork
from stylemask_demo.networks.latent_average import LatentAverage
from stylemask_demo.networks.mask_predictors import MaskPredictors
from stylemask_demo.networks.motion_encoder import MotionEncoder
from stylemask_demo.networks.motion_mapping import MotionMapping
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.networks.portrait_encoder import PortraitEncoder
from stylemask_demo.networks.restyle import ReStyleEncoder
from stylemask_demo.networks.style_direction_matrix import StyleDirectionMatrix
from stylemask_demo.networks.stylegan2 import Generator

NETWORKS: dict[str, type[nn.Module]] = {
    network.__name__: network
    for network in (
        ArcFace,
        CompactMotionEncoder,
        DecaEncoder,
        DetailNetwork,
        DirectionMatrix,
        Encoder4Editing,
        Generator,
        IdentityNetwork,
        LatentAverage,
        MaskPredictors,
        MotionEncoder,
        MotionMapping,
        ParameterExtractor,
        PortraitEncoder,
        ReStyleEncoder,
        StyleDirectionMatrix,
    )
}
