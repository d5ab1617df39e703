// An id in full, to be copied with one click: half an id finds nothing.
import { useSignal } from "@preact/signals";
import { copy } from "../state/clipboard";
import { Icon } from "./icons";

const SAID_MS = 1500;

export function Id({ value, what = "id" }: { value: string; what?: string }) {
  const copied = useSignal(false);
  const take = async () => {
    copied.value = await copy(value);
    setTimeout(() => (copied.value = false), SAID_MS);
  };
  return (
    <span class="id">
      <span class="mono break" title={value}>
        {value}
      </span>
      <button
        type="button"
        class="icon-button copy"
        aria-label={`Copy the ${what}`}
        title={`Copy the ${what}`}
        onClick={() => void take()}
      >
        <Icon name={copied.value ? "check" : "copy"} size={13} />
      </button>
      <span class="visually-hidden" role="status">
        {copied.value ? "Copied" : ""}
      </span>
    </span>
  );
}

/** The address is worked out when it is asked for. */
export function CopyLink({ address }: { address: () => string }) {
  const copied = useSignal(false);
  const take = async () => {
    copied.value = await copy(address());
    setTimeout(() => (copied.value = false), SAID_MS);
  };
  return (
    <button type="button" class="quiet share" onClick={() => void take()}>
      <Icon name={copied.value ? "check" : "copy"} size={13} /> Copy link
      <span class="visually-hidden" role="status">
        {copied.value ? "Copied" : ""}
      </span>
    </button>
  );
}
