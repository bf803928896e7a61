// Inputs of the parameters: each shows the state, and a movement changes it.

import { data, setValue, setting, value } from "./state.js";
import { short } from "./numbers.js";

let three = [];

// All inputs as the state has them; one that a person is typing into is left alone.
export function show() {
  for (const input of document.querySelectorAll("input[data-name]")) {
    const name = input.dataset.name;
    if (!(name in data.numbers)) continue;
    const number = value(name);
    if (input.type === "range" || (input !== document.activeElement)) {
      const text = input.type === "range" ? String(number) : short(number);
      if (input.value !== text) input.value = text;
    }
    if (input.type === "range") input.setAttribute("aria-valuetext", short(number));
  }
  for (const box of document.querySelectorAll(".slider")) {
    const changed = box.dataset.name in setting.values;
    box.classList.toggle("changed", changed);
    box.querySelector(".reset").hidden = !changed;
  }
}

export function decisive(names, about) {
  three = names.filter((name) => name in data.numbers);
  if (!three.length) three = Object.keys(data.numbers).filter((n) => data.numbers[n].low !== null).slice(0, 3);
  const place = document.getElementById("three");
  const before = [...place.children].map((box) => box.dataset.name);
  if (place.contains(document.activeElement)) { // not under somebody's hand
    three = before;
    return false;
  }
  if (about) document.getElementById("decisive-about").textContent = about;
  if (before.join() !== three.join()) build(place);
  return true;
}

// From the sliders below, which were made anew.
export function rebuild() {
  three = three.filter((name) => name in data.numbers);
  build(document.getElementById("three"));
}

function build(place) {
  place.replaceChildren();
  for (const name of three) {
    const box = document.querySelector(`#assumptions .slider[data-name="${CSS.escape(name)}"]`);
    if (!box) continue;
    const copy = box.cloneNode(true);
    const input = copy.querySelector("input");
    copy.querySelector(".label").textContent = input.getAttribute("aria-label").replace(/, (slider|number)$/, "");
    const ends = data.numbers[name];
    if (ends.low !== null) {
      const scale = document.createElement("span");
      scale.className = "ends";
      scale.textContent = `${short(ends.low)} – ${short(ends.high)}`;
      copy.append(scale);
    }
    place.append(copy);
  }
  show();
}

export function listen() {
  const moved = (event, done) => {
    const input = event.target;
    if (!input.matches?.("input[data-name]")) return;
    const number = Number(input.value);
    const bad = input.value.trim() === "" || !Number.isFinite(number);
    input.setAttribute("aria-invalid", bad);
    if (!bad) setValue(input.dataset.name, number, done);
  };
  document.addEventListener("input", (event) => moved(event, false));
  document.addEventListener("change", (event) => moved(event, true));
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-reset]");
    if (button) setValue(button.dataset.reset, data.numbers[button.dataset.reset].value, true);
  });
  document.addEventListener("focusout", show);
}
