// Sizes and lengths as they are read.

const UNITS = ["B", "kB", "MB", "GB"];

/** 1536 is "1.5 kB"; as the pages of the server write it, in steps of 1024. */
export function bytes(size) {
  let value = size;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit && value < 10 ? Number(value.toFixed(1)) : Math.round(value)} ${UNITS[unit]}`;
}

/** 75.5 is "1:15", 4.25 is "4.3 s". */
export function seconds(value) {
  if (value < 60) return `${Number(value.toFixed(1))} s`;
  return `${Math.floor(value / 60)}:${String(Math.floor(value % 60)).padStart(2, "0")}`;
}

/**
 * @typedef {{name?: string, type?: string, size?: number, width?: number, height?: number, duration?: number,
 *   thumbnail?: HTMLCanvasElement}} Facts what is known of a file
 */

/**
 * What is known of a file, in one line.
 * @param {Facts} facts
 */
export function factsLine({ type, size, width, height, duration }) {
  return [
    type,
    size === undefined ? "" : bytes(size),
    width && height ? `${width} × ${height}` : "",
    duration ? seconds(duration) : "",
  ]
    .filter(Boolean)
    .join(" · ");
}
