// Bytes for a person to read: as JSON, as text, or in hex.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Empty } from "../components/basics";
import { decodeBody, type BodyView, type DecodedBody } from "../domain/body";
import { integer } from "../domain/format";

const NAMES: Record<BodyView, string> = { json: "JSON", text: "Text", hex: "Hex" };

export function BodyViewer({ title, base64 }: { title: string; base64: string }) {
  const body = useSignal<DecodedBody | "unreadable" | null>(null);
  const chosen = useSignal<BodyView | null>(null);
  useEffect(() => {
    let wanted = true;
    void decodeBody(base64).then((decoded) => {
      if (wanted) body.value = decoded ?? "unreadable";
    });
    return () => {
      wanted = false;
    };
  }, [base64]);
  const decoded = body.value;
  if (decoded === null) return null;
  if (decoded === "unreadable") return <Empty>The body is not base64.</Empty>;
  if (decoded.size === 0) return <Empty>The body is empty.</Empty>;
  const view = chosen.value ?? decoded.best;
  const text = { json: decoded.json, text: decoded.text, hex: decoded.hex }[view] ?? "";
  return (
    <section aria-label={title}>
      <div class="body-head">
        <h3>{title}</h3>
        <span class="muted small">
          {integer(decoded.size)} bytes
          {decoded.gzip && `, gzip, ${integer(decoded.unpackedSize)} unpacked`}
        </span>
        <div class="segments small" role="group" aria-label="Show as">
          {(["json", "text", "hex"] as const).map((name) => (
            <button
              key={name}
              type="button"
              disabled={decoded[name] === null}
              aria-pressed={view === name}
              onClick={() => (chosen.value = name)}
            >
              {NAMES[name]}
            </button>
          ))}
        </div>
      </div>
      <pre class="body-text" tabIndex={0} aria-label={`${title} as ${NAMES[view]}`}>
        {text}
      </pre>
    </section>
  );
}
