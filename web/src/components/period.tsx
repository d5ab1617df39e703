// The choice of a stretch of time, kept in the address.
import { boundsOf, chosenPeriod, PERIODS } from "../domain/period";
import { serverNow } from "../state/clock";
import { Select } from "./basics";
import { TimeRange } from "./times";

export function Period(props: {
  label: string;
  query: Readonly<Record<string, string>>;
  refine: (part: Record<string, string>) => void;
}) {
  const { label, query, refine } = props;
  const chosen = chosenPeriod(query);
  const choose = (value: string) => {
    if (value !== "range") return refine({ last: value, from: "", to: "" });
    // On from what was chosen, so that there is something to change.
    const bounds = boundsOf(query, serverNow());
    return refine({ last: "range", from: bounds.from.replace(".000Z", "Z"), to: bounds.to });
  };
  return (
    <>
      <Select
        label={label}
        value={chosen}
        onChange={choose}
        options={[["", "Any time"], ...PERIODS.map(([key, text]) => [key, text] as const), ["range", "From … to …"]]}
      />
      {chosen === "range" && (
        <TimeRange
          from={query["from"] ?? ""}
          to={query["to"] ?? ""}
          change={(range) => refine({ last: "range", ...range })}
        />
      )}
    </>
  );
}
