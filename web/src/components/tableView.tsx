// A view that is a table with filters above it and, for the row that is open, a panel beside it.
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import type { View } from "../domain/route";
import type { PagedList } from "../state/pagedList";
import { link, route } from "../state/router";
import { ListFrame } from "./listPage";

export interface Column<T> {
  head: string;
  cell: (item: T) => ComponentChildren;
  /** Right-aligned. */
  number?: boolean;
  look?: (item: T) => string;
  title?: (item: T) => string;
}

export interface ListTableProps<T extends { id: string }> {
  view: View;
  caption: string;
  list: PagedList<T>;
  /** The first column is the row's link. */
  columns: readonly Column<T>[];
  empty: string;
}

export interface TableViewProps<T extends { id: string }> extends ListTableProps<T> {
  title: string;
  filters: ComponentChildren;
  action?: ComponentChildren;
  panel: (id: string) => ComponentChildren;
}

export function TableView<T extends { id: string }>(props: TableViewProps<T>) {
  const { list } = props;
  const { open } = route.value;
  useEffect(() => list.start(), [list]);
  return (
    <main id="main" class={`view${open ? " has-panel" : ""}`} tabIndex={-1}>
      <div class="view-main">
        <div class="view-head">
          <h1>{props.title}</h1>
          <div class="view-filters">{props.filters}</div>
          {props.action}
        </div>
        <ListTable {...props} />
      </div>
      {open && props.panel(open)}
    </main>
  );
}

export function ListTable<T extends { id: string }>({ view, caption, list, columns, empty }: ListTableProps<T>) {
  const { open } = route.value;
  return (
    <ListFrame list={list} empty={empty}>
      <table class="grid">
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ head, number }) => (
              <th key={head} scope="col" {...(number ? { class: "number" } : {})}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {list.items.value.map((item) => (
            <TableRow key={item.id} item={item} view={view} columns={columns} open={item.id === open} />
          ))}
        </tbody>
      </table>
    </ListFrame>
  );
}

function TableRow<T extends { id: string }>({
  item,
  view,
  columns: [first, ...others],
  open,
}: {
  item: T;
  view: View;
  columns: readonly Column<T>[];
  open: boolean;
}) {
  return (
    <tr class={open ? "open" : ""}>
      <th scope="row">
        <a
          href={link({ view, open: item.id, query: route.value.query })}
          {...(open ? { "aria-current": "true" } : {})}
        >
          {first?.cell(item)}
        </a>
      </th>
      {others.map(({ head, number, look, title, cell }) => (
        <td
          key={head}
          class={[number ? "number" : "", look?.(item) ?? ""].join(" ").trim()}
          {...(title ? { title: title(item) } : {})}
        >
          {cell(item)}
        </td>
      ))}
    </tr>
  );
}
