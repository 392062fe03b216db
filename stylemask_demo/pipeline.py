"""The rooms of a pack joined: from photo to portrait, from portrait to code, from code to picture."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypedDict

import numpy as np
import torch
from PIL.Image import Image

from stylemask_demo import messages
from stylemask_demo.batching import in_batches, paired
from stylemask_demo.caching import Lazy
from stylemask_demo.detail.photo_detail import PhotoDetail
from stylemask_demo.detail.results import Results
from stylemask_demo.driving.following import USUAL_RATE, FaceFollower
from stylemask_demo.driving.options import Crop
from stylemask_demo.editing.commands import check_sliders
from stylemask_demo.editing.correction import Correction, Loop
from stylemask_demo.editing.feedback import create_feedback
from stylemask_demo.editing.sliders import Sliders, moved_region, placing_of, sliders_of
from stylemask_demo.errors import UnknownRegion
from stylemask_demo.faces.crops import CropRule
from stylemask_demo.faces.detect import FaceFinder
from stylemask_demo.faces.regions import Region, check_region
from stylemask_demo.generator.inversion import FilmInverter, Inverter, OptimisingInverter
from stylemask_demo.generator.sampling import Sampler, mean_w
from stylemask_demo.generator.style_space import PictureCode, StyleSpace
from stylemask_demo.generator.synthesis import Synthesis
from stylemask_demo.generator.tuning import Progress
from stylemask_demo.media.provenance import as_result
from stylemask_demo.methods import FaceCode, Transfer, check_method
from stylemask_demo.networks.portrait_encoder import PortraitEncoder
from stylemask_demo.packs.networks import PackNetworks
from stylemask_demo.packs.recipe import Drawing
from stylemask_demo.portraits.builder import PortraitBuilder, Which
from stylemask_demo.portraits.identity import identities
from stylemask_demo.portraits.placing import laid
from stylemask_demo.portraits.portrait import Portrait
from stylemask_demo.portraits.readers import create_reader
from stylemask_demo.portraits.tuned import tuned_portrait
from stylemask_demo.precision import Precision

Subject = Image | Portrait  # a picture of a face, or what is known of it already
Several = Sequence[Subject]
Subjects = Subject | Several
Leader = Subject | int | None  # a face, or the seed of a random person
Size = int | None  # pixels a side of results, None for the pack's


class Following(TypedDict, total=False):
    """What may be told of how a source follows a target; see `Reenactor.reenact`."""

    strength: float
    size: Size
    region: Region


class Pipeline:
    """What the calls of the reenactor go through, and trainings and evaluations by themselves.

    `networks` are the pack's, `finder` finds faces in photos; `compatibility` is that of `Reenactor.from_pack`. Its parts:
    `space`, the way from W+ to style codes; `sampler` of random people; `reader` of face parameters; `portraits`, made of
    photos; `transfer`, the methods; `sliders`; `correction` of what results miss, None where the recipe asks for none;
    `synthesis` of pictures; `detail` of photos, None where the pack has no network for it; `results`, synthesised and with
    that detail. Calls whose `size` is None make pictures of the pack's size.
    """

    @torch.inference_mode(False)  # what is kept must be of use outside of it too
    def __init__(self, networks: PackNetworks, finder: FaceFinder, compatibility: bool = False):
        generator, encoder, extractor = networks.generator, networks.encoder, networks.extractor
        self.networks, self.finder, self.recipe = networks, finder, networks.info.recipe(compatibility)
        recipe = self.recipe
        self.precision = Precision(networks.device, exact=compatibility)
        # Of what is smoothed over a film. The last layers of published encoders are not exact in half precision.
        self.film_precision = Precision(networks.device, compatibility or not isinstance(encoder, PortraitEncoder))
        self.space = StyleSpace(generator, mean_w(generator), recipe.drawing.truncation)
        self.sampler = Sampler(self.space, recipe.drawing.people)
        self.synthesis = Synthesis(generator, precision=self.precision)
        self.reader = create_reader(networks, recipe, finder, self.sampler.pictures)
        self.detail = PhotoDetail(networks.details, extractor, self.precision) if networks.details else None
        self.results = Results(self.space, self.synthesis, self.detail, self.reader)
        self._method_results = {method: Lazy(partial(self._drawn, drawing)) for method, drawing in recipe.methods.items()}
        invert = Inverter(encoder, networks.average if recipe.average else None)
        invert_photos: Inverter | OptimisingInverter = invert
        if recipe.inversion == "optimised":
            invert_photos = OptimisingInverter(invert, generator, extractor, self.precision)
        self.film_inverter = partial(FilmInverter, invert_photos, invert)
        feedback = create_feedback(networks, self.reader, recipe)
        self.correction = Correction(self.results.tensors, self.space, feedback) if feedback else None
        draw = self.results.inversion
        self.portraits = PortraitBuilder(finder, extractor, invert_photos, self.reader, draw, generator.size, recipe)
        measure = feedback.values if feedback else None
        self.transfer = Transfer(networks, self.space_of, invert, self.reader, measure, recipe)
        correction = self.correction if recipe.correction == "encoder" else None
        self.sliders = Sliders(self.transfer, self.space, correction, sliders_of(recipe))

    def results_of(self, method: str) -> Results:
        """What draws the results of a method."""
        return self._method_results[method].get() if method in self._method_results else self.results

    def space_of(self, method: str) -> StyleSpace:
        """The style space of a method's results."""
        return self.results_of(method).space

    def portraits_of(self, subjects: Sequence[Subject]) -> list[Portrait]:
        """A portrait of each, made where it is a picture. Raises UnreadableMedia and NoFaceFound."""
        made = iter(self.portraits.of_photos([face for face in subjects if not isinstance(face, Portrait)]))
        return [face if isinstance(face, Portrait) else next(made) for face in subjects]

    @torch.inference_mode()
    def reenacted(
        self,
        sources: Several,
        targets: Several,
        method: str,
        strength: float,
        size: Size = None,
        region: Region = "all",
    ) -> list[Image]:
        """Pictures of N sources that follow N targets, or of one for all of the other; see `Reenactor.reenact`."""
        self.check(method, region)

        def made(pairs: Sequence[tuple[Subject, Subject]]) -> list[Image]:
            who = self.portraits_of([source for source, _ in pairs])
            how = self.transfer.targets(self.portraits_of([target for _, target in pairs]), method)
            return self._followed(method, self.transfer.sources(who, method), how, strength, who, size, region)

        results = in_batches(made, paired(sources, targets), self.networks.device)
        return self.told(results, method=method, strength=strength, region=region)

    @torch.inference_mode()
    def edited(
        self, sources: Sequence[Subject], values: Mapping[str, float], size: Size = None, quick: bool = False
    ) -> list[Image]:
        """Pictures of N sources moved by the sliders; see `Reenactor.edit`, or if they are to be `quick`, `preview`."""
        check_method(self.networks.info, "directions")
        check_sliders(values, self.sliders.names)
        region, placing = moved_region(values), placing_of(values)
        coded = self.sliders.quick_code if quick else self.sliders.code

        def made(some: Sequence[Subject]) -> list[Image]:
            who = self.portraits_of(some)
            code, winks = coded(who, values), self.sliders.winks(who, values, coded)
            made = self.results.pictures(code, who, size, region, parts=winks)
            return [laid(*pair, placing) for pair in zip(who, made, strict=True)] if placing else made

        moved = {name: value for name, value in values.items() if value}
        return self.told(in_batches(made, sources, self.networks.device), **moved)

    @torch.inference_mode()
    def sampled(self, seeds: Sequence[int], like: Leader, method: str, truncation: float | None = None) -> list[Image]:
        """Pictures of N random people, who follow one face or another random person if any; see `Reenactor.sample`."""
        # Each method draws its people as far towards the mean face as they are shown.
        results, drawing, how = self.results, self.recipe.drawing, None
        if like is not None:
            check_method(self.networks.info, method)
            results, drawing = self.results_of(method), self.recipe.drawing_of(method)
        sampler = Sampler(results.space, drawing.people if truncation is None else truncation)
        if isinstance(like, int):
            leader = results.pictures(results.space.code(sampler.codes([like])))
            how = self.transfer.target_crops(leader, method)
        elif like is not None:
            how = self.transfer.targets(self.portraits_of([like]), method)

        def made(some: Sequence[int]) -> list[Image]:
            w_plus = sampler.codes(some)
            people = results.pictures(results.space.code(w_plus))
            if how is None:
                return people
            return self._followed(method, self.transfer.sampled(w_plus, people, method), how)

        return self.told(in_batches(made, seeds, self.networks.device), random_person=True)

    def seen_by(self, method: str, cut: Callable[[CropRule, int], Image | None]) -> Image | None:
        """What a method sees of a face that leads, `cut` out by a rule at a size, if there is one."""
        view = self.transfer.view(method)
        crop = cut(view.rule, view.size) if view else cut(self.recipe.crop, self.networks.generator.size)
        return view.reduced(crop) if view and crop else crop

    def follower(self, face: Which = None, rate: float = USUAL_RATE, crop: Crop = "follows") -> FaceFollower:
        """What follows one face through a video with `rate` frames a second: the `face` of the first that shows one."""
        extractor, identity = self.networks.extractor, self.networks.identity.get()
        identify = partial(identities, identity)
        return FaceFollower(self.finder, extractor, identify, identity.alike, self.precision, face, rate, crop)

    def tuned(self, face: Subject, steps: int, progress: Progress | None) -> Portrait:
        """A portrait with a generator of its own; see `Reenactor.tune`."""
        features = self.networks.extractor.trunk.maps
        return tuned_portrait(self.portraits_of([face])[0], self.space, self.synthesis, features, steps, progress)

    def identities(self, faces: Sequence[Subject]) -> list[np.ndarray]:
        """Unit vectors (D,) that tell who is shown; see `Reenactor.identity`."""
        network = self.networks.identity.get()

        def read(some: Sequence[Subject]) -> Iterable[np.ndarray]:
            return identities(network, [portrait.crop for portrait in self.portraits_of(some)])

        return in_batches(read, faces, self.networks.device)

    def _followed(
        self,
        method: str,
        who: FaceCode,
        how: FaceCode,
        strength: float = 1.0,
        sources: Sequence[Portrait] = (),
        size: Size = None,
        region: Region = "all",
    ) -> list[Image]:
        """Pictures of B `sources` that follow B targets, or of one for all of the other; random people have no portrait."""
        code = self.code_of(method, who, how, strength, sources, region)
        return self.results_of(method).pictures(code, sources, size, region)

    def code_of(
        self,
        method: str,
        who: FaceCode,
        how: FaceCode,
        strength: float,
        sources: Sequence[Portrait],
        region: Region,
        loop: Loop | None = None,
    ) -> PictureCode:
        """Codes of what `_followed` draws; `loop` is that of `Correction`."""
        results = self.results_of(method)
        if region != "all":
            assert self.correction and who.w_plus is not None
            unmoved = results.space.code(who.w_plus)
            return self.correction.followed_in(region, unmoved, who, how, strength, sources, loop)
        code = self.transfer(method, who, how, strength)
        if self.correction and self.correction.ready:
            return self.correction.of(results.tensors, results.space)(code, who, how, strength, sources, loop)
        return code

    def told(self, results: list[Image], **settings: str | float | bool) -> list[Image]:
        """Results that know what they were made with."""
        return [as_result(result, pack=self.networks.info.name, **settings) for result in results]

    def check(self, method: str, region: Region) -> None:
        """Raise UnknownMethod or UnknownRegion for what the pack cannot do."""
        check_method(self.networks.info, method)
        check_region(region)
        if region != "all" and self.recipe.correction != "encoder":
            raise UnknownRegion(messages.NO_REGIONS)

    def _drawn(self, drawing: Drawing) -> Results:
        """Results as a recipe says that they are drawn."""
        decoder = self.networks.decoder(drawing.decoder)
        space = StyleSpace(decoder, self.space.mean_w, drawing.truncation)
        synthesis = Synthesis(decoder, drawing.noise, drawing.rounding, self.precision)
        return Results(space, synthesis, self.detail, self.reader)
