// Which keys do what.
import { Choice } from "../components/menu";
import { Modal } from "../components/modal";
import { KEYS, keys } from "../state/keys";

export function KeysHelp({ close }: { close: () => void }) {
  return (
    <Modal title="Keys" close={close}>
      <dl class="keys">
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div class="setting">
        <span>Single keys</span>
        <Choice
          label="Single keys"
          value={keys.value}
          choose={keys.choose}
          options={[
            ["on", "On"],
            ["off", "Off"],
          ]}
        />
      </div>
    </Modal>
  );
}
