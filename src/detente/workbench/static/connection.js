// Requests, and the events that answer them: a stream, or by asking where that is not to be had.

const base = location.pathname.replace(/\/$/, "");
export const client = Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) =>
  b.toString(16).padStart(2, "0")).join("");

const SILENCE = 6000; // the server sends something every two seconds
const STREAM_TRIES = 2;

let last = 0, heard = Date.now(), polling = false, failures = 0;
let deliver = () => {}, connected = () => {};

export async function post(what, body) {
  let response;
  try {
    response = await fetch(`${base}/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    connected(false);
    throw new Error("The server does not answer.");
  }
  if (response.status === 422) {
    const refused = new Error("refused");
    refused.diagnostics = (await response.json()).diagnostics;
    throw refused;
  }
  if (!response.ok) throw new Error((await response.text()).trim() || `Error ${response.status}`);
  return response.json();
}

// An answer may come before the number of its job: it waits until those who asked know that.
let held = 0;
const early = [];

export async function ask(body) {
  held += 1;
  try {
    return await post("ask", { client, ...body });
  } finally {
    setTimeout(() => {
      held -= 1;
      if (!held) for (const event of early.splice(0)) deliver(event);
    });
  }
}

export async function get(what) {
  const response = await fetch(`${base}/${what}`);
  if (!response.ok) throw Object.assign(new Error(`Error ${response.status}`), { status: response.status });
  return response.json();
}

function received(text, id) {
  heard = Date.now();
  failures = 0;
  connected(true);
  if (id) last = Math.max(last, Number(id));
  const event = JSON.parse(text);
  if (event.kind === "lost") last = 0;
  if (held && event.job) early.push(event);
  else deliver(event);
}

function stream() {
  const source = new EventSource(`${base}/events?client=${client}&after=${last}`);
  source.onmessage = (message) => received(message.data, message.lastEventId);
  source.addEventListener("beat", () => {
    heard = Date.now();
    failures = 0;
    connected(true);
  });
  source.onerror = () => {
    source.close();
    again();
  };
  const watch = setInterval(() => {
    if (source.readyState === EventSource.CLOSED) {
      clearInterval(watch);
    } else if (Date.now() - heard > SILENCE) {
      clearInterval(watch);
      source.close();
      again();
    }
  }, 1000);
}

function again(anew = false) {
  connected(false, anew);
  failures += 1;
  polling = failures > STREAM_TRIES ? !polling : polling;
  setTimeout(polling ? poll : stream, 1000);
}

async function poll() {
  try {
    const { events } = await get(`news?client=${client}&after=${last}`);
    for (const event of events) received(JSON.stringify(event), event.id);
    setTimeout(poll, 200);
  } catch (error) {
    again(error.status === 401); // the token is that of a server before
  }
}

export function connect(onEvent, onConnected) {
  deliver = onEvent;
  connected = onConnected;
  heard = Date.now();
  stream();
}
