// Opening a room.

import { post } from "./live.js";

for (const form of document.querySelectorAll("form.open")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = new FormData(form);
    const setting = {};
    if (given.has("policy")) setting.policy = given.get("policy");
    if (given.get("periods")) setting.periods = Number(given.get("periods"));
    try {
      const { room } = await post("/play/open", {
        desk: Number(form.dataset.desk),
        setting,
        roles: given.getAll("role"),
        advice: given.has("advice"),
        patience: Number(given.get("patience")),
      });
      location.assign(room);
    } catch (error) {
      form.querySelector(".said").textContent = error.message;
    }
  });
}
