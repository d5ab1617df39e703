// What a person may mean by a text: a view, a drone, or the id of something, which says by its form what it is of.
import { KINDS } from "./alert";
import { matches, NO_FILTER, type Row } from "./fleet";
import { VIEWS, type Route, type View } from "./route";

export interface Found {
  title: string;
  hint: string;
  to: Partial<Route> & { view: View };
}

const MOST_DRONES = 8;
const TIME = /^\d{8}T\d+Z$/;
const DIGITS = /^\d+$/;

const ofId = (id: string, view: View, hint: string): Found => ({ title: id, hint, to: { view, open: id } });

/** What has an id of this form. */
function byForm(text: string): Found[] {
  if (text.startsWith("~")) return [ofId(text, "instances", "Orchestration")];
  const parts = text.split("~");
  const [, second = "", third = "", fourth = ""] = parts;
  if (parts.some((part) => part === "") || /\s/.test(text)) return [];
  if (parts.length === 3) {
    if (KINDS.some(({ code }) => code === second)) return [ofId(text, "alerts", "Alert")];
    return TIME.test(second) ? [ofId(text, "flights", "Flight")] : [];
  }
  if (!DIGITS.test(third)) return [];
  if (parts.length === 6) return [ofId(text, "instances", "Orchestration")];
  if (parts.length !== 5) return [];
  return DIGITS.test(fourth) ? [ofId(text, "batches", "Batch")] : [ofId(text, "deadletters", "Dead letter")];
}

export function find(text: string, rows: readonly Row[], titles: Readonly<Record<View, string>>): Found[] {
  const wanted = text.trim();
  const views = VIEWS.filter((view) => titles[view].toLowerCase().includes(wanted.toLowerCase())).map(
    (view): Found => ({ title: titles[view], hint: "View", to: { view } }),
  );
  if (!wanted) return views;
  const filter = { ...NO_FILTER, text: wanted };
  // Whole names first, then names that begin so.
  const grade = ({ drone }: Row) => (drone.id === wanted ? 0 : drone.id.startsWith(wanted) ? 1 : 2);
  const drones = rows
    .filter((row) => matches(row, filter))
    .sort((a, b) => grade(a) - grade(b) || a.rank - b.rank)
    .slice(0, MOST_DRONES);
  const exact = drones[0]?.drone.id;
  return [
    ...byForm(wanted),
    ...drones.map(({ drone }): Found => ({
      title: drone.id,
      hint: drone.registration?.name ? `Drone · ${drone.registration.name}` : "Drone",
      to: { view: "fleet", open: drone.id },
    })),
    ...(exact === undefined
      ? []
      : ([
          ["flights", "Flights"],
          ["alerts", "Alerts"],
          ["deadletters", "Dead letters"],
        ] as const
        ).map(([view, what]): Found => ({
          title: `${what} of ${exact}`,
          hint: "List",
          to: { view, query: view === "flights" ? { deviceId: exact } : { deviceId: exact, status: "any" } },
        }))),
    ...views,
  ];
}
