/* How many wait before the visitor, and about how long it takes: Gradio's server tells its client, and this shows it.

Every request joins a line and gets an id; over one stream the server says at which place each id stands, when it begins and
when it has ended. */

window.stylemaskWaiting = (() => {
  "use strict";

  const PATIENCE = 1500; // milliseconds of waiting of which nothing is said

  let lines = {}; // by number of an event: the line in which it waits
  const requests = new Map(); // by id: {line, since, running, rank, until}

  /** Note in which line each event waits. */
  const name = (known) => {
    lines = known;
  };

  function hear(message) {
    const request = requests.get(message.event_id);
    if (!request) return;
    if (message.msg === "estimation") {
      request.rank = message.rank ?? 0;
      request.until = message.rank_eta == null ? null : Date.now() + 1000 * message.rank_eta;
    } else if (message.msg === "process_starts") request.running = true;
    else if (message.msg === "process_completed") requests.delete(message.event_id);
    show();
  }

  async function join(body, answer) {
    const { event_id: id } = await answer.json();
    if (id) requests.set(id, { line: lines[body.fn_index], since: Date.now(), running: false, rank: 0, until: null });
  }

  async function listen(answer) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const messages = (text + part.value).split("\n\n");
      text = messages.pop();
      for (const message of messages) if (message.startsWith("data:")) hear(JSON.parse(message.slice(5)));
    }
    requests.clear(); // the server closes the stream when nothing is left to tell
    show();
  }

  const fetchAsEver = window.fetch;
  window.fetch = async (resource, options) => {
    const answer = await fetchAsEver(resource, options);
    const { pathname } = new URL(resource?.url ?? resource, location.href);
    if (pathname.endsWith("/queue/join")) await join(JSON.parse(options.body), answer.clone()).catch(() => {});
    else if (pathname.endsWith("/queue/data")) listen(answer.clone()).catch(() => requests.clear());
    else if (pathname.endsWith("/cancel")) requests.delete(JSON.parse(options.body).event_id);
    return answer;
  };

  /** Return how many strangers are before a request; the visitor's own requests do not count. */
  function before(request) {
    const own = [...requests.values()].filter((other) => other !== request && other.line === request.line);
    const served = own.some((other) => other.running);
    return request.rank - own.filter((other) => !other.running && other.rank < request.rank).length + (served ? 0 : 1);
  }

  function sentence() {
    const now = Date.now();
    const waiting = [...requests.values()].filter((request) => !request.running && now - request.since > PATIENCE);
    const [longest] = waiting.map((request) => [before(request), request.until]).sort((one, other) => other[0] - one[0]);
    if (!longest || longest[0] < 1) return "";
    const seconds = longest[1] && Math.max(1, Math.round((longest[1] - now) / 1000));
    return `In line: ${longest[0]} before you${seconds ? `, ready in about ${seconds} s` : ""}`;
  }

  function show() {
    const text = sentence();
    let note = document.querySelector("#waiting");
    if (!note && !text) return;
    if (!note) {
      note = document.createElement("p");
      note.id = "waiting";
      document.querySelector("main").append(note); // a landmark, by which screen readers find it
    }
    note.hidden = !text;
    if (text) note.textContent = text;
  }

  setInterval(show, 1000);
  return { name };
})();
