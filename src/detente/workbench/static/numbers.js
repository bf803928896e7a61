// Numbers as the rest of Detente writes them (src/detente/numbers.py); tests compare the two.

export function percent(value, error = 1) {
  if (value === null || Number.isNaN(value)) return "–";
  const digits = error !== null && error < 5e-4 ? 1 : 0;
  const least = 10 ** -digits, number = 100 * value;
  if (number > 0 && number < 0.5 * least) return `<${least}\u00a0%`;
  if (number >= 100 - 0.5 * least && number < 100 - 1e-7) return `>${100 - least}\u00a0%`;
  return `${number.toFixed(digits)}\u00a0%`;
}

export function points(value) {
  const number = Math.abs(100 * value).toFixed(0);
  if (number === "0") return "less than 1 point";
  return `${value > 0 ? "+" : "-"}${number} point${number === "1" ? "" : "s"}`;
}

// As `%g` writes it: six digits at most.
export function short(value) {
  return String(Number(value.toPrecision(6)));
}
