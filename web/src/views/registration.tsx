// What the registry says of the open drone, and the form that changes it.
import { useSignal } from "@preact/signals";
import { useEffect, useId, useRef } from "preact/hooks";
import { ApiProblem } from "../api/problem";
import { reference } from "../api/reference";
import { Action } from "../components/action";
import { Problem } from "../components/basics";
import { Icon } from "../components/icons";
import {
  changedFields,
  check,
  LABELS,
  mergedForm,
  readForm,
  writeEntry,
  wrongOf,
  type Entry,
  type Field,
  type Form,
  type Wrong,
} from "../domain/registration";
import { question } from "../state/ask";
import { askForAll } from "../state/fleet";

/** What the server had when the form was opened; no entry and no tag where the drone is not registered. */
interface Read {
  entry: Entry | null;
  tag: string | null;
}

async function read(id: string): Promise<Read> {
  try {
    const { value, tag } = await reference.registration(id);
    return { entry: value as Entry, tag };
  } catch (error) {
    if (error instanceof ApiProblem && error.kind === "missing") return { entry: null, tag: null };
    throw error;
  }
}

export function RegistrationLine({ id, shown }: { id: string; shown: Entry | null }) {
  const said = useSignal<Entry | null | undefined>(undefined);
  const form = useSignal<Read | null>(null);
  const problem = useSignal<unknown>(null);
  // The drone's own state catches up with what was saved here.
  useEffect(() => {
    said.value = undefined;
  }, [JSON.stringify(shown)]);
  const entry = said.value === undefined ? shown : said.value;
  const open = async () => {
    problem.value = null;
    try {
      form.value = await read(id);
    } catch (error) {
      problem.value = error;
    }
  };
  const line = [entry?.name, entry?.model, entry?.owner].filter(Boolean).join(" · ");
  return (
    <div class="registration">
      <p class="detail-sub">
        {line || (entry ? "In the registry" : "Not in the registry")}{" "}
        {!form.value && (
          <Action class="link" onClick={() => void open()}>
            {entry ? "Edit" : "Register"}
            <span class="visually-hidden"> {entry ? "the registration" : "this drone"}</span>
          </Action>
        )}
      </p>
      {problem.value !== null && <Problem problem={problem.value} />}
      {form.value && (
        <RegistrationForm
          id={id}
          start={form.value}
          done={(saved) => {
            if (saved !== undefined) {
              said.value = saved;
              askForAll();
            }
            form.value = null;
          }}
        />
      )}
    </div>
  );
}

/** `done` with the entry as saved, null when it is gone, undefined when nothing has changed. */
function RegistrationForm({ id, start, done }: { id: string; start: Read; done: (saved?: Entry | null) => void }) {
  const base = useSignal(start);
  const form = useSignal<Form>(readForm(start.entry));
  const refused = useSignal<Wrong>({});
  const problem = useSignal<unknown>(null);
  const theirs = useSignal<Read | null>(null);
  const busy = useSignal(false);
  const first = useRef<HTMLInputElement>(null);
  const prefix = useId();
  useEffect(() => first.current?.focus({ preventScroll: true }), []);
  const wrong = { ...refused.value, ...check(form.value) };

  const put = (field: Field, value: string) => {
    form.value = { ...form.value, [field]: value };
    const { [field]: _gone, ...rest } = refused.value;
    refused.value = rest;
  };
  const save = async (onto: Read) => {
    if (Object.keys(check(form.value)).length > 0) return;
    busy.value = true;
    problem.value = null;
    try {
      const { value } = await reference.putRegistration(id, writeEntry(id, form.value, onto.entry), onto.tag);
      return done(value as Entry);
    } catch (error) {
      await failed(error);
    } finally {
      busy.value = false;
    }
  };
  const failed = async (error: unknown) => {
    if (error instanceof ApiProblem && (error.kind === "outdated" || error.status === 428)) {
      try {
        theirs.value = await read(id);
      } catch (again) {
        problem.value = again;
      }
      return;
    }
    refused.value = error instanceof ApiProblem ? wrongOf(error.errors) : {};
    if (Object.keys(refused.value).length === 0) problem.value = error;
  };
  const settle = (how: "mine" | "theirs") => {
    const found = theirs.value;
    if (!found) return;
    const [was, is] = [readForm(base.value.entry), readForm(found.entry)];
    form.value = how === "theirs" ? is : mergedForm(was, is, form.value);
    base.value = found;
    theirs.value = null;
    if (how === "mine") void save(found);
    else if (!found.entry) done(null);
  };
  const remove = () => {
    const { tag } = base.value;
    question.value = {
      title: `Take ${id} out of the registry?`,
      body: <p>Its messages are kept, and are flagged as of an unregistered device from now on.</p>,
      action: "Take it out",
      danger: true,
      run: async () => {
        try {
          await reference.deleteRegistration(id, tag ?? "");
        } catch (error) {
          if (error instanceof ApiProblem && error.kind === "outdated") theirs.value = await read(id);
          throw error;
        }
        done(null);
        return <p>{id} is no longer in the registry.</p>;
      },
    };
  };

  const field = (name: Field, decimal = false) => (
    <div>
      <label class="field">
        <span>{LABELS[name]}</span>
        <input
          ref={name === "name" ? first : null}
          type="text"
          {...(decimal ? { inputMode: "decimal" as const } : {})}
          value={form.value[name]}
          maxLength={300}
          spellcheck={false}
          aria-invalid={wrong[name] !== undefined}
          aria-describedby={`${prefix}-${name}`}
          onInput={(event) => put(name, event.currentTarget.value)}
        />
      </label>
      <small class="wrong" id={`${prefix}-${name}`} aria-live="polite">
        {wrong[name]}
      </small>
    </div>
  );
  return (
    <form
      class="registration-form"
      aria-label="Registration"
      onSubmit={(event) => {
        event.preventDefault();
        void save(base.value);
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        event.stopPropagation();
        done();
      }}
    >
      {theirs.value && <Outdated base={base.value} theirs={theirs.value} settle={settle} />}
      {problem.value !== null && <Problem problem={problem.value} />}
      <div class="zone-fields">
        {field("name")}
        {field("model")}
        <div class="wide">{field("owner")}</div>
        {field("latitude", true)}
        {field("longitude", true)}
        {field("altitude", true)}
        <label class="field">
          <span>{LABELS.altitudeReference}</span>
          <select
            value={form.value.altitudeReference}
            onChange={(event) => put("altitudeReference", event.currentTarget.value)}
          >
            <option value="msl">Sea level</option>
            <option value="wgs84">Ellipsoid (WGS 84)</option>
          </select>
        </label>
      </div>
      <div class="registration-buttons">
        {base.value.entry && (
          <button type="button" class="quiet danger-text" onClick={remove}>
            <Icon name="trash" /> Take out
          </button>
        )}
        <button type="button" class="quiet" onClick={() => done()}>
          Cancel
        </button>
        <button type="submit" class="primary" disabled={busy.value || Object.keys(wrong).length > 0}>
          {base.value.entry ? "Save" : "Register"}
        </button>
      </div>
    </form>
  );
}

function Outdated(props: { base: Read; theirs: Read; settle: (how: "mine" | "theirs") => void }) {
  const { base, theirs, settle } = props;
  const [was, is] = [readForm(base.entry), readForm(theirs.entry)];
  return (
    <div class="outdated" role="alert">
      {theirs.entry ? (
        <>
          <p>
            <strong>Somebody else has changed it meanwhile.</strong> Nothing has been saved yet.
          </p>
          <ul>
            {changedFields(was, is).map((name) => (
              <li key={name}>
                {LABELS[name]}: {was[name] || "none"} → <b>{is[name] || "none"}</b>
              </li>
            ))}
          </ul>
        </>
      ) : (
        <p>
          <strong>Somebody else has taken it out of the registry meanwhile.</strong> Nothing has been saved yet.
        </p>
      )}
      <div class="registration-buttons">
        <button type="button" class="quiet" onClick={() => settle("theirs")}>
          {theirs.entry ? "Take theirs" : "Leave it out"}
        </button>
        <button type="button" class="primary" onClick={() => settle("mine")}>
          {theirs.entry ? "Save mine on top" : "Register it again"}
        </button>
      </div>
    </div>
  );
}
