import { distance } from 'fastest-levenshtein';

/** The known word that somebody who wrote `word` most likely meant, or null. */
export function suggestionFor(word: string, known: readonly string[]): string | null {
  const wanted = plainForm(word);
  const distances = known.map((candidate) => distance(wanted, plainForm(candidate)));
  const least = Math.min(...distances);
  // A third of the letters may be wrong: more is a guess that confuses.
  return least <= Math.max(1, wanted.length / 3) ? (known[distances.indexOf(least)] as string) : null;
}

function plainForm(word: string): string {
  return word.toLowerCase().replaceAll('-', '_');
}
