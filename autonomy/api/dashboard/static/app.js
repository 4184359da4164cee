// Keeps a page true while it is looked at. The server renders everything: this fetches the page again when something has
// happened, and puts in the parts that changed. Without it every page and form still works.
"use strict";

const main = document.getElementById("main");
const link = document.getElementById("link");
const announce = document.getElementById("announce");
const ENDS = new Set(["run.done", "run.failed", "run.aborted"]);
const AGAIN = { first: 500, most: 8000 };
const PAUSE = 250; // least time between two renewals, in milliseconds

const shown = new WeakMap(); // part -> its HTML as the server sent it, before anything here touched it

function parts(root) {
  return root.querySelectorAll("[data-part]");
}

function remember(root) {
  for (const part of parts(root)) shown.set(part, part.outerHTML);
}

function localise(root) {
  for (const time of root.querySelectorAll("time[data-clock]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) {
      time.textContent = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
      time.title = at.toLocaleString();
    }
  }
}

function words(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const whole = Math.round(seconds);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.floor((whole % 3600) / 60);
  return minutes ? `${Math.floor(whole / 3600)} h ${two(minutes)} min` : `${Math.floor(whole / 3600)} h`;
}

function tick() {
  for (const time of document.querySelectorAll("time[data-since]")) {
    time.textContent = words(Math.max(0, (Date.now() - new Date(time.dateTime).getTime()) / 1000));
  }
}

function edited(part) {
  return [...part.querySelectorAll("input, textarea")].some((field) => field.value !== field.defaultValue);
}

// Where the plan is wider than the page, the step at work stands in its middle, or the last one that was begun; a picture
// that was moved by hand stays where it is. `before` is where the picture that this one replaces stood.
let placed = 0;

function place(before) {
  const scroll = document.getElementById("graph-scroll");
  if (!scroll) return;
  const steps = [...scroll.querySelectorAll(".graph:not(.flat) .step:not(.pending)")];
  const step = scroll.querySelector(".graph:not(.flat) .step.current") || steps.pop();
  if (Math.abs(before - placed) > 1) {
    scroll.scrollLeft = before;
  } else {
    const [frame, box] = [scroll.getBoundingClientRect(), step && step.getBoundingClientRect()];
    scroll.scrollLeft = box ? scroll.scrollLeft + (box.left + box.right - frame.left - frame.right) / 2 : 0;
    placed = scroll.scrollLeft;
  }
}

// Put the changed parts of a fetched page into this one. What is open stays open; who had the focus keeps it. What was said
// about a form stays until another form is sent: `answered` is true for the answer to one.
function put(page, answered) {
  for (const part of parts(main)) {
    if (part.id === "flash" && !answered) continue;
    const next = page.getElementById(part.id);
    const same = !next || next.outerHTML === shown.get(part);
    const typing = next && edited(part) && part.querySelectorAll("form").length === next.querySelectorAll("form").length;
    if (same || typing) continue;
    const fresh = document.adoptNode(next);
    shown.set(fresh, fresh.outerHTML);
    for (const open of part.querySelectorAll("details[open][id]")) {
      const again = fresh.querySelector(`#${CSS.escape(open.id)}`);
      if (again) again.open = true;
    }
    const focus = part.contains(document.activeElement) ? document.activeElement : null;
    localise(fresh);
    const graph = part.querySelector("#graph-scroll");
    const left = graph ? graph.scrollLeft : placed;
    part.replaceWith(fresh);
    if (fresh.id === "plan") place(left);
    if (focus) refocus(focus, fresh);
  }
  const status = document.getElementById("run-head");
  if (status) tell(status);
  document.title = page.title;
  const stream = page.getElementById("main").dataset.stream;
  if (stream) main.dataset.stream = stream;
  else delete main.dataset.stream;
  tick();
}

function refocus(before, fresh) {
  const place = before.id ? document.getElementById(before.id) : null;
  const summary = before.tagName === "SUMMARY" ? document.getElementById(before.parentElement.id) : null;
  const target = place || (summary && summary.querySelector("summary")) || fresh.querySelector("button, summary") || fresh;
  if (target === fresh) fresh.tabIndex = -1;
  target.focus({ preventScroll: true });
}

let told = null;
function tell(head) {
  const chip = head.querySelector(".chip");
  const word = chip ? chip.textContent.trim() : "";
  if (told !== null && told !== word) announce.textContent = `The run is now: ${word}`;
  told = word;
}

async function fetched(answer) {
  if (new URL(answer.url).pathname === "/login") {
    location.assign("/login");
    return null;
  }
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

// -- renewing: one request at a time, and one more when something happened meanwhile ----------------

let busy = false;
let wanted = false;
let waiting = 0;

function renew() {
  wanted = true;
  if (!busy && !waiting) waiting = setTimeout(work, PAUSE);
}

async function work() {
  waiting = 0;
  busy = true;
  wanted = false;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (answer.ok) {
      const page = await fetched(answer);
      if (page) put(page, false);
      if (!main.dataset.stream && source) leave();
    }
  } catch {
    if (main.dataset.stream || main.dataset.poll) {
      say("lost", "Reconnecting…");
      setTimeout(renew, 2 * AGAIN.first);
    }
  } finally {
    busy = false;
    if (wanted) renew();
  }
}

// -- the stream -------------------------------------------------------------------------------------

let source = null;
let last = null;
let delay = AGAIN.first;
let retry = 0;

function say(state, text) {
  if (link.dataset.state === state) return;
  link.hidden = !state;
  link.dataset.state = state;
  link.textContent = text;
}

function listen() {
  const address = main.dataset.stream;
  if (!address || source || document.hidden) return;
  const url = new URL(address, location.href);
  if (last !== null) url.searchParams.set("from", String(last + 1));
  source = new EventSource(url);
  source.onopen = () => {
    const back = link.dataset.state === "lost";
    delay = AGAIN.first;
    say("live", "Live");
    if (back) {
      announce.textContent = "Connected again";
      renew();
    }
  };
  source.onerror = () => {
    say("lost", "Reconnecting…");
    if (source.readyState === EventSource.CLOSED) later();
  };
  for (const name of main.dataset.events.split(" ")) source.addEventListener(name, heard);
}

function later() {
  source.close();
  source = null;
  clearTimeout(retry);
  retry = setTimeout(() => {
    renew();
    listen();
  }, delay);
  delay = Math.min(2 * delay, AGAIN.most);
}

function heard(event) {
  const id = Number(event.lastEventId);
  if (Number.isSafeInteger(id)) last = id;
  if (ENDS.has(event.type)) leave();
  renew();
}

function leave() {
  if (source) source.close();
  source = null;
  say("rest", "Ended");
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    if (source) source.close();
    source = null;
  } else if (main.dataset.stream || main.dataset.poll) {
    listen();
    renew();
  }
});

// -- forms: sent from here, so that the place on the page and the focus are kept --------------------

async function send(form, button) {
  if (button) button.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    const page = await fetched(answer);
    if (!page) return;
    if (answer.ok) {
      form.reset();
      const box = form.closest("details");
      if (box) box.open = false;
      put(page, true);
      listen();
    } else {
      const problem = page.getElementById("problem");
      warn(problem ? problem.textContent : "The server did not answer.");
      renew();
    }
  } catch {
    warn("The server cannot be reached; nothing was changed by this page. Try again.");
  } finally {
    if (button) button.removeAttribute("aria-busy");
  }
}

function warn(text) {
  const line = document.createElement("p");
  line.className = "flash bad";
  line.textContent = text;
  document.getElementById("flash").replaceChildren(line);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.hasAttribute("data-here")) return;
  event.preventDefault();
  const button = event.submitter;
  if (button && button.getAttribute("aria-busy") === "true") return;
  send(form, button);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const box = event.target.closest("details.confirm[open]");
  if (!box) return;
  box.open = false;
  box.querySelector("summary").focus();
});

// -- begin ------------------------------------------------------------------------------------------

remember(main);
localise(main);
place(placed);
const head = document.getElementById("run-head");
if (head) tell(head);
setInterval(tick, 1000);
listen();
if (main.dataset.poll) setInterval(() => document.hidden || renew(), Number(main.dataset.poll));
