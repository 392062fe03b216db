/* The face on the picture of "Move by hand" is dragged itself: the head turns under the finger, and corners of the mouth, brows,
   lids and pupils can be pulled. What moves is a layer over the face alone, so that a finger elsewhere scrolls the page. Each
   position is told to Gradio, whose events call these functions by name: see `move_events`. */

window.stylemask.drag = (() => {
  "use strict";
  // What a pull changes, for a pull by the distance between the eyes; right, up and, for what has two sides, outwards.
  const PULLS = {
    head: ({ right, up }) => ({ yaw: 40 * right, pitch: 40 * up }),
    mouth: ({ up, out }) => ({ smile: 2.8 * out + 1.8 * up }),
    brow: ({ up }) => ({ brows: 4 * up }),
    lid: ({ up }) => ({ eyes: 6 * up }),
    pupil: ({ right, up }) => ({ gaze_x: 5 * right, gaze_y: 5 * up }),
  };
  // Where parts can be taken, by iBUG's landmarks of the side that is left in the picture and of the other one.
  const GRIPS = {
    mouth: [[48], [54]],
    brow: [[17, 18, 19, 20, 21], [22, 23, 24, 25, 26]],
    lid: [[37, 38], [43, 44]],
    pupil: [[36, 37, 38, 39, 40, 41], [42, 43, 44, 45, 46, 47]],
  };
  const LID_RAISED = 0.1; // over the pupil, in distances between the eyes
  const NEAR = 0.22; // so far from a grip it is still taken,
  const NEAREST = 14; // but from no less than so many pixels
  const FOREHEAD = 0.8; // over the brows

  let known = null; // {landmarks, sliders} of the picture that is shown
  let taken = null; // what a pointer holds: {pointer, grip, x, y, unit, out}
  let drags = 0;
  let begun = null; // {drag, values}: where the sliders stood
  let latest = null; // {drag, change}: how far the sliders are to follow
  let waiting = false; // for the next frame, in which the latest position is told

  // Another picture has come, or the tab was opened, which is not there before.
  document.addEventListener("load", (event) => taken || (event.target.closest?.("#edited") && lay()), true);

  const place = () => document.getElementById("edited");
  const mean = (points) => [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
  const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

  /** Learn where the face is on the picture that is shown, and which sliders there are. */
  function know(text) {
    known = text ? JSON.parse(text) : null;
    if (!taken) lay();
  }

  /** Return the landmarks in pixels of the place, or nothing while there is no face. */
  function points() {
    const picture = place()?.querySelector("img");
    if (!known || !picture?.naturalWidth) return null;
    const [box, outer] = [picture.getBoundingClientRect(), place().getBoundingClientRect()];
    const scale = Math.min(box.width / picture.naturalWidth, box.height / picture.naturalHeight);
    const [width, height] = [scale * picture.naturalWidth, scale * picture.naturalHeight];
    const left = box.left - outer.left + (box.width - width) / 2;
    const top = box.top - outer.top + (box.height - height) / 2;
    return known.landmarks.map(([x, y]) => [left + x * width, top + y * height]);
  }

  const eye = (all, side) => mean(GRIPS.pupil[side].map((index) => all[index]));

  /** Return what the distance between the eyes is in pixels; of a face in profile, what it would be from the front. */
  const unitOf = (all) => Math.max(apart(eye(all, 0), eye(all, 1)), 0.55 * apart(all[27], all[8]));

  /** Return where the parts are that can be taken. */
  function grips(all) {
    const unit = unitOf(all);
    const offered = Object.keys(GRIPS).filter((name) => moves(name));
    return offered.flatMap((name) =>
      GRIPS[name].map((indices, side) => {
        const at = name === "lid" ? eye(all, side) : mean(indices.map((index) => all[index]));
        if (name === "lid") at[1] = Math.min(mean(indices.map((index) => all[index]))[1], at[1] - LID_RAISED * unit);
        return { name, out: side ? 1 : -1, at };
      }),
    );
  }

  const moves = (name) => Object.keys(PULLS[name]({ right: 0, up: 0, out: 0 })).every((slider) => known.sliders.includes(slider));

  /** Lay the layer over the face, with a dot on each grip. */
  function lay() {
    const home = place();
    if (!home) return;
    const layer = home.querySelector(".grips") ?? newLayer(home);
    const all = points();
    layer.hidden = !all;
    if (!all) return;
    const unit = unitOf(all);
    const [xs, ys] = [0, 1].map((axis) => all.map((point) => point[axis]));
    const [left, top] = [Math.min(...xs), Math.max(Math.min(...ys) - FOREHEAD * unit, 0)];
    const size = { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
    for (const [name, value] of Object.entries(size)) layer.style[name] = `${value}px`;
    const dots = grips(all).map(({ name, at }) => {
      const dot = document.createElement("span");
      dot.dataset.grip = name;
      dot.style.left = `${at[0] - left}px`;
      dot.style.top = `${at[1] - top}px`;
      return dot;
    });
    layer.replaceChildren(...dots);
  }

  function newLayer(home) {
    const layer = document.createElement("div");
    layer.className = "grips";
    layer.setAttribute("aria-hidden", "true"); // the sliders do the same by keys
    layer.title = "Drag the face: it turns. Pull mouth, brows, lids or pupils.";
    layer.addEventListener("pointerdown", take);
    layer.addEventListener("pointermove", pull);
    for (const end of ["pointerup", "pointercancel"]) layer.addEventListener(end, release);
    new ResizeObserver(() => taken || lay()).observe(home);
    return home.appendChild(layer);
  }

  function take(event) {
    const all = points();
    if (!all || taken || event.button) return;
    event.preventDefault();
    const outer = place().getBoundingClientRect();
    const at = [event.clientX - outer.left, event.clientY - outer.top];
    const unit = unitOf(all);
    const [nearest] = grips(all).sort((a, b) => apart(a.at, at) - apart(b.at, at));
    const near = nearest && apart(nearest.at, at) < Math.max(NEAR * unit, NEAREST);
    if (!near && !moves("head")) return;
    drags += 1;
    taken = { pointer: event.pointerId, name: near ? nearest.name : "head", out: near ? nearest.out : 1, unit, from: at };
    taken.change = null;
    const layer = event.currentTarget;
    layer.setPointerCapture(event.pointerId);
    layer.dataset.held = taken.name;
  }

  function pull(event) {
    if (event.pointerId !== taken?.pointer) return;
    const outer = place().getBoundingClientRect();
    const right = (event.clientX - outer.left - taken.from[0]) / taken.unit;
    const up = (taken.from[1] - (event.clientY - outer.top)) / taken.unit;
    taken.change = PULLS[taken.name]({ right, up, out: taken.out * right });
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(tell);
  }

  /** Tell Gradio how far the face is pulled by now. */
  function tell() {
    waiting = false;
    if (!taken?.change) return;
    latest = { drag: drags, change: taken.change };
    document.getElementById("pulled").click();
  }

  function release(event) {
    if (event.pointerId !== taken?.pointer) return;
    tell();
    taken = null;
    delete event.currentTarget.dataset.held;
  }

  /** Return where the sliders stand by the latest pull, within their ranges, and what tells of it. */
  function set(ranges, ...values) {
    const { drag, change } = latest;
    if (begun?.drag !== drag) begun = { drag, values };
    const places = Object.entries(ranges).map(([name, [low, high, step]], index) => {
      if (!(name in change)) return values[index];
      const value = Math.min(Math.max(begun.values[index] + change[name], low), high);
      return Number((Math.round(value / step) * step).toFixed(2));
    });
    return [...places, JSON.stringify(latest)];
  }

  return { know, set };
})();
