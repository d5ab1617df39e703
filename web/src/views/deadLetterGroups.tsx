// Dead letters counted by reason and device: what is wrong with the fleet, rather than with one message.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../api/client";
import type { ApiProblem } from "../api/problem";
import type { DeadLetterGroups, LetterGroup } from "../api/shapes";
import { Empty, Problem } from "../components/basics";
import { Icon } from "../components/icons";
import { Ago } from "../components/times";
import { integer, plural, words } from "../domain/format";
import { Poller } from "../state/poller";
import { link } from "../state/router";

const EVERY_MS = 10_000;
const SHOWN = 200;

export function Groups(props: {
  filter: Record<string, string>;
  status: string;
  replay: (filter: Record<string, string>) => void;
}) {
  const { filter, status, replay } = props;
  const found = useSignal<DeadLetterGroups | null>(null);
  const problem = useSignal<ApiProblem | null>(null);
  const wanted = JSON.stringify([filter, status]);
  useEffect(() => {
    const poller = new Poller(
      async () => {
        found.value = await api.deadLetterGroups({ ...filter, status, limit: SHOWN });
      },
      EVERY_MS,
      (report) => {
        problem.value = report.problem;
      },
    ).start();
    return () => poller.stop();
  }, [wanted]);
  const groups = found.value;
  if (problem.value !== null) return <Problem problem={problem.value} />;
  if (groups === null) return <Empty>Asking the server…</Empty>;
  if (groups.items.length === 0) return <Empty>No dead letter matches.</Empty>;
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label="Table">
      <table class="grid">
        <caption class="visually-hidden">Dead letters by reason and device, most first</caption>
        <thead>
          <tr>
            <th scope="col">Reason</th>
            <th scope="col">Device</th>
            <th scope="col" class="number">
              Dead letters
            </th>
            <th scope="col">Newest</th>
            <th scope="col">Oldest</th>
            <th scope="col">
              <span class="visually-hidden">Do</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {groups.items.map((group) => (
            <Row
              key={`${group.errorCode} ${group.deviceId}`}
              group={group}
              filter={filter}
              status={status}
              replay={replay}
            />
          ))}
        </tbody>
      </table>
      <p class="table-note muted small">
        {groups.complete
          ? `Of ${plural(groups.letters, "dead letter")}.`
          : `Of the newest ${integer(groups.letters)} dead letters; there are more.`}{" "}
        One that breaks several rules counts in each.
      </p>
    </div>
  );
}

function Row(props: {
  group: LetterGroup;
  filter: Record<string, string>;
  status: string;
  replay: (filter: Record<string, string>) => void;
}) {
  const { group, filter, status, replay } = props;
  const { errorCode, deviceId } = group;
  const narrowed = { ...filter, errorCode, ...(deviceId === null ? {} : { deviceId }) };
  return (
    <tr>
      <th scope="row">
        <a href={link({ view: "deadletters", query: { ...narrowed, status: status || "any" } })}>{words(errorCode)}</a>
      </th>
      <td class="mono">{deviceId ?? <span class="muted">not known</span>}</td>
      <td class="number">{integer(group.letters)}</td>
      <td>
        <Ago time={group.newestAt} />
      </td>
      <td>
        <Ago time={group.oldestAt} />
      </td>
      <td class="row-actions">
        {/* No filter says "of no known device": such a group is looked at first. */}
        {status === "open" && deviceId !== null && (
          <button
            type="button"
            class="quiet"
            aria-label={`Replay: ${words(errorCode)}, ${deviceId}`}
            onClick={() => replay(narrowed)}
          >
            <Icon name="replay" size={13} /> Replay
          </button>
        )}
      </td>
    </tr>
  );
}
