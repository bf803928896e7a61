// The page: what it asks the server, and what becomes of the answers.

import * as analyses from "./analyses.js";
import * as outcomes from "./outcomes.js";
import * as sliders from "./sliders.js";
import * as state from "./state.js";
import { ask as request, connect, get, post } from "./connection.js";
import { short } from "./numbers.js";

const $ = (id) => document.getElementById(id);
const { data } = state;
const PAUSE = 120; // ms for which a slider rests before its place is asked for
let job = 0, asked = null, pending = null, asking = false, later = 0, decisiveFor = null, known = false, version = data.version;

// ---- asking

// One request at a time; of several movements meanwhile the last one counts.
async function ask() {
  pending = state.setting;
  if (asking) return;
  asking = true;
  while (pending) {
    const setting = pending;
    pending = null;
    try {
      const answer = await request({ what: "answer", setting });
      job = answer.job;
      asked = setting;
      known = false;
      $("detail").classList.add("stale");
      $("detail").setAttribute("aria-busy", true);
      $("command").value = answer.command;
      diagnose([]);
    } catch (error) {
      job = 0;
      diagnose(error.diagnostics || [{ message: error.message, hint: "" }]);
    }
  }
  asking = false;
}

// What is known at once is painted first: a request takes the browser longer than the drawing.
function painted(act) {
  let due = true;
  const once = () => {
    if (due) act();
    due = false;
  };
  requestAnimationFrame(() => setTimeout(once));
  setTimeout(once, 100); // no frame is painted of a page that is not looked at
}

function changed(done, same = false) {
  if (!same) {
    diagnose([]); // what was said of the setting before
    sliders.show();
    show();
    outcomes.moved();
  }
  clearTimeout(later);
  if (done) painted(ask); else later = setTimeout(ask, PAUSE);
}

// ---- events

function received(event) {
  if (event.kind === "file") return file(event);
  if (event.kind === "lost") {
    analyses.lost();
    return ask();
  }
  if (analyses.received(event)) return undefined;
  if (event.job !== job) return undefined; // an answer to what is no longer asked
  const bar = $("progress");
  if (event.kind === "progress") {
    bar.hidden = known; // what is still computed then changes nothing that is shown
    bar.value = event.share;
  } else if (event.kind === "step") {
    $("stage").title = event.text;
    if (event.text.startsWith("Compiling")) $("stage").textContent = `${event.text} …`;
  } else if (event.kind === "answer") {
    outcomes.answered(event, asked);
    known = event.stage === "exact";
    bar.hidden = known;
  } else if (event.kind === "sections") {
    $("detail").classList.remove("stale");
    $("detail").setAttribute("aria-busy", false);
    $("lead").textContent = event.lead.join(" · ");
    const open = [...$("sections").querySelectorAll("details")].map((fold) => fold.open);
    $("sections").innerHTML = event.html; // made and escaped by the server
    [...$("sections").querySelectorAll("details")].forEach((fold, k) => { fold.open = Boolean(open[k]); });
    $("said").textContent = event.warnings.join(" ");
  } else if (event.kind === "slopes") {
    outcomes.differentiated(event);
    const key = JSON.stringify([outcomes.place(state.setting), outcomes.outcome(), version]);
    if (event.outcome === outcomes.outcome() && event.decisive.length && decisiveFor !== key) {
      const name = outcomes.current()?.outcomes.find((o) => o.key === event.outcome)?.about || event.outcome;
      const about = `The three assumptions whose ranges matter most for whether ${name}. Move one and see.`;
      if (sliders.decisive(event.decisive, about)) decisiveFor = key;
    }
  } else if (event.kind !== "taken") {
    bar.hidden = true;
    if (event.kind === "failed") diagnose([{ message: event.message, hint: "" }]);
    if (event.kind === "refused") diagnose(event.diagnostics);
  }
  return undefined;
}

async function file(event) {
  if (event.diagnostics.length) {
    diagnose(event.diagnostics, "The file cannot be used as it stands; this is still the last good one.", "file");
  } else diagnose([], "", "file");
  if (event.version === version) return;
  version = event.version;
  const fresh = await get("model");
  version = fresh.version;
  const dropped = state.renew(fresh.data);
  const open = [...$("file").querySelectorAll(".fold[open]")].map((fold) => fold.id);
  $("file").innerHTML = fresh.html; // made and escaped by the server
  for (const name of open) if ($(name)) $(name).open = true;
  job = 0; // what is still to come answers to the file before
  outcomes.forget();
  sliders.rebuild();
  sliders.show();
  show();
  const gone = dropped.length ? ` No longer in it: ${dropped.join(", ")}.` : "";
  $("changes").textContent = `The file has changed and was read again.${gone}`;
  ask();
}

// ---- what the page says

const problems = { file: [], answer: [] };

function diagnose(diagnostics, lead = "", from = "answer") {
  problems[from] = diagnostics.length ? [lead, ...diagnostics.map((d) => [d.place && `${d.place}: `, d.message, d.hint && ` (${d.hint})`].filter(Boolean).join(""))].filter(Boolean) : [];
  const lines = [...problems.file, ...problems.answer];
  $("diagnostics").hidden = !lines.length;
  $("diagnostics").replaceChildren(...lines.map((line) => {
    const p = document.createElement("p");
    p.textContent = line;
    return p;
  }));
  if (from === "answer" && diagnostics.length) {
    outcomes.failed();
    $("progress").hidden = true;
  }
}

function show() {
  const { setting } = state;
  $("policy").value = setting.policy ?? data.policy;
  $("outcome").value = setting.outcome;
  for (const [name, id] of COUNTED) {
    if ($(id) !== document.activeElement) $(id).value = setting[name] ?? "";
  }
  for (const select of document.querySelectorAll("select[data-variant]")) {
    select.value = setting.options[select.dataset.variant] ?? data.options[select.dataset.variant];
  }
  $("undo").disabled = !state.canUndo();
  $("redo").disabled = !state.canRedo();
  const changes = Object.entries(setting.values).map(([name, value]) => `${name} = ${short(value)}`);
  changes.push(...Object.entries(setting.options).map(([name, value]) => `${name} = ${value}`));
  if (setting.policy !== null) changes.push(`policy: ${setting.policy || "no terms"}`);
  if (setting.periods !== null) changes.push(`${setting.periods} periods`);
  if (setting.beliefs !== null) changes.push(`${setting.beliefs} belief points`);
  $("reset").disabled = !changes.length;
  $("changes").textContent = changes.length ? `Changed: ${changes.join(", ")}.` : "As in the file.";
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    $("said").textContent = `${what} copied.`;
  } catch {
    $("command").value = text;
    $("command").select();
    $("said").textContent = "Copy it from the field.";
  }
}

// ---- listening

// Sections that the server sends have ids of their own, `beliefs` among them.
const COUNTED = [["periods", "periods"], ["beliefs", "belief-points"]];

function count(name, id) {
  $(id).addEventListener("change", () => {
    const number = Number($(id).value);
    const given = $(id).value.trim() !== "";
    const bad = given && !(Number.isInteger(number) && number >= 1);
    $(id).setAttribute("aria-invalid", bad);
    if (!bad) state.change({ [name]: given ? number : null });
  });
}

function listen() {
  sliders.listen();
  state.onChange(changed);
  $("policy").addEventListener("change", () => state.change({ policy: $("policy").value }));
  $("outcome").addEventListener("change", () => state.change({ outcome: $("outcome").value }));
  for (const [name, id] of COUNTED) count(name, id);
  document.addEventListener("change", (event) => {
    const key = event.target.dataset?.variant;
    if (key) state.change({ options: { ...state.setting.options, [key]: event.target.value } });
  });
  $("undo").addEventListener("click", () => history.back());
  $("redo").addEventListener("click", () => history.forward());
  $("reset").addEventListener("click", () => state.change({ ...state.empty(), outcome: state.setting.outcome }));
  $("pin").addEventListener("click", () => {
    outcomes.pin(!outcomes.isPinned());
    showPin();
  });
  $("copy").addEventListener("click", () => copy($("command").value, "Command"));
  $("link").addEventListener("click", () => copy(location.origin + state.toAddress(state.setting), "Link"));
  $("save").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const { file: path } = await post("save", { setting: saveable(), name: $("save-name").value });
      $("said").textContent = `Saved as ${path}.`;
    } catch (error) {
      const told = error.diagnostics?.map((d) => `${d.message}${d.hint ? ` (${d.hint})` : ""}`);
      $("said").textContent = `Not saved: ${told ? told.join("; ") : error.message}.`;
    }
  });
  for (const button of document.querySelectorAll("button[data-what]")) {
    button.addEventListener("click", () => analyses.ask(button.dataset.what));
  }
  $("ask-threshold").addEventListener("submit", (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    analyses.ask("threshold", { parameter: form.get("parameter"), at: Number(form.get("at")) / 100 });
  });
  $("track").addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = event.target.elements.moves.files[0];
    analyses.ask("track", { moves: given ? await given.text() : "" });
  });
}

function showPin() {
  const on = outcomes.isPinned();
  $("pin").setAttribute("aria-pressed", on);
  $("pin").textContent = on ? "Unpin the baseline" : "Pin as baseline";
}

const saveable = () => ({ ...state.setting, outcome: "" });

let there = null;
function connected(now, anew = false) {
  if (there === now && !anew) return;
  if (there === false && now) ask();
  there = now;
  $("lost").hidden = now;
  const why = anew ? "detente serve was started anew. Open the address that it printed in this browser: this page then goes on." : "The connection to detente serve is lost: trying again.";
  $("lost").textContent = now ? "" : `${why} Nothing that you have set is lost.`;
}

const dropped = state.begin();
listen();
sliders.decisive([], "");
sliders.show();
showPin();
show();
if (dropped.length) $("changes").textContent += ` Not in the scenario: ${dropped.join(", ")}.`;
connect(received, connected);
ask();
