/* What the page does in the browser itself. Gradio's events call these functions by name: see `questions` and `events`. */

window.stylemask = (() => {
  "use strict";
  const find = (selector, within = document) => within.querySelector(selector);

  // --- What is asked, and which answers are shown.
  //
  // A question is the pictures and faces that a place of the page is about, as text. Every answer brings the question that
  // it answers, and is shown only where that is what the place still asks: what comes late is dropped.

  const asked = {};
  const shown = {};
  const refusals = {}; // by place: why the question that is shown has no answer
  const notes = {}; // by place: what is told beside the question that it asks, and that question
  const working = {}; // by place: how many answers are awaited
  const SIGNS = { result: "#result", edited: "#edited", compared: "#compared", "source-stages": "#source-sign", "target-stages": "#target-sign" };
  let failures = 0; // part of every question, so that what has failed is asked anew

  const name = (picture) => picture?.path ?? picture?.url ?? "";
  const question = (pack, picture, face) => (picture ? JSON.stringify([pack, name(picture), face ?? 0, failures]) : "");

  /** Note what the page asks now; return it for each place, or undefined where a picture is missing. */
  function look(pack, source, sourceFace, target, targetFace, video, videoFace, film) {
    const who = question(pack, source, sourceFace);
    const how = question(pack, target, targetFace);
    asked.result = who && how && who + how;
    asked.edited = asked["source-stages"] = who;
    asked["target-stages"] = how;
    const filmed = question(pack, film, 0) || who;
    asked.film = filmed && video ? filmed + question(pack, video, videoFace) : "";
    const places = ["result", "edited", "source-stages", "target-stages"];
    places.forEach((place) => mark(place));
    compareFilm();
    return places.map((place) => asked[place] || undefined);
  }

  /** Return what a place asks now. */
  const questionOf = (place) => asked[place];
  let matches = 0; // part of what is compared, so that it is made anew of a person who was matched

  /** Note what the card of comparisons asks now, if anybody looks at it, and return it. */
  function lookCompared(tab, kind, slider, pack, source, sourceFace, target, targetFace, sources, targets, method, matched = false) {
    matches += matched;
    if (tab !== "compare") return undefined;
    const who = question(pack, source, sourceFace);
    const how = question(pack, target, targetFace);
    const rows = [sources, targets].map((row) => (row ?? []).map((item) => name(item.image)));
    if (kind === "grid") asked.compared = JSON.stringify([pack, rows, method, failures]);
    else if (kind === "strip") asked.compared = who && JSON.stringify([slider, matches]) + who;
    else asked.compared = who && how && JSON.stringify([matches]) + who + how;
    mark("compared");
    return asked.compared || undefined;
  }

  /** Count one more answer that a place waits for. */
  function asking(place) {
    working[place] = (working[place] ?? 0) + 1;
    find(`#${place}`)?.setAttribute("data-working", "");
  }

  function answered(place) {
    working[place] -= 1;
    find(`#${place}`)?.toggleAttribute("data-working", working[place] > 0);
  }

  /** Return what an answer that was awaited shows. */
  function show(place, answer) {
    answered(place);
    return tell(place, answer);
  }

  /** Return what an answer shows, or nothing when its question is no longer asked. */
  function tell(place, answer) {
    if (!answer || answer.asked !== asked[place]) return [];
    const anew = shown[place] !== answer.asked;
    shown[place] = answer.asked;
    refusals[place] = answer.message ?? "";
    mark(place);
    if (anew && !answer.message && ["result", "edited", "compared"].includes(place) && visible(place)) say("The result is ready.");
    return answer.shown;
  }

  /** Say that an answer will not come. */
  function failed(place) {
    answered(place);
    failures += 1;
    shown[place] = asked[place];
    refusals[place] = "This did not work. Choose the picture again.";
    mark(place);
  }

  /** Show in a place whether it is up to date, and where there is no answer, why. */
  function mark(place) {
    const element = find(`#${place}`);
    const sign = signOf(place);
    const busy = asked[place] !== shown[place];
    const told = notes[place]?.asked === asked[place] ? notes[place]?.text : "";
    const message = busy ? "" : refusals[place];
    element?.setAttribute("aria-busy", busy); // what is folded is not there
    element?.toggleAttribute("data-refused", Boolean(message));
    const waiting = asked[place] ? "Working on the new picture" : place === "result" ? "Waiting for a source and a target" : "Waiting for a portrait";
    const text = message || told || (busy && SIGNS[place] === `#${place}` ? waiting : "");
    if (sign && sign.textContent !== text) sign.textContent = text;
  }

  function signOf(place) {
    const home = find(SIGNS[place]);
    if (!home) return null;
    const there = find(".sign", home);
    if (there) return there;
    const sign = document.createElement("p");
    sign.className = "sign";
    sign.setAttribute("role", "status");
    return home.appendChild(sign);
  }

  const visible = (place) => find(`#${place}`)?.offsetParent !== null;

  function say(text) {
    const voice = find("#announcer");
    voice.textContent = "";
    setTimeout(() => (voice.textContent = text), 50);
  }

  // --- A random person comes only where no other picture has come meanwhile.

  const surprises = {};

  const anySeed = () => Math.floor(Math.random() * 1e9);

  /** Return new seeds of a person and of whose motion it takes, none for its own: what is not new stays. */
  function drawSeeds(person, motion, anew) {
    if (anew === "person") return [anySeed(), motion ?? person ?? anySeed()];
    if (anew === "motion") return [person ?? anySeed(), anySeed()];
    return [anySeed(), null];
  }

  function surprise(role, drawn) {
    surprises[role] = asked[`${role}-stages`];
    find(`#${role}`).setAttribute("aria-busy", true);
    return drawn;
  }

  function surprised(role, person) {
    find(`#${role}`).setAttribute("aria-busy", false);
    return surprises[role] === asked[`${role}-stages`] ? person : undefined;
  }

  /** Return an example as Gradio knows files. */
  function example(path) {
    const { root = "", api_prefix = "/gradio_api" } = window.gradio_config ?? {};
    return { path, url: `${root}${api_prefix}/file=${path}`, meta: { _type: "gradio.FileData" } };
  }

  // --- What a place shows is kept as it is.

  function save(place) {
    const url = find(`#${place} img`)?.src ?? "";
    const kind = url.match(/^data:image\/(\w+)/)?.[1];
    if (!kind) return;
    const link = document.createElement("a");
    link.href = url;
    link.download = `${place}.${kind}`;
    link.click();
  }

  // --- The film says when it was made of other pictures than those on the page.

  let filming = "";
  let film = "";

  function startFilm() {
    filming = asked.film;
  }

  function showFilm() {
    film = filming;
    compareFilm();
    if (film === asked.film) say("The video is ready.");
  }

  function compareFilm() {
    const note = find("#film-note p");
    if (note) note.hidden = !film || film === asked.film;
  }

  // --- Settings and pictures outlive a reload.

  const faces = {}; // which face of a picture was meant, of those that come back

  /** Return the face to begin with: the clearest, but for a picture that came back. */
  function firstFace(picture) {
    return faces[name(picture)] ?? 0;
  }

  const PICTURES = 2; // the first of what is kept

  const keep = (...values) => ({ values });

  /** Return what was kept for each of the components, whose values are given, or undefined where it cannot come back. */
  async function restore(state, ...values) {
    const kept = state?.values ?? [];
    if (kept.length !== values.length) return values.map(() => undefined);
    const come = await Promise.all(
      kept.map(async (value, index) => {
        if (Array.isArray(value)) return row(value);
        return index < PICTURES && !(await there(value, values[index])) ? undefined : value;
      }),
    );
    const [source, target, sourceFace, targetFace, method, ...others] = come;
    if (source) faces[name(source)] = sourceFace;
    if (target) faces[name(target)] = targetFace;
    const known = find(`#result-method input[value="${CSS.escape(method ?? "")}"]`);
    return [source, target, source ? sourceFace : undefined, target ? targetFace : undefined, known ? method : undefined, ...others].map(
      (value) => value ?? undefined,
    );
  }

  /** Return a row of pictures, if all of them can come back. */
  async function row(items) {
    const come = await Promise.all(items.map((item) => there(item.image)));
    return come.every(Boolean) ? items : undefined;
  }

  async function there(picture, current) {
    if (!picture?.url || name(picture) === name(current)) return false;
    return fetch(picture.url, { method: "HEAD" }).then((answer) => answer.ok, () => false);
  }

  /** Return an update that opens a tab, or nothing. */
  const openTab = (tab) => (tab ? { __type__: "update", selected: tab } : undefined);

  // --- Pictures come by a drop anywhere on a card, by a click, from the camera and from the clipboard.

  /** Put a file into a place for one, as a drop on it would. */
  function put(zone, file) {
    if (find('[data-testid="image"]', zone)) return drop(find(".upload-container", zone), [file]);
    clearButton(zone)?.click(); // a video makes way first
    requestAnimationFrame(() => requestAnimationFrame(() => drop(find("[aria-dropeffect]", zone), [file])));
  }

  /** Drop files on a part of Gradio that takes some. */
  function drop(place, files) {
    const dropped = new DataTransfer();
    for (const file of files) dropped.items.add(file);
    place?.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: dropped }));
  }

  const clearButton = (zone) => find('[aria-label="Clear"], [aria-label="Remove Image"]', zone);

  function choose(zone) {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = zone.classList.contains("film") ? "video/*,image/gif" : "image/*";
    input.onchange = () => input.files[0] && put(zone, input.files[0]);
    input.click();
  }

  async function paste(zone) {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((type) => type.startsWith("image/"));
        if (type) return put(zone, new File([await item.getType(type)], `pasted.${type.slice(6)}`, { type }));
      }
      note(zone, "There is no picture in the clipboard. Copy one first.");
    } catch {
      note(zone, "The browser keeps the clipboard closed. Press Ctrl+V on the page instead.");
    }
  }

  function note(zone, text) {
    const place = `${zone.id}-stages`;
    notes[place] = { text, asked: asked[place] };
    mark(place);
  }

  let camera = null; // the place that has asked for it

  window.addEventListener("unhandledrejection", (event) => {
    if (!camera || !["NotAllowedError", "NotFoundError"].includes(event.reason?.name)) return;
    event.preventDefault();
    note(camera, "There is no camera, or the browser keeps it closed. Allow it in the browser's settings.");
  });

  async function openCamera(zone) {
    for (let tries = 0; tries < 20; tries++) {
      const access = find('[title="grant webcam access"] button', zone);
      if (access) {
        camera = zone;
        return access.click();
      }
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  document.addEventListener(
    "click",
    (event) => {
      const zone = event.target.closest?.(".zone");
      if (!zone) return;
      const filled = clearButton(zone);
      const button = event.target.closest("button");
      const what = button?.getAttribute("aria-label");
      const instead = (act) => {
        event.stopPropagation();
        event.preventDefault();
        act(zone);
      };
      if (event.target.closest(".image-frame") && filled) instead(choose);
      else if (what === "Upload file" && filled) instead(choose);
      else if (what === "Upload file") choose(zone);
      else if (what === "Paste from clipboard") instead(paste);
      else if (what === "Capture from camera") openCamera(zone);
      else if (what === "Remove Image" || what === "Clear")
        setTimeout(() => find("[aria-dropeffect]:not(.hidden), .source-selection button", zone)?.focus(), 100);
    },
    true,
  );

  document.addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); // no file opens in the place of the page
  });
  document.addEventListener("drop", (event) => {
    const file = event.dataTransfer?.files[0];
    if (!file || event.defaultPrevented) return;
    event.preventDefault();
    const row = event.target.closest?.(".pictures-row");
    if (row) return drop(find("[aria-dropeffect]", row), event.dataTransfer.files);
    const card = event.target.closest?.(".card");
    const zone = card && find(".zone", card);
    if (zone) put(zone, file);
  });
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((file) => file.type.startsWith("image/"));
    if (!file) return;
    const card = document.activeElement?.closest?.(".card") ?? find(".card:hover");
    put((card && find("#source, #target", card)) ?? find("#source"), file);
  });

  // --- The example in the page's head leads to where such a one is made of the source.

  document.addEventListener("click", (event) => {
    if (!event.target.closest?.(".masthead .opening")) return;
    const opened = [...document.querySelectorAll('.ways [role="tab"]')].find((tab) => tab.innerText.trim() === "Compare");
    opened.click();
    opened.focus();
    find('#compare-kind input[value="strip"]')?.click(); // which it is at first, before the tab was ever open
  });

  // --- Keys, and a double click that resets a slider

  document.addEventListener("keydown", (event) => {
    const tabs = [...(event.target.closest?.('[role="tablist"]')?.querySelectorAll('[role="tab"]') ?? [])];
    const at = tabs.indexOf(event.target);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length];
    next.click();
    next.focus();
  });

  document.addEventListener("dblclick", (event) => {
    if (event.target.matches?.('.slider_input_container input[type="range"]'))
      find('[data-testid="reset-button"]', event.target.closest(".block"))?.click();
  });

  /** Mend what Gradio's parts tell screen readers: names that hide the text in a button, and names of nothing. */
  function mend() {
    for (const button of document.querySelectorAll("[aria-dropeffect][aria-label]"))
      if (button.innerText.trim()) button.removeAttribute("aria-label");
    // A button inside of another: the outer one is reached by keys, and does what the inner one does.
    for (const inner of document.querySelectorAll(".icon-button [aria-dropeffect]")) {
      if (inner.inert) continue;
      inner.inert = true;
      inner.closest(".icon-button").addEventListener("click", (event) => event.target !== inner && inner.click());
    }
    for (const empty of document.querySelectorAll(".empty[aria-label]:not([role])")) empty.setAttribute("role", "img");
    for (const place of Object.keys(asked)) mark(place); // one that was folded when it was asked for is there now
  }

  let mending = false;
  new MutationObserver(() => {
    if (mending) return;
    mending = true;
    setTimeout(() => {
      mending = false;
      mend();
    }, 200);
  }).observe(document.documentElement, { childList: true, subtree: true });

  // --- A film that plays on and on rests while nobody sees the tab.

  const resting = new Set();

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) for (const film of resting) film.play();
    resting.clear();
    if (!document.hidden) return;
    for (const film of document.querySelectorAll("video[loop]")) {
      if (film.paused) continue;
      film.pause();
      resting.add(film);
    }
  });

  // --- The comparison: a range lies over both pictures, so that hand, finger and keys move it and the page scrolls.

  function compare(element, props, watch) {
    const figure = find(".comparison", element);
    const range = find("input", figure);
    const move = () => figure.style.setProperty("--before", `${range.value}%`);
    const draw = () => {
      const { before, after } = props.value || {};
      figure.classList.toggle("empty", !after);
      for (const [part, url] of [["before", before], ["after", after]]) {
        const picture = find(`img.${part}`, figure);
        if (!url) picture.removeAttribute("src");
        else if (picture.getAttribute("src") !== url) picture.src = url;
      }
    };
    range.addEventListener("input", move);
    find("button", figure).addEventListener("click", () =>
      document.fullscreenElement ? document.exitFullscreen() : figure.requestFullscreen(),
    );
    find("img.after", figure).addEventListener("load", (event) => {
      const { naturalWidth, naturalHeight } = event.target;
      figure.style.setProperty("--wide", Math.min(1, naturalWidth / naturalHeight));
      figure.style.setProperty("--high", Math.min(1, naturalHeight / naturalWidth));
    });
    watch("value", draw);
    draw();
    move();
  }

  return { look, lookCompared, questionOf, asking, show, tell, say, failed, save, drawSeeds, surprise, surprised, example, startFilm, showFilm, firstFace, keep, restore, openTab, compare };
})();
