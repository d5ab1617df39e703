// What a person sets for themselves in this browser: how things look, and how times and measures are read.
import { signal } from "@preact/signals";
import { Icon } from "../components/icons";
import { Choice, Menu } from "../components/menu";
import { zoneName } from "../domain/time";
import { UNIT_SYSTEMS, UNITS } from "../domain/units";
import { alertNotice, alertSound, OFF_ON, wantNotices } from "../state/alerts";
import { now } from "../state/clock";
import { unitSystem, zone } from "../state/display";
import { fullScreen, over } from "../state/keys";
import { chime } from "../state/sound";
import { themeChoice } from "../state/theme";

const SWITCH = OFF_ON.map((value) => [value, value === "on" ? "On" : "Off"] as const);
const refused = signal(false);

export function SettingsMenu() {
  return (
    <Menu label="Settings" button={<Icon name="settings" />}>
      {(close) => (
        <>
          <Setting name="Theme">
            <Choice
              label="Theme"
              value={themeChoice.value}
              choose={themeChoice.choose}
              options={[
                ["system", <Icon key="i" name="system" size={14} />, "Theme of the system"],
                ["light", <Icon key="i" name="sun" size={14} />, "Light theme"],
                ["dark", <Icon key="i" name="moon" size={14} />, "Dark theme"],
              ]}
            />
          </Setting>
          <Setting name="Times">
            <Choice
              label="Times"
              value={zone.value}
              choose={zone.choose}
              options={[
                ["local", `Local (${zoneName(now.value, "local")})`],
                ["utc", "UTC"],
              ]}
            />
          </Setting>
          <label class="setting">
            <span>Units</span>
            <select
              value={unitSystem.value}
              onChange={(event) => {
                const chosen = UNIT_SYSTEMS.find((name) => name === event.currentTarget.value);
                if (chosen) unitSystem.choose(chosen);
              }}
            >
              {UNIT_SYSTEMS.map((name) => (
                <option key={name} value={name}>
                  {UNITS[name].label}
                </option>
              ))}
            </select>
          </label>
          <Setting name="Sound on a new alert">
            <Choice
              label="Sound on a new alert"
              value={alertSound.value}
              choose={(value) => {
                alertSound.choose(value);
                if (value === "on") chime();
              }}
              options={SWITCH}
            />
          </Setting>
          <Setting name="Notification of a new alert">
            <Choice
              label="Notification of a new alert"
              value={alertNotice.value}
              choose={(value) => {
                refused.value = false;
                if (value === "off") return alertNotice.choose(value);
                void wantNotices().then((granted) => (refused.value = !granted));
              }}
              options={SWITCH}
            />
          </Setting>
          {refused.value && (
            <p class="wrong small" role="alert">
              The browser does not let this page notify you. It can be allowed in the browser's settings for this site.
            </p>
          )}
          <div class="actions">
            <button
              type="button"
              class="quiet"
              onClick={() => {
                close();
                fullScreen();
              }}
            >
              <Icon name="fit" size={14} /> Full screen
            </button>
            <a class="button quiet" href="/?display=wall">
              <Icon name="system" size={14} /> Wall display
            </a>
            <button
              type="button"
              class="quiet"
              onClick={() => {
                close();
                over.value = "keys";
              }}
            >
              Keys
            </button>
          </div>
          <p class="muted small">Ids, the API and the command line are always in UTC and in metres.</p>
        </>
      )}
    </Menu>
  );
}

function Setting({ name, children }: { name: string; children: preact.ComponentChildren }) {
  return (
    <div class="setting">
      <span>{name}</span>
      {children}
    </div>
  );
}
