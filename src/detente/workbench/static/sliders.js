// Inputs of the parameters: each shows the state, and a movement changes it.

import { data, setValue, setting, value } from "./state.js";
import { short } from "./numbers.js";

let three = [];

const shown = new WeakMap(); // by slider, the number that it shows

// All sliders as the state has them; an input that a person is typing into is left alone. Those
// whose number is as before are not touched: there are hundreds, and one that moves.
export function show() {
  for (const box of document.querySelectorAll(".slider")) {
    const name = box.dataset.name;
    if (!(name in data.numbers)) continue;
    const number = value(name), changed = name in setting.values;
    const key = `${number} ${changed}`;
    if (shown.get(box) === key) continue;
    let left = false;
    for (const input of box.querySelectorAll("input[data-name]")) {
      const range = input.type === "range";
      if (range) input.setAttribute("aria-valuetext", short(number));
      if (range || input !== document.activeElement) input.value = range ? number : short(number);
      else left = true; // it is shown once it is left
    }
    box.classList.toggle("changed", changed);
    box.querySelector(".reset").hidden = !changed;
    if (left) shown.delete(box); else shown.set(box, key);
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
  document.addEventListener("focusout", (event) => {
    const box = event.target.closest?.(".slider");
    if (box) shown.delete(box); // what was typed there and is no number gives way to the state's
    show();
  });
}
