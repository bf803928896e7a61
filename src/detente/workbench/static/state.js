// What the page has changed of the scenario, kept in its address: a link is a state, and the
// browser's own history is undo and redo.

export const data = JSON.parse(document.getElementById("data").textContent);

export const empty = () => ({
  values: {}, options: {}, policy: null, periods: null, beliefs: null, outcome: "",
});

export let setting = empty();

const listeners = [];
export const onChange = (listener) => listeners.push(listener);

const COUNTS = { horizon: "periods", beliefs: "beliefs" };

export function fromAddress(search) {
  const found = empty();
  const dropped = [];
  for (const [name, value] of new URLSearchParams(search)) {
    const key = name.slice(2);
    if (name.startsWith("v.")) {
      if (key in data.numbers && value.trim() && Number.isFinite(Number(value))) {
        found.values[key] = Number(value);
      } else dropped.push(key);
    } else if (name.startsWith("o.")) {
      if (key in data.options) found.options[key] = value; else dropped.push(key);
    } else if (name in COUNTS) {
      if (/^[1-9][0-9]{0,5}$/.test(value)) found[COUNTS[name]] = Number(value);
      else dropped.push(name);
    } else if (name === "policy") {
      if (data.policies.includes(value)) found.policy = value; else dropped.push(`policy ${value}`);
    } else if (name === "outcome") {
      if (data.outcomes.includes(value)) found.outcome = value; else dropped.push(value);
    }
  }
  return [tidy(found), dropped];
}

export function toAddress(s) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(s.values)) query.append(`v.${name}`, value);
  for (const [name, value] of Object.entries(s.options)) query.append(`o.${name}`, value);
  if (s.policy !== null) query.append("policy", s.policy);
  if (s.periods !== null) query.append("horizon", s.periods);
  if (s.beliefs !== null) query.append("beliefs", s.beliefs);
  if (s.outcome) query.append("outcome", s.outcome);
  const text = query.toString();
  return location.pathname + (text ? `?${text}` : "");
}

// Without what is as in the file.
function tidy(s) {
  const kept = { ...s, values: {}, options: {} };
  for (const [name, value] of Object.entries(s.values)) {
    if (data.numbers[name] && data.numbers[name].value !== value) kept.values[name] = value;
  }
  for (const [name, value] of Object.entries(s.options)) {
    if (data.options[name] !== value) kept.options[name] = value;
  }
  if (kept.policy === data.policy) kept.policy = null;
  if (kept.periods === data.periods) kept.periods = null;
  return kept;
}

const at = () => (history.state && history.state.at) || 0;
const most = () => Number(sessionStorage.getItem(`most${location.pathname}`) || 0);
export const canUndo = () => at() > 0;
export const canRedo = () => at() < most();

// A movement that goes on replaces the entry that it has made; `done` ends it.
let moving = false;

export function change(changes, done = true) {
  const next = tidy({ ...setting, ...changes });
  const same = JSON.stringify(next) === JSON.stringify(setting);
  setting = next;
  if (!same) {
    const address = toAddress(setting);
    if (moving) {
      history.replaceState({ at: at() }, "", address);
    } else {
      history.pushState({ at: at() + 1 }, "", address);
      sessionStorage.setItem(`most${location.pathname}`, at());
    }
  }
  moving = !done;
  if (!same || done) for (const listener of listeners) listener(done, same);
}

export function setValue(name, value, done) {
  change({ values: { ...setting.values, [name]: value } }, done);
}

export function begin() {
  let dropped;
  [setting, dropped] = fromAddress(location.search);
  if (!history.state) {
    history.replaceState({ at: 0 }, "", toAddress(setting));
    sessionStorage.setItem(`most${location.pathname}`, 0);
  }
  addEventListener("popstate", () => {
    moving = false;
    [setting] = fromAddress(location.search);
    for (const listener of listeners) listener(true);
  });
  return dropped;
}

// The file has changed: what it still has of the changes stays.
export function renew(fresh) {
  const before = setting;
  Object.assign(data, fresh);
  const [, dropped] = fromAddress(toAddress(before).split("?")[1] || "");
  const values = Object.fromEntries(Object.entries(before.values).filter(([k]) => k in data.numbers));
  const options = Object.fromEntries(Object.entries(before.options).filter(([k]) => k in data.options));
  setting = tidy({
    ...before, values, options,
    policy: data.policies.includes(before.policy) ? before.policy : null,
    outcome: data.outcomes.includes(before.outcome) ? before.outcome : "",
  });
  history.replaceState({ at: at() }, "", toAddress(setting));
  return dropped;
}

export const value = (name) => setting.values[name] ?? data.numbers[name].value;
