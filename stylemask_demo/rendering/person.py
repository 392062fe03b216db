"""Who is in the picture: a random person, from the shape of the face to the clothes."""

from dataclasses import dataclass

import numpy as np

from stylemask_demo.rendering.clothes import Garment, random_garment
from stylemask_demo.rendering.glasses import Glasses, random_glasses
from stylemask_demo.rendering.hair import FEMALE_STYLES, MALE_STYLES, HairStyle, random_style, with_age
from stylemask_demo.rendering.vectors import linear, smoothstep

IDENTITIES = 100
GLASSES_SHARE = 0.1
# Skin from light to dark, linear; measured on portraits in even light.
SKIN = linear(
    [[236, 199, 180], [226, 182, 158], [212, 165, 138], [192, 143, 113], [163, 115, 87], [124, 84, 63], [90, 60, 46]]
)
# Name -> colour, linear, and how common: (light skin, dark skin).
HAIR_COLOURS = {
    "black": (linear([26, 22, 21]), 0.14, 0.58),
    "dark brown": (linear([46, 32, 25]), 0.22, 0.26),
    "brown": (linear([80, 55, 36]), 0.24, 0.1),
    "light brown": (linear([122, 90, 58]), 0.17, 0.03),
    "blond": (linear([184, 150, 104]), 0.15, 0.02),
    "red": (linear([126, 62, 34]), 0.08, 0.01),
}
GREY = linear([176, 174, 171])
IRISES = linear([[60, 36, 20], [84, 54, 30], [110, 84, 46], [86, 98, 66], [88, 112, 134], [108, 134, 158], [104, 111, 117]])
LIPSTICKS = linear([[150, 36, 44], [170, 75, 78], [128, 50, 58], [186, 98, 92], [118, 34, 46]])
EYE_SHADOWS = linear([[90, 54, 48], [120, 84, 74], [74, 68, 84], [150, 106, 88]])


@dataclass(frozen=True)
class Makeup:
    """Strengths 0..1 and linear colours of eye liner, eye shadow and lipstick."""

    liner: float
    shadow: float
    shadow_colour: np.ndarray
    lips: float
    lip_colour: np.ndarray


@dataclass(frozen=True)
class Beard:
    """Kind "full", "stubble", "goatee" or "moustache" and its length in centimetres; "" and 0 for none. `shade` is how
    much the shaved beard darkens the skin, 0..1."""

    kind: str
    length: float
    shade: float


@dataclass(frozen=True)
class Person:
    """Everything about a person that stays the same from picture to picture.

    `identity` (100,): coefficients of the face model; `tone` 0 light to 1 dark; `skin` (3,) linear; `age` in years;
    `wrinkles` 0..1 follows from it; `grey` is how grey the hair is, 0..1; `redness`, `blush`, `eye_shade`, `freckles` and
    `roughness` describe the skin; brows widen by `brow_thickness` centimetres.
    """

    seed: int
    identity: np.ndarray
    female: bool
    age: float
    tone: float
    skin: np.ndarray
    redness: float
    blush: float
    eye_shade: float
    freckles: float
    roughness: float
    wrinkles: float
    hair_style: HairStyle
    hair_colour: np.ndarray
    grey: float
    brow_colour: np.ndarray
    brow_density: float
    brow_thickness: float
    lash_length: float
    beard: Beard
    makeup: Makeup
    iris: np.ndarray
    tooth: np.ndarray
    garment: Garment
    glasses: Glasses | None


def random_person(seed: int) -> Person:
    """A person; equal seeds give equal people."""
    rng = np.random.default_rng(seed)
    identity = random_identity(rng)
    female = bool(rng.random() < 0.5)
    # Most people who are photographed are between 20 and 50.
    age = float(18 + 64 * rng.beta(1.4, 2.4))
    old = float(smoothstep(age, 28, 78))
    tone = float(rng.beta(1.05, 1.15))
    skin = np.array([np.interp(tone * (len(SKIN) - 1), np.arange(len(SKIN)), SKIN[:, c]) for c in range(3)])
    redness = rng.uniform(-0.3, 0.8) * (1 - 0.6 * tone)
    skin = skin * [1 + redness * 0.05, 1 - redness * 0.02, 1 - redness * 0.04] * rng.uniform(0.94, 1.05)
    style = with_age(_random_style(rng, female, tone), age, female, rng)
    hair, grey = _random_hair_colour(rng, tone, age)
    brow = np.minimum(hair * 0.75, HAIR_COLOURS["brown"][0] * 1.2) * (1 - 0.5 * grey) + GREY * 0.35 * grey * old
    return Person(
        seed=seed,
        identity=identity,
        female=female,
        age=age,
        tone=tone,
        skin=skin,
        redness=float(redness),
        blush=rng.uniform(0.2, 0.6) * (1 - 0.5 * tone),
        eye_shade=rng.uniform(0.1, 0.35) + 0.2 * old,
        freckles=max(0.0, rng.normal(-0.3, 0.5)) * (tone < 0.4) + 0.25 * max(0.0, old - 0.3) * rng.random(),
        roughness=rng.uniform(0.43, 0.57),
        wrinkles=old * rng.uniform(0.7, 1.2),
        hair_style=style,
        hair_colour=hair,
        grey=grey,
        brow_colour=brow,
        brow_density=rng.uniform(0.65, 1.05) if female else rng.uniform(0.9, 1.4),
        brow_thickness=rng.uniform(-0.14, 0.0) if female else rng.uniform(-0.05, 0.1),
        lash_length=rng.uniform(0.85, 1.1) if female else rng.uniform(0.6, 0.8),
        beard=_random_beard(rng, female),
        makeup=_random_makeup(rng, female, skin, tone, old),
        iris=IRISES[rng.choice(7, p=[0.28, 0.2, 0.12, 0.1, 0.12, 0.1, 0.08]) if tone < 0.45 else rng.choice(2)],
        tooth=_random_tooth(rng, tone, old),
        garment=random_garment(rng, female),
        glasses=random_glasses(rng, age) if rng.random() < GLASSES_SHARE else None,
    )


def random_identity(rng: np.random.Generator) -> np.ndarray:
    """Identity coefficients (100,). Half the spread looks bland, a third more is a caricature."""
    spread = np.where(np.arange(IDENTITIES) < 30, 0.8, 0.55)
    return np.clip(rng.normal(size=IDENTITIES) * spread, -2, 2).astype(np.float32)


def _random_style(rng: np.random.Generator, female: bool, tone: float) -> HairStyle:
    shares = FEMALE_STYLES if female else MALE_STYLES
    kind = str(rng.choice(list(shares), p=np.array(list(shares.values())) / sum(shares.values())))
    if kind == "afro" and tone < 0.45:
        kind = "curly"
    return random_style(rng, kind)


def _random_hair_colour(rng: np.random.Generator, tone: float, age: float) -> tuple[np.ndarray, float]:
    """Colour of the hair, linear, and how grey it is, 0..1, which grows with age."""
    dark = float(smoothstep(tone, 0.25, 0.6))
    names = list(HAIR_COLOURS)
    shares = np.array([HAIR_COLOURS[name][1] * (1 - dark) + HAIR_COLOURS[name][2] * dark for name in names])
    colour = HAIR_COLOURS[names[rng.choice(len(names), p=shares / shares.sum())]][0] * rng.uniform(0.85, 1.2)
    grey = float(smoothstep(age + rng.normal() * 9, 42, 76)) * (rng.random() > 0.25)
    return colour, grey


def _random_tooth(rng: np.random.Generator, tone: float, old: float) -> np.ndarray:
    """Teeth yellow with age; beside dark skin, for which more light is let in, they would glow if they were as white."""
    yellow = np.array([1, 1 - 0.05 * old, 1 - rng.uniform(0, 0.2) - 0.1 * old])
    return linear([222, 212, 192]) * rng.uniform(0.75, 0.95) * (1 - 0.25 * tone) * yellow


def _random_beard(rng: np.random.Generator, female: bool) -> Beard:
    if female:
        return Beard("", 0.0, 0.0)
    kind = str(rng.choice(["", "stubble", "full", "goatee", "moustache"], p=[0.48, 0.24, 0.17, 0.07, 0.04]))
    length = {"": 0.0, "stubble": 0.14, "full": rng.uniform(0.4, 1.2), "goatee": rng.uniform(0.4, 0.9), "moustache": 0.5}
    return Beard(kind, float(length[kind]), rng.uniform(0.3, 0.45) if kind == "stubble" else rng.uniform(0, 0.25))


def _random_makeup(rng: np.random.Generator, female: bool, skin: np.ndarray, tone: float, old: float) -> Makeup:
    lips, colour = 0.8 - 0.25 * old, skin * np.array([0.86, 0.52, 0.52])
    if female and rng.random() < 0.45:
        lips, colour = 0.7, LIPSTICKS[rng.choice(len(LIPSTICKS))] * (1 - 0.65 * tone)
    return Makeup(
        liner=rng.uniform(0.2, 0.9) * female,
        shadow=rng.uniform(0.15, 0.5) * female * (rng.random() < 0.35),
        shadow_colour=EYE_SHADOWS[rng.choice(len(EYE_SHADOWS))],
        lips=lips,
        lip_colour=colour,
    )
