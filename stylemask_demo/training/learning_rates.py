"""Learning rates by layer."""

import math

from torch import nn

DENSE = 3.0  # dense layers learn this much faster than others, before it is shared among their inputs


def parameter_groups(module: nn.Module, rate: float) -> list[dict]:
    """Groups for an optimiser of the Adam family: everything that is to be trained learns at `rate`, the weights of dense
    layers at DENSE times `rate` over the root of their number of inputs.

    That is the equalised learning rate of Karras et al. (2018), "Progressive Growing of GANs". Adam moves every weight by
    about the rate; thousands of positive inputs then move a unit far beyond where a ReLU answers, and it falls silent for
    good: of 512 units, 20 were heard.
    """
    inputs = {id(layer.weight): layer.in_features for layer in module.modules() if isinstance(layer, nn.Linear)}
    groups: dict[float, list[nn.Parameter]] = {}
    for parameter in module.parameters():
        if parameter.requires_grad:
            own = DENSE * rate / math.sqrt(inputs[id(parameter)]) if id(parameter) in inputs else rate
            groups.setdefault(own, []).append(parameter)
    return [{"params": parameters, "lr": own} for own, parameters in groups.items()]
