// What the buttons of the live page do, and how it keeps itself up to date: the server sends the pieces of
// the page that have changed, and each one is grafted onto what is there, so that focus, open details,
// selections and places of scrolling stay.
"use strict";

const byId = (id) => document.getElementById(id);
const body = document.body;

// --- Grafting -------------------------------------------------------------------------------------------

// What the user has done to an element is not undone by the next picture.
const KEPT = { DETAILS: ["open"], INPUT: ["checked", "value"], TABLE: [] };

function graftAttributes(here, there) {
  const kept = KEPT[here.nodeName] || [];
  for (const { name, value } of there.attributes) {
    if (!kept.includes(name) && here.getAttribute(name) !== value) here.setAttribute(name, value);
  }
  for (const { name } of [...here.attributes]) {
    if (!kept.includes(name) && !there.hasAttribute(name)) here.removeAttribute(name);
  }
}

function isSameKind(here, there) {
  return here.nodeType === there.nodeType && here.nodeName === there.nodeName && (here.id || "") === (there.id || "");
}

function graft(here, there) {
  let mine = here.firstChild;
  for (let theirs = there.firstChild; theirs; ) {
    const next = theirs.nextSibling;
    if (mine && isSameKind(mine, theirs)) {
      if (mine.nodeType === Node.ELEMENT_NODE) {
        if (!mine.isEqualNode(theirs)) {
          graftAttributes(mine, theirs);
          graft(mine, theirs);
        }
      } else if (mine.nodeValue !== theirs.nodeValue) {
        mine.nodeValue = theirs.nodeValue;
      }
      mine = mine.nextSibling;
    } else {
      const stale = mine;
      here.insertBefore(theirs, mine);
      // An element that is only in the new picture pushes the others on; anything else is replaced.
      if (stale && !(next && isSameKind(stale, next))) {
        mine = stale.nextSibling;
        stale.remove();
      }
    }
    theirs = next;
  }
  while (mine) {
    const next = mine.nextSibling;
    mine.remove();
    mine = next;
  }
}

function show({ id, html }) {
  if (id === "state") return showState(JSON.parse(html));
  const place = byId(id);
  if (!place) return;
  const template = document.createElement("template");
  template.innerHTML = html;
  globalThis.proofload?.prepare(template.content, place);
  graft(place, template.content);
}

// --- State ----------------------------------------------------------------------------------------------

let state = { stage: "idle", factor: 1 };

function showState(next) {
  const factor = byId("factor");
  if (factor && next.factor !== state.factor && document.activeElement !== factor) {
    factor.value = Math.round(next.factor * 100);
  }
  state = next;
  body.dataset.stage = next.stage;
  document.title = next.title;
  for (const element of document.querySelectorAll("[data-when]")) {
    const isFor = element.dataset.when.split(" ").includes(next.stage);
    const hadFocus = !isFor && element.contains(document.activeElement);
    element.hidden = !isFor;
    // A button that goes while one is on it passes the focus on to what has come in its place.
    if (hadFocus) queueMicrotask(() => document.querySelector(".controls button:not([hidden])")?.focus());
  }
  const spoken = byId("announce");
  if (spoken && spoken.textContent !== next.say) spoken.textContent = next.say;
}

function showLink(text, word) {
  const link = byId("link");
  if (!link) return;
  link.dataset.link = word;
  if (link.textContent !== text) link.textContent = text;
}

// --- Listening ------------------------------------------------------------------------------------------

let source = null;
let wait = 1000;
let timer = 0;

function listen() {
  clearTimeout(timer);
  if (source || document.hidden) return;
  source = new EventSource("/events");
  source.addEventListener("hello", (event) => {
    const { instance } = JSON.parse(event.data);
    const mine = document.querySelector("meta[name=instance]").content;
    // Another Proofload answers: its page may be another one.
    if (instance !== mine) return location.reload();
    wait = 1000;
    showLink("live", "live");
  });
  source.addEventListener("piece", (event) => show(JSON.parse(event.data)));
  source.onerror = () => {
    hush();
    showLink(state.over ? "the process has ended" : "connection lost, trying again", "lost");
    timer = setTimeout(listen, wait);
    wait = Math.min(wait * 1.6, 10_000);
  };
}

function hush() {
  source?.close();
  source = null;
}

// --- Asking for something -------------------------------------------------------------------------------

async function post(path, request) {
  problem("");
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
    });
    if (!answer.ok) problem((await answer.text()).trim() || `The server answered ${answer.status}.`);
    return answer.ok;
  } catch {
    problem("The server cannot be reached.");
    return false;
  }
}

function problem(text) {
  const place = byId("problem");
  if (place) place.textContent = text;
}

async function act(button) {
  const what = button.dataset.do;
  if (what === "stop" && !(await isSure())) return;
  button.disabled = true;
  await post("/api/control", { do: what });
  button.disabled = false;
}

function isSure() {
  const dialog = byId("confirm");
  return new Promise((resolve) => {
    dialog.returnValue = "no";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
  });
}

let scaling = 0;

// Several steps in quick succession are one change.
function scale(delay) {
  clearTimeout(scaling);
  scaling = setTimeout(() => {
    const percent = Number(byId("factor").value);
    if (percent > 0) post("/api/control", { do: "scale", factor: percent / 100 });
  }, delay);
}

function step(by) {
  const factor = byId("factor");
  const percent = Number(factor.value) || 100;
  // To the next full step, so that 33 becomes 40 or 30.
  const next = by > 0 ? Math.floor(percent / by) * by + by : Math.ceil(percent / -by) * -by + by;
  factor.value = Math.min(Math.max(next, 1), 10_000);
  scale(350);
}

function start(form) {
  const number = (name) => {
    const value = form.elements[name]?.value;
    return value ? Number(value) : undefined;
  };
  const boxes = [...form.querySelectorAll("[name=phase]")];
  const chosen = boxes.filter((box) => box.checked).map((box) => Number(box.value));
  if (!chosen.length) return problem("Choose at least one phase.");
  const request = {
    plan: Number(form.dataset.plan),
    phases: chosen.length === boxes.length ? [] : chosen,
    users: number("users"),
    rate: number("rate"),
    duration_seconds: number("duration_seconds"),
  };
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  post("/api/start", request).then((isStarted) => {
    button.disabled = false;
    if (isStarted) byId("main").scrollIntoView({ block: "start" });
  });
}

async function login(form) {
  const wrong = form.querySelector(".wrong");
  wrong.textContent = "";
  const answer = await fetch("/login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: byId("token").value }),
  }).catch(() => null);
  if (answer?.ok) location.replace("/");
  else wrong.textContent = answer ? "That is not the token." : "The server cannot be reached.";
}

// --- Wiring ---------------------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.do) act(button);
  if (button?.dataset.step) step(Number(button.dataset.step));
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("form.start")) {
    event.preventDefault();
    start(form);
  } else if (form.id === "login") {
    event.preventDefault();
    login(form);
  }
});

document.addEventListener("change", (event) => {
  if (event.target.id === "factor") scale(0);
  if (event.target.id === "plan") {
    for (const form of document.querySelectorAll("form.start")) form.hidden = form.dataset.plan !== event.target.value;
  }
});

if (body.classList.contains("live")) {
  showState(JSON.parse(body.dataset.state));
  byId("factor").value = Math.round(state.factor * 100);
  listen();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      // Nobody looks: the server needs not draw.
      hush();
      showLink("resting", "resting");
    } else {
      wait = 1000;
      listen();
    }
  });
  // A page that the browser had put aside comes back as it was.
  addEventListener("pageshow", listen);
  addEventListener("pagehide", hush);
}
