// What stands in a dead letter's body, for a person to read: JSON, else text, else a hex dump.

export type BodyView = "json" | "text" | "hex";

export interface DecodedBody {
  size: number;
  /** Bytes after unpacking gzip; the same as `size` when the body was not packed. */
  unpackedSize: number;
  gzip: boolean;
  json: string | null;
  text: string | null;
  hex: string;
  best: BodyView;
}

const HEX_LIMIT = 64 * 1024;
const UNPACK_LIMIT = 16 * 1024 * 1024;

/** Bytes of standard base64; null when it is not base64. */
export function bytesOf(base64: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}

/** Offset, 16 bytes in hex, and what is printable of them, one line each 16 bytes; cut after 64 KiB. */
export function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, HEX_LIMIT); at += 16) {
    const row = bytes.subarray(at, at + 16);
    const pairs = Array.from(row, (byte) => byte.toString(16).padStart(2, "0"));
    const left = pairs.slice(0, 8).join(" ").padEnd(23);
    const right = pairs.slice(8).join(" ").padEnd(23);
    const shown = Array.from(row, (byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·",
    ).join("");
    lines.push(`${at.toString(16).padStart(6, "0")}  ${left}  ${right}  ${shown}`);
  }
  if (bytes.length > HEX_LIMIT) lines.push(`… ${bytes.length - HEX_LIMIT} more bytes`);
  return lines.join("\n");
}

async function unpack(bytes: Uint8Array): Promise<Uint8Array | null> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return null;
  try {
    const stream = new Blob([bytes.slice()]).stream().pipeThrough(new DecompressionStream("gzip"));
    const reader = stream.getReader();
    const parts: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > UNPACK_LIMIT) return null;
      parts.push(value);
    }
    const all = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  } catch {
    return null;
  }
}

function textOf(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    // Control characters mean that these bytes only happen to be UTF-8.
    return /[\u0000-\u0008\u000e-\u001f]/.test(text) ? null : text;
  } catch {
    return null;
  }
}

function jsonOf(text: string | null): string | null {
  if (text === null || text.trim() === "") return null;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}

export async function decodeBody(base64: string): Promise<DecodedBody | null> {
  const raw = bytesOf(base64);
  if (raw === null) return null;
  const unpacked = await unpack(raw);
  const bytes = unpacked ?? raw;
  const text = textOf(bytes);
  const json = jsonOf(text);
  return {
    size: raw.length,
    unpackedSize: bytes.length,
    gzip: unpacked !== null,
    json,
    text,
    hex: hexDump(bytes),
    best: json !== null ? "json" : text !== null && text !== "" ? "text" : "hex",
  };
}
