// Taking an alert up, and sending its notices again: what the page asks before, and what it says afterwards.
import { api } from "../api/client";
import type { Alert } from "../api/shapes";
import { words } from "../domain/format";
import type { Question } from "../state/ask";

export function acknowledge(alert: Alert, changed: () => void): Question {
  return {
    title: `Acknowledge “${words(alert.code)}” of ${alert.deviceId}?`,
    body: <p>You take it up: it is not escalated any more. It stays active until the drone's state clears it.</p>,
    reason: { label: "Note", hint: "What others should know, if anything.", optional: true },
    action: "Acknowledge",
    run: async (note) => {
      const { acknowledgedBy } = await api.acknowledgeAlert(alert.id, note || null);
      changed();
      return <p class="good">Acknowledged{acknowledgedBy ? ` by ${acknowledgedBy}` : ""}.</p>;
    },
  };
}

/** What a notice tells of: the last word of its type. */
export const noticeName = (type: string): string => words(type.split(".").at(-1) ?? type);

export function notifyAgain(alert: Alert, changed: () => void): Question {
  const kinds = alert.undelivered.map(noticeName).join(", ");
  return {
    title: "Send the notices again?",
    body: (
      <p>
        These never reached every receiver: {kinds}. They are sent to those that did not get them, under the same id, so
        that a receiver can tell a repeat.
      </p>
    ),
    action: "Send again",
    run: async () => {
      await api.notifyAlert(alert.id);
      changed();
      return <p class="good">They are on their way. The alert says if they are given up again.</p>;
    },
  };
}
