// What the explorer says, and numbers as text.

/** With thousands apart, and a minus that is one; minus nought is nought. */
export function written(value, settings) {
  return new Intl.NumberFormat("en-GB", settings).format(value + 0).replace(/^-0$/, "0").replace("-", "−");
}

/** Of any size: large numbers whole, others with four digits that matter. */
export function short(value) {
  return written(value, Math.abs(value) >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 4 });
}

/** Of Dice and ratios. */
export function share(value) {
  return written(value, { minimumFractionDigits: 4, maximumFractionDigits: 4 });
}

export function volumes(count) {
  return count === 1 ? "1 volume" : `${short(count)} volumes`;
}

/** Counted from 0, as in recipes and tables. */
export function foldName(fold) {
  return `fold ${fold}`;
}

/** One sentence about how what is on the horizontal axis goes with Dice, in all volumes and in a chosen fold. */
export function correlationWords(name, all, chosen) {
  const parts = [`${volumes(all.count)}: Spearman’s ρ of ${name} and Dice is ${rho(all.value)}`];
  if (chosen !== null) parts.push(`in ${foldName(chosen.fold)} (${volumes(chosen.count)}) it is ${rho(chosen.value)}`);
  const left = all.missing === 0 ? "" : ` ${volumes(all.missing)} without this value cannot be shown.`;
  return `${parts.join("; ")}.${left}`;
}

function rho(value) {
  return value === null ? "not defined" : written(value, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}
