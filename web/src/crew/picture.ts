// Making a photo's file on the phone, and telling what a chosen file is.

export const MOST_BYTES = 12 * 1024 * 1024;
const MOST_PIXELS = 12_000_000;
const QUALITY = 0.85;

/** A JPEG of at most 12 megapixels. */
export async function jpegOf(source: CanvasImageSource, width: number, height: number): Promise<ArrayBuffer> {
  const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)));
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.getContext('2d')?.drawImage(source, 0, 0, canvas.width, canvas.height);
  return bytesOf(canvas);
}

export async function bytesOf(canvas: HTMLCanvasElement): Promise<ArrayBuffer> {
  const blob = await new Promise<Blob | null>((yes) => canvas.toBlob(yes, 'image/jpeg', QUALITY));
  if (blob === null) throw new DOMException('the canvas could not be written', 'EncodingError');
  return blob.arrayBuffer();
}

/** What a file is by its first bytes, not by its name; null: none of what is taken. */
export function fits(bytes: ArrayBuffer): 'image/jpeg' | 'image/png' | 'image/heic' | null {
  const head = new Uint8Array(bytes.slice(0, 12));
  const text = String.fromCharCode(...head);
  if (head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff) return 'image/jpeg';
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  return text.slice(4, 8) === 'ftyp' && /^(heic|heix|mif1|msf1|hevc)$/.test(text.slice(8, 12)) ? 'image/heic' : null;
}
