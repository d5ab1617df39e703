// A view whose code is asked for when somebody wants it.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Empty, Problem } from "../components/basics";

type View = () => preact.JSX.Element;

/** A browser may remember for good that a module did not come; and after an update of the server it has another name. */
const again = () => location.reload();

export function later(load: () => Promise<View>): View {
  let loaded: View | null = null;
  return function Later() {
    const there = useSignal(loaded !== null);
    const problem = useSignal<unknown>(null);
    useEffect(() => {
      if (loaded) return;
      load().then(
        (view) => {
          loaded = view;
          there.value = true;
        },
        () => {
          problem.value = "This part of the page could not be loaded.";
        },
      );
    }, []);
    if (there.value && loaded) {
      const Loaded = loaded;
      return <Loaded />;
    }
    return (
      <main id="main" class="view" tabIndex={-1}>
        {problem.value === null ? <Empty>Loading…</Empty> : <Problem problem={problem.value} retry={again} />}
      </main>
    );
  };
}
