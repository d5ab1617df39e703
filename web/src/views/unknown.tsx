// An address that is none of this page's: said so, with the ways on.
import { VIEWS } from "../domain/route";
import { link, route } from "../state/router";
import { TITLES } from "./titles";

export function UnknownView() {
  return (
    <main id="main" class="view" tabIndex={-1}>
      <div class="view-main unknown">
        <h1>There is no such page</h1>
        <p>
          Nothing is at <code class="break">{route.value.open}</code>. The address may be of another version of this page, or
          have been cut when it was copied.
        </p>
        <ul>
          {VIEWS.map((view) => (
            <li key={view}>
              <a href={link({ view })}>{TITLES[view].title}</a>
            </li>
          ))}
        </ul>
      </div>
    </main>
  );
}
