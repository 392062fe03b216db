"""Trains the identity network: views of one person must be told from the views of all others in the batch."""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from stylemask_demo.media.contact_sheets import contact_sheet
from stylemask_demo.media.tensors import to_image
from stylemask_demo.networks.identity_network import IdentityNetwork
from stylemask_demo.networks.memory_format import channels_last
from stylemask_demo.networks.parameter_extractor import ParameterExtractor
from stylemask_demo.networks.trunk import INPUT_SIZE
from stylemask_demo.training.augment import move, recolour
from stylemask_demo.training.data import Faces, draw_pairs
from stylemask_demo.training.learning_rates import parameter_groups
from stylemask_demo.training.loop import Averages, Task

TEMPERATURE = 0.1


def identity_task(
    faces: Faces,
    validation: Faces,
    extractor: ParameterExtractor,
    steps: int,
    people: int = 24,
    rate: float = 1e-3,
) -> Task:
    """Contrastive training (Chen et al. 2020) on two views each of `people` persons; starts from the extractor's trunk."""
    network = channels_last(IdentityNetwork())
    network.trunk.load_state_dict(extractor.trunk.state_dict())
    optimiser = torch.optim.AdamW(parameter_groups(network, rate), weight_decay=0.02)
    views = faces.rows_by_person()
    people = min(people, len(views))

    def loss(step: int, done: float) -> dict[str, Tensor]:
        rows = draw_pairs(views, people).T.ravel()  # first views, then second views
        pictures = faces.batch(rows, INPUT_SIZE)
        (landmarks,) = faces.tensors(rows, "landmarks")
        count = len(rows)
        scale = torch.exp(0.06 * torch.randn(count))
        pictures, _ = move(pictures, landmarks, INPUT_SIZE, 3 * torch.randn(count), scale, 0.03 * torch.randn(count, 2))
        # A person's mirror picture is another view of them.
        mirrored = torch.rand(count, 1, 1, 1) < 0.5
        pictures = torch.where(mirrored, pictures.flip(3), pictures)
        embedding = network(recolour(pictures, 0.7))
        similarity = embedding @ embedding.T / TEMPERATURE
        similarity = similarity - torch.eye(count) * 1e4
        partner = torch.arange(count).roll(people)
        return {"contrast": F.cross_entropy(similarity, partner)}

    def sheet(averages: Averages) -> Image.Image:
        rows = validation.first_views()[:60]
        embedding = torch.cat([averages["identity"](validation.batch(person, INPUT_SIZE)) for person in rows])
        cosine = embedding @ embedding.T
        itself = torch.eye(len(cosine))
        person = torch.arange(len(cosine)) // rows.shape[1]
        same = (person[:, None] == person).float() - itself
        other = 1 - same - itself
        mean_same, mean_other = ((cosine * which).sum() / which.sum() for which in (same, other))
        right = (person[(cosine - 2 * itself).argmax(1)] == person).float().mean()
        print(f"\nvalidation: cosine same {mean_same:.3f}, other {mean_other:.3f}, nearest right {right:.3f}", flush=True)
        # Each person's first view beside the most similar picture of somebody else.
        rivals = (cosine - 2 * (1 - other)).argmax(1)[:: rows.shape[1]]
        shown = [int(row) for i, rival in enumerate(rivals) for row in (rows[i, 0], rows.ravel()[int(rival)])]
        return contact_sheet([to_image(picture) for picture in validation.batch(np.array(shown), 128)], 12)

    return Task("identity", {"identity": network}, optimiser, loss, sheet, steps, save_every=100)
