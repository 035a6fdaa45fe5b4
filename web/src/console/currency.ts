/**
 * How many minor units one of a currency has, by ISO 4217, as the api counts money (personalization/currencies.py).
 *
 * Not `resolvedOptions().maximumFractionDigits`: browsers take that from CLDR, which says how amounts are usually written,
 * and writes none after the point for forints and rupees that are counted in hundredths.
 */
const WITHOUT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(" ");
const THREE = "BHD IQD JOD KWD LYD OMR TND".split(" ");
const FOUR = ["CLF", "UYW"];

/** The digits after the point; two for a currency that is not known. */
export function places(currency: string): number {
  if (WITHOUT.includes(currency)) return 0;
  if (THREE.includes(currency)) return 3;
  return FOUR.includes(currency) ? 4 : 2;
}

/** How many minor units a major one has. */
export function units(currency: string): number {
  return 10 ** places(currency);
}

/** Minor units as a number of major ones, for a file that others count with. */
export function major(minor: number, currency: string): number {
  return Number((minor / units(currency)).toFixed(places(currency)));
}
