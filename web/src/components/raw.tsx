// JSON as it came, folded away.
export function Raw({ label, value, open = false }: { label: string; value: unknown; open?: boolean }) {
  return (
    <details class="raw" open={open}>
      <summary>{label}</summary>
      <pre class="body-text" tabIndex={0} aria-label={label}>
        {JSON.stringify(value, null, 2)}
      </pre>
    </details>
  );
}
