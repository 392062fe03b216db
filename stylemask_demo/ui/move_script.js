/* The sliders in the browser: when a hand rests, what to go back to, and files. Gradio's events call these functions by name:
   see `move_events`. All values of all sliders go in and out, in the order of the page. */

window.stylemask.sliders = (() => {
  "use strict";
  const REST = 250; // milliseconds without a move, after which a hand rests
  const MOST = 200; // settings to go back to

  let past = []; // settings, the oldest first
  let at = -1; // which of them the page shows
  let moves = 0; // of hands and buttons, so that what came before is known to be over
  let held = false; // a slider or the face, by a pointer

  document.addEventListener("pointerdown", (event) => (held = Boolean(event.target.closest?.('input[type="range"], .grips'))), true);
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => (held = false), true);

  const text = (values) => JSON.stringify(values);
  const told = (values) => `${moves} ${text(values)}`; // anew even where a hand has come back to where it was

  function showWays() {
    for (const [id, there] of [["undo", at > 0], ["redo", at < past.length - 1]]) {
      const button = document.getElementById(id);
      if (button) button.disabled = !there;
    }
  }

  /** Begin with what the page opens with. */
  function begin(...values) {
    past = [values];
    at = 0;
    showWays();
  }

  /** Keep a setting to go back to; return what tells of it. */
  function settle(...values) {
    moves += 1;
    if (at < 0) begin(...values.map(() => 0));
    if (text(values) !== text(past[at])) {
      past = [...past.slice(0, at + 1), values].slice(-MOST);
      at = past.length - 1;
    }
    showWays();
    return told(values);
  }

  /** Return what tells of the setting once the hand rests, or nothing where it has gone on. */
  async function rest(...values) {
    moves += 1;
    const move = moves;
    do await new Promise((done) => setTimeout(done, REST));
    while (held);
    return move === moves ? settle(...values) : undefined;
  }

  /** Return how many settings there are to go back to. */
  const steps = () => Math.max(at, 0);

  const set = (values) => [...values, settle(...values), ""];

  function go(to) {
    if (to < 0 || to >= past.length) return [];
    moves += 1;
    at = to;
    showWays();
    return [...past[at], told(past[at]), ""];
  }

  const undo = () => go(at - 1);
  const redo = () => go(at + 1);
  const reset = (...values) => set(values.map(() => 0));

  /** Return what presets and samples have made of the sliders, unless another source is asked for by now. */
  function come(answer) {
    if (!answer?.values || answer.asked !== window.stylemask.questionOf("edited")) return [];
    return [...answer.values, settle(...answer.values)];
  }

  // --- Files

  function store(ranges, values) {
    const sliders = Object.fromEntries(Object.keys(ranges).map((name, index) => [name, values[index]]));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify({ sliders }, null, 1)], { type: "application/json" }));
    link.download = "sliders.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  /** Return the setting of a file that is chosen, within the ranges; what it does not name is at rest. */
  async function load(ranges, values) {
    const file = await chosenFile();
    if (!file) return [];
    try {
      const { sliders } = JSON.parse(await file.text());
      const known = Object.keys(ranges).filter((name) => Number.isFinite(sliders[name]));
      if (!known.length) throw new Error("none is known");
      const within = ([name, [low, high]]) => (known.includes(name) ? Math.min(Math.max(sliders[name], low), high) : 0);
      return set(Object.entries(ranges).map(within));
    } catch {
      const refusal = '<p class="note refusal" role="alert">This file holds no sliders. Choose one that was saved here.</p>';
      return [...values, told(values), refusal];
    }
  }

  function chosenFile() {
    return new Promise((done) => {
      const input = document.createElement("input");
      input.type = "file";
      input.accept = ".json,application/json";
      input.onchange = () => done(input.files[0]);
      input.oncancel = () => done(null);
      input.click();
    });
  }

  return { begin, steps, settle, rest, undo, redo, reset, come, store, load };
})();
