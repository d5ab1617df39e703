// Earlier versions of the zones: look at one in the editor, or put it in force again.
import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { reference } from "../api/reference";
import type { ZonesVersion } from "../api/shapes";
import { Action } from "../components/action";
import { Empty, Problem } from "../components/basics";
import { Clock } from "../components/times";
import { question } from "../state/ask";
import { isChanged, replaceAll, restore, said, saved } from "../state/zoneEditing";

export function ZoneVersions() {
  const open = useSignal(false);
  return (
    <details class="zone-versions" onToggle={(event) => (open.value = event.currentTarget.open)}>
      <summary>Versions</summary>
      {open.value && <Versions />}
    </details>
  );
}

function Versions() {
  const items = useSignal<readonly ZonesVersion[] | null>(null);
  const further = useSignal<string | null>(null);
  const problem = useSignal<unknown>(null);
  const tag = useComputed(() => saved.value?.tag);
  const read = async (continuation: string | null) => {
    try {
      const page = await reference.zoneVersions(continuation);
      items.value = continuation === null ? page.items : [...(items.peek() ?? []), ...page.items];
      further.value = page.continuation;
      problem.value = null;
    } catch (error) {
      problem.value = error;
    }
  };
  // Read anew whenever something else is in force.
  useEffect(() => {
    void read(null);
  }, [tag.value]);

  const look = async (version: number) => {
    try {
      replaceAll(await reference.zoneVersion(version));
      said.value = `Version ${version} is in the editor. Save puts it in force, undo goes back.`;
    } catch (error) {
      problem.value = error;
    }
  };
  const ask = ({ version, at, by }: ZonesVersion) =>
    (question.value = {
      title: `Restore version ${version}?`,
      body: (
        <p>
          The zones of <Clock time={at} />
          {by ? `, by ${by === "file" ? "the file" : by}` : ""}, are put in force again, as a new version.
          {isChanged.peek() && " Your changes that are not saved are replaced; undo brings them back."}
        </p>
      ),
      action: "Restore",
      run: async () => {
        await restore(version);
        return <p>Version {version} is in force again.</p>;
      },
    });

  if (problem.value !== null) return <Problem problem={problem.value} retry={() => void read(null)} />;
  if (items.value === null) return <Empty>Asking for the versions…</Empty>;
  if (items.value.length === 0) return <Empty>None yet: the zones are those of the file. The first save keeps them.</Empty>;
  return (
    <>
      <ol class="versions" reversed>
        {items.value.map((one, at) => (
          <li key={one.version}>
            <span class="version-name">
              <b>{one.version}</b> <Clock time={one.at} />
              {one.by && <span class="muted"> {one.by === "file" ? "the file" : one.by}</span>}
            </span>
            {at === 0 ? (
              <span class="muted">In force</span>
            ) : (
              <>
                <button type="button" class="link" onClick={() => void look(one.version)}>
                  Look<span class="visually-hidden"> at version {one.version}</span>
                </button>
                <Action class="link" onClick={() => ask(one)}>
                  Restore<span class="visually-hidden"> version {one.version}</span>
                </Action>
              </>
            )}
          </li>
        ))}
      </ol>
      {further.value !== null && (
        <button type="button" class="quiet more" onClick={() => void read(further.value)}>
          Show older ones
        </button>
      )}
    </>
  );
}
