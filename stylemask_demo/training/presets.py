"""How long and with which batches each network is trained: one preset for two CPU cores, one for a large GPU."""

from dataclasses import dataclass

NETWORKS = (  # in this order
    "extractor",
    "identity",
    "autoencoder",
    "factors",
    "directions",
    "masks",
    "motion",
    "correspondence",
    "details",
)


@dataclass(frozen=True)
class Plan:
    """One network's training ends after `steps` or `minutes`, and its learning rate falls towards that end.

    Reading the pictures, the bank, the pairs and writing the pack come on top.
    """

    steps: int
    minutes: float
    batch: int  # pictures of each step and process; people for `identity`, pairs for all from `factors` on


@dataclass(frozen=True)
class Preset:
    """A whole training; `bank` is the number of faces that directions and masks are trained on, `pairs` that of the
    reenactments that details are."""

    plans: dict[str, Plan]
    bank: int
    pairs: int
    precision: str  # of accelerate: "no" or "bf16"


PRESETS = {
    # At most 9.2 hours of steps, 8 on two cores as two processes, so that with the pairs it stays within 10.
    "cpu": Preset(
        {
            "extractor": Plan(4000, 50, 32),
            "identity": Plan(1200, 20, 24),
            "autoencoder": Plan(5000, 100, 16),
            "factors": Plan(9000, 200, 3),
            "directions": Plan(2000, 30, 8),
            "masks": Plan(2000, 30, 8),
            "motion": Plan(1500, 30, 8),
            "correspondence": Plan(4000, 30, 4),
            "details": Plan(6000, 60, 4),
        },
        bank=2048,
        pairs=6000,
        precision="no",
    ),
    # 21 minutes on one H200, so that with the pictures' way there and the pairs it stays within 25.
    "gpu": Preset(
        {
            "extractor": Plan(6000, 3, 128),
            "identity": Plan(3000, 1.5, 96),
            "autoencoder": Plan(12000, 4, 64),
            "factors": Plan(20000, 7, 24),
            "directions": Plan(2000, 1, 64),
            "masks": Plan(3000, 2, 64),
            "motion": Plan(2000, 1, 48),
            "correspondence": Plan(8000, 0.75, 32),
            "details": Plan(4000, 0.75, 32),
        },
        bank=8192,
        pairs=2000,
        precision="bf16",
    ),
}
