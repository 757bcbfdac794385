// The columns of a CSV file as its first line names them, so that they can be chosen before the server has read it.
const SEPARATORS = [',', ';', '\t', '|'];
const ENOUGH_BYTES = 65_536;

/** The cells of one line; quotes are doubled inside quotes. */
export function cells(line: string, separator: string): string[] {
  const found: string[] = [];
  let cell = '';
  let quoted = false;
  for (let n = 0; n < line.length; n += 1) {
    const letter = line[n]!;
    if (quoted && letter === '"' && line[n + 1] === '"') {
      cell += '"';
      n += 1;
    } else if (letter === '"') quoted = !quoted;
    else if (letter === separator && !quoted) {
      found.push(cell.trim());
      cell = '';
    } else cell += letter;
  }
  return [...found, cell.trim()];
}

export function columnsOf(text: string): string[] {
  const line = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/, 1)[0] ?? '';
  const separator = SEPARATORS.reduce((best, one) => (line.split(one).length > line.split(best).length ? one : best));
  return cells(line, separator).filter((name) => name !== '');
}

/** Empty for files whose inside cannot be seen here. */
export async function headerOf(file: File): Promise<string[]> {
  if (!file.name.toLowerCase().endsWith('.csv')) return [];
  const bytes = await file.slice(0, ENOUGH_BYTES).arrayBuffer();
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
  } catch {
    text = new TextDecoder('gb18030').decode(bytes, { stream: true });
  }
  return columnsOf(text);
}
