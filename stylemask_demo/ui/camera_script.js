/* The camera in the browser: its latest picture goes out while the one before is at work, and the result is shown.
   Gradio's events call these functions by name: see `camera_events`. */

window.stylemask.camera = (() => {
  "use strict";
  const SIDE = 480; // pixels of the longer side that are sent
  const QUALITY = 0.85;
  const COUNTED = 2000; // milliseconds over which pictures are counted
  const REFUSED = "There is no camera, or the browser keeps it closed. Allow it in the browser's settings.";

  const find = (selector) => document.querySelector(selector);
  let run = 0; // counts starts and stops, so that what is left of an earlier run ends
  let key = ""; // of who is followed
  let session = ""; // of this visitor, for Gradio
  let stream = null;
  let asked = 0;

  const running = () => document.body.hasAttribute("data-camera");

  function say(text, refused = false) {
    const line = find(".live-view figcaption");
    if (!line) return;
    line.textContent = text;
    line.classList.toggle("refusal", refused);
    if (refused) line.setAttribute("role", "alert");
    else line.removeAttribute("role");
  }

  /** Open the camera; return what makes the page ask for a follower. */
  async function start() {
    if (running()) return undefined;
    const mine = ++run;
    document.body.setAttribute("data-camera", "");
    say("Opening the camera");
    try {
      const opened = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "user" },
      });
      if (mine !== run) return void opened.getTracks().forEach((track) => track.stop());
      stream = opened;
      const view = find(".camera-view video");
      view.srcObject = stream;
      await view.play();
    } catch {
      if (mine === run) stop(REFUSED);
      return undefined;
    }
    if (mine !== run) return undefined;
    say("Looking at the source");
    return question();
  }

  const question = () => `${run} ${++asked}`;

  /** Return what makes the page ask anew with other settings, or nothing where no camera runs. */
  const turn = () => (running() && stream ? question() : undefined);

  /** Go on with a follower that is there. */
  function begun(told) {
    if (!told) return void (running() && stop()); // the card says why
    const first = !key;
    const [follower, visitor] = told.split(" ");
    session = visitor;
    if (!running()) return void end(follower); // stopped meanwhile
    key = follower;
    if (first) follow(run);
  }

  /** Send frames, each while the one before is at work, so that the page never waits for the next. */
  async function follow(mine) {
    const view = find(".camera-view video");
    const canvas = document.createElement("canvas");
    const shown = []; // when the last pictures were shown, and when their frames were taken
    let last = -1;
    let before;
    while (mine === run) {
      if (view.offsetParent === null || document.hidden) return stop(); // the tab was left
      if (view.currentTime === last || !view.videoWidth) {
        await rest(5);
        continue;
      }
      last = view.currentTime;
      const answered = answer(mine, view, canvas, shown);
      await before;
      before = answered;
    }
  }

  const rest = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

  const period = (shown) => (shown.length > 1 ? (shown.at(-1).at - shown[0].at) / (shown.length - 1) : 0);

  /** Send the camera's picture, and show what comes of it. */
  async function answer(mine, view, canvas, shown) {
    const taken = performance.now();
    let told;
    try {
      told = await ask("follow_camera", [key, frame(view, canvas)]);
    } catch (error) {
      if (mine === run) stop(error.message || "The page does not answer. Start the camera again.");
      return;
    }
    if (mine !== run || taken < shown.at(-1)?.taken) return;
    if (told.gone) return stop("The camera is not followed any more. Start it again.");
    if (told.busy) return;
    if (!told.picture) return say("No face is seen. Sit in the light, before the camera.");
    const result = find(".live-view img");
    result.src = told.picture;
    result.hidden = false;
    const at = performance.now();
    shown.push({ taken, at });
    while (shown[0].at < at - COUNTED) shown.shift();
    if (shown.length > 2) tell(shown);
  }

  function tell(shown) {
    const late = shown.reduce((sum, { taken, at }) => sum + at - taken, 0) / shown.length / 1000;
    say(`${(1000 / period(shown)).toFixed(1)} pictures a second, ${late.toFixed(2)} s late`);
  }

  /** Return the camera's picture now, as a mirror shows it, as JPEG. */
  function frame(view, canvas) {
    const scale = Math.min(SIDE / Math.max(view.videoWidth, view.videoHeight), 1);
    canvas.width = Math.round(view.videoWidth * scale);
    canvas.height = Math.round(view.videoHeight * scale);
    const context = canvas.getContext("2d");
    context.setTransform(-1, 0, 0, 1, canvas.width, 0);
    context.drawImage(view, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL("image/jpeg", QUALITY);
  }

  async function ask(name, data, more = {}) {
    const { root = "", api_prefix = "/gradio_api" } = window.gradio_config ?? {};
    const answer = await fetch(`${root}${api_prefix}/run/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ data, session_hash: session }),
      ...more,
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error ?? "");
    return told.data[0];
  }

  const end = (key) => ask("end_camera", [key], { keepalive: true }).catch(() => {});

  /** Close the camera, and have the follower forgotten; say why, if there is a reason. */
  function stop(reason = "") {
    run += 1;
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    const view = find(".camera-view video");
    if (view) view.srcObject = null;
    document.body.removeAttribute("data-camera");
    if (key) end(key);
    key = "";
    say(reason, Boolean(reason));
  }

  window.addEventListener("pagehide", () => running() && stop());
  document.addEventListener("visibilitychange", () => document.hidden && running() && stop());

  return { start, turn, begun, stop: () => stop() };
})();
