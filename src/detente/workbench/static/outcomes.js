// The probabilities: at once by derivatives, then from a coarse grid, then exact.

import { data, setting, value } from "./state.js";
import { percent, points } from "./numbers.js";

const STAGES = {
  old: "Solving …",
  linear: "≈ linear estimate; solving …",
  coarse: "from a coarse grid; solving …",
  exact: "exact, as detente run gives it on this grid",
  rough: "No exact answer to this setting: these numbers are from a coarse grid.",
  failed: "No answer to this setting: these are the last exact numbers, of another one.",
};

const ROUGH = { linear: ", a linear estimate", coarse: ", which is from a coarse grid" };

let exact = null; // the last exact answer, where it was, and the derivatives there
let shown = null; // what is on the page
let pinned = JSON.parse(sessionStorage.getItem(location.pathname)); // lasts as long as the tab
let open = ""; // the most open outcome, as it was before anything was moved here
const list = document.getElementById("chances");

export const current = () => shown;

export const isPinned = () => pinned !== null;

export const outcome = () => setting.outcome || open;

export function place(s) {
  return JSON.stringify([s.policy, s.periods, s.beliefs, s.options]);
}

// What the derivatives at the last exact answer give; null where they do not apply.
function linear() {
  if (!exact || exact.place !== place(setting)) return null;
  const moved = Object.keys(data.numbers)
    .map((name) => [name, value(name) - exact.values[name]])
    .filter(([, step]) => step !== 0);
  if (!moved.length) return { stage: "exact", outcomes: exact.outcomes };
  const outcomes = exact.outcomes.map((o) => {
    const slopes = exact.slopes[o.key];
    if (!slopes) return { ...o, error: null, old: true };
    const sum = moved.reduce((p, [name, step]) => p + (slopes[name] || 0) * step, o.happened);
    return { ...o, happened: Math.min(1, Math.max(0, sum)), error: null };
  });
  const all = outcomes.every((o) => !o.old);
  return { stage: outcomes.some((o) => !o.old) ? "linear" : "old", outcomes, partial: !all };
}

export function moved() {
  const estimate = linear();
  if (estimate) draw(estimate);
  else if (shown) draw({ stage: "old", outcomes: shown.outcomes.map((o) => ({ ...o, old: true })) });
}

// `asked` is the setting that the answer is to; it may have moved on since.
export function answered(event, asked) {
  const here = JSON.stringify(asked) === JSON.stringify(setting);
  if (!exact || exact.place !== place(asked)) open = event.asked;
  if (pinned && pinned.stage !== "exact" && pinned.setting === JSON.stringify(asked)) {
    keep({ ...pinned, outcomes: event.outcomes, stage: event.stage });
  }
  if (event.stage === "exact") {
    const numbers = Object.entries(data.numbers);
    exact = {
      place: place(asked),
      values: Object.fromEntries(numbers.map(([name, n]) => [name, asked.values[name] ?? n.value])),
      outcomes: event.outcomes,
      slopes: {},
    };
  }
  // What is known exactly of this setting from before is not replaced by less.
  if (here && event.stage === "coarse" && linear()?.stage === "exact") return;
  document.getElementById("by").textContent = `Probability that it has come about by ${event.by}.`;
  if (here) draw(event); else moved();
}

export function differentiated(event) {
  if (exact) exact.slopes[event.outcome] = event.slopes;
}

export function forget() {
  exact = null;
  moved();
}

export function failed() {
  if (shown?.stage === "coarse") draw({ ...shown, stage: "rough" });
  else if (exact) draw({ stage: "failed", outcomes: exact.outcomes.map((o) => ({ ...o, old: true })) });
  else document.getElementById("stage").textContent = "No answer to this setting.";
}

export function pin(on) {
  keep(on && shown ? { outcomes: shown.outcomes, stage: shown.stage, setting: JSON.stringify(setting) } : null);
  if (shown) draw(shown);
}

function keep(baseline) {
  pinned = baseline;
  if (pinned) sessionStorage.setItem(location.pathname, JSON.stringify(pinned));
  else sessionStorage.removeItem(location.pathname);
}

function draw(answer) {
  shown = answer;
  const line = document.getElementById("stage");
  line.textContent = answer.unsolved?.length ? `Not solved: ${answer.unsolved.join("; ")}. This cannot be relied on.` : STAGES[answer.stage];
  line.dataset.stage = answer.stage;
  list.classList.toggle("compared", Boolean(pinned));
  document.getElementById("asked").textContent = "";
  for (const o of answer.outcomes) {
    let item = list.querySelector(`[data-key="${CSS.escape(o.key)}"]`);
    if (!item) {
      item = document.createElement("li");
      item.dataset.key = o.key;
      item.innerHTML = '<span class="about"></span><span class="track"><i class="was"></i><i class="now"></i></span><b class="number"></b><span class="change"></span>';
      list.append(item);
    }
    const about = o.about ? o.about[0].toUpperCase() + o.about.slice(1) : o.key;
    item.querySelector(".about").textContent = about;
    item.querySelector(".now").style.width = `${100 * o.happened}%`;
    item.querySelector(".number").textContent = `${answer.stage === "linear" && !o.old ? "≈ " : ""}${percent(o.happened, o.error)}`;
    item.classList.toggle("old", Boolean(o.old));
    const base = pinned?.outcomes.find((p) => p.key === o.key);
    item.querySelector(".was").style.left = base ? `${100 * base.happened}%` : "";
    item.querySelector(".was").hidden = !base;
    item.querySelector(".change").textContent = base && !o.old ? points(o.happened - base.happened) : "";
    const asked = o.key === outcome();
    item.classList.toggle("asked", asked);
    if (asked) document.getElementById("asked").textContent = `${about}: ${[".number", ".change"].map((part) => item.querySelector(part).textContent).filter(Boolean).join(", ")}`;
  }
  const keys = new Set(answer.outcomes.map((o) => o.key));
  for (const item of [...list.children]) if (!keys.has(item.dataset.key)) item.remove();
  const note = document.getElementById("baseline");
  note.hidden = !pinned;
  note.textContent = pinned ? `Changes and marks on the bars: against the pinned baseline${ROUGH[pinned.stage] || ""}.` : "";
}
