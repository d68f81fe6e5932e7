/** A text with its `%XX` decoded; as it is where that is no such text, as a password with a "%". */
export function decodeUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
