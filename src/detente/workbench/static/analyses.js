// The other commands: each is a box with its progress, a way to cancel it, and its result.

import { ask as request, client, post } from "./connection.js";
import { setting } from "./state.js";

const TITLES = {
  compare: "Comparison of policies",
  sensitivity: "Ranking of assumptions",
  threshold: "What it would take",
  track: "The record of moves",
  report: "The report",
};

const boxes = new Map();
const place = document.getElementById("jobs");

export async function ask(what, more) {
  const box = document.createElement("article");
  box.className = "job";
  box.innerHTML = '<h3></h3><p class="caption setting"></p><progress max="1"></progress><p role="status"></p><div class="result"></div><div class="row"><button type="button" class="stop">Cancel</button><button type="button" class="close" hidden>Close</button></div>';
  box.querySelector("h3").textContent = TITLES[what];
  place.prepend(box);
  box.querySelector(".close").onclick = () => box.remove();
  try {
    const { job } = await request({ what, setting, more });
    boxes.set(job, box);
    box.querySelector(".stop").onclick = () => post("cancel", { client, job });
    say(box, "Waiting …");
  } catch (error) {
    refuse(box, error.diagnostics || [{ message: error.message, hint: "" }]);
  }
}

function say(box, text) {
  box.querySelector("[role=status]").textContent = text;
}

function end(box) {
  box.querySelector("progress").hidden = true;
  box.querySelector(".stop").hidden = true;
  box.querySelector(".close").hidden = false;
}

function refuse(box, diagnostics) {
  end(box);
  box.classList.add("failed");
  say(box, diagnostics.map((d) => `${d.message}${d.hint ? ` (${d.hint})` : ""}`).join("; "));
}

// What was under way is not known any more: the server has begun anew, or too much came meanwhile.
export function lost() {
  for (const box of boxes.values()) refuse(box, [{ message: "Lost while there was no connection: ask again." }]);
  boxes.clear();
}

export function received(event) {
  const box = boxes.get(event.job);
  if (!box) return false;
  if (event.kind === "progress") {
    box.querySelector("progress").value = event.share;
    say(box, "Solving …");
  } else if (event.kind === "taken") say(box, "Begun …");
  else if (event.kind === "step") say(box, `${event.text} …`);
  else if (event.kind === "result") {
    box.querySelector(".setting").textContent = event.lead.join(" · ");
    say(box, event.unsolved.length ? `Not solved: ${event.unsolved.join("; ")}.` : "");
    box.querySelector(".result").innerHTML = event.html; // made and escaped by the server
  } else if (event.kind === "page") {
    const link = document.createElement("a");
    link.href = event.address;
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = "Open the report";
    box.querySelector(".result").replaceChildren(link);
    say(box, "");
  } else {
    if (event.kind === "cancelled") say(box, "Cancelled.");
    if (event.kind === "failed") refuse(box, [{ message: event.message, hint: "" }]);
    if (event.kind === "refused") refuse(box, event.diagnostics);
    end(box);
    boxes.delete(event.job);
  }
  return true;
}
