// A player's page: choosing, and what is told when it is one's turn.

import { follow, post, say } from "./live.js";

const base = location.pathname.replace(/\/$/, "");
let here = true, chose = false;

function changed() {
  const mine = document.querySelector(".options");
  const title = document.querySelector("#moves h2")?.textContent || document.querySelector("#over")?.textContent || "";
  document.getElementById("turn").textContent = title;
  document.title = mine ? `● ${title}` : title || "Detente";
  document.getElementById("record")?.setAttribute("href", `${base}/moves.csv`);
  if (chose) document.getElementById("moves-h")?.focus();
  chose = false;
  document.querySelector("footer").hidden = Boolean(document.getElementById("over"));
}

document.getElementById("live").addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-action]");
  if (!button) return;
  const options = button.closest(".options");
  for (const other of options.querySelectorAll("button")) other.disabled = true;
  try {
    const turn = Number(options.dataset.turn);
    chose = true; // the news tell what follows
    await post(`${base}/choose`, { turn, action: button.dataset.action });
    say("");
  } catch (error) {
    chose = false;
    say(error.message);
    for (const other of options.querySelectorAll("button")) other.disabled = false;
  }
});

document.getElementById("leave").addEventListener("click", async () => {
  if (!here) {
    location.reload();
    return;
  }
  here = false;
  try {
    await post(`${base}/leave`, {});
  } catch (error) {
    say(error.message);
  }
  document.getElementById("live").replaceChildren();
  document.getElementById("leave").textContent = "Come back to the table";
});

follow(base, changed, () => here);
