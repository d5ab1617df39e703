// Steering one orchestration: what is asked before, in the words of what happens.
import { api } from "../api/client";
import type { InstanceDetail } from "../api/shapes";
import type { Operation } from "../domain/instance";
import type { Question } from "../state/ask";
import { link } from "../state/router";

const REASON = { label: "Reason", hint: "Kept in its history, for whoever asks later." };

/** What becomes of the batch that it runs. */
const OF_A_BATCH: Record<Operation, string> = {
  suspend: "Its batch stays as it is and waits: no other attempt is made until it is resumed.",
  resume: "Its batch goes on from the step it had reached.",
  terminate:
    "Its batch is not lost: after a while the sweeper finds it standing and starts a new attempt. What is stored already is not stored twice.",
  restart:
    "It runs a batch, and a batch is run by one attempt only: this copy would find that it is none, and do nothing. Replay the batch instead.",
  purge: "The batch itself, its messages and its dead letters stay.",
};

/** What becomes of the alerts; a copy of one of these under another id is refused. */
const OF_THE_ALERTS: Record<string, Partial<Record<Operation, string>>> = {
  alert_monitor: {
    suspend: "It looks at the drones: no alert is raised or cleared until it is resumed.",
    resume: "It looks at the drones again: what has happened meanwhile is raised and cleared then.",
    terminate: "It looks at the drones, and is started again by itself; until then no alert is raised or cleared.",
    purge: "A new one is started by itself; the alerts stay.",
  },
  alert_episode: {
    suspend: "Nobody is notified of what becomes of this alert until it is resumed.",
    terminate: "Nobody is notified any more of what becomes of this alert. The alert itself stays.",
    purge: "The alert itself stays.",
  },
};

const WHAT: Record<Operation, { title: string; body: string; action: string; danger: boolean; done: string }> = {
  suspend: {
    title: "Suspend this orchestration?",
    body: "It does no further step until somebody resumes it. A step that is under way runs to its end. Events and timers that come meanwhile wait for it.",
    action: "Suspend",
    danger: false,
    done: "It is being suspended.",
  },
  resume: {
    title: "Resume this orchestration?",
    body: "It goes on where it stood, with what has come meanwhile.",
    action: "Resume",
    danger: false,
    done: "It goes on.",
  },
  terminate: {
    title: "Terminate this orchestration?",
    body: "It ends where it stands and cannot go on. A step that is under way runs to its end, and its result counts no more; orchestrations that it has started go on by themselves.",
    action: "Terminate",
    danger: true,
    done: "It is being ended.",
  },
  restart: {
    title: "Start this orchestration anew?",
    body: "A new one with the same input starts from the beginning, under an id of its own. This one stays as it is.",
    action: "Start anew",
    danger: false,
    done: "Started as",
  },
  purge: {
    title: "Purge this orchestration?",
    body: "Its history, input and output are deleted for good. It can be neither looked at nor started anew afterwards.",
    action: "Purge",
    danger: true,
    done: "It is gone.",
  },
};

export function steer(
  operation: Operation,
  instance: InstanceDetail,
  changed: (operation: Operation) => void,
  /** While it is being purged, nobody is to ask for it. */
  leave: (gone: boolean) => void,
): Question {
  const { title, body, action, danger, done } = WHAT[operation];
  const more = OF_THE_ALERTS[instance.name]?.[operation];
  return {
    title,
    body: (
      <>
        <p>{body}</p>
        {instance.batchId !== null && <p>{OF_A_BATCH[operation]}</p>}
        {more !== undefined && <p>{more}</p>}
        <p class="mono break small">{instance.id}</p>
      </>
    ),
    action,
    danger,
    ...(operation === "suspend" || operation === "terminate" ? { reason: REASON } : {}),
    run: async (reason) => {
      if (operation === "purge") await purge(instance.id, leave);
      else if (operation === "restart") {
        const { id } = await api.restartInstance(instance.id);
        changed(operation);
        return (
          <p class="good">
            {done}{" "}
            <a class="mono break" href={link({ view: "instances", open: id })}>
              {id}
            </a>
          </p>
        );
      } else await api.steerInstance(instance.id, operation, reason);
      changed(operation);
      return <p class="good">{done}</p>;
    },
  };
}

async function purge(id: string, leave: (gone: boolean) => void): Promise<void> {
  leave(true);
  try {
    await api.purgeInstance(id);
  } catch (problem) {
    leave(false);
    throw problem;
  }
}
