// Coming into a room.

import { post } from "./live.js";

document.getElementById("join").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  try {
    const { seat } = await post("/join", { code: form.get("code"), name: form.get("name") });
    location.assign(seat);
  } catch (error) {
    document.getElementById("said").textContent = error.message;
  }
});
