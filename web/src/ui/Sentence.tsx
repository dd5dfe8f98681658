import { sentencePieces } from './sentence';

/** A message of the server as a person reads it. */
export function Sentence({ children }: { children: string }) {
  let at = 0;
  return sentencePieces(children).map(({ text, isCode }) => {
    const place = at;
    at += text.length;
    return isCode ? <code key={place}>{text}</code> : <span key={place}>{text}</span>;
  });
}
