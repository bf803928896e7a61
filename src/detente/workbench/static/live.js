// A part of a page that is kept as the server has it: asked for again and again; the server answers
// when there is something new, and every few seconds.

const SILENCE = 10000; // the server answers every four seconds

let tag = "";

export async function post(path, body) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Error("The server does not answer.");
  }
  if (response.status === 422) {
    const { diagnostics } = await response.json();
    throw new Error(diagnostics.map((d) => `${d.message}${d.hint ? ` (${d.hint})` : ""}`).join("; "));
  }
  if (!response.ok) throw new Error((await response.text()).trim() || `Error ${response.status}`);
  return response.json();
}

export function say(text) {
  const place = document.getElementById("said");
  place.textContent = text;
  place.hidden = !text;
}

// What is focused and what is unfolded stays so, where it is still there.
export function show(answer) {
  if (answer.html === undefined || answer.tag === tag) return false;
  tag = answer.tag;
  const live = document.getElementById("live");
  const focused = document.activeElement?.id;
  const open = new Map([...live.querySelectorAll("details[id]")].map((d) => [d.id, d.open]));
  live.innerHTML = answer.html; // made and escaped by the server
  live.setAttribute("aria-busy", false);
  for (const [id, was] of open) if (document.getElementById(id)) document.getElementById(id).open = was;
  if (focused) document.getElementById(focused)?.focus();
  return true;
}

export async function follow(base, changed, going = () => true) {
  const lost = document.getElementById("lost");
  while (going()) {
    try {
      const response = await fetch(`${base}/news?after=${tag}`, { signal: AbortSignal.timeout(SILENCE) });
      if (response.status === 404) throw new Error("This address leads to no seat and no room any more.");
      if (response.status === 401) throw new Error("detente serve was started anew: open the address that it printed in this browser, and this page goes on.");
      if (!response.ok) throw new Error(`The server answers ${response.status}.`);
      if (show(await response.json())) changed();
      lost.hidden = true;
    } catch (error) {
      lost.textContent = `The connection is lost: trying again. (${error.message})`;
      lost.hidden = false;
      await new Promise((done) => setTimeout(done, 1000));
    }
  }
}
