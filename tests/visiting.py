"""What a visitor does in the browser, for tests of the page; pictures of it are kept in build/page/."""

import base64
import re
from pathlib import Path

from serving import ROOT

SCREENSHOTS = ROOT / "build" / "page"
WAIT = 60_000  # milliseconds for anything in the browser


class Visit:
    """A browser tab on the page that notes what must not happen."""

    def __init__(self, page, address: str, agreed: bool = True):
        self.page = page
        self.problems = []
        page.on("console", lambda line: line.type == "error" and self.problems.append(line.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", lambda request: self._note(request.url))
        if agreed:
            page.add_init_script("localStorage.setItem('stylemask-consent', 'agreed')")
        page.goto(address)
        self.wait_for_result()

    def _note(self, url: str) -> None:
        if not re.match(r"(http://127\.0\.0\.1[:/]|data:|blob:)", url):
            self.problems.append(f"request to {url}")

    def wait_for_result(self, other_than: str | None = None) -> str:
        """Wait until the result is there (or is another one) and the page is at rest; return it."""
        self.page.wait_for_selector("#result[aria-busy=false]:not([data-working])", timeout=WAIT)
        return self.wait_for("#result img.after", other_than)

    def wait_for_stage(self, role: str) -> str:
        """Wait until the stages of a picture are up to date; return the first."""
        self.page.wait_for_function(f"document.querySelector('#{role}-stages')?.ariaBusy === 'false'", timeout=WAIT)
        return self.wait_for(f"#{role}-stage-1 img")

    def wait_for(self, selector: str, other_than: str | None = None) -> str:
        self.page.wait_for_function(
            """([selector, other]) => {
                const picture = document.querySelector(selector);
                return picture && picture.naturalWidth && picture.src !== other;
            }""",
            arg=[selector, other_than],
            timeout=WAIT,
        )
        return self.page.get_attribute(selector, "src")

    def wait_for_rest(self) -> str:
        """Wait until a hand on the sliders has rested, and the moved picture is at full size; return it.

        There is nothing to do then for longer than a hand rests before it counts.
        """
        self.page.evaluate("window.idleSince = null")
        self.page.wait_for_function(
            """() => {
                const idle = document.querySelector('#edited').matches('[aria-busy=false]:not([data-working])');
                window.idleSince = idle ? window.idleSince ?? performance.now() : null;
                return idle && performance.now() - window.idleSince > 600;
            }""",
            timeout=WAIT,
        )
        return self.wait_for("#edited img")

    def note_pictures(self, selector: str) -> None:
        """Note what a place shows from now on in the page's list `seen`: `picture`, its `source`, and `at` in ms."""
        self.page.evaluate(
            """selector => {
                window.seen = [];
                const place = document.querySelector(selector);
                const source = () => document.querySelector('#source img')?.src ?? '';
                new MutationObserver(() => seen.push({picture: place.src, source: source(), at: performance.now()}))
                    .observe(place, {attributes: true, attributeFilter: ['src']});
            }""",
            selector,
        )

    def open(self, tab: str) -> None:
        """Open one of the ways of working."""
        self.page.get_by_role("tab", name=tab).click()

    def choose(self, role: str, number: int) -> None:
        """Click on an example face."""
        self.page.get_by_role("button", name=f"{role} example {number}").click()

    def choose_and_wait(self, role: str, number: int) -> str:
        """Click on an example face; return the result."""
        self.choose(role, number)
        self.wait_for_picture(role, f"{role}_{number}.webp")
        return self.wait_for_result()

    def wait_for_picture(self, role: str, name: str) -> None:
        """Wait until a picture is in its place, and what the page makes of it is asked for."""
        self.page.wait_for_function(
            """([role, name]) => document.querySelector(`#${role} img`)?.src.endsWith(name)
                && stylemask.questionOf(`${role}-stages`).includes(name)""",
            arg=[role, name],
            timeout=WAIT,
        )

    def drop(self, zone: str, file: Path) -> None:
        """Drop a file on a part of the page as a hand would: on whatever lies in its middle."""
        self.page.locator(zone).first.scroll_into_view_if_needed()
        self.page.evaluate(
            """([zone, name, content]) => {
                const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
                const type = (name.endsWith('.mp4') ? 'video/' : 'image/') + name.split('.').pop();
                const dragged = new DataTransfer();
                dragged.items.add(new File([bytes], name, {type}));
                const {x, y, width, height} = document.querySelector(zone).getBoundingClientRect();
                const under = document.elementFromPoint(x + width / 2, y + height / 2);
                for (const kind of ['dragenter', 'dragover', 'drop'])
                    under.dispatchEvent(
                        new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: dragged}));
            }""",
            [zone, file.name, base64.b64encode(file.read_bytes()).decode()],
        )

    def resize(self, width: int, height: int = 900) -> None:
        """Make the window as large as that, and wait until all that stands on the page has found its place."""
        self.page.set_viewport_size({"width": width, "height": height})
        self.rest()

    def rest(self, milliseconds: int = 50) -> None:
        """Wait by the page's own clock, on which its delays run too, however busy the machine is, and until it is drawn."""
        self.page.evaluate(
            """milliseconds => new Promise(done =>
                setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), milliseconds))""",
            milliseconds,
        )

    def fits(self) -> bool:
        """Whether nothing has to be scrolled sideways."""
        return self.page.evaluate("document.documentElement.scrollWidth") <= self.page.viewport_size["width"]

    def keep(self, name: str) -> None:
        """Keep a picture of the whole page."""
        self.page.evaluate("window.scrollTo(0, 0)")
        self.page.mouse.move(0, 0)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
