// The host's page: what the host does, and the debrief of the class.

import { follow, post, say } from "./live.js";

const base = location.pathname.replace(/\/$/, "");

document.getElementById("live").addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-do]");
  if (!button || (button.dataset.ask && !confirm(button.dataset.ask))) return;
  const body = { what: button.dataset.do };
  if (button.dataset.on) body.on = button.dataset.on === "true";
  if (button.dataset.table) body.table = Number(button.dataset.table);
  try {
    await post(`${base}/do`, body);
    say("");
  } catch (error) {
    say(error.message);
  }
});

document.getElementById("debrief").addEventListener("click", async () => {
  const response = await fetch(`${base}/debrief`);
  if (!response.ok) return say(`Error ${response.status}`);
  document.getElementById("class").innerHTML = (await response.json()).html; // made by the server
  return undefined;
});

follow(base, () => {});
