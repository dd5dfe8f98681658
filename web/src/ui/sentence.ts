/** A piece of a message: words, or what a person would type. */
export type Piece = { text: string; isCode: boolean };

/** A word that may begin with a capital; names of fields, commands and paths stay as they are spelled. */
const PLAIN_WORD = /^[a-z][a-z'’-]*(?=[\s,;:.!?]|$)/;
const HAS_END = /[.!?…:]["'”)]?$/;

/**
 * What the server says, as a sentence: it writes its messages as parts of longer ones, in lower case and without a full
 * stop, with what is typed between backticks.
 */
export function sentencePieces(message: string): Piece[] {
  const pieces = message
    .trim()
    .split('`')
    // Between an odd backtick and the next one is code; one without a partner is itself.
    .map((text, index, all): Piece => {
      const isUnpaired = index === all.length - 1 && index % 2 === 1;
      return { text: isUnpaired ? `\`${text}` : text, isCode: index % 2 === 1 && !isUnpaired };
    })
    .filter(({ text }) => text !== '');
  const [first] = pieces;
  if (first && !first.isCode && PLAIN_WORD.test(first.text)) {
    first.text = first.text.charAt(0).toUpperCase() + first.text.slice(1);
  }
  const last = pieces.at(-1);
  if (last && (last.isCode || !HAS_END.test(last.text))) pieces.push({ text: '.', isCode: false });
  return pieces;
}
