// The parts that the app stands on, as of the last answer and no longer.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../api/client";
import type { ApiProblem } from "../api/problem";
import { Badge, Problem } from "../components/basics";
import { words } from "../domain/format";
import { healthParts, type HealthPart } from "../domain/health";
import { Poller } from "../state/poller";

const TONES = { healthy: "ok", degraded: "warn", unhealthy: "bad" } as const;
const WORDS = { healthy: "OK", degraded: "Degraded", unhealthy: "Down" };

export function Health() {
  const parts = useSignal<HealthPart[] | null>(null);
  const problem = useSignal<ApiProblem | null>(null);
  useEffect(() => {
    const poller = new Poller(
      async () => {
        parts.value = healthParts(await api.health());
      },
      10_000,
      (report) => {
        problem.value = report.problem;
      },
    ).start();
    return () => poller.stop();
  }, []);
  return (
    <section class="panel" aria-label="Health">
      <h2>Health</h2>
      {problem.value && <Problem problem={problem.value} />}
      {parts.value === null && !problem.value && <p class="muted">Asking…</p>}
      <ul class="breakdown">
        {parts.value?.map(({ name, status, detail }) => (
          <li key={name}>
            <span>
              {words(name)} {detail && !problem.value && <small class="muted">{detail}</small>}
            </span>
            {problem.value ? (
              <Badge tone="idle">Not known</Badge>
            ) : (
              <Badge tone={TONES[status]}>{WORDS[status]}</Badge>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
