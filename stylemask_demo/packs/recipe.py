"""The recipe of a pack: what its authors' program does around the networks, as data in ``pack.json``."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from PIL import Image

from stylemask_demo.faces.crops import CROP_RULES, CropRule, FfhqCrop
from stylemask_demo.faces.deca import DirectionScale
from stylemask_demo.media.tensors import RESAMPLING

Noise = Literal["fixed", "random"]
Rounding = Literal["nearest", "down"]
Beyond = Literal["mirrored", "drawn"]


@dataclass(frozen=True)
class View:
    """What a network sees of a face where that is not the portrait's crop: one of its own, made smaller."""

    rule: CropRule
    size: int  # pixels a side of the crop
    seen: int = 256  # pixels a side that the network takes
    filter: str = "bilinear"  # by which one becomes the other: a name in media.tensors.RESAMPLING

    def reduced(self, crop: Image.Image) -> Image.Image:
        """What the network is given of a crop by this rule."""
        return crop if crop.width == self.seen else crop.resize((self.seen, self.seen), RESAMPLING[self.filter])


@dataclass(frozen=True)
class Drawing:
    """How pictures are drawn."""

    truncation: float = 1.0  # of all codes: how much of their distance from the mean face stays
    decoder: str = "generator"  # key of the network that draws
    noise: Noise = "fixed"  # the decoder's own, or new for every picture
    rounding: Rounding = "nearest"  # of brightness to whole grey levels
    people: float = 0.7  # truncation of random people, in all


@dataclass(frozen=True)
class ParameterReading:
    """How face parameters are read from a portrait's crop."""

    reader: Literal["extractor", "deca"] = "extractor"
    landmarks: Literal["extractor", "finder"] = "extractor"  # who finds those that DECA's square is laid around
    white: float = 1.0  # what DECA is given for white, black being 0


@dataclass(frozen=True)
class Recipe:
    """What is done around a pack's networks.

    Attributes:
        crop: how portraits are cut out of photos.
        search_again: landmarks are found anew in the picture that the crop rule searches.
        beyond: what the crops of portraits show beyond their photos: the photo mirrored, or what the generator draws.
        views: what the networks "encoder" and "motion" see, where that is not the portrait's crop reduced by area.
        average: the encoder's codes are relative to the pack's "average", where it has one.
        inversion: the encoder's codes as they are, or moved by gradient descent to where the generator shows the crop.
        correction: what adds the head pose and expression that results miss, if anything does: the encoder, or the
            directions as soon as there are any.
        parameters: how face parameters are read.
        directions: scale, order and signs of the parameters that a direction matrix takes, where it is not our own.
        constant: the direction matrix's constant term is added to no code, to results as far as they follow a target, or to
            every code, so that nothing leaves a face as it is.
        identity: whose codes tell who is shown to the method motion.
        refinements: steps of ReStyle.
        drawing: how portraits and sampled people are drawn, and results unless `methods` says otherwise.
        methods: how results of a method are drawn.
    """

    crop: CropRule = FfhqCrop()
    search_again: bool = False
    beyond: Beyond = "mirrored"
    views: Mapping[str, View] = field(default_factory=dict)
    average: bool = False
    inversion: Literal["encoder", "optimised"] = "encoder"
    correction: Literal["encoder", "directions"] | None = None
    parameters: ParameterReading = ParameterReading()
    directions: DirectionScale | None = None
    constant: Literal["never", "followed", "always"] = "never"
    identity: Literal["encoder", "restyle"] = "encoder"
    refinements: int = 5
    drawing: Drawing = Drawing()
    methods: Mapping[str, Drawing] = field(default_factory=dict)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Recipe":
        """The recipe of a JSON document, which tells what differs from the defaults. Raises ValueError or TypeError."""
        known = {name: _READERS.get(name, lambda value: value)(value) for name, value in document.items()}
        recipe = cls(**known)
        for owner in (recipe, recipe.parameters, recipe.drawing, *recipe.methods.values()):
            _check_choices(owner)
        return recipe

    def drawing_of(self, method: str) -> Drawing:
        """How results of a method are drawn."""
        return self.methods.get(method, self.drawing)

    def document(self) -> dict[str, Any]:
        """The recipe as a JSON document."""
        return {
            f.name: _document(value)
            for f in dataclasses.fields(self)
            if (value := getattr(self, f.name)) != getattr(DEFAULTS, f.name)
        }


@dataclass(frozen=True)
class Recipes:
    """The recipe that follows the published programs to the last step, and the one used unless that is asked for."""

    published: Recipe = Recipe()
    default: Recipe = Recipe()

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "Recipes":
        """The recipes of a JSON document: "published", and "default" with what differs from it.

        Raises KeyError, ValueError or TypeError.
        """
        published = document["published"]
        return cls(Recipe.read(published), Recipe.read({**published, **document["default"]}))

    def document(self) -> dict[str, Any]:
        """The recipes as a JSON document."""
        published = self.published.document()
        default = self.default.document()
        names = [name for name in {**published, **default} if published.get(name) != default.get(name)]
        return {
            "published": published,
            "default": {name: default.get(name, _document(getattr(DEFAULTS, name))) for name in names},
        }

    def updated(self, **changes: Any) -> "Recipes":
        """The same with some values changed in both."""
        return Recipes(dataclasses.replace(self.published, **changes), dataclasses.replace(self.default, **changes))


DEFAULTS = Recipe()
# Packs of our own: their encoder, or what it makes of pictures, is moved to the crop, and results are looked at.
OWN = Recipes(
    published=Recipe(constant="always", drawing=Drawing(truncation=0.7)),
    default=Recipe(beyond="drawn", inversion="optimised", correction="encoder"),
)


def _rule(document: Mapping[str, Any]) -> CropRule:
    values = dict(document)
    name = values.pop("rule")
    if name not in CROP_RULES:
        raise ValueError(f"'{name}' is no crop rule: there are {', '.join(CROP_RULES)}")
    return CROP_RULES[name](**values)


def _views(document: Mapping[str, Any]) -> dict[str, View]:
    return {name: View(**{**view, "rule": _rule(view["rule"])}) for name, view in document.items()}


def _directions(document: Mapping[str, Any] | None) -> DirectionScale | None:
    return None if document is None else DirectionScale(**{name: tuple(value) for name, value in document.items()})


_READERS: dict[str, Any] = {
    "crop": _rule,
    "views": _views,
    "parameters": lambda document: ParameterReading(**document),
    "directions": _directions,
    "drawing": lambda document: Drawing(**document),
    "methods": lambda document: {name: Drawing(**drawing) for name, drawing in document.items()},
}


def _document(value: Any) -> Any:
    if isinstance(value, tuple(CROP_RULES.values())):
        name = next(name for name, rule in CROP_RULES.items() if type(value) is rule)
        return {"rule": name, **_changed(value)}
    if dataclasses.is_dataclass(value):
        return _changed(value)
    if isinstance(value, Mapping):
        return {name: _document(item) for name, item in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _changed(value: Any) -> dict[str, Any]:
    """The fields of a dataclass that are not at their defaults."""
    return {
        f.name: _document(getattr(value, f.name)) for f in dataclasses.fields(value) if getattr(value, f.name) != f.default
    }


def _check_choices(owner: Any) -> None:
    for f in dataclasses.fields(owner):
        choices = _choices(f.type)
        if choices and getattr(owner, f.name) not in choices:
            raise ValueError(f"{f.name} is '{getattr(owner, f.name)}', none of {choices}")


def _choices(annotation: Any) -> tuple[Any, ...]:
    """The values of a literal type, or of one that may be None too; nothing for others."""
    parts = get_args(annotation)
    if not parts or not all(isinstance(part, str) for part in parts if part is not None):
        nested = [choice for part in parts for choice in _choices(part)]
        return (*nested, None) if nested else ()
    return parts
