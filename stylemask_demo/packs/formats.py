"""Versions of ``pack.json``, and how older ones are brought up to date."""

from typing import Any

from stylemask_demo.packs.catalogue import PUBLISHED, direction_scale
from stylemask_demo.packs.recipe import OWN

FORMAT = 2  # 1 had no recipe
# What an earlier conversion left out of the networks that belong together: they are fetched again.
INCOMPLETE = ("motion_encoder", "motion_mapping", "restyle", "restyle_average")


# Settings that the recipe has in their place.
SAID_BY_RECIPES = (
    "average",
    "restyle_average",
    "direction_factors",
    "direction_names",
    "parameter_names",
    "parameter_ranges",
)


def up_to_date(document: dict[str, Any]) -> dict[str, Any]:
    """A description of the present format, from one of this or an earlier format.

    Raises ValueError for a format of later versions, and for an earlier one whose recipe nobody knows.
    """
    made = int(document["format"])
    if made == FORMAT:
        return document
    if made != 1:
        raise ValueError(f"it has the format {made} of a newer version; this one knows {FORMAT}")
    settings, networks = dict(document["settings"]), dict(document["networks"])
    recipes = OWN
    if "direction_factors" in settings:  # only conversions of published files wrote them
        name = str(document["name"])
        if name not in PUBLISHED:
            raise ValueError(
                "an older version made it of published files, but its name does not tell of which pack; "
                f"name it {' or '.join(PUBLISHED)}, or convert the files again"
            )
        scale = float(settings.pop("shift_scale", 6.0))
        recipes = PUBLISHED[name].recipes.updated(directions=direction_scale(name, scale))
        networks = {key: entry for key, entry in networks.items() if key not in INCOMPLETE}
        settings = {key: value for key, value in settings.items() if key not in SAID_BY_RECIPES}
    return {**document, "format": FORMAT, "recipe": recipes.document(), "settings": settings, "networks": networks}
