"""The page's own words as HTML: header, headings, status line, footer."""

from html import escape

from stylemask_demo.reenactor import Reenactor

TITLE = "StyleMask Demo"

HEADER = f"""
<header class="masthead">
  <svg class="mark" viewBox="0 0 48 48" aria-hidden="true">
    <circle cx="19" cy="24" r="15" class="mark-who"/><circle cx="29" cy="24" r="15" class="mark-how"/>
  </svg>
  <div>
    <h1>{TITLE}</h1>
    <p>Give one face the pose and expression of another, or move it by hand.</p>
  </div>
</header>
"""

FOOTER = """
<footer class="colophon">
  <p>Pictures that you add stay on the machine that runs this page and are deleted within the hour.
  Use only faces of people who agreed to it.</p>
  <p>Methods: <cite>StyleMask: Disentangling the Style Space of StyleGAN2 for Neural Face Reenactment</cite>
  (Bounareli et al., 2023), <cite>Finding Directions in GAN's Latent Space for Neural Face Reenactment</cite>
  (Bounareli et al., 2022), <cite>Pose and Facial Expression Transfer by using StyleGAN</cite>
  (Jahoda and Čech, 2024), on <cite>StyleGAN2</cite> (Karras et al., 2020) and
  <cite>Encoder4Editing</cite> (Tov et al., 2021).
  Rendered people: <cite>ICT-FaceKit</cite> (Li et al., 2020).</p>
  <p>Code under the MIT licence.</p>
</footer>
"""

TIPS = {
    "source": '<p class="tip">One sharp, well-lit face works best. Looks and hair are kept.</p>',
    "target": '<p class="tip">Only its head pose and expression are followed, not its looks.</p>',
}

METHOD_NAMES = {
    "stylemask": "StyleMask",
    "directions": "Finding Directions",
    "motion": "Pose and Expression Transfer",
}


def heading(title: str, hint: str = "") -> str:
    """Return a card's heading: what it holds, and in a quieter voice what that is for."""
    quiet = f" <span>{escape(hint)}</span>" if hint else ""
    return f'<h2 class="heading">{escape(title)}{quiet}</h2>'


def status(reenactor: Reenactor, milliseconds: float | None) -> str:
    """Return the status line: pack, device, face finder, and the last computation's milliseconds."""
    facts = [
        ("Pack", f"{reenactor.info.name}, {reenactor.resolution} px"),
        ("Device", "GPU" if reenactor.device.type == "cuda" else reenactor.device.type.upper()),
        ("Face finder", reenactor.face_finder),
    ]
    if milliseconds is not None:
        facts.append(("Last result", f"{milliseconds:.0f} ms"))
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(fact)}</dd></div>" for name, fact in facts)
    return f'<dl class="status">{items}</dl>'
